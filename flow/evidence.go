package flow

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// incoming is an answer that is about to be taken into the ledger.
type incoming struct {
	answer *policy.Answer
	at     time.Time     // now
	asked  time.Time     // when the provider was asked, or when its message came
	ahead  time.Duration // how much later than at it may be
	late   bool          // a reply to a call that the flow no longer waits for
}

// trusted reports whether only the provider can have sent the answer: it replied to our own
// call, or the webhook's signature was verified.
func (h *incoming) trusted() bool {
	return /*guard:trusted*/ h.answer.Phase != policy.Webhook || h.answer.Verified
}

// addAnswer takes an answer into the ledger and returns what it proves to this flow. That is
// less than what the answer proves by itself whenever it can be read in more than one way: it may
// speak of another request, of an earlier copy, or of a state that is out of date.
func addAnswer(d policy.Decider, t *policy.Terms, s *State, h incoming) policy.Fact {
	a := h.answer
	fact := d.Judge(&s.Payment, a)
	said := fact
	otherAmount := s.otherAmount(a)
	if refused := fact.Effect == policy.NotExecuted || fact.Class == policy.NotFound; /*guard:other-amount-refused*/ otherAmount && refused {
		// It may be about another part of the money, or about another payment: the rules get a
		// conflict to find out about.
		fact.Effect, fact.Class = policy.Unknown, policy.Conflict
	}
	i, sure := s.identityOf(a)
	if k, found := s.unknownRequest(a, fact); /*guard:unknown-request-of-the-order*/ i < 0 && found && h.trusted() {
		if a.Phase == policy.Send && !h.late && s.current().OrderID == a.OrderID {
			// This is the reply to our own call, so the unknown name is the provider's id for our request.
			i, sure = len(s.Ledger)-1, true
			s.current().ProviderID = a.RequestID
		} else {
			id := &s.Ledger[k]
			fact.Effect, fact.Class = policy.Unknown, policy.Conflict
			id.Effect, id.Fact, id.Contested = policy.Unknown, fact, true
			s.addEvidence(Evidence{At: h.at, Phase: a.Phase, Identity: k, Answer: a, Fact: fact})
			return fact
		}
	}
	if i < 0 {
		// An answer about another payment is no evidence.
		fact = policy.Fact{Basis: policy.Documented, Final: fact.Final}
		s.addEvidence(Evidence{At: h.at, Phase: a.Phase, Identity: -1, Answer: a, Fact: fact})
		return fact
	}
	id := &s.Ledger[i]
	sure = sure && ( /*guard:late-reply-identity*/ !h.late || len(s.Ledger) == 1) // a late reply may be about an earlier identity
	if a.ProviderID != "" && /*guard:provider-id-from-sure-answer*/ sure && h.trusted() && /*guard:provider-id-names-one-identity*/ s.namesOne(a, id) && !s.isTarget(a.ProviderID) {
		id.ProviderID = a.ProviderID
	}
	if a.Phase == policy.Send && /*guard:late-door*/ !h.late && fact.Effect == policy.NotExecuted && /*guard:only-door-leaves-nothing*/ fact.Stage == policy.Door && s.ofItsCall(id, fact) {
		id.Copies-- // refused before processing: this copy left nothing at the provider
	}
	fact.Effect = s.credible(&t.Contract, id, &h, fact, sure)
	partly := /*guard:part-stays*/ id.Mismatch && id.Effect != policy.Executed && !s.sameAmount(a) // an earlier answer said so, and this one does not name the whole
	if /*guard:other-amount*/ fact.Effect == policy.Executed && (otherAmount || partly) {
		fact.Class = policy.Mismatch
	}
	id.update(fact)
	if h.trusted() {
		id.remark(said)
	}
	s.addEvidence(Evidence{At: h.at, Phase: a.Phase, Identity: i, Answer: a, Fact: fact})
	return fact
}

// credible returns the effect that an answer proves for an identity, at most that of f. It
// lowers certainty and never raises it, but for one case: a "not found" in time is a proof of
// not_executed where the contract says so. The provider's own id proves it of an identity that was sent once: of several requests
// it may name one that was refused at the door, or as a repeat, while another one executed.
func (s *State) credible(c *policy.Contract, id *Identity, h *incoming, f policy.Fact, sure bool) policy.Effect {
	a := h.answer
	if /*guard:unverified-proves-nothing*/ !h.trusted() {
		return policy.Unknown
	}
	if f.Effect == policy.Unknown && f.Class == policy.NotFound && /*guard:not-found-by-query*/ a.Phase == policy.Query && /*guard:not-found-of-all-copies*/ (s.AskedBy != policy.ProviderID || id.Sends <= 1) && /*guard:not-found-in-time*/ s.absent(c, id, h.asked) {
		return policy.NotExecuted
	}
	if f.Effect != policy.NotExecuted {
		return f.Effect
	}
	// A late reply may be the answer to an earlier call.
	ok := /*guard:refusal-of-a-sure-identity*/ sure && ( /*guard:late-refusal*/ !h.late || s.Attempts == 1)
	switch a.Phase {
	case policy.Send:
		ok = ok && s.ofItsCall(id, f)
		// A refusal of a repeated request speaks of the repeat. The first request may have executed all
		// the same, unless the provider answers repeats with the stored first result.
		replay := id.Sends > 1 && /*guard:prior-was-certain*/ id.Prior != policy.NotExecuted
		stored := /*guard:first-result-in-contract*/ c.Replay == policy.FirstResult && /*guard:first-result-in-window*/ s.replaySafe(c, id, h.asked.Add(h.ahead)) &&
			/*guard:first-result-is-a-result*/ f.Stage == policy.Result && /*guard:first-result-is-no-fault*/ a.Fault == policy.NoFault
		ok = ok && ( /*guard:refused-replay*/ !replay || stored)
	case policy.Query, policy.Webhook:
		ok = ok && /*guard:failure-covers-all-copies*/ s.coversAllCopies(c, id, h)
	}
	if !ok {
		return policy.Unknown
	}
	return policy.NotExecuted
}

