package flow

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// hearing is an answer on its way into the ledger.
type hearing struct {
	answer *policy.Answer
	at     time.Time // now
	asked  time.Time // when the provider was asked, or when its message came
	late   bool      // a reply to a call that the flow no longer waits for
}

// trusted reports whether nobody but the provider can have said it.
func (h *hearing) trusted() bool {
	return /*guard:trusted*/ h.answer.Phase != policy.Webhook || h.answer.Verified
}

// absorb takes an answer into the ledger and returns what it proves to this flow,
// which is less than what it proves by itself whenever more than one reading is left.
func absorb(d policy.Decider, t *policy.Terms, s *State, h hearing) policy.Fact {
	a := h.answer
	fact := d.Judge(&s.Payment, a)
	i, sure := s.about(a)
	if k, found := s.stranger(a, fact); /*guard:unknown-request-of-the-order*/ i < 0 && found && h.trusted() {
		if a.Phase == policy.Send && !h.late && s.current().OrderID == a.OrderID {
			// The reply to our own call: the name is the provider's for our request.
			i, sure = len(s.Ledger)-1, true
			s.current().ProviderID = a.RequestID
		} else {
			id := &s.Ledger[k]
			fact.Effect, fact.Class = policy.Unknown, policy.Conflict
			id.Effect, id.Fact, id.Contested = policy.Unknown, fact, true
			s.note(Evidence{At: h.at, Phase: a.Phase, Identity: k, Answer: a, Fact: fact})
			return fact
		}
	}
	if i < 0 {
		// An answer about another payment is no evidence.
		fact = policy.Fact{Basis: policy.Documented, Final: fact.Final}
		s.note(Evidence{At: h.at, Phase: a.Phase, Identity: -1, Answer: a, Fact: fact})
		return fact
	}
	id := &s.Ledger[i]
	sure = sure && ( /*guard:late-reply-identity*/ !h.late || len(s.Ledger) == 1) // a late reply may be about an earlier one
	if a.ProviderID != "" && /*guard:provider-id-from-sure-answer*/ sure && h.trusted() && /*guard:provider-id-names-one-identity*/ s.tellsApart(a, id) {
		id.ProviderID = a.ProviderID
	}
	if a.Phase == policy.Send && /*guard:late-door*/ !h.late && fact.Effect == policy.NotExecuted && /*guard:only-door-leaves-nothing*/ fact.Stage == policy.Door {
		id.Copies-- // this one left nothing there
	}
	fact.Effect = s.weigh(&t.Contract, id, &h, fact, sure)
	if /*guard:other-amount*/ fact.Effect == policy.Executed && s.otherAmount(a) {
		fact.Class = policy.Mismatch
	}
	id.learn(fact)
	s.note(Evidence{At: h.at, Phase: a.Phase, Identity: i, Answer: a, Fact: fact})
	return fact
}

// about finds the identity that an answer speaks of: the one it names, else the one
// sent last. It is -1 when the answer names a payment that is none of ours, and not sure
// when it may as well speak of another one.
func (s *State) about(a *policy.Answer) (i int, sure bool) {
	if a.OrderID == "" && a.RequestID == "" && a.ProviderID != "" && a.Phase != policy.Send {
		return s.aboutTheirs(a.ProviderID)
	}
	for i := len(s.Ledger) - 1; i >= 0; i-- {
		if s.Ledger[i].named(a.OrderID) && s.Ledger[i].named(a.RequestID) {
			return i, true
		}
	}
	/*guard:other-payment*/ return -1, false
}

// stranger reports whether an answer tells of money that moved, or may yet, under one of
// our orders and a request that is none of ours. It proves nothing of our requests, and
// nothing can be certain of the order any more.
func (s *State) stranger(a *policy.Answer, f policy.Fact) (i int, found bool) {
	if a.OrderID == "" || a.RequestID == "" || f.Effect != policy.Executed && f.Effect != policy.Pending {
		return -1, false
	}
	for i := len(s.Ledger) - 1; i >= 0; i-- {
		if s.Ledger[i].Sends > 0 && s.Ledger[i].OrderID == a.OrderID {
			return i, true
		}
	}
	return -1, false
}

// tellsApart reports whether an answer names one identity, and not only an order under
// which several were sent.
func (s *State) tellsApart(a *policy.Answer, id *Identity) bool {
	if a.Phase == policy.Send || a.RequestID != "" && a.RequestID == id.RequestID {
		return true
	}
	for i := range s.Ledger {
		if other := &s.Ledger[i]; other != id && other.Sends > 0 && other.OrderID == id.OrderID {
			return false
		}
	}
	return true
}

// aboutTheirs finds the identity by the provider's own id, where that is all there is.
func (s *State) aboutTheirs(theirs string) (i int, sure bool) {
	i, nameless := -1, 0
	for k := len(s.Ledger) - 1; k >= 0; k-- {
		switch id := &s.Ledger[k]; {
		case id.ProviderID == theirs:
			return k, true
		case id.ProviderID == "" && id.Sends > 0:
			i = max(i, k)
			nameless++
		}
	}
	return i /*guard:provider-id-without-owner*/, nameless == 1
}

// named reports whether an identifier in an answer is one of the identity's. An
// answer that names none is taken to speak of it: the caller paired them.
func (id *Identity) named(text string) bool {
	return text == "" || text == id.OrderID || text == id.RequestID || text == id.ProviderID
}

