package verify

import (
	"slices"
	"strconv"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// What the flow does about an event depends on its own state, and not on what the provider has said so
// far of each request. Many nodes have one state of the flow in common. So the machine steps once
// for each state of the flow and each event, and the model keeps what came of it. From one node, ways
// that lead to the same node are followed once.

// reaction is what the flow does about one event, with each decision of the rules. Events that the flow cannot tell
// apart share one.
type reaction struct {
	outcomes []outcome
	want     exhausted // whether any decision wanted to send or to query
	alike    int32     // reactions of one number decide the same, whichever limit is used up

	varied   []outcome   // with limits used up
	variedBy *transition // for its event; nil: not yet
	breaks   bool        // one of the varied ones has a finding, which names the rules of its own event
	noted    bool        // see model.noteReaction
}

// outcome is what one decision about an event comes to.
type outcome struct {
	state int32 // of the flow: its number
	kept  int32 // the same without what the canonical form of a node leaves out; of one in steps.states
	marks marks
	// With kept it says what the outcome does to a node.

	choice       uint8
	wanted, took policy.Action // of the rules, and of the flow
	exhausted    exhausted
	spends       bool // a send or a query that counts
	*remarks          // nil: none
}

// remarks are what few outcomes have.
type remarks struct {
	findings  []finding // what breaks whatever the provider has said
	corrected *policy.Decision
	follows   string         // FILE:LINE of the rule that decided about a new answer, of a kind that comes; see steps.every
	commands  []flow.Command // of a send without the interlock; else model.step returns them
}

// breaks reports whether an outcome breaks a property whatever the provider has said.
func (o *outcome) breaks() bool { return o.remarks != nil && len(o.findings) > 0 }

// marks are what the commands of an outcome do outside of the flow.
type marks uint32

const (
	markSends marks = 1 << iota
	markSendsNew
	markAsks
	markFinishes
	markLeavesCall // a call is left under way
	markLastOld
	markOthersOld
	markWasDisputed // an earlier answer had made the claim, and the model had forgotten it
	markWasPart
	markDisputes
	markPart
	markWhole
	markPerson // a person has looked

	markIdentity = 20 // from this bit on: the identity that the last three are about
)

// has reports whether one of some marks is set.
func (m marks) has(one marks) bool { return m&one != 0 }

// sharedKey identifies reactions of one state of the flow that are the same: the first decision came to the same, so
// the flow has learned the same, and the further decisions are the same.
type sharedKey struct {
	flow, state  int32
	options      int32
	marks        marks
	wanted, took policy.Action
	due          bool
}

// steps is what is known of the flow's steps.
type steps struct {
	from      *node        // the node whose successors are listed
	flow      int32        // the state of the flow in it, with its ages
	still     int32        // and without, as in outcome.kept
	reactions []*reactions // by state of the flow
	known     *reactions   // of the one in the node
	shared    map[sharedKey]*reaction
	flows     map[string]int32
	states    []*flow.State // by number, without times; nil: no node is in it, nor is it any outcome's kept one
	kept      []int32       // by state: see model.keptState
	stateAt   map[string]int32
	alike     map[string]int32
	parts     []part
	used      int  // how many of the parts
	every     bool // outcomes that lead to one node are all emitted
	apart     bool // tests: nothing is taken for alike, either
	recalls   bool // tests: contested nodes keep what nothing reads
	buf       []byte
	ledger    []flow.Identity // of keptState
	events    map[eventKey]flow.Event
	adviser   flow.Adviser
	after     flow.State // of the last step
	spending
	ways       ways
	breaksOnly bool // only outcomes that break something are followed
}

// part is what the provider has said where an event arrives, and which outcomes were followed from there.
type part struct {
	ids       []statements
	requests  []request
	flow      int
	foreign   bool
	lateFault bool
	disputed  bool
	outcomes  []int64
	varied    []int32
	number    int32 // of what was said, in the search; -1: not yet numbered
}

func newSteps() steps {
	return steps{shared: map[sharedKey]*reaction{}, flows: map[string]int32{}, stateAt: map[string]int32{}, alike: map[string]int32{}, events: map[eventKey]flow.Event{}, spending: newSpending()}
}

// expand begins with the successors of a node.
func (m *model) expand(n *node) {
	st := &m.steps
	st.from, st.used = n, 0
	still := m.stateOf(&n.s)
	st.still = m.keptState(still, &n.s)
	b := append(st.buf[:0], byte(still), byte(still>>8), byte(still>>16), byte(n.started), byte(n.firstOwn), byte(n.flow), n.attempts, n.queries)
	for i := range n.ids {
		id := &n.ids[i]
		old := byte(0)
		if id.old {
			old = 1
		}
		b = append(b, byte(id.first), byte(id.last), byte(id.asked), byte(id.askedFirst), old)
	}
	st.buf = b
	at, known := st.flows[string(b)]
	if !known {
		at = int32(len(st.flows))
		st.flows[string(b)] = at
	}
	st.flow = at
	for int(at) >= len(st.reactions) {
		st.reactions = append(st.reactions, nil)
	}
	if st.known = st.reactions[at]; st.known == nil {
		st.known = &reactions{events: make([]uint32, 64), at: make([]*reaction, 64)}
		st.reactions[at] = st.known
	}
	m.partOf(n)
}

// partOf returns what the provider has said in a node, with what was followed from there.
func (m *model) partOf(n *node) *part {
	st := &m.steps
	if n == st.from && st.used > 0 {
		return &st.parts[0]
	}
	for i := range st.parts[:st.used] {
		p := &st.parts[i]
		if p.flow == n.flow && p.foreign == n.foreign && p.lateFault == n.lateFault && p.disputed == n.disputed && slices.Equal(p.requests, n.requests) && slices.Equal(p.ids, n.ids) {
			return p
		}
	}
	if st.used == len(st.parts) {
		st.parts = append(st.parts, part{})
	}
	p := &st.parts[st.used]
	st.used++
	p.ids, p.requests = append(p.ids[:0], n.ids...), append(p.requests[:0], n.requests...)
	p.flow, p.foreign, p.lateFault, p.disputed = n.flow, n.foreign, n.lateFault, n.disputed
	p.outcomes, p.varied, p.number = p.outcomes[:0], p.varied[:0], -1
	return p
}

// explore follows one event with every decision of the rules in turn. The coarse model also varies
// which limits are used up; it does not count. The node holds what the provider has said with the event.
func (m *model) explore(n *node, tr transition, emit emitFunc) {
	r := m.reactionTo(tr)
	p := m.partOf(n)
	m.followAll(p, n, tr, r.outcomes, emit)
	switch {
	case !m.coarse:
	case slices.Contains(p.varied, r.alike) && !m.steps.apart:
	default:
		m.exploreVaried(p, n, tr, r, emit)
	}
	m.noteReaction(tr, r)
}

// exploreVaried follows an event with limits used up.
func (m *model) exploreVaried(p *part, n *node, tr transition, r *reaction, emit emitFunc) {
	if r.variedBy == nil {
		key := freeKey{m.steps.flow, r.alike}
		if same := m.steps.varied[key]; same != nil && !m.steps.apart {
			r.variedBy, r.varied, r.breaks = same.variedBy, same.varied, same.breaks
		} else {
			by := tr // tr itself stays off the heap
			r.variedBy, r.varied = &by, m.variedOf(tr, r.want)
			r.breaks = slices.ContainsFunc(r.varied, func(o outcome) bool { return o.breaks() })
			m.steps.varied[key] = r
		}
	}
	if !r.breaks {
		p.varied = append(p.varied, r.alike)
	}
	if r.breaks && *r.variedBy != tr {
		m.followAll(p, n, tr, m.variedOf(tr, r.want), emit)
		return
	}
	m.followAll(p, n, tr, r.varied, emit)
}

// variedOf returns the outcomes of an event with limits used up.
func (m *model) variedOf(tr transition, want exhausted) (all []outcome) {
	for _, x := range m.variations(tr, want) {
		all, _ = m.outcomesOf(tr, x, all)
	}
	return all
}

// followAll emits the nodes that outcomes lead to. An outcome that leads from the same node to where another one
// led, or back to it, is left out if it breaks nothing by itself.
func (m *model) followAll(p *part, n *node, tr transition, all []outcome, emit emitFunc) {
	back := p == &m.steps.parts[0] // the provider has said nothing new
	still := m.steps.still
	for i := range all {
		o := &all[i]
		if !o.breaks() && !m.steps.every {
			id := int64(o.kept)<<32 | int64(o.marks)
			if back && o.marks == 0 && o.kept == still || slices.Contains(p.outcomes, id) {
				continue
			}
			p.outcomes = append(p.outcomes, id)
		}
		if !o.breaks() && (m.steps.breaksOnly || m.steps.ways.followed(p, n, o)) {
			continue
		}
		m.follow(n, tr, o, emit)
	}
}

// follow emits the node that an outcome leads to.
func (m *model) follow(n *node, tr transition, o *outcome, emit emitFunc) {
	next := &m.next
	next.copyFrom(n, m.steps.states[o.kept])
	m.ledger = append(m.ledger[:0], next.s.Ledger...) // the canonical form writes to it
	next.s.Ledger = m.ledger
	if o.marks.has(markSends) {
		before := m.steps.from.s.Ledger
		for i := range next.s.Ledger {
			first := base
			switch last := i == len(before)-1; {
			case i >= len(before):
			case last && o.exhausted.lastOld || !last && o.exhausted.othersOld:
				first = base.Add(-repeatWindow(&m.terms.Contract))
			default:
				first = before[i].FirstSent
			}
			next.s.Ledger[i].FirstSent = first
		}
	}
	m.keepOld(next, o.exhausted, len(n.ids))
	next.lateFault = next.lateFault || o.marks.has(markLeavesCall)
	next.claim(m.steps.from, o.marks)
	if !m.count(next, tr, o.marks) {
		return
	}
	tr.choice, tr.exhausted = o.choice, o.exhausted
	m.applyCommands(next, o.marks)
	m.exhausted = o.exhausted
	emit(tr, next, o)
}

// reactionTo returns what the flow does about the event of a transition.
func (m *model) reactionTo(tr transition) *reaction {
	event := uint32(tr.kind)<<28 | uint32(tr.id)<<24 | uint32(tr.class)<<8 | uint32(tr.variant)
	known := m.steps.known
	if r := known.at[known.place(event)]; r != nil {
		return r
	}
	r := m.react(tr)
	known.add(event, r)
	return r
}

// react steps with an event. If the first decision shows that the flow cannot tell it from an earlier one, it returns what came of that one.
func (m *model) react(tr transition) *reaction {
	limits := m.times(tr, []exhausted{{}})
	var first stepped
	ok := len(limits) > 0
	if ok {
		first, ok = m.outcomeWith(tr, limits[0], 0)
	}
	if !ok {
		r := &reaction{}
		r.alike = m.alike(tr, r)
		return r
	}
	shareable := len(limits) == 1 && !m.steps.every && !first.breaks() && !m.readsWindow(tr) && !m.readsClaims(first.want.executes)
	k := sharedKey{m.steps.flow, first.state, m.decider.kind, first.marks, first.wanted, first.took, tr.kind == kindDue}
	var shared *reaction
	if shareable {
		if shared = m.steps.shared[k]; shared != nil && !slices.ContainsFunc(shared.outcomes, func(o outcome) bool { return o.breaks() }) {
			return shared
		}
	}
	r := &reaction{outcomes: append(make([]outcome, 0, first.options), first.outcome), want: first.want}
	if shareable && shared == nil {
		m.steps.shared[k] = r
	}
	r.outcomes, r.want = m.furtherOutcomes(tr, limits[0], r.outcomes, &first)
	for _, x := range limits[1:] {
		more, want := m.outcomesOf(tr, x, r.outcomes)
		r.outcomes = more
		r.want.join(want)
	}
	r.alike = m.alike(tr, r)
	return r
}

// readsWindow reports whether what the flow learns from an event depends on whether the provider still dedupes. It does for a refusal:
// of a repeat, or of one of several copies.
func (m *model) readsWindow(tr transition) bool {
	c := m.askedBy(tr)
	return m.terms.Contract.DedupeWindow > 0 && c != nil && c.fact.Effect == policy.NotExecuted
}

// alike numbers reactions by what they decide. Limits change those of one number in the same way: they are of one
// state of the flow, and the flow has learned the same from each answer and wants the same.
func (m *model) alike(tr transition, r *reaction) int32 {
	b := m.steps.buf[:0]
	if tr.kind == kindDue {
		b = append(b, 'd') // the flow counted the send when it was decided
	}
	if m.readsWindow(tr) || r.want.executes && m.facts.claims != (claims{}) {
		b = append(b, 'w', byte(tr.kind), tr.id, byte(tr.class), tr.variant)
	}
	for i := range r.outcomes {
		o := &r.outcomes[i]
		b = strconv.AppendInt(append(b, ' '), int64(o.state), 36)
		b = append(b, byte(o.marks), byte(o.marks>>8), byte(o.marks>>16), byte(o.marks>>24), byte(o.wanted), byte(o.took), o.exhausted.elapsed) // of some parts of the time alone limits can be used up
		if o.remarks != nil && o.corrected != nil {
			b = append(b, 'c')
		}
	}
	m.steps.buf = b
	at, known := m.steps.alike[string(b)]
	if !known {
		at = int32(len(m.steps.alike))
		m.steps.alike[string(b)] = at
	}
	return at
}

// variations lists the limits that can be used up when an event arrives, besides none, if they can change what comes of it.
func (m *model) variations(tr transition, want exhausted) (all []exhausted) {
	n := m.steps.from
	if want.sends || want.queries {
		all = append(all, exhausted{time: true})
	}
	if want.sends && tr.kind != kindDue { // the flow counted it when it was decided
		all = append(all, exhausted{sends: true}, exhausted{sends: true, queries: true})
	}
	if want.queries && tr.kind != kindDue {
		all = append(all, exhausted{queries: true})
	}
	begins := tr.kind == kindStart || tr.kind == kindSecondFlow // nothing of it has been sent
	if c := &m.terms.Contract; c.DedupeWindow > 0 && !n.allOld() && !begins && (want.sends || m.anySentTwice(n)) {
		over := repeatWindow(c) >= m.terms.Limits.MaxElapsed
		all = append(all, exhausted{lastOld: true, time: over})
		if !over && (want.sends || want.queries) {
			all = append(all, exhausted{lastOld: true, time: true})
		}
		if len(n.ids) > 1 {
			all = append(all, exhausted{othersOld: true}, exhausted{othersOld: true, lastOld: true, time: over})
		}
	}
	if want.executes {
		all = append(all, m.withClaims(all)...)
	}
	return m.times(tr, all)
}

// join adds what another step wants.
func (w *exhausted) join(o exhausted) {
	w.sends, w.queries, w.executes = w.sends || o.sends, w.queries || o.queries, w.executes || o.executes
}

// outcomesOf adds to a list what comes of a step with each decision of the rules. It returns also whether any decision wanted to send or
// to query. An event that the flow refuses has no outcome: the executor cannot apply it.
func (m *model) outcomesOf(tr transition, x exhausted, all []outcome) ([]outcome, exhausted) {
	first, ok := m.outcomeWith(tr, x, 0)
	if !ok {
		return all, exhausted{}
	}
	return m.furtherOutcomes(tr, x, append(all, first.outcome), &first)
}

// stepped is what came of a step, with what only the list of its outcomes needs.
type stepped struct {
	outcome
	want    exhausted
	options int // that the rules have
}

// furtherOutcomes adds the outcomes of all decisions after the first.
func (m *model) furtherOutcomes(tr transition, x exhausted, all []outcome, first *stepped) ([]outcome, exhausted) {
	want := first.want
	for choice, options := 1, first.options; choice < options; choice++ {
		next, ok := m.outcomeWith(tr, x, choice)
		if !ok {
			break
		}
		options = next.options
		want.join(next.want)
		all = append(all, next.outcome)
	}
	return all, want
}

// outcomeWith steps with one decision of the rules. The result ok is false if the flow refuses the event.
func (m *model) outcomeWith(tr transition, x exhausted, choice int) (is stepped, ok bool) {
	tr.choice, tr.exhausted = uint8(choice), x
	after, commands, err := m.step(tr)
	if err != nil {
		return is, false
	}
	is.options = m.decider.options
	is.want.addWanted(commands)
	is.want.executes = m.executes(tr, after)
	is.outcome = m.outcomeOf(tr, after, commands)
	return is, true
}

// outcomeOf keeps what matters of a step.
func (m *model) outcomeOf(tr transition, after *flow.State, commands []flow.Command) outcome {
	from := m.steps.from
	o, also := outcome{choice: tr.choice, exhausted: tr.exhausted, spends: m.steps.spends}, remarks{findings: m.flowViolations(from, after, commands)}
	for _, c := range commands {
		switch c := c.(type) {
		case *flow.Send:
			o.marks |= markSends
			if c.Identity.Sends == 1 {
				o.marks |= markSendsNew
			}
		case *flow.Ask:
			o.marks |= markAsks
		case *flow.Finish:
			o.marks |= markFinishes
		case flow.Decided, *flow.Decided:
			d := decidedIn(c)
			o.wanted, o.took = d.Decision.Action, d.Verdict.Action
			if d.Due {
				continue
			}
			if d.Verdict.Property != "" {
				want := d.Decision
				also.corrected = &want
			}
			if chosen := m.decider.chosen; m.steps.every && chosen != nil && oddity(chosen.option.witness) < odd && d.Fact.Class == m.decider.asked.fact.Class {
				also.follows = d.Decision.Source
			}
		}
	}
	o.marks |= m.claimMarks(tr, after)
	if forgetsClaim(o.marks, after) {
		also.findings = append(also.findings, finding{property: S6, why: "an answer disputed the payment, or named another amount, and the flow did not keep it"})
	}
	if m.leavesCall(tr, after) {
		o.marks |= markLeavesCall
	}
	if tr.exhausted.lastOld {
		o.marks |= markLastOld
	}
	if tr.exhausted.othersOld {
		o.marks |= markOthersOld
	}
	o.state = m.stateOf(after)
	o.kept = m.keptState(o.state, after)
	if len(also.findings) > 0 || also.corrected != nil || also.follows != "" {
		few := also // also itself stays off the heap
		o.remarks = &few
	}
	return o
}