// ofItsCall reports whether a reply to a send speaks of the identity that it names. What is refused at the door is the request of the call,
// whatever else the refusal names: as the one that it repeats, say.
func (s *State) ofItsCall(id *Identity, f policy.Fact) bool {
	return /*guard:door-is-of-its-call*/ f.Stage != policy.Door || id == s.current()
}

// absent reports whether a request that a query did not find was never executed and never will
// be. Two things are needed: the contract says after how long "not found" is final, and no copy
// of any request can still be on its way.
func (s *State) absent(c *policy.Contract, id *Identity, asked time.Time) bool {
	return /*guard:not-found-needs-contract*/ c.NotFoundAfter > 0 && /*guard:not-found-needs-time*/ !asked.Before(id.LastSent.Add(c.NotFoundAfter)) && /*guard:not-found-needs-arrival*/ s.arrived(c, asked)
}

// arrived reports whether every copy of every request has reached the provider or never will:
// its deadline and the contract's arrival grace have passed. Without a grace that is never known.
func (s *State) arrived(c *policy.Contract, asked time.Time) bool {
	if /*guard:arrival-needs-contract*/ c.ArrivalGrace <= 0 {
		return false
	}
	for i := range s.Ledger {
		id := &s.Ledger[i]
		last := id.Deadline
		if byLatest := id.LastSent.Add(c.CallTimeout()); byLatest.After(last) {
			last = byLatest // the clocks of the driver disagreed when it was sent
		}
		if id.Sends > 0 && /*guard:arrival-needs-time*/ asked.Before(last.Add(c.ArrivalGrace)) {
			return false
		}
	}
	return true
}

// coversAllCopies reports whether a failure in a query's answer or a webhook settles the
// identity. A stored failure may be that of one copy while another copy executes. So it settles
// the identity in two cases only:
//
//   - there is one copy, or the provider dedupes the copies, and the answer cannot be about
//     another identity of the same order, or with the same id of the provider;
//   - a query was asked when every copy had arrived, by an identifier that covers all copies.
//
// A webhook may be an old one, and the provider's own id names one copy.
func (s *State) coversAllCopies(c *policy.Contract, id *Identity, h *incoming) bool {
	a := h.answer
	copies := /*guard:copies-are-counted*/ id.Copies
	if copies > 1 && /*guard:copies-in-window*/ s.replaySafe(c, id, h.asked.Add(h.ahead)) {
		copies = 1
	}
	query := a.Phase == policy.Query
	named := a.RequestID != "" && a.RequestID == id.RequestID ||
		query && /*guard:query-by-order*/ s.AskedBy == policy.RequestID && /*guard:late-query*/ !h.late && id == s.current()
	byOrder := query && s.AskedBy == policy.OrderID
	if !named {
		for i := range s.Ledger {
			switch other := &s.Ledger[i]; {
			case other == id:
			case /*guard:others-of-the-order*/ other.OrderID == id.OrderID:
				copies += other.Copies
			case /*guard:others-of-the-id*/ a.OrderID == "" && !byOrder && s.shareID(id, other):
				copies += other.Copies
			}
		}
	}
	oneCopy := s.AskedBy == policy.ProviderID || a.OrderID == "" && a.RequestID == "" && a.ProviderID != ""
	return copies <= 1 || /*guard:webhook-may-be-old*/ query && /*guard:provider-id-is-one-copy*/ !oneCopy && /*guard:query-sees-all-copies*/ s.absent(c, id, h.asked)
}

// remark keeps what an answer says of the money, whatever it proves of the request: that it is
// disputed, or that another amount than asked for was paid. A later success does not take that back.
func (id *Identity) remark(f policy.Fact) {
	id.Disputed = /*guard:dispute-stays*/ id.Disputed || f.Class == policy.Disputed
	if f.Class == policy.Mismatch && /*guard:part-is-a-result*/ f.Stage == policy.Result {
		id.Mismatch = true // at the door the class is about the request that was refused, and not about money
	}
}

// update enters a fact into the identity. Certainty is not lost to a later doubt: an answer that
// knows less than the ledger changes nothing.
func (id *Identity) update(f policy.Fact) {
	switch {
	case id.Effect == policy.Executed && f.Effect == policy.NotExecuted:
		id.Contested = /*guard:proof-against-proof*/ true
	case /*guard:contested-stays-open*/ id.Contested && f.Effect == policy.NotExecuted:
		// Money moved under this order by a request that is not ours: no refusal closes that.
	case /*guard:reopened*/ id.Effect == policy.NotExecuted && f.Effect == policy.Pending:
		// The provider said that the request was over, and now says that it goes on: in doubt again.
		id.Effect, id.Fact, id.Reopened = f.Effect, f, true
	case f.Effect == policy.Executed:
		id.Mismatch = /*guard:mismatch-stays*/ id.Mismatch && id.Effect == policy.Executed || f.Class == policy.Mismatch
		id.Effect, id.Fact = f.Effect, f
	case /*guard:certainty-stays*/ !id.Effect.Settled():
		if f.Effect != policy.Unknown || id.Effect == policy.Unknown {
			id.Effect = f.Effect
		}
		id.Fact = f
	}
}
