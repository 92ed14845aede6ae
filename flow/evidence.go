package flow

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// absorb takes an answer into the ledger and returns what it proves to this flow,
// which is less than what it proves by itself whenever more than one reading is
// left. asked is when the provider was asked, or when its message came.
func absorb(d policy.Decider, t *policy.Terms, s *State, a *policy.Answer, at, asked time.Time) policy.Fact {
	fact := d.Judge(&s.Payment, a)
	i := s.about(a)
	if i < 0 {
		// An answer about another payment is no evidence.
		fact = policy.Fact{Basis: policy.Documented, Final: fact.Final}
		s.note(Evidence{At: at, Phase: a.Phase, Identity: -1, Answer: *a, Fact: fact})
		return fact
	}
	id := &s.Ledger[i]
	if a.ProviderID != "" {
		id.ProviderID = a.ProviderID
	}
	fact.Effect = s.weigh(&t.Contract, id, a, fact, asked)
	if fact.Effect == policy.Executed && s.otherAmount(a) {
		fact.Class = policy.Mismatch
	}
	id.learn(fact)
	s.note(Evidence{At: at, Phase: a.Phase, Identity: i, Answer: *a, Fact: fact})
	return fact
}

// about finds the identity that an answer speaks of: the one it names, else the one
// sent last. It is -1 when the answer names a payment that is none of ours.
func (s *State) about(a *policy.Answer) int {
	for i := len(s.Ledger) - 1; i >= 0; i-- {
		if s.Ledger[i].named(a.OrderID) && s.Ledger[i].named(a.RequestID) {
			return i
		}
	}
	return -1
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
func (s *State) weigh(c *policy.Contract, id *Identity, a *policy.Answer, f policy.Fact, asked time.Time) policy.Effect {
	if a.Phase == policy.Webhook && !a.Verified {
		return policy.Unknown // anybody can have sent it
	}
	if f.Effect == policy.Unknown && f.Class == policy.NotFound && a.Phase == policy.Query && s.absent(c, id, asked) {
		return policy.NotExecuted
	}
	if f.Effect != policy.NotExecuted {
		return f.Effect
	}
	ok := true
	switch a.Phase {
	case policy.Send:
		// A refusal to a replay is about the replay, unless replays get the stored result.
		replay := id.Sends > 1 && id.Prior != policy.NotExecuted
		ok = !replay || (c.Replay == policy.FirstResult && c.ReplaySafe(id.FirstSent, asked) &&
			f.Stage == policy.Result && a.Fault == policy.NoFault)
	case policy.Query, policy.Webhook:
		ok = s.speaksOfAll(c, id, asked)
	}
	if !ok {
		return policy.Unknown
	}
	return policy.NotExecuted
}

// absent reports whether "not found" proves that nothing executed: the contract says
// after how long, and no copy of the request can still be on its way.
func (s *State) absent(c *policy.Contract, id *Identity, asked time.Time) bool {
	return c.NotFoundAfter > 0 && !asked.Before(id.LastSent.Add(c.NotFoundAfter)) && s.arrived(c, asked)
}

// arrived reports whether every copy of every request has reached the provider or
// never will.
func (s *State) arrived(c *policy.Contract, asked time.Time) bool {
	if c.ArrivalGrace <= 0 {
		return false
	}
	for i := range s.Ledger {
		if s.Ledger[i].Sends > 0 && asked.Before(s.Ledger[i].Deadline.Add(c.ArrivalGrace)) {
			return false
		}
	}
	return true
}

// speaksOfAll reports whether a failure told by a query or webhook is the end of the
// identity. It is when the identity was sent once, or is deduped, and nothing else
// was sent under the same order: a stored failure may be that of another copy.
func (s *State) speaksOfAll(c *policy.Contract, id *Identity, asked time.Time) bool {
	copies := 0
	for i := range s.Ledger {
		other := &s.Ledger[i]
		if other.OrderID != id.OrderID || other.Sends == 0 {
			continue
		}
		if other == id && other.Sends > 1 && c.ReplaySafe(id.FirstSent, asked) {
			copies++
			continue
		}
		copies += other.Sends
	}
	return copies <= 1 || s.arrived(c, asked)
}

// learn enters a fact into the identity. Certainty is never lost to a later doubt.
func (id *Identity) learn(f policy.Fact) {
	switch {
	case id.Effect == policy.Executed && f.Effect == policy.NotExecuted:
		id.Contested = true
	case id.Effect == policy.NotExecuted && f.Effect == policy.Pending:
		// It was said to be over, and it goes on: in doubt again.
		id.Effect, id.Fact = f.Effect, f
	case f.Effect == policy.Executed:
		id.Effect, id.Fact = f.Effect, f
		id.Mismatch = id.Mismatch || f.Class == policy.Mismatch
	case !id.Effect.Settled():
		if f.Effect != policy.Unknown || id.Effect == policy.Unknown {
			id.Effect = f.Effect
		}
		id.Fact = f
	}
}
