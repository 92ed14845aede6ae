package certify

import (
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// Read is what the flow reads in a fact: the effect, whether a refusal is a stored result, and three classes.
func Read(f policy.Fact) policy.Fact {
	is := policy.Fact{Effect: f.Effect, Class: certificate.Own, Reach: certificate.Own, Final: certificate.Own}
	if f.Class == policy.NotFound || f.Effect == policy.Executed && (f.Class == policy.Disputed || f.Class == policy.Mismatch) {
		is.Class = f.Class
	}
	if f.Effect == policy.NotExecuted {
		is.Stage = f.Stage
	}
	return is
}

// abstract returns what the proof follows of a flow, and where each identity went. Counts, times, withdrawal and trace are left
// out: try spends them at every event. Identities of the past that are known not to execute are one where nothing but
// their name tells them apart: then the flow does the same about either.
func abstract(s *flow.State, ages []uint8) (a certificate.State, to []int) {
	l := s.Ledger
	a = certificate.StateOf(s)
	to = make([]int, len(l))
	for i := range l {
		k := len(l) - 1 // the last that is alike
		for k > i && !alike(s, i, k) {
			k--
		}
		if to[i] = k; k == i {
			a.Count++
		}
	}
	at := int(a.Count)
	for i := len(l) - 1; i >= 0; i-- {
		if to[i] != i {
			to[i] = to[to[i]]
			a.IDs[to[i]].Copies = max(a.IDs[to[i]].Copies, uint8(min(l[i].Copies, 1)))
			continue
		}
		at--
		a.IDs[at] = identity(s, i, at, past(s, i))
		for k := len(l) - 1; k > i; k-- {
			if l[k].OrderID == l[i].OrderID {
				a.IDs[at].Order = a.IDs[to[k]].Order
			}
		}
		if s.Stage == flow.Querying {
			a.IDs[at].Age = ages[i]
		}
		to[i] = at
	}
	return a, to
}

// past reports whether an identity is not the latest one, and is known not to execute.
func past(s *flow.State, i int) bool {
	id := &s.Ledger[i]
	return (i < len(s.Ledger)-1 || s.Stage == flow.Ended) && id.Effect == policy.NotExecuted && !id.Contested
}

// shared reports whether an identity that is not past has the order of one.
func shared(s *flow.State, i int) bool {
	for k := range s.Ledger {
		if !past(s, k) && s.Ledger[k].OrderID == s.Ledger[i].OrderID {
			return true
		}
	}
	return false
}

// alike reports whether nothing but their names tells two identities of the past apart.
func alike(s *flow.State, i, k int) bool {
	return past(s, i) && past(s, k) && theirs(s, i) == theirs(s, k) &&
		(s.Ledger[i].OrderID == s.Ledger[k].OrderID || !shared(s, i) && !shared(s, k)) && (i > 0 || !certificate.OnTarget(&s.Payment))
}

// identity is one identity of a flow, without its age, under an order of its own.
func identity(s *flow.State, i, at int, past bool) certificate.Identity {
	id := &s.Ledger[i]
	is := certificate.Identity{Order: uint8(at), Sends: uint8(min(id.Sends, 2)), Copies: uint8(min(id.Copies, 2)), Effect: uint8(id.Effect), Prior: uint8(policy.NotExecuted),
		Theirs: theirs(s, i), Mismatch: id.Mismatch, Contested: id.Contested}
	switch {
	case past:
		is.Sends, is.Copies = 1, min(is.Copies, 1)
	case id.Sends > 1 && (s.Stage != flow.Ended || s.Outcome == policy.Escalated):
		is.Prior = uint8(id.Prior)
	}
	is.Reopened = id.Reopened && !past && i < len(s.Ledger)-1 && id.Effect != policy.Executed
	if id.Effect == policy.Executed {
		is.Class = uint8(Read(id.Fact).Class)
	}
	return is
}

// theirs reports whether an identity has an id of the provider. A refund begins with that of the payment.
func theirs(s *flow.State, i int) bool {
	id := s.Ledger[i].ProviderID
	return id != "" && (id != s.Target || certificate.OnTarget(&s.Payment))
}
