package certify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// Read is what the flow reads in a fact: the effect, whether a refusal is a stored result, whether something was not found, and what is said of
// the money beside that: it is disputed, or another amount was paid.
func Read(f policy.Fact) policy.Fact {
	is := policy.Fact{Effect: f.Effect, Class: certificate.Own, Reach: certificate.Own, Final: certificate.Own}
	if f.Class == policy.NotFound || f.Class == policy.Disputed || f.Class == policy.Mismatch && (f.Effect == policy.Executed || f.Stage == policy.Result) {
		is.Class = f.Class
	}
	if f.Effect == policy.NotExecuted || f.Effect != policy.Executed && is.Class == policy.Mismatch {
		is.Stage = f.Stage
	}
	return is
}

// other returns the identity that a state keeps beside the latest; below 0: there is none. What the flow reads of those before the
// latest is whether one is open again (then it asks no rules about what did not execute), and whether one has the order of the latest: if
// any has, the one just before. Of all else forms has every kind, so one says what all say.
func other(s *flow.State) int {
	for i := len(s.Ledger) - 2; i >= 0; i-- {
		if !isPast(s, i) {
			return i
		}
	}
	return len(s.Ledger) - 2
}

// abstract returns what the proof follows of a flow, and where each identity went; -1: nowhere. Counts, times, withdrawal and trace
// are left out: try spends them at every event. Age is that of the latest identity when the query under way went out; apart: all
// identities are kept.
func (m *Machine) abstract(s *flow.State, age uint8, apart bool) (a certificate.State, to []int) {
	a, to = certificate.StateOf(s), make([]int, len(s.Ledger))
	kept, executed, disputed := other(s), isExecuted(s), false
	for i := range s.Ledger {
		disputed = disputed || s.Ledger[i].Disputed
		if to[i] = -1; i != kept && i < len(s.Ledger)-1 && !apart {
			continue
		}
		if to[i] = int(a.Count); to[i] == certificate.Most {
			return certificate.State{}, nil // where they are apart
		}
		is := &a.IDs[a.Count]
		*is = identity(s, i, apart)
		is.Theirs = is.Theirs || !m.learns && !apart        // else an answer that gives that id alone is tried with it and without it
		is.Disputed, disputed = executed && disputed, false // until something executes the flow does not read it: try has all that was said before
		for k := i; k >= 0; k-- {                           // it is called by the first that has it
			if to[k] >= 0 && s.Ledger[k].OrderID == s.Ledger[i].OrderID {
				is.Order = uint8(to[k])
			}
		}
		if s.Stage == flow.Querying {
			is.Age = age
		}
		a.Count++
	}
	return a, to
}

// isExecuted reports whether the flow knows of an execution.
func isExecuted(s *flow.State) bool {
	return slices.ContainsFunc(s.Ledger, func(id flow.Identity) bool { return id.Effect == policy.Executed })
}

// isPast reports whether an identity is not the latest one, and is known not to execute.
func isPast(s *flow.State, i int) bool {
	id := &s.Ledger[i]
	return i < len(s.Ledger)-1 && id.Effect == policy.NotExecuted && !id.Contested
}

// identity is one identity of a flow, without its order and age. Of one before the latest it is open what it left: forms has all of it.
func identity(s *flow.State, i int, apart bool) certificate.Identity {
	id, last := &s.Ledger[i], i == len(s.Ledger)-1
	is := certificate.Identity{Sends: uint8(min(id.Sends, 2)), Copies: uint8(min(id.Copies, 2)), Effect: uint8(id.Effect), Prior: uint8(policy.NotExecuted),
		Theirs: theirs(s, i), Mismatch: id.Mismatch && id.Effect == policy.Executed, Contested: id.Contested}
	switch {
	case !last && !apart:
		is.Sends, is.Copies, is.Theirs, is.Mismatch = 1, 1, certificate.OnTarget(&s.Payment), false
	case isPast(s, i) || s.Stage == flow.Ended && id.Effect == policy.NotExecuted && !id.Contested:
		is.Sends, is.Copies = 1, min(is.Copies, 1)
	case id.Sends > 1 && id.Prior != policy.NotExecuted && (s.Stage != flow.Ended || s.Outcome == policy.Escalated):
		is.Prior = uint8(policy.Unknown) // the flow reads only whether it was certain
	}
	is.Reopened = id.Reopened && !id.Contested && !last && !isPast(s, i) && id.Effect != policy.Executed // the flow reads whether it is either
	if id.Effect == policy.Executed {
		is.Class = uint8(Read(id.Fact).Class)
	}
	return is
}

