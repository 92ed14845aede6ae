package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// model is the product of the flow under one payment's rules with an adversarial provider
// that keeps its contract.
type model struct {
	payment policy.Payment
	engine  *ruleset.Engine
	catalog *providers.Catalog
	looks   ruleset.Looks
	terms   *policy.Terms
	clock   *clock
	decider *decider

	heard [3][]heard // the classes of answers, by phase
	told  int        // how many answers they stand for

	// What the adversary keeps to, when a story is looked for: plain, nothing comes by itself,
	// late or again; still, no age passes any that matters.
	plain, still bool

	// coarse: counts are not followed. Any send or query may be the last, any event may come
	// after the flow's time, and conditions on counts may hold or not. It takes in everything
	// that can happen, and some of what cannot; what is found is looked for again without it.
	coarse bool
	spend  spending // for the event that is brought

	lies lies // none, but in tests

	unguarded string     // FILE:LINE of a rule; all are also followed where the interlock forbids it
	event     flow.Event // the one brought last
	maxFired  map[string]int
	capped    int // queries are counted up to here; more are like as many

	last       string // the key of the node that the last step led to
	tried      map[triedKey]bool
	next       node // of the step that is tried; whoever keeps it copies it
	buf, idBuf []byte
	parts      []string
	copiesBuf  []uint16
}

func newModel(e *ruleset.Engine, p policy.Payment, coarse, distrust bool) (*model, error) {
	catalog, err := e.Catalogs.Get(p.Provider)
	if err != nil {
		return nil, err
	}
	m := &model{payment: p, engine: e, catalog: catalog, looks: e.Looks(&p), maxFired: map[string]int{}, coarse: coarse,
		tried: map[triedKey]bool{}}
	terms := *e.Terms(&p)
	terms.Poll = nil
	if coarse {
		terms.Limits.MaxQueries = unbounded
		if terms.Limits.MaxAttempts > 1 {
			terms.Limits.MaxAttempts = unbounded
		}
	} else {
		terms.Limits.MaxAttempts = min(terms.Limits.MaxAttempts, maxSends)
	}
	m.decider = &decider{engine: e, looks: &m.looks, terms: terms, distrust: distrust, memo: map[string][]policy.Decision{}}
	if coarse {
		m.decider.open = map[string]bool{"attempt": true, "queries": true, "fired": true, "elapsed": true}
	}
	m.terms = &m.decider.terms
	m.clock = newClock(m.terms, m.looks.Cuts["elapsed"], coarse)
	for rule, cuts := range m.looks.Fired {
		m.maxFired[rule] = int(min(max(0, cuts[len(cuts)-1]), 250))
	}
	if cuts := m.looks.Cuts["queries"]; len(cuts) > 0 {
		m.capped = int(cuts[len(cuts)-1])
	}
	m.capped = min(m.capped, terms.Limits.MaxQueries)
	for _, ph := range policy.Phases() {
		m.heard[ph] = m.answers(ph)
		for _, h := range m.heard[ph] {
			if h.fact.Effect == policy.NotExecuted && !slices.Contains(m.decider.refusals, h.fact) {
				m.decider.refusals = append(m.decider.refusals, h.fact)
			}
		}
	}
	for _, class := range []policy.Class{policy.NetworkError, policy.AlreadyDone, policy.NotFound} { // not sent; resolved; absent
		m.decider.refusals = append(m.decider.refusals, policy.Fact{Effect: policy.NotExecuted, Class: class})
	}
	return m, nil
}

// maxSends bounds the sends of a flow that are explored one by one.
const maxSends = 4

type triedKey struct {
	to   string
	want spending
	due  bool
}

// unbounded stands for a limit that is not counted up to.
const unbounded = 100

// spending is what is spent when an event comes.
type spending struct{ sends, queries, time, lastOld, othersOld bool }

// moveKind is what the adversary, or the world, does.
type moveKind uint8

const (
	moveStart moveKind = iota
	moveAnswer
	moveLateAnswer
	moveNotSent
	moveQueryAnswer
	moveLateQueryAnswer
	moveWebhook
	moveUnverified
	moveDue
	moveResume
	moveWithdraw
	moveResolve
	moveTime
	moveStartAgain
)

// move is one step of a story. The node it starts from and the move give the next node.
type move struct {
	kind    moveKind
	id      uint8 // the identity it is about; the copy, for a moveTime of one
	class   int16 // of heard
	variant uint8 // how the answer names its payment; what is resolved; whose time passes
	choice  uint8 // which decision of the rules
	spent   bool  // no query is left after this one
	bent    bool  // what the rules want is done, whatever the interlock says
	spend   spending
}

// Ways an answer names what it speaks of.
const (
	namesNothing uint8 = iota
	namesOrder
	namesBoth
	namesTheirs // the provider's own id
	namesOther  // another payment
	namesStranger
	namesAgain // nothing: a refusal that settles nothing
)

func requestID(i int) string { return "request-" + string(rune('1'+i)) }
func orderID(i int) string   { return "order-" + string(rune('1'+i)) }

// target is what the provider calls the payment that a capture or a cancel works on.
const target = "theirs"

func (m *model) onTarget() bool {
	return m.payment.Operation == policy.Capture || m.payment.Operation == policy.Cancel
}

// root is the node before anything has happened.
func (m *model) root() node {
	byOrder := !m.coarse && slices.Contains(m.terms.Contract.Dedupe, policy.OrderID)
	return node{s: flow.State{Payment: m.payment}, flow: 1, byOrder: byOrder}
}

// moment is now. Jitter is in the middle; waits are not looked at anyway.
var moment = flow.Moment{At: base, Jitter: 0.5}

