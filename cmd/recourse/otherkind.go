package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/policy"
)

// readNothing is the error of a run that read no recording at all: a report of zeros would hold.
func readNothing(lines, broken, flows int) error {
	switch {
	case lines == 0 && broken == 0:
		return errors.New("there is no line to read; a recording has one JSON object a line (docs/simulate.md)")
	case lines == 0:
		return fmt.Errorf("none of the %s lines can be read as a line of a recording (docs/simulate.md)", count(broken))
	case flows == 0:
		return fmt.Errorf("%s lines were read and no flow with a send is in them; a flow begins with a line of phase send", count(lines))
	}
	return nil
}

// otherKind says which files are of another kind than a recording, and what imports them; nil where none is, or it cannot be known.
//
// Before a run only files that are surely of another kind are refused: a recording may begin with a broken line.
func otherKind(paths []string, before bool) error {
	var errs []error
	for _, path := range paths {
		if info, err := os.Stat(path); path == "-" || err != nil || !info.Mode().IsRegular() {
			continue // a pipe was read already
		}
		s, err := traffic.Open(context.Background(), path, "")
		if err != nil {
			continue // the run's own error says what is wrong
		}
		f := s.Format
		s.Close()
		switch {
		case f.IsRecording(), before && (f.NeedsTable() || !f.CanImport()):
		case f.NeedsTable():
			errs = append(errs, fmt.Errorf("%s: %s, not a recording; `recourse import --map MAPPING.toml %s` makes one of it", path, f.Title, path))
		case f.CanImport():
			errs = append(errs, fmt.Errorf("%s: %s, not a recording; `recourse import %s` makes one of it", path, f.Title, path))
		default:
			errs = append(errs, fmt.Errorf("%s: %s, not a recording", path, f.Title))
		}
	}
	return errors.Join(errs...)
}

// writeLacks is a line of caveat for each thing that an imported recording cannot hold.
func writeLacks(w io.Writer, lacks []policy.Count) {
	for _, c := range lacks {
		fmt.Fprintf(w, "Caveat: %s sends lack %s: %s.\n", count(c.N), strings.TrimSpace(c.Name), lackWord(c.Name))
	}
}
