package flow_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Whatever the rules want and whatever the provider does within its contract, the
// four properties hold, and Step is what it promises to be.
func TestWhateverTheRulesSay(t *testing.T) {
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { newDriver(t, p.make).run() })
		})
	}
}

// promises are kinds of contract, each worth a look of its own; whatever one leaves
// open is drawn.
var promises = []struct {
	name string
	make func(c *policy.Contract)
}{
	{"anything", func(*policy.Contract) {}},
	{"nothing dedupes", func(c *policy.Contract) { c.Dedupe, c.QueryBy = nil, byOrder }},
	{"executed again", func(c *policy.Contract) { c.Replay, c.QueryBy = policy.ExecutedAgain, byOrder }},
	{"first result", func(c *policy.Contract) { remember(c, policy.FirstResult) }},
	{"refused replays", func(c *policy.Contract) { remember(c, policy.Rejected) }},
	{"arrival known", func(c *policy.Contract) { c.QueryBy, c.ArrivalGrace = byOrder, 90*time.Second }},
	{"absence known", func(c *policy.Contract) {
		c.QueryBy, c.ArrivalGrace, c.NotFoundAfter = byOrder, 90*time.Second, 2*time.Minute
	}},
	{"asked by their id", func(c *policy.Contract) {
		c.QueryBy, c.ArrivalGrace = []policy.Identifier{policy.ProviderID}, 90*time.Second
	}},
	{"webhooks only", func(c *policy.Contract) { c.QueryBy, c.Webhook = nil, true }},
}

var byOrder = []policy.Identifier{policy.OrderID}

func remember(c *policy.Contract, replay policy.Replay) {
	c.Dedupe, c.DedupeWindow, c.Replay = []policy.Identifier{policy.RequestID}, 10*time.Minute, replay
}

// step gives an event to the machine and holds it to its promises.
func (r *driver) step(e flow.Event) {
	r.d.wish, r.d.sane, r.d.when = wishes.Draw(r.t, "wish"), !rare(r.t, "mad", 2), schedules.Draw(r.t, "when")
	text := encode(r.t, r.state)
	r.history = append(r.history, version{r.state, text})
	before := r.state
	advised := r.advised(e)
	next, commands, err := r.adviser.Step(r.d, &before, e) // its memory is used again by the steps that follow
	if err != nil {
		r.t.Fatalf("%v", err)
	}
	var back flow.State
	decode(r.t, text, &back)
	again, same, err := flow.Step(r.d, back, e)
	if err != nil || encode(r.t, again) != encode(r.t, next) || encode(r.t, same) != encode(r.t, commands) {
		r.t.Fatalf("from JSON the step is another one (%v):\n%s\n%s", err, encode(r.t, next), encode(r.t, again))
	}
	after := encode(r.t, next)
	if _, _, err := flow.Step(r.d, before, flow.Resumed{Moment: r.moment()}); before.Stage != flow.New && err != nil {
		r.t.Fatalf("%v", err)
	}
	if encode(r.t, next) != after {
		r.t.Fatalf("two steps from one state share memory:\n%s\n%s", after, encode(r.t, next))
	}
	r.advance(e, &next, commands)
	r.state = next
	r.t.Logf("%s %T %+v\n  -> %s %v %+v", r.now.Sub(dawn), e, e, next.Stage, next.Outcome, commands)
	for _, v := range r.history {
		if encode(r.t, v.state) != v.text {
			r.t.Fatalf("a state that was given to Step changed:\n%s\n%s", v.text, encode(r.t, v.state))
		}
	}
	checkOrder(r.t, commands)
	if advised != nil && encode(r.t, *advised) != encode(r.t, commands[0]) {
		r.t.Fatalf("Advise says\n%+v\nand Step\n%+v", *advised, commands[0])
	}
	for _, c := range commands {
		r.obey(c, &before)
	}
	r.checkLimits()
}

// advance holds the step in place to the one that copies. Now and then an event that does not fit comes before, or another flow takes
// a step with the same adviser.
func (r *driver) advance(e flow.Event, next *flow.State, commands []flow.Command) {
	before := encode(r.t, r.inPlace)
	if r.state.Stage != flow.New && rare(r.t, "misfit", 4) {
		if _, err := r.adviser.Advance(r.d, &r.inPlace, flow.Start{Moment: r.moment(), OrderID: "o-0", RequestID: "r-0"}); err == nil || encode(r.t, r.inPlace) != before {
			r.t.Fatalf("an event that does not fit (%v) made of\n%s\n%s", err, before, encode(r.t, r.inPlace))
		}
	}
	if rare(r.t, "other flow", 4) {
		other := flow.State{Payment: policy.Payment{Provider: "other", Operation: policy.Pay, Amount: 1, Currency: "USD"}}
		for _, e := range []flow.Event{flow.Start{Moment: r.moment(), OrderID: "x", RequestID: "x"}, flow.Resumed{Moment: r.moment()}, flow.Resumed{Moment: r.moment()}} {
			if _, err := r.adviser.Advance(r.d, &other, e); err != nil {
				r.t.Fatalf("%v", err)
			}
		}
	}
	if encode(r.t, r.inPlace) != before {
		r.t.Fatalf("the step of another flow made of\n%s\n%s", before, encode(r.t, r.inPlace))
	}
	step := r.adviser.Advance
	if rare(r.t, "by pointers", 2) {
		step = r.adviser.AdvanceByPointers
	}
	same, err := step(r.d, &r.inPlace, e)
	for i := range same {
		if a, b := fmt.Sprintf("%T", same[i]), fmt.Sprintf("%T", commands[i]); a != b && a != "*"+b {
			r.t.Fatalf("a command is %s, and %s in Step", a, b)
		}
	}
	want, bare := *next, r.state
	bare.Evidence = nil
	alone, _, _ := flow.Step(r.d, bare, e)
	want.Evidence = alone.Evidence // that of the step
	if err != nil || encode(r.t, r.inPlace) != encode(r.t, want) || encode(r.t, same) != encode(r.t, commands) {
		r.t.Fatalf("in place the step is another one (%v):\n%s\n%s\n%s\n%s", err, encode(r.t, want), encode(r.t, r.inPlace), encode(r.t, commands), encode(r.t, same))
	}
}

