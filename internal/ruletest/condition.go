package ruletest

import (
	"github.com/recourse-pay/recourse/internal/condition"
)

// parse takes a condition apart; ok is false when a part of it cannot be written back.
func parse(text string) (t *condition.Tree, ok bool) {
	node, err := condition.Parse(text)
	if err != nil {
		return nil, false
	}
	t = condition.Split(node)
	for _, leaf := range t.Leaves() {
		if _, ok := condition.Written(leaf.Node); !ok {
			return t, false
		}
	}
	return t, true
}
