package simulate

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// departure is why a flow left the recording. It is printed as it is.
type departure string

const (
	onRecord    departure = ""
	sendsMore   departure = "sends again where the recorded client did not"
	sendsOther  departure = "sends under another identity than the recorded client"
	queriesMore departure = "asks where the recording has no answer left"
	keyTaken    departure = "would not start: an earlier flow of its payment key has not failed"
	keyUnknown  departure = "may not start: how an earlier flow of its payment key ends is not known"
	noSend      departure = "no send is recorded"
)

// step is an event or a command of a simulated flow, for its story.
type step struct {
	at      time.Time
	event   flow.Event   // nil: it is a command
	command flow.Command // nil: it is an event
	moved   moment       // how much later than it was recorded the event's answer is used
}

// ending is the result of a simulated flow.
type ending struct {
	outcome   policy.Outcome
	departure departure
	stillOpen bool // it waits for a webhook, and the recording has no more
	timed     bool // it waited for a time of its own: it asked, or sent again, or would have
	noticed   bool // a notice settled it that the recorded client got after a query that the flow did not make
	sends     int
	queries   int
	unasked   int // queries that the recording could not answer, where a webhook followed
	corrected int // decisions that the interlock changed
	alerts    int
	disputed  bool // an answer before the end said so
	endAt     moment
	ledger    []flow.Identity
	notes     *notes // nil: none are wanted
}

// driver drives one flow through its recording in virtual time.
type driver struct {
	d       policy.Decider
	adviser *flow.Adviser   // steps the flow in its own memory; nil: each step has new memory, which a story keeps
	judge   *judge          // that d decides with; nil: it knows no kinds of answers
	room    []flow.Identity // for the ledger at the end
	watch   func(step)      // nil: no story is wanted
	rules   *tally          // counts the rules of each decision; nil: they are not counted
	harm    *harm           // which rule met the answer before it is noted; nil: there is none
	r       *record
	s       flow.State
	end     ending
	now     moment
	unasked time.Time  // when the query would have been asked that was left out last
	shift   moment     // our last send against the recorded one
	moved   *histogram // how far from its time each recorded answer was used; nil: not wanted

	reply    *call // the recorded answer under way
	replyAt  moment
	replyBy  moment // how far the answer is moved from the time of its recording
	by       moment // that of the answer that the step under way processes
	querying bool   // it answers a query
	asked    moment // when the recording asked what we ask
	query    int    // recorded queries that are behind us
	current  *call  // the recorded answer that the step under way processes; nil: there is none
	wake     moment
	waiting  bool
	web      int // webhooks taken
}

// run drives the flow to its end, or to where it leaves the recording.
func (v *driver) run() ending {
	if len(v.r.sends) == 0 {
		return ending{departure: noSend}
	}
	first := &v.r.sends[0]
	v.s = flow.State{Payment: v.r.payment}
	v.now = first.at
	v.advance(flow.Start{Moment: v.moment(), OrderID: first.orderID, RequestID: first.requestID, ProviderID: first.providerID})
	for more := true; more && v.end.departure == onRecord; {
		more = v.next()
	}
	v.end.outcome = v.s.Outcome
	if v.end.departure != onRecord {
		v.end.outcome = policy.Open
	}
	v.end.stillOpen = v.end.departure == onRecord && v.s.Stage != flow.Ended
	v.end.sends, v.end.queries, v.end.ledger = v.s.Attempts, v.s.Queries, append(v.room, v.s.Ledger...)
	return v.end
}

func (v *driver) moment() flow.Moment { return flow.Moment{At: v.now.time(), Jitter: 0.5} }

// next processes the earliest of reply, wake-up and webhook. It returns false when there is none.
func (v *driver) next() bool {
	const never = moment(1<<63 - 1)
	reply, wake, web := never, never, never
	if v.reply != nil {
		reply = v.replyAt
	}
	if v.waiting {
		wake = v.wake
	}
	hook := v.hook()
	if hook != nil {
		web = max(hook.at+v.shift, v.now)
	}
	switch first := min(reply, wake, web); {
	case first == never:
		return false
	case first == web:
		v.now = web
		v.web++
		v.notice(hook)
		v.current, v.by = hook, web-hook.at
		v.use(v.by)
		v.advance(flow.Received{Moment: v.moment(), Answer: hook.answer})
	case first == reply:
		v.now = reply
		v.answered()
	default:
		v.now = wake
		v.due()
	}
	return true
}

