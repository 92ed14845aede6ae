package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// standardOutput is where every command prints. Most prints of a report do not look at their error, so the first one is kept here:
// it ends the command, and its exit code is [exitCouldNot]. Safe for concurrent use.
type standardOutput struct {
	w      io.Writer
	failed context.CancelFunc // ends work whose result cannot be shown

	mu  sync.Mutex
	err error // the first error; nothing is written after it
}

// Write implements [io.Writer].
func (s *standardOutput) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	s.fail(err)
	return n, s.err
}

// fail keeps the first error. Its callers hold mu.
func (s *standardOutput) fail(err error) {
	if s.err != nil || err == nil {
		return
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err // of the descriptor; its name says nothing to a user
	}
	s.err = fmt.Errorf("standard output cannot be written: %w", err)
	s.failed()
}

// close ends the output. Some file systems report only then that they could not store what was written.
func (s *standardOutput) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.w.(*os.File); ok {
		s.fail(f.Close())
	}
	return s.err
}
