package certify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// Some guards of the checker stand where no certificate that ships, and no kind of unsafe rules, would miss them. Each is held here.

// two is a flow that has sent two requests under one order, the first of which was refused.
func two() flow.State {
	return flow.State{Stage: flow.Querying, AskedBy: policy.OrderID, Attempts: 2, Ledger: []flow.Identity{
		{OrderID: "order", RequestID: "one", Sends: 1, Copies: 1, Effect: policy.NotExecuted},
		{OrderID: "order", RequestID: "two", Sends: 1, Copies: 1, Effect: policy.Unknown},
	}}
}

// What was said of the money before an execution is known is given to the flow, each remark to the identity that it was about.
func TestEarlierRemarksAreGivenToTheFlow(t *testing.T) {
	for _, one := range []struct {
		name            string
		spent           int
		disputed, parts [2]bool // by identity
	}{
		{"nothing was said", 0, [2]bool{}, [2]bool{}},
		{"the latest was disputed", wasDisputed, [2]bool{false, true}, [2]bool{}},
		{"an earlier one was disputed", wereDisputed, [2]bool{true, false}, [2]bool{}},
		{"another amount was paid", wasPart, [2]bool{}, [2]bool{true, true}},
		{"all of it", wasDisputed | wereDisputed | wasPart, [2]bool{true, true}, [2]bool{true, true}},
	} {
		m := &Machine{ages: []time.Duration{0}, form: form{state: two(), asked: make([]uint8, 2)}}
		for i, id := range m.before(one.spent).Ledger {
			if id.Disputed != one.disputed[i] || id.Mismatch != one.parts[i] {
				t.Errorf("%s: identity %d is %+v", one.name, i, id)
			}
		}
	}
}

// A step that makes an execution known is tried with every set of remarks, and any other step with none.
func TestEverySetOfRemarksIsTried(t *testing.T) {
	all := wasDisputed | wereDisputed | wasPart
	for _, executes := range []bool{false, true} {
		m := &Machine{claims: all, happening: happening{executes: executes}, form: form{state: flow.State{Stage: flow.New}}}
		m.tryClaims(noTime, flow.Due{Moment: moment}, nil) // a flow that has not begun refuses it
		tried := 0
		for spent, s := range m.spent {
			if s != nil {
				tried++
				if spent&noTime == 0 || spent&all == 0 {
					t.Errorf("%b was tried", spent)
				}
			}
		}
		if want := map[bool]int{true: 7}[executes]; tried != want {
			t.Errorf("%d sets of remarks were tried, want %d", tried, want)
		}
	}
}

// What a flow does with a fact depends on what Read keeps of it, and on nothing else, but for the fact that it stores.
func TestTheFlowReadsWhatReadKeeps(t *testing.T) {
	type reading struct {
		read  policy.Fact
		phase policy.Phase
		state int
	}
	states := []flow.State{two(), two(), two()}
	states[1].Ledger[1].Effect, states[1].Ledger[1].Fact = policy.Executed, policy.Fact{Effect: policy.Executed}
	states[2].Ledger[1].Sends, states[2].Ledger[1].Copies = 2, 2
	became := map[reading]flow.Identity{}
	for k, s := range states {
		for _, ph := range policy.Phases() {
			for _, f := range everyFact() {
				d := fixed{fact: f, terms: policy.Terms{Contract: policy.Contract{QueryBy: []policy.Identifier{policy.OrderID}, Replay: policy.FirstResult, Timeout: time.Second}}}
				s.Ledger = slices.Clone(s.Ledger)
				a := policy.Answer{Phase: ph, OrderID: "order", RequestID: "two", Verified: true}
				e := map[policy.Phase]flow.Event{policy.Send: flow.Answered{Moment: moment, Answer: a}, policy.Query: flow.Queried{Moment: moment, Answer: a}, policy.Webhook: flow.Received{Moment: moment, Answer: a}}[ph]
				if s.Stage = flow.Querying; ph == policy.Send {
					s.Stage = flow.Sending
				}
				after, _, err := flow.Step(&d, s, e)
				if err != nil {
					t.Fatal(ph, f, err)
				}
				id := after.Ledger[1]
				id.Fact = policy.Fact{}
				at := reading{Read(f), ph, k}
				if was, known := became[at]; known && was != id {
					t.Fatalf("%+v in phase %v reads as %+v, and the flow makes %+v of it, and %+v of another fact", f, ph, at.read, id, was)
				}
				became[at] = id
			}
		}
	}
	if len(became) < 100 {
		t.Errorf("only %d readings", len(became))
	}
}

// everyFact lists facts of each effect, class and stage.
func everyFact() (all []policy.Fact) {
	for effect := policy.Unknown; effect <= policy.Executed; effect++ {
		for class := policy.Unrecognized; class <= policy.MerchantBalance; class++ {
			for _, stage := range []policy.Stage{policy.Door, policy.Result} {
				all = append(all, policy.Fact{Effect: effect, Class: class, Stage: stage})
			}
		}
	}
	return all
}