// notice looks at what a webhook rests on. A recorded one came to a client that may have asked before; one that did not ask
// may get it late, or never.
func (v *driver) notice(hook *call) {
	if v.s.Stage == flow.Ended && v.s.Outcome != policy.Escalated {
		return // it changes nothing
	}
	asked := func(q call) bool { return q.after <= v.s.Attempts && q.at < hook.at }
	v.end.noticed = v.end.noticed || slices.ContainsFunc(v.r.queries[v.query:], asked)
}

// hook returns the next recorded webhook that came after as many sends as we made.
func (v *driver) hook() *call {
	for v.web < len(v.r.webhooks) && v.r.webhooks[v.web].after < v.s.Attempts {
		v.web++
	}
	if v.web < len(v.r.webhooks) && v.r.webhooks[v.web].after == v.s.Attempts {
		return &v.r.webhooks[v.web]
	}
	return nil
}

func (v *driver) answered() {
	reply := v.reply
	v.reply, v.current, v.by = nil, reply, v.replyBy
	if v.querying {
		// The answer speaks for the time at which the recording asked.
		v.s.Asked = v.asked.time()
		v.advance(flow.Queried{Moment: v.moment(), Answer: reply.answer})
		return
	}
	v.advance(flow.Answered{Moment: v.moment(), Answer: reply.answer})
}

// due carries out the step that was planned.
func (v *driver) due() {
	v.waiting, v.current, v.by = false, nil, 0
	e := flow.Due{Moment: v.moment()}
	if a := v.s.Next.Action; a.Sends() {
		next, ok := v.recordedSend(a)
		if !ok {
			return
		}
		e.RequestID = next.requestID
		if a == policy.RetryNewOrder {
			e.OrderID = next.orderID
		}
	}
	v.advance(e)
}

// recordedSend finds the recorded send that a retry of ours equals; when there is
// none, the flow leaves the recording.
func (v *driver) recordedSend(a policy.Action) (*call, bool) {
	if v.s.Attempts >= len(v.r.sends) {
		v.end.departure = sendsMore
		return nil, false
	}
	next := &v.r.sends[v.s.Attempts]
	last := v.s.Ledger[len(v.s.Ledger)-1]
	same := next.orderID == last.OrderID && next.requestID == last.RequestID
	newRequest, newOrder := next.requestID != "", true // as the flow asks for it: used by none before
	for i := range v.s.Ledger {
		newRequest = newRequest && next.requestID != v.s.Ledger[i].RequestID
		newOrder = newOrder && next.orderID != v.s.Ledger[i].OrderID
	}
	var fits bool
	switch a {
	case policy.RetrySame:
		fits = same
	case policy.RetryNewRequest:
		fits = newRequest && next.orderID == last.OrderID
	case policy.RetryNewOrder:
		fits = newOrder
	default: // nothing else sends
	}
	if !fits {
		v.end.departure = sendsOther
	}
	return next, fits
}

// advance steps the machine and carries out its commands.
func (v *driver) advance(e flow.Event) {
	commands, err := v.step(e)
	if err != nil {
		// The driver makes only events that fit the stage.
		panic(err)
	}
	if v.watch != nil {
		v.watch(step{at: v.now.time(), event: kept(e), moved: v.by})
	}
	for _, c := range commands {
		v.command(c)
		if v.watch != nil {
			v.watch(step{at: v.now.time(), command: c})
		}
	}
}

// kept is a copy of an event for a story. An event that a story kept itself would be on the heap in each step, story or not.
func kept(e flow.Event) flow.Event {
	switch e := e.(type) {
	case flow.Start:
		return e
	case flow.Answered:
		return e
	case flow.Queried:
		return e
	case flow.Received:
		return e
	case flow.Due:
		return e
	}
	panic("simulate: an event that no driver makes") // its name would put each event on the heap
}

// step is one of the machine. Evidence is for people; each step looks at its own alone, and copies the rest.
func (v *driver) step(e flow.Event) (commands []flow.Command, err error) {
	if v.judge != nil {
		v.judge.now = v.current
	}
	if v.adviser != nil {
		commands, err = v.adviser.AdvanceByPointers(v.d, &v.s, e)
	} else {
		v.s, commands, err = flow.Step(v.d, v.s, e)
	}
	v.s.Evidence = nil
	return commands, err
}

func (v *driver) command(c flow.Command) {
	switch c := c.(type) {
	case flow.Send:
		v.sends(&c)
	case *flow.Send:
		v.sends(c)
	case flow.Ask, *flow.Ask:
		v.end.notes.call(v.now, true)
		v.waiting = false
		v.ask()
	case flow.Wait:
		v.wait(&c)
	case *flow.Wait:
		v.wait(c)
	case flow.Decided:
		v.decides(&c)
	case *flow.Decided:
		v.decides(c)
	case flow.Finish, *flow.Finish:
		v.waiting = false
		if v.end.endAt == 0 || v.s.Outcome != policy.Escalated {
			v.end.endAt = v.now
			v.end.disputed = disputed(v.s.Ledger)
		}
	case flow.Alert:
		v.end.alerts++
	case flow.Record:
	}
}

