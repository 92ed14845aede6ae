package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// Ctrl-C ends a command that waits for its input.
func TestInterruptWhileInputIsAwaited(t *testing.T) {
	for _, args := range [][]string{{"decide"}, {"simulate", "-"}} {
		t.Run(args[0], func(t *testing.T) {
			in, idle := io.Pipe()
			t.Cleanup(func() { _ = idle.Close() })
			ctx, interrupt := context.WithCancel(t.Context())
			var errs bytes.Buffer
			done := make(chan int, 1)
			go func() { done <- run(ctx, args, in, io.Discard, &errs) }()
			for _, part := range []string{"\n", " "} { // it waits for more once it took these
				if _, err := io.WriteString(idle, part); err != nil {
					t.Fatal(err)
				}
			}
			interrupt()
			select {
			case code := <-done:
				if code != exitCouldNot || !strings.Contains(errs.String(), "interrupted") {
					t.Errorf("exit code %d, %q", code, errs.String())
				}
			case <-time.After(3 * time.Second):
				t.Error("it still waits for its input")
			}
		})
	}
}
