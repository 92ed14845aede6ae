package ruleset

import (
	"fmt"

	"github.com/expr-lang/expr/vm"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// Leaf is a part of a condition that holds no &&, || or ! any more: one comparison, as it
// was written.
type Leaf struct {
	Text string
	Pos  policy.Position // where it begins
}

// Leaves is a rule whose condition was taken apart. It is for one goroutine at a time.
type Leaves struct {
	Rule *rules.Rule
	List []Leaf

	programs []*vm.Program
	machine  vm.VM
}

// LeavesOf takes a rule's condition apart, in its source form: nothing of it was settled
// beforehand. The error says that a part cannot stand by itself.
func LeavesOf(r *rules.Rule) (*Leaves, error) {
	node, err := condition.Parse(r.When)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.WhenAt(0), err)
	}
	l := &Leaves{Rule: r}
	for _, leaf := range condition.Split(node).Leaves() {
		text, ok := condition.Written(leaf.Node)
		pos := r.WhenAt(condition.Begin(leaf.Node))
		if !ok {
			return nil, fmt.Errorf("%s: %s cannot be shown by itself", pos, text)
		}
		compiled, err := program(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pos, err)
		}
		l.List = append(l.List, Leaf{Text: text, Pos: pos})
		l.programs = append(l.programs, compiled)
	}
	return l, nil
}

// Hold says of each leaf whether it holds in a situation, in held, which is as long as the list.
func (l *Leaves) Hold(e *Engine, s *policy.Situation, held []bool) {
	vars := makeEnv(s, s.Fired.Of(l.Rule.ID), e.ruleTable(s.Payment).zone)
	for i, p := range l.programs {
		out, err := l.machine.Run(p, vars)
		yes, ok := out.(bool)
		held[i] = err == nil && ok && yes
	}
}
