package simulate

import (
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// executions counts how often the recorded flow executed: what reconciliation found,
// else what the recorded answers prove.
func (r *record) executions(d policy.Decider) int {
	if r.hasTruth {
		return len(r.truth)
	}
	return len(r.proofs(d))
}

// proof is an identity that a recorded answer proved executed. sends is the number of sends before
// that answer.
type proof struct {
	orderID, requestID string
	sends              int
}

// proofs lists the identities that recorded answers proved executed, each once. The list holds until another decider is asked.
func (r *record) proofs(d policy.Decider) []proof {
	by, known := d.(*judge)
	if known && r.provedBy == by {
		return r.proved
	}
	all := r.proved[:0]
	add := func(s *call, sends int) {
		for i := range all {
			if p := &all[i]; p.orderID == s.orderID && p.requestID == s.requestID {
				p.sends = min(p.sends, sends)
				return
			}
		}
		all = append(all, proof{s.orderID, s.requestID, sends})
	}
	proves := func(c *call) bool { return r.proves(d, c).Effect == policy.Executed }
	for i := range r.sends {
		if c := &r.sends[i]; proves(c) {
			add(c, i+1)
		}
	}
	for _, calls := range [][]call{r.queries, r.webhooks} {
		for i := range calls {
			c := &calls[i]
			if s := r.sentUnder(c); s != nil && proves(c) {
				add(s, c.after)
			}
		}
	}
	r.proved, r.provedBy = all, by
	return all
}

// proves is what a recorded answer proves by itself; of a webhook that is not verified, nothing.
func (r *record) proves(d policy.Decider, c *call) policy.Fact {
	if c.answer.Phase == policy.Webhook && !c.answer.Verified {
		return policy.Fact{}
	}
	if b, is := d.(*judge); is {
		b.now = c
	}
	return d.Judge(&r.payment, &c.answer)
}

// sentUnder finds the send that a query or webhook is about: the latest before it under the same
// order.
func (r *record) sentUnder(c *call) *call {
	for i := min(c.after, len(r.sends)) - 1; i >= 0; i-- {
		s := &r.sends[i]
		if c.orderID == "" || c.orderID == s.orderID || c.requestID != "" && c.requestID == s.requestID {
			return s
		}
	}
	return nil
}

// executionsOf counts the executions that the simulated flow would have caused. An execution before
// any send that the flow did not make is its own. After such a send under the same identity it may be
// of either send: it is counted against the copies that the flow may have left with the provider. A
// flow that left the recording is not counted, because what it would have done is not known.
func (r *record) executionsOf(d policy.Decider, e *ending) int {
	if e.departure != onRecord {
		return 0
	}
	n := 0
	for i := range e.ledger {
		id := &e.ledger[i]
		own, either := r.executedUnder(d, id, e.sends)
		own = min(own, id.Sends)
		n += own + min(either, max(id.Copies-own, 0))
	}
	return n + r.namelessExecutions(d, e, n)
}

// conclusionOf is that of the simulated flow.
func (r *record) conclusionOf(d policy.Decider, e *ending) conclusion {
	own := func(x *execution) bool {
		for i := range e.ledger {
			if x.names(e.ledger[i].OrderID, e.ledger[i].RequestID) {
				return true
			}
		}
		return false
	}
	n := r.executionsOf(d, e)
	return conclusion{e.outcome, n, n > 0 && r.otherAmount(own), e.disputed}
}

// namelessExecutions counts those that reconciliation knows by the order only, or by the
// request only: as many as there were sends that fit.
func (r *record) namelessExecutions(d policy.Decider, e *ending, counted int) int {
	n, sends := 0, 0
	for i := range r.truth {
		x := &r.truth[i]
		if x.orderID != "" && x.requestID != "" {
			continue
		}
		for k := range e.ledger {
			id := &e.ledger[k]
			if x.names(id.OrderID, id.RequestID) {
				if !r.sentLater(d, id, e.sends, x.at) || id.Copies > 0 {
					n++
				}
				break
			}
		}
	}
	for k := range e.ledger {
		sends += e.ledger[k].Sends
	}
	return min(n, max(sends-counted, 0))
}

func (r *record) executedUnder(d policy.Decider, id *flow.Identity, attempts int) (own, either int) {
	count := func(later bool) {
		if later {
			either++
		} else {
			own++
		}
	}
	if !r.hasTruth {
		for _, p := range r.proofs(d) {
			if p.orderID == id.OrderID && p.requestID == id.RequestID {
				count(p.sends > attempts)
			}
		}
		return own, either
	}
	for i := range r.truth {
		if x := &r.truth[i]; x.orderID == id.OrderID && x.requestID == id.RequestID {
			count(r.sentLater(d, id, attempts, x.at))
		}
	}
	return own, either
}

// sentLater reports whether the recorded client sent an identity once more, before a
// time, where the simulated flow did not, and that send may have executed.
func (r *record) sentLater(d policy.Decider, id *flow.Identity, attempts int, at moment) bool {
	for i := attempts; i < len(r.sends); i++ {
		s := &r.sends[i]
		if s.orderID == id.OrderID && s.requestID == id.RequestID && s.at <= at && !r.without(d, s) {
			return true
		}
	}
	return false
}

// without reports whether a send certainly did nothing at the provider itself, whatever became of
// earlier ones: it did not leave, or its answer refused it before it was processed, as a copy or otherwise.
func (r *record) without(d policy.Decider, s *call) bool {
	if s.answer.Fault != policy.NoFault {
		return s.answer.Fault == policy.NotSent
	}
	f := r.proves(d, s)
	return f.Stage == policy.Door && (f.Effect == policy.NotExecuted || f.Class == policy.DuplicateRequest || f.Class == policy.DuplicateOrder)
}
