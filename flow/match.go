package flow

import "github.com/recourse-pay/recourse/policy"

// identityOf finds the identity that an answer speaks of: the one that it names, else the one sent
// last. i is -1 when the answer names a payment that is not in the ledger. sure is false when
// the answer may speak of another identity as well.
func (s *State) identityOf(a *policy.Answer) (i int, sure bool) {
	if a.OrderID == "" && a.RequestID == "" && a.ProviderID != "" && a.Phase != policy.Send {
		return s.byProviderID(a.ProviderID)
	}
	for i := len(s.Ledger) - 1; i >= 0; i-- {
		if s.Ledger[i].matches(a.OrderID) && s.Ledger[i].matches(a.RequestID) {
			return i, true
		}
	}
	/*guard:other-payment*/ return -1, false
}

// unknownRequest reports whether an answer says that money moved, or still may, under one of our
// orders by a request that is not in the ledger. It proves nothing about our requests, and the
// order is contested from then on: a later refusal may be about either request.
func (s *State) unknownRequest(a *policy.Answer, f policy.Fact) (i int, found bool) {
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

// namesOne reports whether an answer names this identity alone, and not only an order under
// which several identities were sent.
func (s *State) namesOne(a *policy.Answer, id *Identity) bool {
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

// byProviderID finds the identity by the provider's own id, where the answer has no other name.
// An id that is not in the ledger yet belongs to an identity whose id is not known: to the last
// of them, and for sure only if it is the only one.
func (s *State) byProviderID(providerID string) (i int, sure bool) {
	i, nameless := -1, 0
	for k := len(s.Ledger) - 1; k >= 0; k-- {
		switch id := &s.Ledger[k]; {
		case id.ProviderID == providerID:
			return k, true
		case id.ProviderID == "" && id.Sends > 0:
			i = max(i, k)
			nameless++
		}
	}
	return i /*guard:provider-id-without-owner*/, nameless == 1
}

// matches reports whether an identifier of an answer is one of the identity's. An empty one
// matches: an answer to our own call belongs to the identity that was sent or asked for.
func (id *Identity) matches(text string) bool {
	return text == "" || text == id.OrderID || text == id.RequestID || text == id.ProviderID
}

// otherAmount reports whether an answer names an amount or a currency that differs from the
// payment's. An amount that is not given, on either side, is not compared.
func (s *State) otherAmount(a *policy.Answer) bool {
	p := &s.Payment
	return (a.Amount != 0 && p.Amount != 0 && a.Amount != p.Amount) ||
		(a.Currency != "" && p.Currency != "" && a.Currency != p.Currency)
}
