package ruletest

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// lens looks at answers through the conditions that a change is about, to pass over those
// about which the change cannot matter.
type lens struct {
	texts  []string
	trees  []*condition
	leaves []*ruleset.Leaves
	names  [][][]string // of each condition, of each comparison: the variables
	held   []bool
	known  []truth
}

// truth is what a condition comes to while some values are open.
type truth int8

const (
	no truth = iota - 1
	maybe
	yes
)

// varied are the variables that variations set.
var varied = []string{
	"fired", "attempt", "queries", "elapsed", "retry_after", "amount", "http_status", "hour", "currency", "message", "tags", "weekday",
}

func newLens(texts []string) *lens {
	l := &lens{}
	for _, text := range texts {
		tree, ok := parse(text)
		leaves, err := ruleset.LeavesOf(&rules.Rule{When: text})
		if !ok || err != nil {
			continue
		}
		l.texts, l.trees, l.leaves = append(l.texts, text), append(l.trees, tree), append(l.leaves, leaves)
		var names [][]string
		for i := range leaves.List {
			names = append(names, variablesOf(leaves.List[i].Text))
		}
		l.names = append(l.names, names)
	}
	return l
}

func variablesOf(text string) []string {
	var c comparisonParts
	if tree, ok := parse(text); ok {
		tree.all(func(p *condition) {
			if p.node != nil {
				ast.Walk(&p.node, &c)
			}
		})
	}
	return c.names
}

// blind reports whether nothing that variations set can make the conditions differ.
func (l *lens) blind(e *ruleset.Engine, sit *policy.Situation, order bool) bool {
	first := l.truth(0, e, sit)
	if len(l.trees) < 2 {
		return first == no
	}
	second := l.truth(1, e, sit)
	switch {
	case order: // the order matters only where both hold
		return first == no || second == no
	case l.texts[0] == l.texts[1]:
		return first == no
	}
	return first != maybe && first == second
}

// truth is what a condition comes to whatever variations set.
func (l *lens) truth(i int, e *ruleset.Engine, sit *policy.Situation) truth {
	l.hold(i, e, sit)
	l.known = l.known[:0]
	for k, h := range l.held {
		switch {
		case slices.ContainsFunc(l.names[i][k], func(n string) bool { return slices.Contains(varied, n) }):
			l.known = append(l.known, maybe)
		case h:
			l.known = append(l.known, yes)
		default:
			l.known = append(l.known, no)
		}
	}
	next := 0
	return l.trees[i].truth(l.known, &next)
}

func (l *lens) hold(i int, e *ruleset.Engine, sit *policy.Situation) {
	l.held = append(l.held[:0], make([]bool, len(l.leaves[i].List))...)
	l.leaves[i].Hold(e, sit, l.held)
}

// fit counts the comparisons of a variable that hold.
func (l *lens) fit(e *ruleset.Engine, sit *policy.Situation, name string) int {
	n := 0
	for i := range l.trees {
		l.hold(i, e, sit)
		for k, h := range l.held {
			if h && contains(l.names[i][k], name) {
				n++
			}
		}
	}
	return n
}

func (c *condition) truth(known []truth, next *int) truth {
	if c.op == "" {
		*next++
		return known[*next-1]
	}
	all, any := yes, no
	for _, p := range c.parts {
		t := p.truth(known, next)
		all, any = min(all, t), max(any, t)
	}
	switch c.op {
	case "!":
		return -all
	case "||":
		return any
	}
	return all
}
