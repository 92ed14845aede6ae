package executor

import (
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// papers are what a flow leaves in other hands, the caller's and those of the client of its
// first call: in one piece, and apart from the run, which can serve again.
type papers struct {
	result Result
	given  given
	rules  policy.Decider

	// The payment is that of every flow; the rest is known of one that is short.
	payment     policy.Payment
	sent, heard int64 // in nanoseconds since 1970
	answer      policy.Answer
}

// short reports whether the flow ended with the answer of its first call: what it was can be
// told by telling the machine the same again. Once that was concluded somebody has the papers,
// and they are not written to any more. The lock is held.
func (r *run) short() bool {
	s, a := r.state, &r.papers.given.attempt
	if r.papers.result.past != nil {
		return false
	}
	if r.steps != 2 || len(s.Ledger) != 1 || len(s.Evidence) != 1 || s.Evidence[0].Answer != &r.own.exchange.answered.Answer {
		return false
	}
	id := r.own.exchange.identity // the client may have written to its attempt
	return a.OrderID == id.OrderID && a.RequestID == id.RequestID && a.ProviderID == id.ProviderID && a.Number == 1
}

// conclude makes the result of a flow that is short.
func (p *papers) conclude(r *run) *Result {
	p.rules = r.rules
	heard := &r.own.exchange.answered
	p.sent, p.heard, p.answer = r.state.Started.UnixNano(), heard.At.UnixNano(), heard.Answer
	p.result = Result{Flow: r.id, Outcome: r.state.Outcome, Class: r.state.Class, Reason: r.state.Reason, past: p}
	return &p.result
}

// tell implements [past].
func (p *papers) tell() (*flow.State, []Entry) {
	a := &p.given.attempt
	var trace []Entry
	s := &flow.State{Payment: p.payment}
	for _, e := range []flow.Event{
		&flow.Start{Moment: flow.Moment{At: time.Unix(0, p.sent).UTC()}, OrderID: a.OrderID, RequestID: a.RequestID, ProviderID: a.ProviderID},
		&flow.Answered{Moment: flow.Moment{At: time.Unix(0, p.heard).UTC()}, Answer: p.answer, Attempt: a.Number},
	} {
		commands, err := new(flow.Scratch).Advance(p.rules, s, nil, e)
		if err != nil { // it was told the same before
			panic(err)
		}
		for _, c := range commands {
			if _, record := c.(*flow.Record); !record {
				trace = append(trace, Entry{At: flow.When(e).At, Command: c})
			}
		}
	}
	return s, trace
}
