package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// claims are what the provider has said of the money, beside what became of a request: S6 rests on
// them. The flow keeps its own, by identity. The provider's are in [node] and [statements], and end with a
// person's word.
type claims struct {
	disputed bool // the payment is disputed, or charged back
	part     bool // another amount was paid, and no later answer has named the whole
}

// claimsOf returns what a fact says of the money beside its effect.
func claimsOf(f policy.Fact) claims {
	return claims{disputed: f.Class == policy.Disputed, part: f.Class == policy.Mismatch && f.Stage == policy.Result}
}

// disputed is the fact of an execution that is disputed.
func disputed(f policy.Fact) policy.Fact {
	f.Class = policy.Disputed
	return f
}

// listDisputes adds the facts of executions that another answer disputes, or says another amount of.
func (f *facts) listDisputes() {
	for _, groups := range f.groups {
		for i := range groups {
			one := claimsOf(groups[i].fact)
			f.claims = claims{disputed: f.claims.disputed || one.disputed, part: f.claims.part || one.part}
		}
	}
	if f.claims.part { // by an answer that comes after a person's word, and proves no execution by itself
		f.executed = append(f.executed, mismatch(resolvedAs(policy.Executed)))
	}
	if !f.claims.disputed {
		return
	}
	for _, e := range slices.Clone(f.executed) {
		if d := disputed(e); e.Class != policy.Mismatch && !slices.Contains(f.executed, d) {
			f.executed = append(f.executed, d)
		}
	}
}

// claimMarks returns what an event says of the money, if the flow could take it for one about itself: it
// names no other payment, and not only an id that the flow does not know. The marks hold the identity that
// the flow took it to be about.
func (m *model) claimMarks(tr transition, after *flow.State) (all marks) {
	if tr.exhausted.claims.disputed {
		all |= markWasDisputed
	}
	if tr.exhausted.claims.part {
		all |= markWasPart
	}
	switch tr.kind {
	case kindResolve:
		return all | markPerson | marks(tr.id)<<markIdentity
	case kindAnswer, kindLateAnswer, kindQueryAnswer, kindLateQueryAnswer, kindWebhook:
	case kindStart, kindNotSent, kindUnverified, kindDue, kindResume, kindWithdraw, kindTime, kindSecondFlow:
		return all
	}
	said := claimsOf(m.askedBy(tr).fact)
	if said == (claims{}) && tr.variant&wholeAmount == 0 {
		return all
	}
	last := len(after.Evidence) - 1
	if name := tr.variant &^ (otherAmount | wholeAmount); name == namesForeign || name == namesSibling || last < 0 || after.Evidence[last].Identity < 0 {
		return all
	}
	if said.disputed {
		all |= markDisputes
	}
	if said.part {
		all |= markPart
	}
	if tr.variant&wholeAmount != 0 {
		all |= markWhole
	}
	if all.has(markPart | markWhole) {
		all |= marks(after.Evidence[last].Identity) << markIdentity
	}
	return all
}

// claim keeps what the event of an outcome says of the money.
func (n *node) claim(from *node, o marks) {
	for len(n.ids) < len(n.s.Ledger) {
		n.ids = append(n.ids, statements{})
	}
	n.disputed = (n.disputed || o.has(markWasDisputed|markDisputes)) && !o.has(markPerson)
	for i := range from.s.Ledger {
		if o.has(markWasPart) && from.s.Ledger[i].Effect != policy.Executed {
			n.ids[i].part = true
		}
	}
	if o.has(markPart | markWhole | markPerson) {
		n.ids[o>>markIdentity].part = o.has(markPart)
	}
}

// forgetsClaim reports whether an event said something of the money that the flow has not kept.
func forgetsClaim(o marks, after *flow.State) bool {
	kept := slices.ContainsFunc(after.Ledger, func(id flow.Identity) bool { return id.Disputed })
	return o.has(markDisputes) && !kept || o.has(markPart) && !after.Ledger[o>>markIdentity].Mismatch
}

// earlierClaims gives the flow what an earlier answer may have said of the money. The coarse model does
// not keep it until something executes. A person's word ends those about the request that it is about, so the dispute is another one's.
func (m *model) earlierClaims(s *flow.State, tr transition) {
	was := m.exhausted.claims
	if was == (claims{}) || len(s.Ledger) == 0 {
		return
	}
	m.ownLedger(s)
	last := len(s.Ledger) - 1
	at := last
	if tr.kind == kindResolve && int(tr.id) == last {
		at = 0
	}
	s.Ledger[at].Disputed = s.Ledger[at].Disputed || was.disputed
	for i := range s.Ledger {
		id := &s.Ledger[i]
		id.Mismatch = id.Mismatch || was.part && id.Effect != policy.Executed
	}
}

// withClaims returns each choice of limits with each claim that an earlier answer may have made.
func (m *model) withClaims(limits []exhausted) (all []exhausted) {
	for _, l := range append(limits[:len(limits):len(limits)], exhausted{}) {
		if m.facts.claims.disputed {
			l.claims = claims{disputed: true}
			all = append(all, l)
		}
		if m.facts.claims.part {
			l.claims = claims{part: true}
			all = append(all, l)
		}
	}
	return all
}

// executes reports whether a step brought the first execution that the flow knows of.
func (m *model) executes(tr transition, after *flow.State) bool {
	return tr.kind != kindSecondFlow && executedIdentity(&m.steps.from.s) < 0 && executedIdentity(after) >= 0
}

// readsClaims reports whether what the flow learns from an event depends on the claims that the model has
// forgotten. After a claim an execution is no proof, and events that lead to one state without a claim
// lead to different ones with it: a late reply then decides nothing.
func (m *model) readsClaims(executes bool) bool { return m.facts.claims != (claims{}) && executes }

// executedIdentity returns the first identity that is known to have executed; -1: none is.
func executedIdentity(s *flow.State) int {
	return slices.IndexFunc(s.Ledger, func(id flow.Identity) bool { return id.Effect == policy.Executed })
}

// endDispute ends the dispute of an identity that a person speaks of, where the coarse model keeps it with
// another one.
func endDispute(s *flow.State) {
	s.Ledger = slices.Clone(s.Ledger)
	for i := range s.Ledger {
		s.Ledger[i].Disputed = false
	}
}

// canonicalizeClaims brings the claims of the coarse model into their canonical form. Until something
// executes the flow reads none of them, so the model forgets them, and lets any that the provider can
// make have been made when the first execution becomes known: see [model.variations]. From then on the
// flow reads only whether any identity is disputed, so the one that executed has it for all. With a
// claim the rules are shown that, whatever class the execution had, and a mismatch before a dispute.
func (m *model) canonicalizeClaims(n *node) {
	l := n.s.Ledger
	disputes := slices.ContainsFunc(l, func(id flow.Identity) bool { return id.Disputed })
	k := executedIdentity(&n.s)
	for i := range l {
		l[i].Disputed = disputes && i == k && !n.contested()
		l[i].Mismatch = l[i].Mismatch && l[i].Effect == policy.Executed
	}
	for i := range n.ids {
		n.ids[i].part = n.ids[i].part && i == k
	}
	switch {
	case k < 0 || n.contested():
		n.disputed = false
	case l[k].Mismatch:
		l[k].Disputed, l[k].Fact.Class, n.disputed, n.ids[k].part = false, noClass, false, true
	case disputes:
		l[k].Fact.Class, n.disputed = noClass, true
	}
}
