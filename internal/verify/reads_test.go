package verify

import (
	"reflect"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// oneFact judges every answer alike, decides one action, and keeps what the rules were shown.
type oneFact struct {
	terms  *policy.Terms
	fact   policy.Fact
	action policy.Action
	shown  policy.Fact
	doubt  bool
	asked  bool
}

func (o *oneFact) Judge(*policy.Payment, *policy.Answer) policy.Fact { return o.fact }
func (o *oneFact) Terms(*policy.Payment) *policy.Terms               { return o.terms }
func (o *oneFact) Decide(s *policy.Situation) policy.Decision {
	o.shown, o.doubt, o.asked = s.Fact, s.InDoubt, true
	return policy.Decision{Action: o.action}
}

// The model steps with what the flow reads in a fact, see readByFlow. With the whole fact of each
// answer of the class, the flow must do the same, but for what the ledger keeps to show it again; and what the
// rules are shown must be among what shownFor lists.
func TestTheFlowReadsNothingElse(t *testing.T) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, p := range []policy.Payment{mill("plain"), mill("grace"), mill("replay"), {Provider: "shopline", Operation: policy.Pay, Amount: 100, Currency: "TWD"}, {Provider: "momo", Operation: policy.Refund, Amount: 100, Currency: "VND"}} {
		g, err := newGround(e, space.New(e), p, space.Bit(p.Capture), false, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := g.model([]*table{newTable(g.space, e, g.facts, p, nil, nil)}, false, true)
		s := newSearch(m)
		s.maxStates = testkit.Size(700, 4_000, 20_000)
		_ = s.run(t.Context())
		for i := range s.nodes {
			if i%testkit.Size(9, 5, 2) != 0 {
				continue
			}
			n := s.node(int32(i))
			n = n.clone()
			var events []flow.Event
			var classes []*answerClass
			m.successors(&n, func(tr transition, _ *node, _ *outcome) {
				if c := m.askedBy(tr); c != nil && answerOf(m.eventOf(tr)) != nil && tr.exhausted == (exhausted{}) && tr.choice == 0 {
					events, classes = append(events, m.eventOf(tr)), append(classes, c)
				}
			})
			for k, c := range classes {
				for _, j := range c.groups {
					for _, a := range []policy.Action{policy.QueryStatus, policy.RetryNewRequest} {
						steps++
						readsTheSame(t, m, n.s, events[k], c.fact, m.facts.groups[answerOf(events[k]).Phase][j].fact, a)
					}
				}
			}
		}
	}
	t.Log(steps, "steps")
	if steps < 5_000 {
		t.Error("too few steps to say anything")
	}
}

// readsTheSame steps with what the flow reads of a fact, and with the whole fact.
func readsTheSame(t *testing.T, m *model, from flow.State, e flow.Event, read, whole policy.Fact, a policy.Action) {
	t.Helper()
	abstract, full := &oneFact{terms: m.terms, fact: read, action: a}, &oneFact{terms: m.terms, fact: whole, action: a}
	want, _, err1 := flow.Step(abstract, from, e)
	got, _, err2 := flow.Step(full, from, e)
	if (err1 == nil) != (err2 == nil) {
		t.Fatal(err1, err2)
	}
	for _, s := range []*flow.State{&want, &got} {
		s.Evidence, s.Class, s.Reason = nil, 0, ""
		for i := range s.Ledger {
			s.Ledger[i].Fact = policy.Fact{}
		}
	}
	if !reflect.DeepEqual(want, got) || abstract.asked != full.asked || abstract.doubt != full.doubt {
		t.Errorf("%T of %+v: the flow reads more of it\nwant %+v\ngot  %+v", e, whole, want, got)
	}
	if !abstract.asked {
		return
	}
	full.shown.Basis, abstract.shown.Basis = 0, 0
	list := m.facts.shownFor(&shown{answerOf(e).Phase, abstract.shown, abstract.doubt}, whole)
	if !slices.ContainsFunc(list, func(f policy.Fact) bool { f.Basis = 0; return f == full.shown }) && !abstractFact(full.shown) {
		t.Errorf("%T of %+v: the rules are shown %+v, and not one of %+v", e, whole, full.shown, list)
	}
}

// abstractFact reports whether a fact is the ledger's, which the model has made abstract before.
func abstractFact(f policy.Fact) bool { return f.Class >= ownClass || f.Reach >= ownReach }
