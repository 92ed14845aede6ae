package source

import (
	"errors"
	"fmt"

	"github.com/recourse-pay/recourse/policy"
)

// Pos is a place in a file.
type Pos = policy.Position

// List collects what a reader finds. Warnings are kept apart, because nothing is refused
// for them.
type List struct {
	Mistakes policy.Mistakes
	Warnings policy.Mistakes
}

// mostMistakes bounds a list. A file of many megabytes may have a mistake in every line.
const mostMistakes = 1000

// Add appends a mistake.
func (l *List) Add(pos Pos, format string, args ...any) {
	switch {
	case len(l.Mistakes) == mostMistakes:
		format, args = "there are more mistakes than %d; the rest is left out", []any{mostMistakes}
	case len(l.Mistakes) > mostMistakes:
		return
	}
	l.Mistakes = append(l.Mistakes, policy.Mistake{Position: pos, Msg: fmt.Sprintf(format, args...)})
}

// Warn appends a warning.
func (l *List) Warn(pos Pos, format string, args ...any) {
	l.Warnings = append(l.Warnings, policy.Mistake{Position: pos, Msg: fmt.Sprintf(format, args...)})
}

// Err is the mistakes as an error, sorted; nil when there are none. Warnings are no error.
func (l *List) Err() error { return l.Mistakes.Err() }

// Join appends err to the list: each mistake of a [policy.Mistakes], any other error as a
// mistake of the whole file.
func (l *List) Join(file string, err error) {
	var list policy.Mistakes
	switch {
	case err == nil:
	case errors.As(err, &list):
		l.Mistakes = append(l.Mistakes, list...)
	default:
		l.Add(Pos{File: file}, "%s", err)
	}
}
