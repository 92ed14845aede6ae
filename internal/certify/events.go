package certify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// moment is that of every event. Waits are not followed: an event may come at once, or after any time.
var moment = flow.Moment{At: certificate.Now, Jitter: 0.5}

// given is an answer that can come: of a class, late or not, under the names of an identity (or of no one's), with another amount or not.
type given struct {
	phase     policy.Phase
	class, of int8
	name      naming
	late      bool
	order     uint8 // that the identity has
	amount    int64 // 0: none is named
}

// naming is how an answer names what it speaks of.
type naming uint8

const (
	unnamed naming = iota
	byBoth
	byOrder
	byTheirs  // the provider's own id; of a capture or a cancel that of the payment
	forged    // as byBoth, and not signed
	crossed   // another payment, whose order reads as our request
	sibling   // another operation under our order
	stranger  // another payment; of -1
	ofTarget  // the payment that a refund gives back; of -1
	strangeID // another payment, by the provider's id alone; of -1
	zeroID    // a text that stands for no id; of -1
)

// The names of an identity that answers to calls and webhooks give. In an answer to a send the provider's id matters only where the flow learns it.
var (
	ownNames     = []naming{unnamed, byBoth, byTheirs}
	webhookNames = []naming{byOrder, byBoth, byTheirs}
)

// event is an answer as the flow gets it.
func (m *Machine) event(g given) flow.Event {
	a := m.bare[g.phase][g.class]
	a.Verified = g.phase == policy.Webhook && g.name != forged
	a.Amount = g.amount
	id := flow.Identity{OrderID: "of a stranger"}
	if g.of >= 0 {
		id = m.state.Ledger[g.of]
	}
	switch g.name {
	case byBoth, forged:
		a.OrderID, a.RequestID = id.OrderID, id.RequestID
	case byOrder, stranger:
		a.OrderID = id.OrderID
	case byTheirs:
		a.ProviderID = "of " + id.RequestID
		if certificate.OnTarget(&m.payment) {
			a.ProviderID = certificate.Target
		}
	case crossed:
		a.OrderID = id.RequestID
	case sibling:
		a.OrderID, a.RequestID = id.OrderID, "of another operation"
	case ofTarget:
		a.ProviderID = certificate.Target
	case strangeID:
		a.ProviderID = "of a stranger"
	case zeroID:
		a.ProviderID = "0"
	case unnamed:
	}
	switch {
	case g.phase == policy.Webhook:
		return flow.Received{Moment: moment, Answer: a}
	case g.phase == policy.Query && g.late:
		return flow.Queried{Moment: moment, Answer: a, Query: -1}
	case g.phase == policy.Query:
		return flow.Queried{Moment: moment, Answer: a}
	case g.late:
		return flow.Answered{Moment: moment, Answer: a, Attempt: -1}
	}
	return flow.Answered{Moment: moment, Answer: a}
}

// From takes every step from a state in its worlds. An error says which property breaks.
func (m *Machine) From(a *certificate.State, worlds []world, emit func(certificate.State, []world)) error {
	m.emit = emit
	for _, m.form = range m.forms(a, worlds) {
		if err := m.from(m.state); err != nil {
			return err
		}
	}
	return nil
}

