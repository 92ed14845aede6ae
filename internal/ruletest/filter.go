package ruletest

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// filter evaluates the conditions that a change is about, to pass over the answers
// for which the change cannot matter.
type filter struct {
	texts  []string
	trees  []*condition.Tree
	leaves []*ruleset.Leaves
	names  [][][]string // of each condition, of each comparison: the variables
	held   []bool
	known  []condition.Truth
}

// varied are the variables that variations set.
var varied = []string{
	"fired", "attempt", "queries", "elapsed", "retry_after", "amount", "http_status", "hour", "currency", "message", "tags", "weekday",
}

func newFilter(texts []string) *filter {
	l := &filter{}
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
		ast.Walk(&tree.Node, &c)
	}
	return c.names
}

// blind reports whether nothing that variations set can make the conditions differ.
func (l *filter) blind(e *ruleset.Engine, sit *policy.Situation, order bool) bool {
	first := l.truth(0, e, sit)
	if len(l.trees) < 2 {
		return first == condition.No
	}
	second := l.truth(1, e, sit)
	switch {
	case order: // the order matters only where both hold
		return first == condition.No || second == condition.No
	case l.texts[0] == l.texts[1]:
		return first == condition.No
	}
	return first != condition.Maybe && first == second
}

// truth is what a condition comes to whatever variations set.
func (l *filter) truth(i int, e *ruleset.Engine, sit *policy.Situation) condition.Truth {
	l.hold(i, e, sit)
	l.known = l.known[:0]
	for k, h := range l.held {
		switch {
		case slices.ContainsFunc(l.names[i][k], func(n string) bool { return slices.Contains(varied, n) }):
			l.known = append(l.known, condition.Maybe)
		case h:
			l.known = append(l.known, condition.Yes)
		default:
			l.known = append(l.known, condition.No)
		}
	}
	return l.trees[i].Eval(func(leaf *condition.Tree) condition.Truth { return l.known[leaf.Index] })
}

func (l *filter) hold(i int, e *ruleset.Engine, sit *policy.Situation) {
	l.held = append(l.held[:0], make([]bool, len(l.leaves[i].List))...)
	l.leaves[i].Hold(e, sit, l.held)
}

// fit counts the comparisons of a variable that hold.
func (l *filter) fit(e *ruleset.Engine, sit *policy.Situation, name string) int {
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
