//go:build unix

package outfile_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/outfile"
)

func TestPipes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if err := outfile.Write(ctx, name, []byte("for no reader")); !errors.Is(err, context.Canceled) {
		t.Errorf("without a reader: %v", err)
	}
	read := make(chan string)
	go func() {
		var data []byte
		for len(data) == 0 { // the writer that gave up may open it, and close it, first
			f, err := os.Open(name)
			if err != nil {
				read <- err.Error()
				return
			}
			data, _ = io.ReadAll(f)
			_ = f.Close()
		}
		read <- string(data)
	}()
	write(t, name, "through")
	select {
	case got := <-read:
		if got != "through" {
			t.Errorf("the reader got %q", got)
		}
	case <-time.After(time.Minute):
		t.Error("the reader waits")
	}
}
