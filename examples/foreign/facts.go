package main

import (
	"errors"
	"maps"
	"slices"

	"github.com/recourse-pay/recourse/policy"
)

// fact is a line of the facts: what a code proves, and its author's reason. A retry table says
// what to do and not what happened, so the facts come from a file of their own.
type fact struct {
	effect  policy.Effect
	class   policy.Class
	stage   policy.Stage
	because string
	file    string
	line    int
}

type factKey struct{ connector, code, flow string }

type facts map[factKey]*fact

// of returns the fact of a code in a flow; nil when there is none.
func (f facts) of(connector, code, flow string) *fact {
	if known := f[factKey{connector, code, flow}]; known != nil {
		return known
	}
	return f[factKey{connector, code, anyOf}]
}

// inOrder lists the keys in the order of the file.
func (f facts) inOrder() []factKey {
	return slices.SortedFunc(maps.Keys(f), func(x, y factKey) int { return f[x].line - f[y].line })
}

// checkConnectors returns an error for every fact about a connector that the table does not have.
func (f facts) checkConnectors(rows []*row) error {
	known := map[string]bool{}
	for _, r := range rows {
		known[r.connector] = true
	}
	var errs []error
	for _, key := range f.inOrder() {
		if !known[key.connector] {
			errs = append(errs, &Mistake{f[key].file, f[key].line, 1, "the table has no connector \"" + key.connector + "\""})
		}
	}
	return errors.Join(errs...)
}

func readFacts(file string) (facts, error) {
	all := facts{}
	err := readSheet(file, []string{"connector", "code", "flow", "effect", "class", "stage", "because"}, func(c cells) {
		f := &fact{because: c.get("because"), file: file, line: c.line}
		word := func(column string, read func([]byte) error) {
			if err := read([]byte(c.get(column))); err != nil {
				c.wrong(column, "%s", err)
			}
		}
		word("effect", f.effect.UnmarshalText)
		word("class", f.class.UnmarshalText)
		word("stage", f.stage.UnmarshalText)
		key := factKey{c.get("connector"), c.get("code"), c.get("flow")}
		if _, known := flows[key.flow]; !known && key.flow != anyOf {
			c.wrong("flow", "unknown flow %q (there are: authorize, capture, refund, void, payout, *)", key.flow)
		}
		if key.code == "" || key.code == anyOf {
			c.wrong("code", "a fact needs a code of its own")
		}
		if f.because == "" {
			c.wrong("because", "say why: the document, or the reasoning")
		}
		if old := all[key]; old != nil {
			c.wrong("code", "code %q stands already at %s:%d", key.code, old.file, old.line)
		}
		all[key] = f
	})
	return all, err
}
