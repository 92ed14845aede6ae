package ruleset

import (
	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// test is a condition that needs no virtual machine: comparisons of one variable with
// fixed values, joined by and, or, not. Most conditions are.
type test interface {
	holds(s *policy.Situation, fired int, b *ruleTable) bool
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

func (t allOf) holds(s *policy.Situation, fired int, b *ruleTable) bool {
	for _, part := range t {
		if !part.holds(s, fired, b) {
			return false
		}
	}
	return true
}

func (t anyOf) holds(s *policy.Situation, fired int, b *ruleTable) bool {
	for _, part := range t {
		if part.holds(s, fired, b) {
			return true
		}
	}
	return false
}

func (t negate) holds(s *policy.Situation, fired int, b *ruleTable) bool {
	return !t.test.holds(s, fired, b)
}

func (t among) holds(s *policy.Situation, _ int, b *ruleTable) bool {
	return t.bits&(1<<condition.Word(condition.Variable(t.dim), s, b.zone)) != 0
}

func (t textual) holds(s *policy.Situation, _ int, _ *ruleTable) bool {
	if held, ok := t.listed[condition.Text(t.variable, s)]; ok {
		return held
	}
	return t.other
}

// native turns a condition into a test; ok is false when some part of it needs expr.
func native(t *condition.Tree) (built test, ok bool) {
	if t.Op == condition.Leaf {
		return nativeLeaf(t)
	}
	parts := make([]test, len(t.Parts))
	for i, part := range t.Parts {
		if parts[i], ok = native(part); !ok {
			return nil, false
		}
	}
	switch t.Op {
	case condition.And:
		return allOf(parts), true
	case condition.Or:
		return anyOf(parts), true
	default:
		return negate{parts[0]}, true
	}
}

func nativeLeaf(t *condition.Tree) (test, bool) {
	if cmp, ok := simpleComparison(t.Node); ok {
		return cmp, true
	}
	vars := condition.Mentions(t.Node)
	if len(vars) != 1 {
		return nil, false
	}
	for name, texts := range vars {
		return nativeValues(t, name, texts)
	}
	return nil, false
}

// nativeValues tries every value that a condition on one variable can tell apart.
func nativeValues(t *condition.Tree, name string, texts map[string]bool) (test, bool) {
	v := variables[name]
	if v.kind != text && v.kind != word && v.kind != boolean {
		return nil, false
	}
	bits, listed, otherHolds := uint64(0), map[string]bool{}, false
	for i, value := range domain(v, texts) {
		held := holds(t, only(name, value))
		if held == condition.Maybe {
			return nil, false
		}
		switch value := value.(type) {
		case other:
			otherHolds = held == condition.Yes
		case string:
			listed[value] = held == condition.Yes
		}
		if held == condition.Yes && i < 64 {
			bits |= 1 << i
		}
	}
	if v.kind == text {
		of, _ := condition.Named(name)
		return textual{of, listed, otherHolds}, true
	}
	return among{v.dim, bits}, true
}
