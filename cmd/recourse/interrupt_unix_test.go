//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Ctrl-C ends a command that waits for a pipe which no process writes to, or that writes no more.
func TestInterruptWhileAPipeIsOpened(t *testing.T) {
	for _, command := range []string{"simulate", "import", "audit", "replay"} {
		for _, begun := range []string{"", "{"} {
			t.Run(command+" "+begun, func(t *testing.T) {
				pipe := filepath.Join(t.TempDir(), "pipe")
				if err := syscall.Mkfifo(pipe, 0o600); err != nil {
					t.Fatal(err)
				}
				writer := func() *os.File { // does not wait for a reader
					f, err := os.OpenFile(pipe, os.O_RDWR|syscall.O_NONBLOCK, 0)
					if err != nil {
						t.Fatal(err)
					}
					return f
				}
				if begun != "" {
					f := writer()
					t.Cleanup(func() { _ = f.Close() })
					if _, err := f.WriteString(begun); err != nil {
						t.Fatal(err)
					}
				} else { // a writer in the end releases the goroutine that waits for one
					t.Cleanup(func() { _ = writer().Close() })
				}
				ctx, interrupt := context.WithCancel(t.Context())
				time.AfterFunc(300*time.Millisecond, interrupt)
				var errs bytes.Buffer
				done := make(chan int, 1)
				go func() { done <- run(ctx, []string{command, pipe}, strings.NewReader(""), io.Discard, &errs) }()
				select {
				case code := <-done:
					if code != exitCouldNot || !strings.Contains(errs.String(), "interrupted") {
						t.Errorf("exit code %d, %q", code, errs.String())
					}
				case <-time.After(time.Minute):
					t.Error("it still waits for the pipe")
				}
			})
		}
	}
}
