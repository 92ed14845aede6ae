package certify

import (
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// Machine steps one product: the real flow with any decision that its rules make about an answer.
type Machine struct {
	*certificate.Product
	payment policy.Payment // what the flow reads of it
	terms   policy.Terms
	ask     func(certificate.Question) []certificate.Choice
	Apart   bool                     // for tests: all identities are kept, and a flow with more than fit is not followed
	Each    bool                     // for tests: every step is taken, whatever came of others
	Used    map[certificate.Use]bool // promises that a step needed, with the rule that decided then

	ages   []time.Duration // since the last send, when a query goes out: what the query proves changes at these
	learns bool            // whether it knows the provider's id decides how the flow asks: states keep it
	form
	looked  map[outcome][]world // from one flow, by outcome: the worlds in which it was looked at
	spent   [512]*flow.State    // the same flow when an event comes, by what is spent
	emit    func(certificate.State, []world)
	chances []chance // the answers that can come
	events  map[given]flow.Event
	facts   [3][]policy.Fact   // what the flow reads in the answers
	bare    [3][]policy.Answer // and beside that, but for their names
	lost    [3]int8            // by phase: the class of a call without an answer

	adviser flow.Adviser // steps in memory that is used again
	arrived flow.State   // where it steps

	happening
	claims  int // what answers of the catalogue can say of the money
	choices []certificate.Choice
	choice  int
	err     error
}

// happening is the event whose steps are taken.
type happening struct {
	answer   given       // that comes
	says     policy.Fact // of it
	promise  uint8       // that it needs, of promises
	executes bool        // a step made an execution known
	hidden   int         // noIDs, or nothing
}

// forget begins with another flow.
func (m *Machine) forget() {
	clear(m.looked)
	m.spent = [512]*flow.State{}
}

// outcome is all that decides what a step leads to, and all that a spent limit changes in it. The state has every identity.
type outcome struct {
	to              certificate.State
	windows, copies uint8
	action          policy.Action
	due, sent, asks bool
	limited         bool // a limit was spent
}

// What can be spent, or over, when an event comes: the flow's time, its sends, its queries, the window of the latest identity, those of others; and what can
// have been said of the money.
const (
	noTime = 1 << iota
	noSends
	noQueries
	old
	othersOld
	wasDisputed // of the latest identity, before anything was known to execute
	wereDisputed
	wasPart // another amount was said to be paid
	noIDs   // the flow knows no id of the provider, where states do not keep that
)

// soon stands for every schedule. That a wait ends too late is what noTime is for.
var soon = &policy.Schedule{Intervals: []time.Duration{1}}

// Judge is what the flow reads in the answer that comes; Judge, Terms and Decide make the machine the flow's decider.
func (m *Machine) Judge(_ *policy.Payment, a *policy.Answer) policy.Fact {
	if m.answer.class < 0 {
		m.expect(false, "no class has a call without an answer")
		return policy.Fact{}
	}
	return m.facts[a.Phase][m.answer.class]
}

// Terms are the real ones, with limits that no count reaches.
func (m *Machine) Terms(*policy.Payment) *policy.Terms { return &m.terms }

// Decide returns one of the decisions that the rules make.
func (m *Machine) Decide(s *policy.Situation) policy.Decision {
	f, doubt := s.Fact, byte(0)
	if s.InDoubt {
		doubt = 1
	}
	if f.Effect != policy.Executed && (f.Class == policy.Disputed || f.Class == policy.Mismatch) {
		f.Class = certificate.Own // it decides nothing else than the answer's own
	}
	q := certificate.Question{byte(s.Answer.Phase), byte(m.answer.class), byte(f.Effect), byte(f.Class), byte(f.Stage), byte(f.Reach), byte(f.Final), doubt}
	if m.choices = m.ask(q); len(m.choices) == 0 {
		m.expect(false, "it does not say what the rules decide about %v", q)
		return policy.Decision{Action: policy.Escalate}
	}
	c := &m.choices[m.choice]
	d := policy.Decision{Action: c.Action, Rule: "one"}
	if c.Waits {
		d.Schedule = soon
	}
	return d
}

// expect refuses the proof if a condition does not hold.
func (m *Machine) expect(holds bool, format string, args ...any) {
	if !holds && m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

// try carries out an event in worlds: with every decision, in and after each window, every limit spent or not. A limit matters
// only if the flow wants to send or to ask; it is counted when that is decided, and not when the wait is over. Where the same
// decisions led to the same states before, they do so with limits spent.
func (m *Machine) try(e flow.Event, worlds []world) {
	window, n, wants := m.terms.Contract.DedupeWindow > 0, len(m.state.Ledger), false
	_, due := e.(flow.Due)
	twice := slices.ContainsFunc(m.state.Ledger, func(id flow.Identity) bool { return id.Sends > 1 || id.Copies > 1 })
	for spent := 0; spent <= old|othersOld && len(worlds) > 0; spent += old {
		if spent > 0 && (!window || !wants && !twice || n == 0) || spent >= othersOld && n < 2 {
			break
		}
		base := spent | m.hidden
		if spent&old > 0 && m.window() >= m.terms.Limits.MaxElapsed {
			base |= noTime // that window ends after the flow
		}
		m.executes = false
		wanted, varies := m.tryAll(base, e, worlds)
		wants = wants || wanted
		m.tryClaims(base, e, worlds)
		for _, limits := range []int{noTime, noSends, noQueries, noSends | noQueries} {
			if wants && varies && base&noTime == 0 && n > 0 && (limits == noTime || !due) {
				m.tryAll(base|limits, e, worlds)
				m.tryClaims(base|limits, e, worlds)
			}
		}
	}
}

// tryClaims tries a step that made an execution known once more with all that can have been said of the money before.
func (m *Machine) tryClaims(spent int, e flow.Event, worlds []world) {
	for said := m.claims; said > 0 && m.executes; said = (said - 1) & m.claims {
		m.tryAll(spent|said, e, worlds)
	}
}

// tryAll tries every decision. It reports whether one wants to send or to ask, and whether any led to something new.
func (m *Machine) tryAll(spent int, e flow.Event, worlds []world) (wants, varies bool) {
	ok := true
	for m.choice, m.choices = 0, nil; ok && (m.choice == 0 || m.choice < len(m.choices)); m.choice++ {
		var wanted, varied bool
		wanted, varied, ok = m.step(spent, e, worlds)
		wants, varies = wants || wanted, varies || varied
	}
	return wants, varies
}

// union adds the worlds to a list that it does not have.
func union(all, worlds []world) []world {
	for _, w := range worlds {
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// window is the age up to which a request may be repeated in doubt.
func (m *Machine) window() time.Duration {
	k := &m.terms.Contract
	return k.DedupeWindow - k.CallTimeout() - k.ArrivalGrace
}

// before is the state when an event comes, with what is spent by then. Times are those of the ages.
func (m *Machine) before(spent int) *flow.State {
	s, now := m.state, certificate.Now
	s.Ledger, s.Started, s.Asked = slices.Clone(s.Ledger), now, now
	if spent&noTime > 0 {
		s.Started = now.Add(-m.terms.Limits.MaxElapsed)
	}
	switch {
	case spent&noSends > 0 && s.Attempts == 1:
		s.Withdrawn = "withdrawn" // the first send spends no other limit
	case spent&noSends > 0:
		s.Attempts = m.terms.Limits.MaxAttempts
	}
	if spent&noQueries > 0 {
		s.Queries = m.terms.Limits.MaxQueries
	}
	for i := range s.Ledger {
		id, last := &s.Ledger[i], i == len(s.Ledger)-1
		id.Disputed = id.Disputed || last && spent&wasDisputed > 0 || !last && spent&wereDisputed > 0
		id.Mismatch = id.Mismatch || spent&wasPart > 0
		if spent&noIDs > 0 {
			id.ProviderID = ""
		}
		id.FirstSent, id.LastSent = now, now.Add(-m.ages[m.asked[i]])
		id.Deadline = id.LastSent.Add(m.terms.Contract.CallTimeout())
		if last && spent&old > 0 || !last && spent&othersOld > 0 {
			id.FirstSent = now.Add(-m.window())
		}
	}
	return &s
}

// none is a step's decision where the rules are not asked, and nothing is decided.
var none flow.Decided

// step carries out an event with one decision, and checks what comes of it. It varies if that is new in some world. Not ok: the flow refuses the event.
func (m *Machine) step(spent int, e flow.Event, worlds []world) (wants, varies, ok bool) {
	var o outcome
	now := certificate.Now
	if m.spent[spent] == nil {
		m.spent[spent] = m.before(spent)
	}
	s, after := m.spent[spent], &m.arrived
	*after = *s
	commands, err := m.adviser.AdvanceByPointers(m, after, e)
	if err != nil || m.err != nil {
		return false, false, false
	}
	var sent *flow.Identity
	decided := &none
	recorded, ended := false, false
	_, o.due = e.(flow.Due)
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Record:
			recorded = true
		case *flow.Send:
			sent = c.Identity
			m.expect(recorded && sent.LastSent.Equal(now) && sent.Deadline.Equal(now.Add(m.terms.Contract.CallTimeout())), "S1: a send is not recorded")
			m.expect((spent&noTime == 0 || s.Stage != flow.Waiting) && c.Attempt <= m.terms.Limits.MaxAttempts, "S4: sent past a limit")
		case *flow.Ask:
			o.asks = true
			m.expect(c.By != "" && c.Query <= m.terms.Limits.MaxQueries, "S4: asks past a limit")
		case *flow.Finish:
			ended = true
		case flow.Decided:
			decided = &c
		case *flow.Decided:
			decided = c
		case *flow.Wait, flow.Alert:
		default:
			m.expect(false, "a command that it does not know: %T", c)
		}
	}
	if decided != &none {
		o.action = decided.Decision.Action
		wants = m.decided(decided, spent, s.Stage == flow.Waiting || after.Stage != flow.Waiting)
	}
	m.kept(s, after, sent, ended && decided.Verdict.Limit != "")
	m.remarks(s, after, e)
	if spent&(noSends|noQueries) == 0 && (spent&noTime == 0 || spent&old > 0) {
		m.note(decided)
	}
	o.windows, o.limited, o.sent = uint8(spent&(old|othersOld)), spent&(noTime|noSends|noQueries) > 0, sent != nil
	if o.to, _ = m.abstract(after, 0, true); len(after.Ledger) > 0 {
		o.copies = uint8(after.Ledger[len(after.Ledger)-1].Copies)
	}
	known, next := m.looked[o], []world(nil)
	for _, w := range worlds {
		if slices.Contains(known, w) && !m.Each {
			continue
		}
		known = append(known, w)
		if sent != nil {
			w = m.send(w, after)
		}
		next = append(next, w)
		m.hold(w, after, ended)
	}
	if len(next) > 0 {
		m.looked[o] = known
		m.arrive(after, next, o.asks)
	}
	return wants || o.sent || o.asks, len(next) > 0, m.err == nil
}

// decided checks what the rules decided and the interlock made of it, and reports whether one wants to send or to ask. A flow that goes on
// may still wait.
func (m *Machine) decided(c *flow.Decided, spent int, goesOn bool) (wants bool) {
	to, action := c.Verdict, c.Decision.Action
	m.expect(c.Due || to.Property == "", "S5: the rules want %s, which %s forbids", c.Decision.Action, to.Property)
	m.expect(to.Action != policy.MarkSucceeded || c.Fact.Class != policy.Disputed && c.Fact.Class != policy.Mismatch, "S6: the rules see it, and want mark_succeeded: disputed or partly paid")
	m.expect(spent&noSends == 0 || !to.Action.Sends(), "S4: sends past max_attempts")
	m.expect(spent&noQueries == 0 || to.Action != policy.QueryStatus || to.Via != flow.ByQuery, "S4: asks past max_queries")
	m.expect(spent&noTime == 0 || c.Due || goesOn, "S4: the time is over, and it waits")
	return to.Property != "" || action.Sends() || action == policy.QueryStatus || to.Action == policy.QueryStatus
}

// kept checks that what the ledger says of requests stays true, and that a limit ends a flow by what is known.
func (m *Machine) kept(s, after *flow.State, sent *flow.Identity, byLimit bool) {
	certain := !slices.ContainsFunc(after.Ledger, func(id flow.Identity) bool { return id.Effect != policy.NotExecuted })
	m.expect(!byLimit || after.Outcome == policy.Succeeded || certain == (after.Outcome == policy.Failed), "S4: a limit ended it against what is known")
	for i := range s.Ledger {
		was, is := s.Ledger[i], after.Ledger[i]
		again := sent == &after.Ledger[i]
		m.expect(was.OrderID == is.OrderID && was.RequestID == is.RequestID && was.FirstSent.Equal(is.FirstSent) && (again || was.Sends == is.Sends && was.LastSent.Equal(is.LastSent)),
			"S1: the ledger forgets a request")
	}
}

// remarks checks that the ledger keeps what an answer says of the money beside the effect: a dispute until a person speaks, that another amount was
// paid until an answer names the whole, or a person speaks.
func (m *Machine) remarks(s, after *flow.State, e flow.Event) {
	m.executes = m.executes || isExecuted(after) && !isExecuted(s)
	_, person := e.(flow.Resolved)
	whole := m.says.Effect == policy.Executed && m.answer.amount == wholeAmount
	disputed, part := false, false
	for i := range after.Ledger {
		is := &after.Ledger[i]
		disputed, part = disputed || is.Disputed, part || is.Mismatch
		if i < len(s.Ledger) && !person {
			m.expect(is.Disputed || !s.Ledger[i].Disputed, "S6: the ledger forgets a dispute")
			m.expect(is.Mismatch || whole || !s.Ledger[i].Mismatch, "S6: the ledger forgets that another amount was paid")
		}
	}
	others := m.answer.name > byOrder
	m.expect(others || disputed || m.says.Class != policy.Disputed, "S6: the ledger does not hold a dispute")
	m.expect(others || part || m.says.Class != policy.Mismatch, "S6: the ledger does not hold that another amount was paid")
}

// send returns the world in which a request was sent under the latest identity.
func (m *Machine) send(w world, s *flow.State) world {
	i := len(s.Ledger) - 1
	first := s.Ledger[i].FirstSent
	for _, id := range s.Ledger {
		if id.OrderID == s.Ledger[i].OrderID && id.FirstSent.Before(first) && !slices.Contains(m.terms.Contract.Dedupe, policy.RequestID) {
			first = id.FirstSent // the window of the order
		}
	}
	row := "sent"
	if m.terms.Contract.ReplaySafe(first, certificate.Now) && s.Ledger[i].Sends > 1 {
		row = "again"
		m.Used[certificate.Use{Promise: "dedupe"}] = true
	}
	to := worlds[row][of(w, i)]
	if len(to) == 0 {
		m.expect(false, "S1: two requests are out that may both be executed")
		return w
	}
	return w&^(15<<(4*i)) | world(to[0])<<(4*i)
}

// hold holds a world to S1, and the end of a flow to S2 and S3.
func (m *Machine) hold(w world, s *flow.State, ended bool) {
	executed := false
	for i, id := range s.Ledger {
		v := of(w, i) & 7
		executed = executed || v == 3 || v == 4
		m.expect(v == 0 || i == len(s.Ledger)-1, "S1: a request was sent beside one that may be executed")
		m.expect(v == 0 || id.Effect != policy.NotExecuted, "S2: the ledger holds that nothing moves, and money may")
		m.expect(!ended || v == 0 || s.Outcome != policy.Failed, "S2: failed, and money moved or may yet")
		m.expect(!ended || v < 5 || s.Outcome != policy.Succeeded, "S3: succeeded, and another amount was executed")
	}
	m.expect(!ended || s.Outcome != policy.Succeeded || !slices.ContainsFunc(s.Ledger, func(id flow.Identity) bool {
		return id.Disputed || id.Mismatch && id.Effect == policy.Executed
	}), "S6: succeeded, and disputed or partly paid")
	m.expect(!ended || executed || s.Outcome != policy.Succeeded, "S3: succeeded, and nothing was executed")
}

// arrive emits a state with its worlds. When a query goes out the latest request may have any age.
func (m *Machine) arrive(s *flow.State, worlds []world, asks bool) {
	last := len(s.Ledger) - 1
	for age := range m.ages {
		if !asks && age != int(m.asked[max(last, 0)]) {
			continue
		}
		a, to := m.abstract(s, uint8(age), m.Apart)
		if to == nil {
			return
		}
		moved := m.moved(worlds, to)
		m.emit(a, moved)
		if last >= 0 && last < len(m.state.Ledger) && m.state.Ledger[last].Copies == 2 && s.Ledger[last].Copies == 1 {
			b := a // two copies stand for more: then one less is two again
			b.IDs[a.Count-1].Copies = 2
			m.emit(b, moved)
		}
		if last > 0 && len(m.state.Ledger) > 1 && m.state.Ledger[0].Disputed && !s.Ledger[0].Disputed && isExecuted(s) {
			a.IDs[0].Disputed = true // a person spoke of one that is disputed, and it stands for others
			m.emit(a, moved)
		}
	}
}

// moved returns the worlds of an abstract state. Of identities before the latest forms says what is true.
func (m *Machine) moved(worlds []world, to []int) []world {
	all := make([]world, len(worlds))
	for k, w := range worlds {
		for i, at := range to {
			if at >= 0 && (m.Apart || i == len(to)-1) {
				all[k] |= world(of(w, i)) << (4 * at)
			}
		}
	}
	return all
}
