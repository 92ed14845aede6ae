package verify

import (
	"math"
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// model is the product of two machines: the flow under one payment's rules, and an adversarial
// provider that keeps its contract. It produces the successors of a node.
type model struct {
	payment policy.Payment
	engine  *ruleset.Engine
	space   *space.Space
	facts   *facts
	terms   *policy.Terms
	clock   *clock
	decider *decider

	// Restrictions on the adversary, which make traces simple. inOrder: no event arrives
	// unasked, late or twice. noAging: no age passes the next that matters.
	inOrder, noAging bool

	// coarse: counts are not followed. Any send or query may be the last, any event may come
	// after the flow's time, and conditions on counts may hold or not. The coarse model contains
	// every real trace and some impossible ones, so a finding is searched again without it.
	coarse    bool
	following following // what of the counts the coarse model follows all the same
	exhausted exhausted // for the step that is taken

	breaches breaches // none but to find what a proof needs, and in tests
	reads    reads

	unguarded string     // FILE:LINE of a rule whose decisions are also followed where the interlock forbids them
	event     flow.Event // the last one applied
	maxFired  map[string]int
	newOrders bool // some rule sends under a new order
	capped    int  // queries are counted up to here; more behave alike

	steps steps
	scratch
}

// scratch is memory that each transition uses again.
type scratch struct {
	next       node // of the last transition; a caller that keeps it must copy it
	settled    node // of the last answer, by settleAnswer
	ledger     []flow.Identity
	timed      []flow.Identity // of the node whose successors are listed
	spent      []flow.Identity // of the state before a step
	refused    node            // of the last refusal, by settleRefusal
	buf, idBuf []byte
	parts      []string
	copiesBuf  []uint16
}

// newModel returns the model of one payment's rules.
func newModel(e *ruleset.Engine, p policy.Payment, coarse, distrust bool) (*model, error) {
	g, err := newGround(e, space.New(e), p, space.Bit(p.Capture), distrust, nil)
	if err != nil {
		return nil, err
	}
	return g.model([]*table{newTable(g.space, e, g.facts, p, nil, nil)}, true, coarse), nil
}

// ground is what the models of one operation and contract have in common, for some capture modes.
type ground struct {
	engine   *ruleset.Engine
	space    *space.Space
	facts    *facts
	terms    policy.Terms
	judge    space.Judge
	distrust bool
	watched  bool   // see Options.Considered
	name     string // see key
}

func newGround(e *ruleset.Engine, s *space.Space, p policy.Payment, modes region.Words, distrusts bool, answers *answersMemo) (*ground, error) {
	catalog, err := e.Catalog(&p)
	if err != nil {
		return nil, err
	}
	g := &ground{engine: e, space: s, terms: *e.Terms(&p), distrust: distrusts}
	g.judge = catalog.Judge // of the merchant's deployment: the engine finds it by the merchant, whom no question about answers names
	if distrusts {
		g.judge = func(p *policy.Payment, a *policy.Answer) policy.Fact { return distrust(catalog.Judge(p, a)) }
	}
	if !hasModes(p.Operation) {
		modes = space.Bit(policy.Auto, policy.Manual)
	}
	g.facts = factsOf(s, catalog, p, &g.terms.Contract, g.judge, modes, answers)
	return g, nil
}

// joinsModes reports whether what an answer proves depends on the capture mode, and payments of both modes are searched
// together: each answer may then prove what it proves in either.
func (g *ground) joinsModes() bool {
	return g.facts.modes.Len() > 1 && hasModes(g.facts.operation)
}

// hasModes reports whether what an answer proves depends on the capture mode.
func hasModes(op policy.Operation) bool { return op == policy.Pay || op == policy.Checkout }

// model returns the model of payments that any of the tables decides about. With perRule it
// follows each rule by itself, and not only each action.
func (g *ground) model(tables []*table, perRule, coarse bool) *model {
	m := &model{payment: tables[0].payment, engine: g.engine, space: g.space, facts: g.facts, maxFired: map[string]int{}, coarse: coarse,
		steps: newSteps()}
	terms := g.terms
	terms.Poll = nil
	if coarse {
		terms.Limits.MaxQueries = unbounded
		if terms.Limits.MaxAttempts > 1 {
			terms.Limits.MaxAttempts = unbounded
		}
	} else {
		terms.Limits.MaxAttempts = min(terms.Limits.MaxAttempts, maxSends)
	}
	looks := g.engine.Looks(&m.payment)
	m.decider = &decider{
		judge: g.judge, tables: tables, facts: g.facts, looks: &looks, terms: terms, counts: !coarse, perRule: perRule, joined: coarse && !perRule && len(tables) > 1, memo: map[cellKey]possible{}, kinds: map[string]int32{},
	}
	if g.watched {
		m.decider.askings = map[asking]bool{}
	}
	m.terms, m.newOrders = &m.decider.terms, slices.ContainsFunc(tables, (*table).sendsNewOrders)
	known := &cuts{}
	if !coarse {
		known = cutsOf(g.space, tables)
	}
	m.decider.cuts, m.clock = known, newClock(m.terms, known.elapsed, coarse)
	m.setFired(known)
	if of := known.queries; len(of) > 0 {
		m.capped = int(min(of[len(of)-1], math.MaxInt32))
	}
	m.capped = min(m.capped, terms.Limits.MaxQueries)
	return m
}

// maxSends bounds the sends of a flow that the exact model counts.
const maxSends = 4

// unbounded stands for a limit that the coarse model never reaches by counting.
const unbounded = 100

// exhausted says which limits are used up when an event arrives, and what the model has forgotten. The coarse model does not count.
// It tries each event with and without them.
type exhausted struct {
	sends, queries, time, lastOld, othersOld bool

	elapsed uint8 // the part of the flow's time, where the rules look at it; see following

	claims   claims // that an earlier answer has made
	executes bool   // wanted: the first execution became known
}

// transitionKind is what the adversary or the environment does.
type transitionKind uint8

const (
	kindStart transitionKind = iota
	kindAnswer
	kindLateAnswer
	kindNotSent
	kindQueryAnswer
	kindLateQueryAnswer
	kindWebhook
	kindUnverified
	kindDue
	kindResume
	kindWithdraw
	kindResolve
	kindTime
	kindSecondFlow
)

// transition is one edge of the product. Its start node and the transition determine the next
// node.
type transition struct {
	kind      transitionKind
	id        uint8 // index of the identity; of the request, for a kindTime of a request
	class     int16 // index into model.classes
	variant   uint8 // how the answer names its payment; the resolved effect; whose age changes
	choice    uint8 // index of the rules' decision
	lastQuery bool  // the query is the last within the limit
	bypass    bool  // the rule's decision is carried out without the interlock
	exhausted exhausted
}

// Ways an answer names what it speaks of.
const (
	namesNothing uint8 = iota
	namesOrder
	namesBoth
	namesProviderID // the provider's own id
	namesOther      // another payment
	namesForeign
	repeatsRefusal // nothing; the refusal settles nothing
	namesStranger  // an id of the provider that the flow does not know
	namesZero      // 0, which is no id
	namesCrossed   // as the order, what is the flow's request id
	namesTarget    // the payment that is refunded, captured or cancelled
	namesSibling   // another operation under the same order
	namesUnknownID // the provider's own id, where the flow knows none
	namesOneOfTwo  // as namesBoth, an earlier request that has left two copies
)

func requestID(i int) string { return "request-" + string(rune('1'+i)) }
func orderID(i int) string   { return "order-" + string(rune('1'+i)) }

// targetID is the provider's id of the payment that a capture, cancel or refund works on.
const targetID = "theirs"

// actsOnTarget reports whether the operation works on an earlier payment of the provider.
func (m *model) actsOnTarget() bool {
	return m.payment.Operation == policy.Capture || m.payment.Operation == policy.Cancel
}

// hasTarget reports whether the flow is given the provider's id of an earlier payment.
func (m *model) hasTarget() bool { return m.actsOnTarget() || m.payment.Operation == policy.Refund }

// initial is the node before the first event.
func (m *model) initial() node {
	byOrder := !m.coarse && slices.Contains(m.terms.Contract.Dedupe, policy.OrderID)
	return node{flow.State{Payment: m.payment}, said{flow: 1, dedupeByOrder: byOrder}}
}

// now is the time of every event. Jitter is in the middle, because the model does not follow
// waits.
var now = flow.Moment{At: base, Jitter: 0.5}

// allOld reports whether the provider dedupes no identity any more.
func (n *node) allOld() bool {
	return !slices.ContainsFunc(n.ids, func(st statements) bool { return !st.old })
}

// anySentTwice reports whether an identity was sent more than once.
func (m *model) anySentTwice(n *node) bool {
	for i := range n.ids {
		if n.s.Ledger[i].Sends > 1 || n.s.Ledger[i].Copies > 1 {
			return true
		}
	}
	return false
}

// spendLimits uses up the chosen limits before the event arrives.
func (m *model) spendLimits(s *flow.State, tr transition) {
	if !m.coarse || s.Stage == flow.New {
		return
	}
	if m.exhausted.sends {
		s.Attempts = m.terms.Limits.MaxAttempts
	}
	if m.exhausted.queries {
		s.Queries = m.terms.Limits.MaxQueries
	}
	if m.exhausted.time {
		s.Started = base.Add(-m.terms.Limits.MaxElapsed)
	}
	m.earlierClaims(s, tr)
	if !m.exhausted.lastOld && !m.exhausted.othersOld {
		return
	}
	m.ownLedger(s)
	for i := range s.Ledger {
		if old := i == len(s.Ledger)-1; old && m.exhausted.lastOld || !old && m.exhausted.othersOld {
			if over := s.Asked.Add(-repeatWindow(&m.terms.Contract)); over.Before(s.Ledger[i].FirstSent) {
				s.Ledger[i].FirstSent = over
			}
		}
	}
}

// ownLedger gives the state before a step a ledger that may be written to.
func (m *model) ownLedger(s *flow.State) {
	m.spent = append(m.spent[:0], s.Ledger...)
	s.Ledger = m.spent
}

// keepOld keeps which identities the provider does not dedupe any more: that does not come back. A window
// that is longer than the flow ends with it, so of the latest identity it need not be kept.
func (m *model) keepOld(next *node, x exhausted, ids int) {
	if !m.coarse {
		return
	}
	over := repeatWindow(&m.terms.Contract) >= m.terms.Limits.MaxElapsed
	for i := range ids {
		if last := i == ids-1; last && x.lastOld && !over || !last && x.othersOld {
			next.ids[i].old = true
		}
	}
}

// addWanted adds what the commands send or query.
func (w *exhausted) addWanted(commands []flow.Command) {
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Decided, *flow.Decided:
			d := decidedIn(c)
			corrected := d.Verdict.Property != ""
			w.sends = w.sends || corrected || d.Decision.Action.Sends() || d.Verdict.Action.Sends() // a repeat in place of a query that cannot be asked
			w.queries = w.queries || corrected || d.Decision.Action == policy.QueryStatus || d.Verdict.Action == policy.QueryStatus
		case *flow.Send:
			w.sends = true
		case *flow.Ask:
			w.queries = true
		}
	}
}