// from takes every step from one form of a state.
func (m *Machine) from(s flow.State) error {
	m.forget()
	last := len(s.Ledger) - 1
	start := flow.Start{Moment: moment, OrderID: "new order", RequestID: "new request", ProviderID: s.Target, Earlier: s.Ledger}
	switch s.Stage {
	case flow.New:
		m.happens(start, m.worlds, given{}, 0)
		return m.err
	case flow.Ended: // the shopper tries again, under a new order or the same
		m.state, m.asked = flow.State{Payment: m.payment}, make([]uint8, last+2)
		m.happens(start, m.worlds, given{}, 0)
		start.OrderID = s.Ledger[last].OrderID
		m.happens(start, m.worlds, given{}, 0)
		if s.Outcome != policy.Escalated {
			return m.err // no statement changes the outcome
		}
		m.state = s
		m.forget()
	case flow.Waiting:
		m.happens(flow.Due{Moment: moment, RequestID: start.RequestID}, m.worlds, given{}, 0) // the caller has no new order
		m.happens(flow.Due{Moment: moment, RequestID: start.RequestID, OrderID: start.OrderID}, m.worlds, given{}, 0)
	case flow.Sending, flow.Querying:
	}
	contested := slices.ContainsFunc(s.Ledger, func(id flow.Identity) bool { return id.Contested })
	for i := range s.Ledger {
		m.answers(i, contested)
	}
	for _, c := range m.chances {
		if m.events[c.given] == nil {
			m.events[c.given] = m.event(c.given)
		}
		m.happens(m.events[c.given], c.worlds, c.given, c.promise)
	}
	m.chances = m.chances[:0]
	if contested {
		return m.err
	}
	call := policy.Send
	if s.Stage == flow.Querying {
		call = policy.Query
	}
	m.happens(flow.Resumed{Moment: moment}, m.worlds, given{phase: call, class: m.lost[call]}, 0)
	m.happens(flow.Withdrawn{Moment: moment, Why: "withdrawn"}, m.worlds, given{}, 0)
	for i := range s.Ledger {
		found := "person"
		if s.Stage == flow.Sending && i == last {
			found = "waiting"
		}
		m.happens(flow.Resolved{Moment: moment, Identity: i, Effect: policy.Executed}, m.after("paid", i), given{}, 0)
		m.happens(flow.Resolved{Moment: moment, Identity: i, Effect: policy.NotExecuted}, m.after(found, i), given{}, 0)
	}
	return m.err
}

// happens carries out an event, of an answer that needs a promise, or without one.
func (m *Machine) happens(e flow.Event, worlds []world, g given, promise uint8) {
	m.answer, m.promise, m.says = g, promise, policy.Fact{}
	switch e.(type) {
	case flow.Received, flow.Queried, flow.Answered:
		m.says = m.facts[g.phase][g.class]
	}
	if !m.differs(g) {
		return
	}
	m.try(e, worlds)
	if !m.learns && !m.Apart && (g.name == byTheirs || g.name == strangeID) && !certificate.OnTarget(&m.payment) {
		m.hidden = noIDs
		m.try(e, worlds)
		m.hidden = 0
	}
}

// after returns the worlds in which a statement about an identity can be made, as they are then.
func (m *Machine) after(said string, i int) []world { return then(m.worlds, said, i) }

// then is after, in some worlds.
func then(in []world, said string, i int) (all []world) {
	for _, w := range in {
		for _, x := range worlds[said][of(w, i)] {
			if next := w&^(15<<(4*i)) | world(x)<<(4*i); !slices.Contains(all, next) {
				all = append(all, next)
			}
		}
	}
	return all
}

// ofOrder is after, where an answer to a query names no request: by the order it speaks of each that has arrived.
func (m *Machine) ofOrder(said string, i int) []world {
	others := m.beside(i)
	if said == "ended" && slices.ContainsFunc(others, func(k int) bool { return !m.knows(k) }) {
		said = "failed"
	}
	all := m.after(said, i)
	for _, k := range others {
		switch {
		case said == "ended":
			all = then(all, "beside", k)
		case said == "absent" && m.knows(k):
			all = then(all, said, k)
		}
	}
	return all
}

// beside are the other identities of which an answer to the query under way speaks that names none.
func (m *Machine) beside(i int) (all []int) {
	for k := range m.state.Ledger {
		if k != i && m.state.AskedBy == policy.OrderID && m.state.Ledger[k].OrderID == m.state.Ledger[i].OrderID {
			all = append(all, k)
		}
	}
	return all
}

// knows reports whether the query under way came when all of an identity had arrived, and could be found.
func (m *Machine) knows(i int) bool { return len(m.ages) > 1 && int(m.asked[i]) == len(m.ages)-1 }

