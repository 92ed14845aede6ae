package ruletest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Read parses test files against the rules that they test. The error is a [policy.Mistakes]
// with every mistake, one for each line as FILE:LINE:COLUMN: ….
func Read(e *ruleset.Engine, files []File) ([]*Suite, error) {
	var errs source.List
	var all []*Suite
	for _, f := range files {
		doc, err := source.Parse(f.Name, f.Data)
		if err != nil {
			errs.Join(f.Name, err)
			continue
		}
		r := &reader{e: e, errs: &errs, suite: &Suite{File: f.Name, doc: doc}, names: map[string]source.Pos{}, numbers: map[string]int{}}
		r.file(doc.Root())
		all = append(all, r.suite)
	}
	// The cases of a table share its cells, and their mistakes.
	seen := map[policy.Mistake]bool{}
	errs.Mistakes = slices.DeleteFunc(errs.Mistakes, func(m policy.Mistake) bool {
		again := seen[m]
		seen[m] = true
		return again
	})
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

// reader reads one file.
type reader struct {
	e        *ruleset.Engine
	errs     *source.List
	suite    *Suite
	defaults fields
	names    map[string]source.Pos
	numbers  map[string]int // how often a name was used
	spreads  int            // cases of the current table
}

// fields are unparsed values by their keys.
type fields map[string]source.Value

// defaultKeys may stand at the top of a file, as defaults for its tests.
var defaultKeys = []string{"provider", "merchant", "operation"}

func (r *reader) file(root source.Table) {
	r.defaults = take(root, defaultKeys)
	if v, ok := r.defaults["provider"]; ok && !contains(r.e.Catalogs.Names(), r.text(r.defaults, "provider")) {
		r.unknown(v.Pos(), "provider", r.text(r.defaults, "provider"), r.e.Catalogs.Names())
	}
	r.word(r.defaults, "operation", new(policy.Operation))
	root.String(r.errs, "description") // for people
	tests := 0
	for _, kind := range []struct {
		key  string
		read func(source.Table)
	}{{"decision", r.decision}, {"each", r.each}, {"flow", r.flow}} {
		for _, t := range root.Tables(r.errs, kind.key) {
			tests++
			kind.read(t)
		}
	}
	before := len(r.errs.Mistakes)
	root.Done(r.errs)
	if tests == 0 && len(r.errs.Mistakes) == before {
		r.fail(source.Pos{File: r.suite.File, Line: 1, Column: 1}, "the file has no tests; write a [[decision]], an [[each]] or a [[flow]]")
	}
}

func take(t source.Table, keys []string) fields {
	f := fields{}
	for _, k := range keys {
		if v, ok := t.Value(k); ok {
			f[k] = v
		}
	}
	return f
}

func (r *reader) fail(pos source.Pos, format string, args ...any) { r.errs.Add(pos, format, args...) }

// table reads a table that a test has to have.
func (r *reader) table(t source.Table, key string) (source.Table, bool) {
	if !t.Has(key) {
		r.fail(t.Pos(), "%s is missing", key)
		return source.Table{}, false
	}
	return t.Table(r.errs, key)
}

func (r *reader) decision(t source.Table) {
	name := t.String(r.errs, "name")
	given, ok1 := r.table(t, "given")
	expect, ok2 := r.table(t, "expect")
	t.Done(r.errs)
	if !ok1 || !ok2 {
		return
	}
	f := take(given, givenKeys)
	given.Done(r.errs)
	wanted := take(expect, expectKeys)
	expect.Done(r.errs)
	r.ask(Decision, name, f, wanted, t.Pos())
}

// ask adds a test of one decision.
func (r *reader) ask(kind Kind, name string, f, wanted fields, pos source.Pos) {
	g, ok := r.given(f, pos)
	if len(wanted) == 0 {
		r.fail(pos, "nothing is expected; write expect = { action = \"…\" }")
		return
	}
	all := r.expected(wanted, g.layers) // even if given has mistakes, to report all at once
	if ok {
		r.add(&Case{Kind: kind, Name: cmp.Or(name, g.describe()), pos: pos, question: &g.question, expected: all})
	}
}

// add adds a test. Names are unique within a file; those of a table get a number if needed.
func (r *reader) add(c *Case) {
	c.suite, c.File, c.Line = r.suite, c.pos.File, c.pos.Line
	if _, twice := r.names[c.Name]; twice {
		if c.Kind != Each {
			r.fail(c.pos, "another test of this file is called %q already, at %s", c.Name, r.names[c.Name])
		}
		c.Name = r.numbered(c.Name)
	}
	r.names[c.Name] = c.pos
	r.suite.Cases = append(r.suite.Cases, c)
}

func (r *reader) numbered(name string) string {
	for {
		r.numbers[name] = max(r.numbers[name], 1) + 1
		next := fmt.Sprintf("%s, %d", name, r.numbers[name])
		if _, taken := r.names[next]; !taken {
			return next
		}
	}
}
