package ruleset

import (
	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// test is a condition that needs no virtual machine: comparisons of one variable with
// fixed values, joined by and, or, not. Most conditions are.
type test interface {
	holds(s *policy.Situation, fired int, b *book) bool
}

type (
	allOf  []test
	anyOf  []test
	negate struct{ test }

	// among holds for the values of a variable of words whose bits are set.
	among struct {
		dim  int
		bits uint64
	}
	// textual holds for texts as listed, and as other says for every other text.
	textual struct {
		variable condition.Variable
		listed   map[string]bool
		other    bool
	}
)

func (t allOf) holds(s *policy.Situation, fired int, b *book) bool {
	for _, part := range t {
		if !part.holds(s, fired, b) {
			return false
		}
	}
	return true
}

func (t anyOf) holds(s *policy.Situation, fired int, b *book) bool {
	for _, part := range t {
		if part.holds(s, fired, b) {
			return true
		}
	}
	return false
}

func (t negate) holds(s *policy.Situation, fired int, b *book) bool {
	return !t.test.holds(s, fired, b)
}

func (t among) holds(s *policy.Situation, _ int, b *book) bool {
	return t.bits&(1<<condition.Word(condition.Variable(t.dim), s, b.zone)) != 0
}

func (t textual) holds(s *policy.Situation, _ int, _ *book) bool {
	if held, ok := t.listed[condition.Text(t.variable, s)]; ok {
		return held
	}
	return t.other
}

// native turns a condition into a test; ok is false when some part of it needs expr.
func native(n ast.Node) (t test, ok bool) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and":
			l, r, ok := nativePair(n)
			return allOf{l, r}, ok
		case "||", "or":
			l, r, ok := nativePair(n)
			return anyOf{l, r}, ok
		}
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			t, ok := native(n.Node)
			return negate{t}, ok
		}
	}
	if cmp, ok := simpleComparison(n); ok {
		return cmp, true
	}
	vars := mentions(n)
	if len(vars) != 1 {
		return nil, false
	}
	for name, texts := range vars {
		return nativeLeaf(n, name, texts)
	}
	return nil, false
}

func nativePair(n *ast.BinaryNode) (l, r test, ok bool) {
	if l, ok = native(n.Left); !ok {
		return nil, nil, false
	}
	r, ok = native(n.Right)
	return l, r, ok
}

// nativeLeaf tries every value that a condition on one variable can tell apart.
func nativeLeaf(n ast.Node, name string, texts map[string]bool) (test, bool) {
	v := variables[name]
	if v.kind != text && v.kind != word && v.kind != boolean {
		return nil, false
	}
	bits, listed, otherHolds := uint64(0), map[string]bool{}, false
	for i, value := range domain(name, v, texts) {
		held := holds(n, only(name, value))
		if held == maybe {
			return nil, false
		}
		switch value := value.(type) {
		case other:
			otherHolds = held == yes
		case string:
			listed[value] = held == yes
		}
		if held == yes && i < 64 {
			bits |= 1 << i
		}
	}
	if v.kind == text {
		of, _ := condition.Named(name)
		return textual{of, listed, otherHolds}, true
	}
	return among{v.dim, bits}, true
}