// advised is what [flow.Adviser.Advise] says of the answer that a send waits for.
func (r *driver) advised(e flow.Event) *flow.Decided {
	answered, ok := e.(flow.Answered)
	if !ok || r.state.Stage != flow.Sending {
		return nil
	}
	answered.Answer.Phase = policy.Send
	_, decided := new(flow.Adviser).Advise(r.d, &r.state, &answered.Answer, answered.Moment)
	return decided
}

// obey carries out a command, and checks that it may be given.
func (r *driver) obey(c flow.Command, before *flow.State) {
	switch c := c.(type) {
	case flow.Send:
		r.checkSend(&c)
		r.call = &call{stage: flow.Sending, packet: r.w.send(&c), deadline: c.Deadline}
	case flow.Ask:
		id := *c.Identity
		r.call = &call{stage: flow.Querying, answer: r.w.look(c.By, &id), deadline: c.Deadline}
	case flow.Finish:
		r.checkFinish(&c, before)
	case flow.Alert:
		// A notice of pending that its end overtook brings doubt back, and so does an execution under an
		// id of the provider that no identity has: it may be that of an identity whose id is not known.
		if !r.state.InDoubt() && !namesNoIdentity(c.Evidence.Answer, before) {
			r.t.Fatalf("an alert where nothing contradicts anything: %s\n%s", c.Reason, encode(r.t, c.Evidence))
		}
	case flow.Decided:
		if c.Verdict.Limit != "" && c.Verdict.Property == "" && c.Verdict.Action == policy.Escalate && allNotExecuted(&r.state) {
			r.t.Fatalf("%s is spent, everything is known not to have executed, and yet it escalates", c.Verdict.Limit)
		}
	}
}

// namesNoIdentity reports whether an answer has no name but an id of the provider that was not
// known for any identity.
func namesNoIdentity(a *policy.Answer, s *flow.State) bool {
	return a.OrderID == "" && a.RequestID == "" && a.ProviderID != "" &&
		!slices.ContainsFunc(s.Ledger, func(id flow.Identity) bool { return id.ProviderID == a.ProviderID })
}

func allNotExecuted(s *flow.State) bool {
	for _, id := range s.Ledger {
		if id.Effect != policy.NotExecuted {
			return false
		}
	}
	return true
}

// checkSend: a new identity leaves only when every other one is known not to have
// executed, and an old one again only where that is safe.
func (r *driver) checkSend(c *flow.Send) {
	if r.withdrawnAt > 0 {
		r.t.Fatalf("sent after it was withdrawn: %+v", *c)
	}
	last := len(r.state.Ledger) - 1
	for i, id := range r.state.Ledger {
		if i != last && id.Effect != policy.NotExecuted {
			r.t.Fatalf("S1: sent while %s %s is %s", id.OrderID, id.RequestID, id.Effect)
		}
	}
	if id := c.Identity; id.Sends > 1 && id.Prior != policy.NotExecuted && !r.w.contract.ReplaySafe(id.FirstSent, r.now) {
		r.t.Fatalf("S1: the same request again, in doubt, where nothing makes it safe")
	}
	if c.Attempt > 1 && !r.now.Before(r.state.Started.Add(r.d.terms.Limits.MaxElapsed)) {
		r.t.Fatalf("S4: sent after the flow's time")
	}
}

func (r *driver) checkFinish(c *flow.Finish, before *flow.State) {
	if before.Stage == flow.Ended && before.Outcome != policy.Escalated {
		r.t.Fatalf("%s, and now %s: history was changed", before.Outcome, c.Outcome)
	}
	if _, asAsked := r.w.executions(); c.Outcome == policy.Succeeded && asAsked == 0 {
		r.t.Fatalf("S3: succeeded, and nothing executed")
	}
	r.checkTruth()
}

// checkTruth compares what the flow says with what happened.
func (r *driver) checkTruth() {
	all, _ := r.w.executions()
	if all > 1 {
		r.t.Fatalf("S1: executed %d times", all)
	}
	if all > 0 && r.state.Outcome == policy.Failed {
		r.t.Fatalf("S2: failed, and it executed")
	}
}

// checkLimits: the declared attempts and queries, and no end of steps.
func (r *driver) checkLimits() {
	l := &r.d.terms.Limits
	if r.state.Attempts > l.MaxAttempts || r.state.Queries > l.MaxQueries {
		r.t.Fatalf("S4: %d sends and %d queries of %d and %d", r.state.Attempts, r.state.Queries, l.MaxAttempts, l.MaxQueries)
	}
	if most := 2*(l.MaxAttempts+l.MaxQueries) + 2*r.noise + 2; r.steps > most {
		r.t.Fatalf("S4: no end after %d steps", r.steps)
	}
}

// checkEnd: the flow ended within its time and the call that was under way then.
func (r *driver) checkEnd() {
	over := r.state.Started.Add(r.d.terms.Limits.MaxElapsed + timeout)
	if !r.late && r.noise == 0 && r.now.After(over) {
		r.t.Fatalf("S4: ended %s too late", r.now.Sub(over).Round(time.Second))
	}
}
