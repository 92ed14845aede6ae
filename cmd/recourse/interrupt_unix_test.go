//go:build unix

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Ctrl-C ends a simulation that waits for a pipe which no process writes to.
func TestInterruptWhileAPipeIsOpened(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	// A writer in the end releases the goroutine that waits for one.
	t.Cleanup(func() {
		if f, err := os.OpenFile(pipe, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
			_ = f.Close()
		}
	})
	ctx, interrupt := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer interrupt()
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"simulate", pipe}, strings.NewReader(""), io.Discard, io.Discard) }()
	select {
	case code := <-done:
		if code != exitCouldNot {
			t.Errorf("exit code %d", code)
		}
	case <-time.After(10 * time.Second):
		t.Error("it still waits for the pipe")
	}
}
