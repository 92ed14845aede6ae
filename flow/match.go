package flow

import (
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// identityOf finds the identity that an answer speaks of: the one that it names, else the one sent
// last. i is -1 when the answer names a payment that is not in the ledger. sure is false when
// the answer may speak of another identity as well.
//
// An answer to our own call was paired by the call, and may lack a name. A webhook was paired by
// no call: only a name of the flow that it gives makes it one about the flow.
func (s *State) identityOf(a *policy.Answer) (i int, sure bool) {
	webhook := a.Phase == policy.Webhook
	if none := a.OrderID == "" && a.RequestID == "" && a.ProviderID == ""; /*guard:webhook-names-the-payment*/ webhook && none {
		return -1, false
	}
	if a.OrderID == "" && a.RequestID == "" && a.ProviderID != "" && a.Phase != policy.Send {
		if /*guard:target-is-not-the-refund*/ webhook && s.Payment.Operation == policy.Refund && a.ProviderID == s.Target {
			return -1, false // the payment that is refunded has a webhook of its own
		}
		return s.byProviderID(a.ProviderID, webhook)
	}
	for i := len(s.Ledger) - 1; i >= 0; i-- {
		if id := &s.Ledger[i]; s.matches(id, a) {
			return i, a.OrderID != "" || a.RequestID == "" || a.RequestID == id.RequestID || s.ownsID(id)
		}
	}
	/*guard:other-payment*/ return -1, false
}

// Names reports whether an answer names the flow: one of its identities, or one of its orders
// with a request that the flow does not know. A webhook that does neither is no evidence. The answer is
// to be read as one about the flow's own operation.
func (s *State) Names(a *policy.Answer) (identity, order bool) {
	named := *a
	named.Phase = policy.Webhook
	blankPlaceholders(&named)
	i, _ := s.identityOf(&named)
	_, found := s.unknownRequest(&named, policy.Fact{Effect: policy.Executed})
	return i >= 0, i < 0 && found
}

// unknownRequest reports whether an answer says that money moved, or still may, under one of our
// orders by a request that is not in the ledger. It proves nothing about our requests, and the
// order is contested from then on: a later refusal may be about either request.
func (s *State) unknownRequest(a *policy.Answer, f policy.Fact) (i int, found bool) {
	if a.OrderID == "" || a.RequestID == "" || f.Effect != policy.Executed && f.Effect != policy.Pending {
		return -1, false
	}
	if op := s.Payment.Operation; /*guard:order-of-another-operation*/ op == policy.Capture || op == policy.Cancel {
		// They work on the order of a payment, and other requests of that order are expected: the
		// payment's own, and other captures.
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
// of them, and for sure only if it is the only one. In a webhook such an id cannot be compared
// with anything, and names no identity. Captures and cancels have the id of the payment that they
// work on, and an answer that names it may be about any of them.
func (s *State) byProviderID(providerID string, webhook bool) (i int, sure bool) {
	i, nameless := -1, 0
	for k := len(s.Ledger) - 1; k >= 0; k-- {
		switch id := &s.Ledger[k]; {
		case s.ownID(id) == providerID:
			return k, s.ownsID(id)
		case s.ownID(id) == "" && id.Sends > 0 && /*guard:webhook-id-is-known*/ !webhook:
			i = max(i, k)
			nameless++
		}
	}
	return i /*guard:provider-id-without-owner*/, nameless == 1
}

// ownID returns the provider's id of an identity itself. A refund begins with the id of the payment
// that it gives back. The client needs it, but a query by it would not find the refund.
func (s *State) ownID(id *Identity) string {
	if s.isTarget(id.ProviderID) {
		return ""
	}
	return id.ProviderID
}

// isTarget reports whether an id is that of the payment that a refund gives back.
func (s *State) isTarget(id string) bool {
	return /*guard:target-is-no-id-of-a-refund*/ s.Payment.Operation == policy.Refund && id == s.Target
}

// shareID reports whether the provider's id stands for both identities: all captures and cancels
// have that of the payment that they work on.
func (s *State) shareID(one, other *Identity) bool {
	return one != other && s.ownID(one) != "" && s.ownID(one) == s.ownID(other)
}

// ownsID reports whether no other identity that left something at the provider has the same id.
func (s *State) ownsID(id *Identity) bool {
	for i := range s.Ledger {
		if other := &s.Ledger[i]; /*guard:shared-id-is-unsure*/ other.Copies > 0 && s.shareID(id, other) {
			return false
		}
	}
	return true
}

// matches reports whether every name that an answer gives is the identity's. Each kind of name is
// compared with its own: an order may have the number that the provider gave to another payment.
// A name that is not given matches: an answer to our own call belongs to the identity that was
// sent or asked for.
func (s *State) matches(id *Identity, a *policy.Answer) bool {
	return (a.OrderID == "" || /*guard:order-is-an-order*/ a.OrderID == id.OrderID) &&
		(a.RequestID == "" || a.RequestID == id.RequestID || a.RequestID == s.ownID(id)) // see unknownRequest: their name for our request
}

// otherAmount reports whether an answer names an amount or a currency that differs from the
// payment's. An amount that is not given, on either side, is not compared.
func (s *State) otherAmount(a *policy.Answer) bool {
	p := &s.Payment
	return (a.Amount != 0 && p.Amount != 0 && a.Amount != p.Amount) ||
		(a.Currency != "" && p.Currency != "" && !strings.EqualFold(a.Currency, p.Currency))
}

// sameAmount reports whether an answer names the payment's amount, and no other currency.
func (s *State) sameAmount(a *policy.Answer) bool {
	return a.Amount != 0 && a.Amount == s.Payment.Amount && !s.otherAmount(a)
}

// blankPlaceholders takes out the ids that stand for "none": providers write 0 before they have
// given one. Such an id would name every payment that has none yet.
func blankPlaceholders(a *policy.Answer) {
	for _, id := range []*string{&a.OrderID, &a.RequestID, &a.ProviderID} {
		if *id != "" && strings.Trim(*id, "0") == "" {
			*id = ""
		}
	}
}