// leavesCall reports whether a call is left under way, which may still fail. With a process that dies its calls are gone.
func (m *model) leavesCall(tr transition, after *flow.State) bool {
	if m.steps.from.s.Stage != flow.Sending || after.Stage == flow.Sending {
		return false
	}
	switch tr.kind {
	case kindAnswer, kindNotSent, kindResume, kindSecondFlow:
		return false
	default:
		return true
	}
}

// applyCommands lets the environment carry out the flow's commands, and makes the node canonical.
func (m *model) applyCommands(n *node, do marks) {
	for len(n.ids) < len(n.s.Ledger) {
		n.ids = append(n.ids, statements{})
	}
	if do.has(markSends) {
		m.recordSend(n)
	}
	if do.has(markAsks) {
		for i := range n.ids {
			st := &n.ids[i]
			st.queried = true
			st.asked, st.askedFirst = m.clock.round(st.last, roleLast), m.clock.round(st.first, roleFirst)
		}
	}
	m.canonicalize(n)
}

// recordSend adds a request that is on its way.
func (m *model) recordSend(n *node) {
	i := len(n.ids) - 1
	id, st := &n.s.Ledger[i], &n.ids[i]
	for k := range n.requests {
		f := &n.requests[k]
		f.current = false
		if f.id == i && f.last {
			f.last, f.age = false, m.clock.round(st.last, roleCopy)
		}
	}
	if id.Sends == 1 {
		st.first = 0
		if m.givesProviderID() && !m.learnsProviderID() {
			id.ProviderID = providerID(id.RequestID)
		}
		if i == n.firstOwn {
			n.started = 0
		}
	}
	st.last = 0
	// setTimes has set the times of the ledger. ReplaySafe is the contract's promise.
	first := id.FirstSent
	byRequest := slices.Contains(m.terms.Contract.Dedupe, policy.RequestID)
	for j := range n.s.Ledger {
		if other := &n.s.Ledger[j]; !byRequest && other.OrderID == id.OrderID && other.FirstSent.Before(first) {
			first = other.FirstSent
		}
	}
	deduped := m.terms.Contract.ReplaySafe(first, base) && !m.breaches.reexecutes && !m.breaches.arrivesLate && !(m.breaches.dedupesTooShort && id.Sends > 1)
	if deduped && (id.Sends > 1 || n.dedupeByOrder && n.sharesOrder(i)) { // a request by itself is executed once in any case
		m.reads.promises[dedupes], m.reads.promises[arrives] = true, true
	}
	n.requests = append(n.requests, request{id: i, last: true, deduped: deduped, current: true})
}
