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
	for _, args := range [][]string{{"decide"}, {"simulate", "-"}, {"import", "-"}, {"audit", "-"}, {"replay", "-"}} {
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
			case <-time.After(time.Minute):
				t.Error("it still waits for its input")
			}
		})
	}
}

// zeros is an input of zeros, of so many bytes, and then of what follows.
func zeros(n int64, then string) io.Reader {
	return io.MultiReader(io.LimitReader(zero{}, n), strings.NewReader(then))
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A line that is too long gets an error in its place, and the next line its decision.
func TestDecideALineThatIsTooLong(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"decide"}, zeros(maxQuestion+1, "\n"+`{"provider":"momo","operation":"pay","fault":"timeout"}`), &out, &errs)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if code != exitDoesNot || errs.String() != "stdin:1: a line of more than 16 MiB\n" || len(lines) != 2 ||
		lines[0] != `{"error":"a line of more than 16 MiB"}` || !strings.Contains(lines[1], "query_status") {
		t.Errorf("exit code %d, %q, %q", code, errs.String(), out.String())
	}
}

// A line that does not end, as /dev/zero has, ends the command with the line and the limits.
func TestDecideALineWithoutEnd(t *testing.T) {
	var errs bytes.Buffer
	code := run(t.Context(), []string{"decide"}, zeros(1<<40, ""), io.Discard, &errs)
	if want := "stdin:1: no line break in 256 MiB; a line has at most 16 MiB\n"; code != exitCouldNot || !strings.HasSuffix(errs.String(), want) {
		t.Errorf("exit code %d, %q, want %q", code, errs.String(), want)
	}
}