// try is one event brought to the flow, with every decision of the rules in turn and, where
// counts are not followed, with each limit spent or not that makes a difference.
func (m *model) try(n *node, mv move, e flow.Event, give giver) {
	m.spend = spending{}
	m.last = ""
	want := m.bring(n, mv, e, give)
	if !m.coarse || m.varied(mv, want) {
		return
	}
	all := []spending{}
	if want.sends || want.queries {
		all = append(all, spending{time: true})
	}
	if want.sends && mv.kind != moveDue { // what is due was counted when it was decided
		all = append(all, spending{sends: true}, spending{sends: true, queries: true})
	}
	if want.queries && mv.kind != moveDue {
		all = append(all, spending{queries: true})
	}
	if c := &m.terms.Contract; c.DedupeWindow > 0 && n.s.Stage != flow.New && (want.sends || m.several(n)) {
		over := remembered(c) >= m.terms.Limits.MaxElapsed
		all = append(all, spending{lastOld: true, time: over})
		if !over && (want.sends || want.queries) {
			all = append(all, spending{lastOld: true, time: true})
		}
		if len(n.ids) > 1 {
			all = append(all, spending{othersOld: true}, spending{othersOld: true, lastOld: true, time: over})
		}
	}
	for _, m.spend = range all {
		mv.spend = m.spend
		m.bring(n, mv, e, give)
	}
	m.spend = spending{}
}

// varied reports whether from this node the same was wanted, and led to the same, before.
// What is spent makes the same of it.
func (m *model) varied(mv move, want spending) bool {
	if m.last == "" {
		return false
	}
	key := triedKey{m.last, want, mv.kind == moveDue}
	if m.tried[key] {
		return true
	}
	m.tried[key] = true
	return false
}

// several reports whether an identity was sent more than once.
func (m *model) several(n *node) bool {
	for i := range n.ids {
		if n.s.Ledger[i].Copies > 1 {
			return true
		}
	}
	return false
}

// bring brings an event, and says whether any decision wanted to send or to ask.
func (m *model) bring(n *node, mv move, e flow.Event, give giver) (want spending) {
	next := &m.next
	for choice := 0; ; choice++ {
		next.copyFrom(n)
		next.s.Evidence = nil
		m.exhaust(&next.s)
		m.decider.choice, m.decider.options, m.event = choice, 1, e
		after, commands, err := flow.Step(m.decider, next.s, e)
		if err != nil {
			return want // the executor does not bring it either
		}
		next.s = after
		options := m.decider.options
		mv.choice = uint8(choice)
		m.carry(next, commands)
		want.see(commands)
		give(mv, next, commands)
		if choice+1 >= options {
			return want
		}
	}
}

// exhaust spends what is to be spent before the event that comes.
func (m *model) exhaust(s *flow.State) {
	if !m.coarse || s.Stage == flow.New {
		return
	}
	if m.spend.sends {
		s.Attempts = m.terms.Limits.MaxAttempts
	}
	if m.spend.queries {
		s.Queries = m.terms.Limits.MaxQueries
	}
	if m.spend.time {
		s.Started = base.Add(-m.terms.Limits.MaxElapsed)
	}
	if !m.spend.lastOld && !m.spend.othersOld {
		return
	}
	s.Ledger = slices.Clone(s.Ledger)
	for i := range s.Ledger {
		if old := i == len(s.Ledger)-1; old && m.spend.lastOld || !old && m.spend.othersOld {
			s.Ledger[i].FirstSent = base.Add(-remembered(&m.terms.Contract))
		}
	}
}

func (w *spending) see(commands []flow.Command) {
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Decided:
			corrected := c.Verdict.Property != ""
			w.sends = w.sends || corrected || c.Decision.Action.Sends()
			w.queries = w.queries || corrected || c.Decision.Action == policy.QueryStatus || c.Verdict.Action == policy.QueryStatus
		case flow.Send:
			w.sends = true
		case flow.Ask:
			w.queries = true
		case flow.Record, flow.Wait, flow.Finish, flow.Alert:
		}
	}
}

// carry lets the world follow the flow's commands, and forgets what makes no difference.
func (m *model) carry(n *node, commands []flow.Command) {
	s := &n.s
	for len(n.ids) < len(s.Ledger) {
		n.ids = append(n.ids, side{})
	}
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Send:
			m.sent(n)
		case flow.Ask:
			for i := range n.ids {
				sd := &n.ids[i]
				sd.queried = !m.coarse
				sd.asked, sd.askedFirst = m.clock.round(sd.last, roleLast), m.clock.round(sd.first, roleFirst)
			}
		case flow.Record, flow.Wait, flow.Finish, flow.Alert, flow.Decided:
			_ = c
		}
	}
	m.tidy(n)
}

// sent puts a request on its way.
func (m *model) sent(n *node) {
	i := len(n.ids) - 1
	id, sd := &n.s.Ledger[i], &n.ids[i]
	for k := range n.copies {
		f := &n.copies[k]
		f.current = false
		if f.id == i && f.last {
			f.last, f.age = false, m.clock.round(sd.last, roleCopy)
		}
	}
	if id.Sends == 1 {
		sd.first = 0
		if i == n.own {
			n.started = 0
		}
	}
	sd.last = 0
	// Its times were set for this step; ReplaySafe is the contract's own promise.
	first := id.FirstSent
	for j := range n.s.Ledger {
		if other := &n.s.Ledger[j]; n.byOrder && other.OrderID == id.OrderID && other.FirstSent.Before(first) {
			first = other.FirstSent
		}
	}
	deduped := m.terms.Contract.ReplaySafe(first, base) && !m.lies.repeats && !(m.lies.forgets && id.Sends > 1)
	n.copies = append(n.copies, copied{id: i, last: true, deduped: deduped, current: true})
}
