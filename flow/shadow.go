package flow

import "github.com/recourse-pay/recourse/policy"

// Sent returns a flow after other code, which this machine does not control, has sent a request.
// It serves to watch such code: the ledger takes the send as a fact, and the interlock is not
// asked. A send under the identifiers of an earlier request repeats that request. providerID is the provider's name for what a capture, cancel or
// refund works on. The flow then waits for [Answered].
func Sent(d policy.Decider, s State, now Moment, orderID, requestID, providerID string) State {
	m := newMachine(d, &s, now)
	m.copyLedger(1)
	if m.s.Stage == New {
		m.s.Started, m.s.Target = now.At, providerID
	}
	again := -1
	for i := range m.s.Ledger {
		if m.s.Ledger[i].OrderID == orderID && m.s.Ledger[i].RequestID == requestID {
			again = i
		}
	}
	switch {
	case again < 0:
		m.s.Ledger = append(m.s.Ledger, Identity{OrderID: orderID, RequestID: requestID, ProviderID: providerID})
	case again < len(m.s.Ledger)-1: // the identity sent last stands last
		id := m.s.Ledger[again]
		m.s.Ledger = append(append(m.s.Ledger[:again:again], m.s.Ledger[again+1:]...), id)
		m.s.Evidence = moved(m.s.Evidence, again, len(m.s.Ledger)-1)
	}
	m.s.Outcome, m.s.Reason, m.s.Displaced = policy.Open, "", nil
	m.send(policy.RetryNewRequest)
	return m.state()
}

// moved returns evidence whose indexes follow an identity that went to the end.
func moved(list []Evidence, from, to int) []Evidence {
	next := make([]Evidence, len(list))
	for i, e := range list {
		switch {
		case e.Identity == from:
			e.Identity = to
		case e.Identity > from:
			e.Identity--
		}
		next[i] = e
	}
	return next
}

// Asked returns a flow after other code has asked the provider for the status. The flow then
// waits for [Queried].
func Asked(d policy.Decider, s State, now Moment) State {
	m := newMachine(d, &s, now)
	m.copyLedger(1)
	m.s.Outcome, m.s.Reason, m.s.Displaced = policy.Open, "", nil
	m.query()
	return m.state()
}

// Breaks says which property an action would break if it were carried out now; empty: none.
func Breaks(d policy.Decider, s *State, a policy.Action, now Moment) Property {
	return breaks(s, &d.Terms(&s.Payment).Contract, a, now)
}
