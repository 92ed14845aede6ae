package verify

import (
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// A query by the order that finds nothing speaks for every identity of the order, unless the answer names one. It was taken as one about
// any single identity, so that a request was known not to execute, was executed, and a safe set was refused; Spin did not agree.
func TestAbsenceByOrder(t *testing.T) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	p := mill("grace")
	g, err := newGround(e, space.New(e), p, space.Bit(p.Capture), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := g.model([]*table{newTable(g.space, e, g.facts, p, nil, nil)}, false, true)
	late := max(m.clock.absenceProved, m.clock.arrivalOver)
	if m.clock.absenceProved == 0 || m.clock.arrivalOver == 0 {
		t.Fatal("this contract does not say when nothing can be found any more")
	}
	ask := func(by policy.Identifier) *node {
		n := &node{}
		n.requests, n.ids = []request{{id: 1}}, []statements{{asked: late}, {asked: late}}
		n.s = flow.State{Payment: p, Stage: flow.Querying, AskedBy: by, Ledger: []flow.Identity{
			{OrderID: "a", RequestID: "1", Sends: 1, Effect: policy.NotExecuted}, {OrderID: "a", RequestID: "2", Sends: 1, Copies: 1}}}
		return n
	}
	left := func(n *node) int {
		if n == nil {
			return -1 // the provider cannot say so
		}
		return len(n.requests)
	}
	executed, early, other := ask(policy.OrderID), ask(policy.OrderID), ask(policy.OrderID)
	executed.ids[1].executed = 1
	early.ids[1].asked = 0
	other.s.Ledger[1].OrderID = "b"
	for name, c := range map[string]struct {
		n     *node
		named bool
		want  int
	}{
		"by order": {ask(policy.OrderID), false, 0}, "it names the first": {ask(policy.OrderID), true, 1}, "by request": {ask(policy.RequestID), false, 1},
		"the other executed": {executed, false, -1}, "asked too early for the other": {early, false, 1}, "of another order": {other, false, 1},
	} {
		if got := left(m.settleAbsence(c.n, 0, c.named)); got != c.want {
			t.Errorf("%s: %d requests are left; want %d", name, got, c.want)
		}
	}
	nothing := &answerClass{fact: policy.Fact{Effect: policy.Unknown, Class: policy.NotFound}}
	for name, want := range map[uint8]int{namesNothing: 0, namesBoth: 1} {
		if got := left(m.settleQuery(ask(policy.OrderID), 0, nothing, false, name)); got != want {
			t.Errorf("named %d: %d requests are left; want %d", name, got, want)
		}
	}
}
