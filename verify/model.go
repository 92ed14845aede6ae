package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// model is the product of the flow under one payment's rules with an adversarial provider
// that keeps its contract.
type model struct {
	payment policy.Payment
	engine  *engine.Engine
	catalog *providers.Catalog
	looks   engine.Looks
	terms   *policy.Terms
	clock   *clock
	decider *decider
	scratch flow.Scratch

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
	evidence   [1]flow.Evidence
	room       [12]flow.Identity
	buf, idBuf []byte
	parts      []string
	copiesBuf  []uint16
}

func newModel(e *engine.Engine, p policy.Payment, coarse, distrust bool) (*model, error) {
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
		next.s.Evidence = m.evidence[:0]
		next.s.Ledger = append(m.room[:0], n.s.Ledger...) // the step's own goes behind it
		m.exhaust(&next.s)
		m.decider.choice, m.decider.options, m.event = choice, 1, e
		commands, err := m.scratch.Advance(m.decider, &next.s, e)
		if err != nil {
			return want // the executor does not bring it either
		}
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

// tidy brings a node into its plainest form.
func (m *model) tidy(n *node) {
	s := &n.s
	s.Evidence, s.Waits, s.Reason, s.Class, s.Hastened = nil, nil, "", 0, 0
	s.NewOrderPossible = false
	if len(s.Fired) > 0 {
		var kept policy.Counts
		for _, c := range s.Fired {
			if most, told := m.maxFired[c.Name]; told && most > 0 {
				kept = append(kept, policy.Count{Name: c.Name, N: min(c.N, most)})
			}
		}
		slices.SortFunc(kept, func(a, b policy.Count) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
		s.Fired = kept
	}
	switch {
	case m.coarse:
		s.Queries, s.Fired, s.Withdrawn, n.started = 0, nil, "", 0
		m.few(n)
	case s.Queries < m.terms.Limits.MaxQueries:
		s.Queries = min(s.Queries, m.capped)
	}
	if s.Stage != flow.Sending {
		for k := range n.copies {
			n.copies[k].current = false
		}
	}
	if s.Stage == flow.Waiting && s.Next.Action != policy.QueryStatus {
		s.Next.Via = ""
	}
	if s.Stage != flow.Querying {
		s.AskedBy = ""
		for i := range n.ids {
			n.ids[i].asked, n.ids[i].askedFirst = 0, 0
		}
	}
	for i := range n.ids {
		first, last := n.roles(i)
		n.ids[i].first = m.clock.round(n.ids[i].first, first)
		n.ids[i].last = m.clock.round(n.ids[i].last, last)
	}
	for i := range s.Ledger {
		id, sd := &s.Ledger[i], &n.ids[i]
		switch {
		case !id.Effect.Settled():
			id.Fact = policy.Fact{} // only whether it is said again hangs on it
		case id.Effect == policy.NotExecuted && n.over(i):
			id.Fact = policy.Fact{Effect: policy.NotExecuted} // nobody looks at it again
		case id.Effect == policy.NotExecuted && m.coarse:
			id.Fact = anyRefusal
		}
		if id.Sends == 1 || s.Stage == flow.Ended && s.Outcome != policy.Escalated {
			id.Prior = policy.NotExecuted
		}
		if i == len(s.Ledger)-1 || id.Effect.Settled() && id.Effect != policy.NotExecuted {
			id.Reopened = false // nobody asks
		}
		sd.accepted = sd.accepted && !sd.failed && sd.executed+sd.other == 0 && n.takers(i) > 0
	}
	if m.coarse {
		n.own, n.flow, s.Attempts = 0, 1, min(len(s.Ledger), 2)
		if len(s.Ledger) == 1 && s.Ledger[0].Sends > 1 {
			s.Attempts = 2
		}
		m.compact(n)
	}
	if s.Stage == flow.Ended {
		s.Fired, s.Next, s.Displaced, s.Withdrawn = nil, flow.Next{}, nil, ""
		s.Attempts, s.Queries, n.started = min(s.Attempts, 2), 0, 0
		if s.Outcome == policy.Failed {
			s.Attempts, s.Queries = 0, 0
		}
	}
}

// few counts requests of one identity to two: many are like two.
func (m *model) few(n *node) {
	for i := range n.s.Ledger {
		id := &n.s.Ledger[i]
		id.Sends, id.Copies = min(id.Sends, 2), min(id.Copies, 2)
	}
	kept := n.copies[:0]
	for k, c := range n.copies {
		alike := 0
		for _, other := range n.copies[k+1:] {
			if c.id == other.id && c.deduped == other.deduped && c.age == other.age && !c.last {
				alike++
			}
		}
		if alike < 2 {
			kept = append(kept, c)
		}
	}
	n.copies = kept
}

// compact keeps one of the identities of the past that are known not to have executed, with
// nothing on its way: one of the last one's order, else one of another. All that counts of
// them is that there is one, and whether it left a request at the provider that others are
// mistaken for. (The exact search, which keeps all, is held against this in the tests.)
func (m *model) compact(n *node) {
	kept := -1
	for i := 0; i < len(n.ids); {
		last := len(n.ids) - 1
		id := &n.s.Ledger[i]
		if id.Effect != policy.NotExecuted || id.Contested || n.free(i) > 0 || !n.over(i) {
			i++
			continue
		}
		same := id.OrderID == n.s.Ledger[last].OrderID
		if !same {
			id.Copies = 1 // who says that it goes on finds one
		}
		m.inert(n, i)
		switch {
		case i == last || kept < 0:
			kept = max(kept, i)
			i++
			continue
		case same == (n.s.Ledger[kept].OrderID == n.s.Ledger[last].OrderID):
			n.s.Ledger[kept].Copies = max(n.s.Ledger[kept].Copies, id.Copies)
			m.inert(n, kept)
			n.forget(i)
		case same:
			n.forget(kept)
			kept = i - 1
		default:
			n.forget(i)
		}
	}
}

// inert brings an identity of the past into its plainest form.
func (m *model) inert(n *node, i int) {
	id, sd := &n.s.Ledger[i], &n.ids[i]
	id.Sends, id.Prior, id.Copies, id.Reopened = 1, policy.NotExecuted, min(id.Copies, 1), false
	id.Fact = policy.Fact{Effect: policy.NotExecuted}
	*sd = side{failed: id.Copies > 0, first: sd.last, last: sd.last}
	one := copied{id: i, last: true, deduped: true}
	n.copies = slices.DeleteFunc(n.copies, func(c copied) bool { return c.id == i })
	if id.Copies > 0 {
		n.copies = append(n.copies, one)
	}
}

// forget takes an identity out of the node.
func (n *node) forget(i int) {
	n.s.Ledger = slices.Delete(slices.Clone(n.s.Ledger), i, i+1)
	n.ids = slices.Delete(n.ids, i, i+1)
	n.copies = slices.DeleteFunc(n.copies, func(c copied) bool { return c.id == i })
	for k := range n.copies {
		if n.copies[k].id > i {
			n.copies[k].id--
		}
	}
	if n.own > i {
		n.own--
	}
}

// fresh is a number that no identity of the node has in its names.
func (n *node) fresh() int {
	k := 0
	for i := 0; i < len(n.s.Ledger); i++ {
		if n.s.Ledger[i].RequestID == requestID(k) || n.s.Ledger[i].OrderID == orderID(k) {
			k, i = k+1, -1
		}
	}
	return k
}