func (s *State) otherAmount(a *policy.Answer) bool {
	p := &s.Payment
	return (a.Amount != 0 && p.Amount != 0 && a.Amount != p.Amount) ||
		(a.Currency != "" && p.Currency != "" && a.Currency != p.Currency)
}

// weigh says how much of an answer's effect may be believed about an identity.
func (s *State) weigh(c *policy.Contract, id *Identity, h *hearing, f policy.Fact, sure bool) policy.Effect {
	a := h.answer
	if /*guard:unverified-proves-nothing*/ !h.trusted() {
		return policy.Unknown
	}
	if f.Effect == policy.Unknown && f.Class == policy.NotFound && /*guard:not-found-by-query*/ a.Phase == policy.Query && /*guard:not-found-in-time*/ s.absent(c, id, h.asked) {
		return policy.NotExecuted
	}
	if f.Effect != policy.NotExecuted {
		return f.Effect
	}
	// A reply that comes late may be that of an earlier call.
	ok := /*guard:refusal-of-a-sure-identity*/ sure && ( /*guard:late-refusal*/ !h.late || s.Attempts == 1)
	switch a.Phase {
	case policy.Send:
		// A refusal to a replay is about the replay, unless replays get the stored result.
		replay := id.Sends > 1 && /*guard:prior-was-certain*/ id.Prior != policy.NotExecuted
		stored := /*guard:first-result-in-contract*/ c.Replay == policy.FirstResult && /*guard:first-result-in-window*/ c.ReplaySafe(id.FirstSent, h.asked) &&
			/*guard:first-result-is-a-result*/ f.Stage == policy.Result && /*guard:first-result-is-no-fault*/ a.Fault == policy.NoFault
		ok = ok && ( /*guard:refused-replay*/ !replay || stored)
	case policy.Query, policy.Webhook:
		ok = ok && /*guard:failure-covers-all-copies*/ s.speaksOfAll(c, id, h)
	}
	if !ok {
		return policy.Unknown
	}
	return policy.NotExecuted
}

// absent reports whether what a query does not find, or does not tell of, is not there: the
// contract says after how long, and no copy of a request can still be on its way.
func (s *State) absent(c *policy.Contract, id *Identity, asked time.Time) bool {
	return /*guard:not-found-needs-contract*/ c.NotFoundAfter > 0 && /*guard:not-found-needs-time*/ !asked.Before(id.LastSent.Add(c.NotFoundAfter)) && /*guard:not-found-needs-arrival*/ s.arrived(c, asked)
}

// arrived reports whether every copy of every request has reached the provider or
// never will.
func (s *State) arrived(c *policy.Contract, asked time.Time) bool {
	if /*guard:arrival-needs-contract*/ c.ArrivalGrace <= 0 {
		return false
	}
	for i := range s.Ledger {
		if s.Ledger[i].Sends > 0 && /*guard:arrival-needs-time*/ asked.Before(s.Ledger[i].Deadline.Add(c.ArrivalGrace)) {
			return false
		}
	}
	return true
}

// speaksOfAll reports whether a failure told by a query or webhook is the end of the
// identity. It is when there is one copy of it only, or the provider dedupes them, and
// the answer cannot be about another identity of the same order: a stored failure may
// well be that of another copy. A query looks at all of them once every copy has arrived
// and can no longer be overlooked; a webhook may be an old one, and the provider's own id
// names one copy.
func (s *State) speaksOfAll(c *policy.Contract, id *Identity, h *hearing) bool {
	a := h.answer
	copies := /*guard:copies-are-counted*/ id.Copies
	if copies > 1 && /*guard:copies-in-window*/ c.ReplaySafe(id.FirstSent, h.asked) {
		copies = 1
	}
	query := a.Phase == policy.Query
	named := a.RequestID != "" && a.RequestID == id.RequestID ||
		query && /*guard:query-by-order*/ s.AskedBy == policy.RequestID && /*guard:late-query*/ !h.late && id == s.current()
	if !named {
		for i := range s.Ledger {
			if other := &s.Ledger[i]; /*guard:others-of-the-order*/ other != id && other.OrderID == id.OrderID {
				copies += other.Copies
			}
		}
	}
	oneCopy := s.AskedBy == policy.ProviderID || a.OrderID == "" && a.RequestID == "" && a.ProviderID != ""
	return copies <= 1 || /*guard:webhook-may-be-old*/ query && /*guard:provider-id-is-one-copy*/ !oneCopy && /*guard:query-sees-all-copies*/ s.absent(c, id, h.asked)
}

// learn enters a fact into the identity. Certainty is never lost to a later doubt.
func (id *Identity) learn(f policy.Fact) {
	switch {
	case id.Effect == policy.Executed && f.Effect == policy.NotExecuted:
		id.Contested = /*guard:proof-against-proof*/ true
	case /*guard:contested-stays-open*/ id.Contested && f.Effect == policy.NotExecuted:
		// Somebody's money moved under its order: no refusal closes that.
	case /*guard:reopened*/ id.Effect == policy.NotExecuted && f.Effect == policy.Pending:
		// It was said to be over, and it goes on: in doubt again.
		id.Effect, id.Fact, id.Reopened = f.Effect, f, true
	case f.Effect == policy.Executed:
		id.Effect, id.Fact = f.Effect, f
		id.Mismatch = /*guard:mismatch-stays*/ id.Mismatch || f.Class == policy.Mismatch
	case /*guard:certainty-stays*/ !id.Effect.Settled():
		if f.Effect != policy.Unknown || id.Effect == policy.Unknown {
			id.Effect = f.Effect
		}
		id.Fact = f
	}
}
