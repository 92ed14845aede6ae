package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file of rules, of a catalogue, of tests or of faults. Lines and
// columns count from 1, columns in runes. A zero Column means the whole line, a zero Line
// the whole file.
type Position struct {
	File   string
	Line   int
	Column int
}

// String is FILE:LINE:COLUMN, as far as known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Compare orders positions by file, line and column.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Mistake is one thing that is wrong with a file, and where. Every package that reads files
// uses this type, so an editor or a page can show mistakes without parsing texts.
type Mistake struct {
	Position
	Msg string // what is wrong, and what is allowed
}

// Error is FILE:LINE:COLUMN: message.
func (m Mistake) Error() string { return m.Position.String() + ": " + m.Msg }

// Mistakes is the error of a reader: everything that it found, ordered by position.
// Readers do not stop at the first mistake, because an author wants to fix all of them in
// one go. Use errors.As with a *Mistakes for the whole list, or with a *Mistake for the first.
type Mistakes []Mistake

// Error is one mistake a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the single mistakes.
func (m Mistakes) Unwrap() []error {
	errs := make([]error, len(m))
	for i := range m {
		errs[i] = m[i]
	}
	return errs
}

// Sorted is a copy in the order of positions. Mistakes at one position keep their order.
func (m Mistakes) Sorted() Mistakes {
	all := slices.Clone(m)
	slices.SortStableFunc(all, func(a, b Mistake) int { return a.Compare(b.Position) })
	return all
}

// Err is the list as an error, sorted; nil when the list is empty. A nil Mistakes in an
// error variable would not compare equal to nil, so readers return this.
func (m Mistakes) Err() error {
	if len(m) == 0 {
		return nil
	}
	return m.Sorted()
}