// answers adds every answer about an identity, or about another payment, with the worlds in which it can come.
func (m *Machine) answers(i int, inOrder bool) {
	s, last, contract := &m.state, len(m.state.Ledger)-1, &m.terms.Contract
	id, by := &s.Ledger[i], s.AskedBy
	if by == "" {
		by = contract.QueryIdentifier(theirs(s, last))
	}
	under := s.Stage == flow.Sending && i == last
	shares := by == policy.OrderID && id.OrderID == s.Ledger[last].OrderID || by == policy.ProviderID && (certificate.OnTarget(&m.payment) || m.isFirst(i))
	asked := s.Stage == flow.Querying && (i == last || shares)
	knows := asked && m.knows(i)
	for class, fact := range m.facts[policy.Send] {
		m.sendAnswers(i, given{phase: policy.Send, class: int8(class)}, fact, under, inOrder)
	}
	for class, fact := range m.facts[policy.Query] {
		g := given{phase: policy.Query, class: int8(class)}
		said, now := said(fact), said(fact)
		switch {
		case said == "failed" && knows && by != policy.ProviderID:
			now = "ended"
		case fact.Class == policy.NotFound && fact.Effect == policy.Unknown && knows && (by != policy.ProviderID || i == last && id.Sends == 1):
			now = "absent"
		}
		if asked {
			m.add(g, ownNames, now, i)
			m.other(g)
			m.unknown(g, i)
		}
		if g.late = true; !inOrder && len(contract.QueryBy) > 0 {
			m.add(g, ownNames, said, i)
			m.lateOthers(g, i)
		}
	}
	m.webhooks(i, inOrder)
}

// isFirst reports whether a request may be what the provider knows the latest one as: it dedupes by the order that both have.
func (m *Machine) isFirst(i int) bool {
	c := &m.terms.Contract
	return m.sharesOrder(i) && slices.Contains(c.Dedupe, policy.OrderID) && c.Replay != policy.ExecutedAgain
}

// sharesOrder reports whether an identity has the order of the latest.
func (m *Machine) sharesOrder(i int) bool {
	l := m.state.Ledger
	return l[i].OrderID == l[len(l)-1].OrderID
}

// sendAnswers adds the answers of one class to a send.
func (m *Machine) sendAnswers(i int, g given, fact policy.Fact, under, inOrder bool) {
	id, contract := &m.state.Ledger[i], &m.terms.Contract
	sends := ownNames
	if !m.learns && !m.Apart {
		sends = sends[:2]
	}
	now, refused, result := said(fact), fact.Effect == policy.NotExecuted, fact.Stage == policy.Result
	switch {
	case refused && result && id.Sends > 1 && contract.Replay == policy.FirstResult:
		now = "stored"
	case refused && result:
		now = "done"
	case refused && id.Copies > 1:
		now = "door"
	case refused:
		now = "only"
	}
	if under {
		m.add(g, sends, now, i)
		m.other(g)
	} else if m.state.Stage == flow.Sending {
		switch { // under the names of an earlier request
		case m.sharesOrder(i) && (refused && !result || fact.Effect == policy.Unknown):
			m.add(g, []naming{byBoth}, "nothing", i) // of the request of the call, whatever it names: at the door that one is refused
		case m.isFirst(i) && !(refused && contract.Replay == policy.Rejected): // a repeat that is rejected gets no earlier refusal
			m.add(g, []naming{byBoth}, said(fact), i)
		}
	}
	if g.late = true; refused && id.Sends > 1 {
		now = "old"
	}
	if !inOrder && (!under || id.Sends > 1) {
		m.add(g, sends, now, i)
		m.lateOthers(g, i)
	}
}

// webhooks adds those about an identity, and about others; of a contested order only those that settle a request.
func (m *Machine) webhooks(i int, contested bool) {
	seen := map[policy.Effect]bool{}
	for class, fact := range m.facts[policy.Webhook] {
		g := given{phase: policy.Webhook, class: int8(class)}
		if contested && !fact.Effect.Settled() {
			continue
		}
		m.add(g, webhookNames, said(fact), i)
		if contested {
			continue
		}
		if !seen[fact.Effect] { // of another payment the flow reads the effect alone
			seen[fact.Effect] = true
			m.add(g, []naming{crossed, sibling}, "nothing", i)
			m.other(g)
			for _, name := range []naming{unnamed, strangeID, zeroID} {
				m.put(given{phase: policy.Webhook, class: g.class, name: name, of: -1}, m.worlds, 0)
			}
		}
		if i == len(m.state.Ledger)-1 && class == 0 { // of a message that is not signed it reads the names alone
			m.add(g, []naming{forged}, "nothing", i)
		}
	}
}