// fixed judges every answer alike, and escalates.
type fixed struct {
	fact  policy.Fact
	terms policy.Terms
}

func (d *fixed) Judge(*policy.Payment, *policy.Answer) policy.Fact { return d.fact }
func (d *fixed) Terms(*policy.Payment) *policy.Terms               { return &d.terms }
func (d *fixed) Decide(*policy.Situation) policy.Decision {
	return policy.Decision{Action: policy.Escalate, Rule: "fixed"}
}

// A query by the order that names no request speaks of each request that had arrived by then, and of no other.
func TestAnswerThatNamesNoRequest(t *testing.T) {
	const open, refused, none = 1, left, 0 // of one identity: may be executed, failed and stored, nothing
	pair := func(one, two world) world { return one | two<<4 }
	for _, one := range []struct {
		name, said string
		by         policy.Identifier
		asked      [2]uint8 // by identity: whether the query came when all of it had arrived
		want       []world
	}{
		{"both had arrived, and failed", "ended", policy.OrderID, [2]uint8{1, 1}, []world{pair(none, refused), pair(refused, refused)}},
		{"the other may arrive yet", "ended", policy.OrderID, [2]uint8{0, 1}, []world{pair(open, refused)}},
		{"it asked by the request", "ended", policy.RequestID, [2]uint8{1, 1}, []world{pair(open, refused)}},
		{"none is there", "absent", policy.OrderID, [2]uint8{1, 1}, []world{pair(none, none)}},
		{"none is there, and the other may arrive yet", "absent", policy.OrderID, [2]uint8{0, 1}, []world{pair(open, none)}},
	} {
		s := two()
		s.AskedBy = one.by
		m := &Machine{ages: []time.Duration{0, time.Hour}, form: form{state: s, asked: one.asked[:], worlds: []world{pair(open, open)}}}
		got := m.ofOrder(one.said, 1)
		slices.Sort(got)
		slices.Sort(one.want)
		if !slices.Equal(got, one.want) {
			t.Errorf("%s: %x, want %x", one.name, got, one.want)
		}
	}
}

// An earlier identity stands for others: when a person has ended its dispute, another one's can be left. And two copies stand for more.
func TestWhatAnIdentityStandsFor(t *testing.T) {
	was, is := two(), two()
	was.Ledger[0].Disputed = true
	was.Ledger[1].Copies, was.Ledger[1].Effect, is.Ledger[1].Effect = 2, policy.Executed, policy.Executed
	m := &Machine{ages: []time.Duration{0}, form: form{state: was, asked: make([]uint8, 3)}}
	var reached []certificate.State
	m.emit = func(s certificate.State, _ []world) { reached = append(reached, s) }
	m.arrive(&is, []world{0}, false)
	has := func(name string, holds func(certificate.State) bool) {
		if !slices.ContainsFunc(reached, holds) {
			t.Errorf("no state has %s: %+v", name, reached)
		}
	}
	has("the dispute of another one", func(s certificate.State) bool { return s.IDs[0].Disputed })
	has("no dispute", func(s certificate.State) bool { return !s.IDs[0].Disputed })
	has("two copies still", func(s certificate.State) bool { return s.IDs[1].Copies == 2 })
	has("one copy", func(s certificate.State) bool { return s.IDs[1].Copies == 1 })
}

// A step is held to what the answer said, and a decision to what the rules saw.
func TestStepsAreHeldToRemarks(t *testing.T) {
	s := two()
	m := &Machine{ages: []time.Duration{0}, looked: map[outcome][]world{}, Used: map[certificate.Use]bool{}, form: form{state: s, asked: make([]uint8, 3)},
		ask: func(certificate.Question) []certificate.Choice {
			return []certificate.Choice{{Action: policy.Escalate}}
		}}
	m.Product = &certificate.Product{}
	m.emit = func(certificate.State, []world) {}
	m.terms.Limits = policy.Limits{MaxAttempts: many, MaxQueries: many, MaxElapsed: time.Hour}
	m.facts[policy.Query] = []policy.Fact{{Effect: policy.Unknown}}
	m.says = policy.Fact{Class: policy.Disputed} // the flow reads that it is only unknown
	m.step(0, flow.Queried{Moment: moment, Answer: policy.Answer{Phase: policy.Query}}, []world{1})
	if m.err == nil || !strings.HasPrefix(m.err.Error(), "S6: the ledger does not hold a dispute") {
		t.Errorf("a dispute that the flow does not keep: %v", m.err)
	}
	for _, c := range []policy.Class{policy.Success, policy.Disputed, policy.Mismatch} {
		m := &Machine{}
		m.decided(&flow.Decided{Fact: policy.Fact{Effect: policy.Executed, Class: c}, Verdict: flow.Verdict{Action: policy.MarkSucceeded}}, 0, false)
		if refused := m.err != nil && strings.HasPrefix(m.err.Error(), "S6: "); refused != (c != policy.Success) {
			t.Errorf("succeeded, and the rules see class %v: %v", c, m.err)
		}
	}
}