// Merge returns the state that stands for one in which identities are apart, with what is true in it.
func (m *Machine) Merge(a *certificate.State, w world) (certificate.State, world) {
	s := a.Flow(m.payment)
	to, where := m.abstract(&s, a.IDs[max(a.Count, 1)-1].Age, m.Apart)
	return to, m.moved([]world{w}, where)[0]
}

// theirs reports whether an identity has an id of the provider. A refund begins with that of the payment.
func theirs(s *flow.State, i int) bool {
	id := s.Ledger[i].ProviderID
	return id != "" && (id != s.Target || certificate.OnTarget(&s.Payment))
}

// form is a flow that a state stands for, with what can be true.
type form struct {
	entry  *certificate.State
	state  flow.State
	asked  []uint8 // by identity: its age when the query under way went out
	worlds []world

	olderDiffers, idDiffers, copiesDiffer bool // of the earlier identity, from the form in which all is as it was, and a copy was left
}

// forms returns the flows that a state stands for. Of an identity before the latest nothing is executed: else no later one was sent. It
// may have left a copy or not, and if one was left the provider may hold it as a failed request, or hold that of another one of
// the order. It may have an id of the provider or not, and it is as old as the latest, or older.
func (m *Machine) forms(a *certificate.State, worlds []world) (all []form) {
	one := form{entry: a, state: a.Flow(m.payment), worlds: worlds, asked: make([]uint8, a.Count+1)} // and of one that is sent now
	for i := range a.Count {
		one.asked[i] = a.IDs[i].Age
	}
	if a.Count < 2 || m.Apart {
		return []form{one}
	}
	earlier, latest, age := one.state.Ledger[0], one.state.Ledger[1], one.asked[1]
	failed := slices.Clone(worlds)
	for _, w := range worlds {
		failed = append(failed, w|left)
	}
	ids := []string{earlier.ProviderID}
	if m.learns {
		ids = append(ids, "of "+earlier.RequestID)
	}
	for older := age; older == age || a.AskedBy > 0 && int(older) < len(m.ages); older++ {
		for k, id := range ids {
			for copies, in := range [][]world{worlds, failed} {
				earlier.ProviderID, earlier.Copies, one.worlds = id, copies, in
				one.olderDiffers, one.idDiffers, one.copiesDiffer = older > age, k > 0, copies == 0
				one.asked, one.state.Ledger = []uint8{older, age, 0}, []flow.Identity{earlier, latest}
				all = append(all, one)
			}
		}
	}
	return all
}

// differs reports whether an event can come to something else in this form than in one that is more like that one: whether the flow reads
// all in which they differ. Of the earlier identity it reads an age where a query is about to prove that there is no request, or that it failed; the
// provider's id if the answer gives one; and the copies if a query or a webhook says that a request failed.
func (m *Machine) differs(g given) bool {
	var f policy.Fact
	if k := int(g.class); k >= 0 && k < len(m.facts[g.phase]) {
		f = m.facts[g.phase][k]
	}
	failed := g.phase != policy.Send && f.Effect == policy.NotExecuted
	ended := g.phase == policy.Query && !g.late && (failed || f.Class == policy.NotFound)
	return m.Each || (!m.olderDiffers || ended) && (!m.idDiffers || g.name == byTheirs || g.name == strangeID) && (!m.copiesDiffer || failed || certificate.OnTarget(&m.payment))
}