// said is what an answer with a fact says of an identity.
func said(f policy.Fact) string {
	switch {
	case f.Effect == policy.Executed && f.Class == policy.Mismatch:
		return "odd"
	case f.Effect == policy.Executed:
		return "paid"
	case f.Effect == policy.Pending:
		return "open"
	case f.Effect == policy.NotExecuted:
		return "failed"
	}
	return "nothing"
}

// other adds an answer about another payment.
func (m *Machine) other(g given) {
	g.of, g.name = -1, stranger
	m.put(g, m.worlds, 0)
	if g.phase == policy.Webhook && m.Payment.Operation == policy.Refund {
		g.name = ofTarget
		m.put(g, m.worlds, 0)
	}
}

// unknown adds an answer to a query, or a late one, that names a request of an identity's order which the flow does not know, and says that it
// was executed or may be. To a capture or a cancel that is an answer about another payment.
func (m *Machine) unknown(g given, i int) {
	if effect := m.facts[g.phase][g.class].Effect; (effect == policy.Executed || effect == policy.Pending) && !certificate.OnTarget(&m.payment) {
		m.add(g, []naming{sibling}, "nothing", i)
	}
}

// lateOthers adds late answers about others: while the flow waits it is asked about another payment, and until it ends it learns of an
// unknown request.
func (m *Machine) lateOthers(g given, i int) {
	if m.state.Stage == flow.Waiting {
		m.other(g)
	}
	if m.state.Stage != flow.Ended {
		m.unknown(g, i)
	}
}

// add adds an answer about an identity, under names and with each amount.
func (m *Machine) add(g given, names []naming, says string, i int) {
	fact := m.facts[g.phase][g.class]
	worlds, odd := m.after(says, i), []world(nil)
	switch { // with another amount it says that that was paid, or is about something else
	case fact.Effect == policy.Executed:
		odd = m.after("odd", i)
	case fact.Effect == policy.NotExecuted || fact.Class == policy.NotFound:
		odd = m.worlds
	}
	for _, n := range names {
		worlds := worlds
		if g.name, g.of, g.amount = n, int8(i), 0; n == unnamed || n == byTheirs && certificate.OnTarget(&m.payment) {
			g.of, worlds = -1, m.ofOrder(says, i)
		} else if m.bare[g.phase][g.class].Fault != policy.NoFault {
			continue // a failed call names no payment
		}
		m.put(g, worlds, needs[says])
		if g.amount = wholeAmount; n < crossed && fact.Effect == policy.Executed { // else it makes no difference
			m.put(g, worlds, needs[says])
		}
		if g.amount = policy.OddAmount; n < crossed {
			m.put(g, odd, 0)
		}
	}
}

// promises are those of the contract without which a provider could say something else. The first is none.
var promises = [...]string{"", "arrival_grace, not_found_after", "replay = first_result"}

// needs says which promise a statement needs.
var needs = map[string]uint8{"ended": 1, "absent": 1, "stored": 2}

// chance is when an answer can come, and the promise that this rests on.
type chance struct {
	given
	worlds  []world
	promise uint8
}

func (m *Machine) put(g given, worlds []world, promise uint8) {
	k := -1
	if g.order = 0; g.of >= 0 {
		g.order = m.entry.IDs[g.of].Order
	} else {
		k = slices.IndexFunc(m.chances, func(c chance) bool { return c.given == g })
	}
	if k < 0 {
		k, m.chances = len(m.chances), append(m.chances, chance{given: g})
	}
	if c := &m.chances[k]; len(worlds) > 0 {
		c.worlds, c.promise = union(c.worlds, worlds), max(c.promise, promise)
	}
}