// Where something is disputed the rules see an execution as that, whatever class it had; another amount comes before that.
func TestDisputedExecutionsAreShown(t *testing.T) {
	executed := func(c policy.Class) policy.Fact { return policy.Fact{Effect: policy.Executed, Class: c} }
	q := certificate.Question{0, 0, byte(policy.Executed), byte(policy.Disputed)}
	ledger := []policy.Fact{executed(policy.Success), executed(policy.Mismatch), {Effect: policy.NotExecuted}}
	for _, own := range []policy.Fact{executed(policy.Success), {Effect: policy.Unknown}} {
		all := shown(q, own, ledger)
		if want := map[policy.Effect]int{policy.Executed: 2, policy.Unknown: 1}[own.Effect]; len(all) != want {
			t.Errorf("with %+v: %d facts are shown, want %d: %+v", own, len(all), want, all)
		}
		for _, f := range all {
			if f != executed(policy.Disputed) {
				t.Errorf("with %+v: %+v is shown", own, f)
			}
		}
	}
}

// What can have been said before is what the answers of the certificate's classes say.
func TestRemarksOfTheAnswers(t *testing.T) {
	for class, want := range map[policy.Class]int{policy.Processing: 0, policy.Disputed: wasDisputed | wereDisputed, policy.Mismatch: wasPart} {
		p := &certificate.Product{}
		p.Answers[policy.Query] = []policy.Answer{{Code: "1"}}
		if m := New(p, &fixed{fact: policy.Fact{Class: class, Stage: policy.Result}}, nil); m.claims != want {
			t.Errorf("answers of class %v: %b, want %b", class, m.claims, want)
		}
	}
}

// Where states do not keep whether the flow knows the provider's ids, what names one is tried with them and without.
func TestIDsAreTriedWithAndWithout(t *testing.T) {
	for _, learns := range []bool{false, true} {
		m := &Machine{learns: learns, form: form{state: flow.State{Stage: flow.New}, worlds: []world{0}}}
		m.happens(flow.Due{Moment: moment}, m.worlds, given{name: byTheirs, of: -1}, 0) // a flow that has not begun refuses it
		if m.spent[0] == nil || (m.spent[noIDs] == nil) != learns {
			t.Errorf("learns %v: without the ids it was tried: %v", learns, m.spent[noIDs] != nil)
		}
	}
	s := two()
	s.Ledger[0].ProviderID, s.Ledger[1].ProviderID = "of one", "of two"
	m := &Machine{ages: []time.Duration{0}, form: form{state: s, asked: make([]uint8, 2)}}
	if l := m.before(noIDs).Ledger; l[0].ProviderID+l[1].ProviderID != "" {
		t.Errorf("ids are left: %+v", l)
	}
	m = &Machine{payment: policy.Payment{Operation: policy.Capture}}
	m.bare[policy.Webhook] = make([]policy.Answer, 1)
	if e, _ := m.event(given{phase: policy.Webhook, name: byTheirs, of: -1}).(flow.Received); e.Answer.ProviderID != certificate.Target {
		t.Errorf("a webhook of a capture names %q", e.Answer.ProviderID)
	}
}

// A query by the provider's id that finds nothing says so of the latest request alone: an earlier one that failed may be held under another id.
func TestAbsenceIsOfTheLatestRequest(t *testing.T) {
	terms := policy.Terms{Contract: policy.Contract{QueryBy: []policy.Identifier{policy.ProviderID}, Dedupe: []policy.Identifier{policy.OrderID}, Replay: policy.FirstResult}}
	s := two()
	s.AskedBy = policy.ProviderID
	m := &Machine{Product: &certificate.Product{Terms: terms}, terms: terms, ages: []time.Duration{0, time.Hour}}
	m.facts[policy.Query], m.bare[policy.Query] = []policy.Fact{{Class: policy.NotFound}}, make([]policy.Answer, 1)
	a := certificate.StateOf(&s)
	a.Count = 2
	all := []world{1 << 4, 1<<4 | left}
	m.form = form{entry: &a, state: s, asked: []uint8{1, 1, 0}, worlds: all}
	m.answers(0, true)
	k := slices.IndexFunc(m.chances, func(c chance) bool { return c.given == given{phase: policy.Query, name: byBoth} })
	if k < 0 || !slices.Equal(m.chances[k].worlds, all) {
		t.Errorf("an earlier request that is not found: %+v", m.chances)
	}
}