func (v *driver) sends(c *flow.Send) {
	v.end.notes.call(v.now, false)
	v.waiting = false
	sent := &v.r.sends[c.Attempt-1]
	v.shift = v.now - sent.at
	v.use(v.shift)
	v.replyBy = v.shift
	v.reply, v.replyAt, v.querying = sent, v.now.plus(sent.latency), false
}

func (v *driver) decides(c *flow.Decided) {
	if c.Due {
		return // the recording made it wait too long; no rule was asked
	}
	v.end.notes.decided(c)
	if c.Verdict.Property != "" {
		v.end.corrected++
	}
	if v.rules != nil {
		v.rules.rule(v.r, c)
	}
	if v.harm != nil && v.current == v.harm.cause {
		v.harm.rule = keyOf(c)
	}
}

// use notes how far a recorded answer is moved from the time of its recording.
func (v *driver) use(by moment) {
	if by != 0 && v.moved != nil {
		v.moved.add(time.Duration(max(by, -by)) * time.Microsecond)
	}
}

func disputed(ledger []flow.Identity) bool {
	return slices.ContainsFunc(ledger, func(id flow.Identity) bool { return id.Disputed })
}

// wait plans the next step for the wanted time, or for the recorded one if that is later.
func (v *driver) wait(c *flow.Wait) {
	v.waiting, v.wake = true, moment(c.Until.UnixMicro())
	v.end.timed = v.end.timed || c.Via != flow.ByWebhook
	switch {
	case c.Via == flow.ByWebhook:
		// A webhook after the end of the recording is not known: the flow stays open.
		v.waiting = v.hook() != nil
	case c.Action == policy.QueryStatus:
		if i := v.recordedQuery(v.wake); i >= 0 {
			v.wake = max(v.wake, v.r.queries[i].at+v.shift)
			v.inTime(queriesMore)
			return
		}
		if v.hook() != nil {
			if v.unasked != v.s.Next.At {
				v.end.unasked++
			}
			v.unasked = v.s.Next.At
			v.waiting = false
		}
	case c.Action.Sends() && v.s.Attempts < len(v.r.sends):
		v.wake = max(v.wake, v.r.sends[v.s.Attempts].at+v.shift)
		v.inTime(sendsMore)
	}
}

// inTime lets a flow leave the recording where it would wait for it past its own deadline.
func (v *driver) inTime(d departure) {
	limit := v.s.Started.Add(v.d.Terms(&v.s.Payment).Limits.MaxElapsed)
	if v.wake.time().After(limit) {
		v.end.departure = d
	}
}

// ask takes the recorded answer to a query of ours.
func (v *driver) ask() {
	i := v.recordedQuery(v.now)
	if i < 0 {
		v.end.departure = queriesMore
		return
	}
	q := &v.r.queries[i]
	v.query = i + 1
	v.asked = min(q.at+v.shift, v.now)
	v.replyBy = v.now - q.at
	v.use(v.replyBy)
	v.reply, v.replyAt, v.querying = q, v.now.plus(q.latency), true
}

// recordedQuery finds a recorded query about our identity that was made after as many sends as ours
// and is not used yet: the latest one no later than the given time, else the next one. It is -1 when
// there is none. The latest counts because its answer is nearest to what our query would get.
func (v *driver) recordedQuery(at moment) int {
	best := -1
	for i := v.query; i < len(v.r.queries); i++ {
		q := &v.r.queries[i]
		if q.after != v.s.Attempts || !v.about(q) {
			continue
		}
		if best >= 0 && q.at+v.shift > at {
			break
		}
		best = i
	}
	return best
}

// about reports whether a recorded query asked about the identity that we would ask
// about.
func (v *driver) about(q *call) bool {
	id := &v.s.Ledger[len(v.s.Ledger)-1]
	switch {
	case q.queryBy == policy.RequestID && q.requestID == id.RequestID:
		return true
	case q.queryBy == policy.ProviderID && q.providerID != "":
		return q.providerID == id.ProviderID
	case q.orderID != "":
		return q.orderID == id.OrderID
	case q.queryBy == policy.RequestID && q.requestID != "":
		return false
	}
	// The line names no identity. The answer may; and with one identity there is no other.
	return q.answer.OrderID == id.OrderID || q.answer.OrderID == "" && len(v.s.Ledger) == 1
}
