package source

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Pos is a place in a file. Lines and columns count from 1, columns in runes;
// a zero Column means the whole line, a zero Line the whole file.
type Pos struct {
	File string
	Line int
	Col  int
}

// String is FILE:LINE:COLUMN, as far as known.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Error is one mistake at one place.
type Error struct {
	Pos     Pos
	Msg     string
	Warning bool // worth saying, but nothing is refused for it
}

// Error is FILE:LINE:COLUMN: message.
func (e *Error) Error() string {
	if e.Warning {
		return e.Pos.String() + ": warning: " + e.Msg
	}
	return e.Pos.String() + ": " + e.Msg
}

// List is every mistake that was found, in the order of files and places.
type List []*Error

// Add appends a mistake.
func (l *List) Add(pos Pos, format string, args ...any) {
	*l = append(*l, &Error{Pos: pos, Msg: fmt.Sprintf(format, args...)})
}

// Warn appends a warning.
func (l *List) Warn(pos Pos, format string, args ...any) {
	*l = append(*l, &Error{Pos: pos, Msg: fmt.Sprintf(format, args...), Warning: true})
}

// Error is one mistake a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find each mistake.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}

// Split sorts the list and separates what must be refused from the warnings.
// refused is nil when nothing must be refused.
func (l List) Split() (warnings List, refused error) {
	sorted := append(List(nil), l...)
	sort.SliceStable(sorted, func(i, j int) bool {
		a, b := sorted[i].Pos, sorted[j].Pos
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Col < b.Col
	})
	var bad List
	for _, e := range sorted {
		if e.Warning {
			warnings = append(warnings, e)
		} else {
			bad = append(bad, e)
		}
	}
	if len(bad) == 0 {
		return warnings, nil
	}
	return warnings, bad
}

// Join appends err to the list: the mistakes of a [List] one by one, any other
// error as a mistake of the whole file.
func (l *List) Join(file string, err error) {
	var list List
	switch {
	case err == nil:
	case errors.As(err, &list):
		*l = append(*l, list...)
	default:
		l.Add(Pos{File: file}, "%s", err)
	}
}
