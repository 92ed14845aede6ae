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
		if s.Ledger[i].matches(a) {
			return i, true
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
// with anything, and names no identity.
func (s *State) byProviderID(providerID string, webhook bool) (i int, sure bool) {
	i, nameless := -1, 0
	for k := len(s.Ledger) - 1; k >= 0; k-- {
		switch id := &s.Ledger[k]; {
		case id.ProviderID == providerID:
			return k, true
		case id.ProviderID == "" && id.Sends > 0 && /*guard:webhook-id-is-known*/ !webhook:
			i = max(i, k)
			nameless++
		}
	}
	return i /*guard:provider-id-without-owner*/, nameless == 1
}

// matches reports whether every name that an answer gives is the identity's. Each kind of name is
// compared with its own: an order may have the number that the provider gave to another payment.
// A name that is not given matches: an answer to our own call belongs to the identity that was
// sent or asked for.
func (id *Identity) matches(a *policy.Answer) bool {
	return (a.OrderID == "" || /*guard:order-is-an-order*/ a.OrderID == id.OrderID) &&
		(a.RequestID == "" || a.RequestID == id.RequestID || a.RequestID == id.ProviderID) // see unknownRequest: their name for our request
}

// otherAmount reports whether an answer names an amount or a currency that differs from the
// payment's. An amount that is not given, on either side, is not compared.
func (s *State) otherAmount(a *policy.Answer) bool {
	p := &s.Payment
	return (a.Amount != 0 && p.Amount != 0 && a.Amount != p.Amount) ||
		(a.Currency != "" && p.Currency != "" && !strings.EqualFold(a.Currency, p.Currency))
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
