package ruletest

import (
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// flowEvent is one event of a flow.
type flowEvent struct {
	event event
	how   string        // of a send after the first: same request, new request or new order
	in    time.Duration // the wait before it, as decided
	by    int           // index of the decision before it; -1: none
}

// trace is the result of a story.
type trace struct {
	events  []flowEvent
	decided []tracedDecision
	lines   []traceLine
	reason  string // of the end

	// What the script has no line for, and where.
	problem string
	at      source.Pos
}

// tracedDecision is a decision and the situation that the rules decided.
type tracedDecision struct {
	decided   *flow.Decided
	situation *policy.Situation // nil: no rule was asked
}

// traceLine is one line of a story's report for people.
type traceLine struct {
	after time.Duration // since the start
	text  string
}

// recorder passes situations on to the rules and keeps the last one.
type recorder struct {
	policy.Decider
	seen *policy.Situation
}

// Decide implements [policy.Decider].
func (w *recorder) Decide(s *policy.Situation) policy.Decision {
	shown := *s
	w.seen = &shown
	return w.Decider.Decide(s)
}

// driver runs one flow through its script, in virtual time.
type driver struct {
	s       *story
	rules   *recorder
	state   flow.State
	now     time.Time
	before  time.Time     // when the line before happened
	next    int           // index of the next line
	used    int           // how many calls the next line has answered
	waited  time.Duration // the wait of the latest decision
	orders  int           // order ids minted
	asked   int           // request ids minted
	out     trace
	stopped bool
	lines   bool // keep lines for people
}

// run runs a story through the state machine that runs in production. With lines it also
// keeps the lines for people.
func (s *story) run(e *ruleset.Engine, lines bool) *trace {
	d, _ := e.For(&s.payment) // tests may use an operation that the provider does not offer
	v := &driver{s: s, rules: &recorder{Decider: d}, now: s.at, before: s.at, orders: 1, asked: 1, lines: lines}
	v.state.Payment = s.payment
	v.step(flow.Start{Moment: v.moment(), OrderID: "order-1", RequestID: "request-1", ProviderID: s.providerID})
	for v.out.problem == "" && !v.stopped {
		if !v.turn() {
			break
		}
	}
	v.out.reason = v.state.Reason
	if v.stopped && v.state.Stage != flow.Ended {
		v.record(isOpen, "")
	}
	return &v.out
}

func (v *driver) moment() flow.Moment { return flow.Moment{At: v.now, Jitter: 0.5} }

func (v *driver) fail(pos source.Pos, format string, args ...any) {
	if v.out.problem == "" {
		v.out.problem, v.out.at = fmt.Sprintf(format, args...), pos
	}
}

// line returns the next line; nil at the end of the script.
func (v *driver) line() *line {
	if v.next < len(v.s.script) {
		return &v.s.script[v.next]
	}
	return nil
}

// turn makes the next thing happen; false when nothing is left.
func (v *driver) turn() bool {
	switch v.state.Stage {
	case flow.Sending:
		v.called(onSend)
	case flow.Querying:
		v.called(onQuery)
	case flow.Waiting:
		v.wait()
	case flow.Ended, flow.New:
		return v.afterEnd()
	}
	return true
}

// afterEnd applies lines that come after the end of the flow.
func (v *driver) afterEnd() bool {
	l := v.line()
	switch {
	case l == nil:
		return false
	case l.times == always:
		v.next++
	case l.calls():
		v.fail(l.pos, "the flow has ended %s, and waits for no answer any more", v.state.Outcome)
	default:
		v.advance(l)
		v.apply(l)
	}
	return true
}

// calls reports whether a line answers a call that the flow has to make.
func (l *line) calls() bool { return (l.verb == onSend || l.verb == onQuery) && !l.late }

// called answers the call under way.
func (v *driver) called(want verb) {
	l := v.line()
	if l != nil && l.times == always && v.takesOver(want) {
		v.next++
		l = v.line()
	}
	switch {
	case l == nil:
		v.fail(v.s.scriptEnd(), "the flow %s, and the script has no answer for it; add a line, or end the story with %q", v.calling(), string(stop))
	case l.calls() && l.verb == want:
		v.reply(l)
	case l.calls():
		v.fail(l.pos, "the flow %s, and this line answers a %s", v.calling(), l.verb)
	case v.before.Add(l.wait).After(v.now):
		v.fail(l.pos, "the flow %s before this comes; say what it is answered, such as %q", v.calling(), string(want)+"*: …")
	default:
		v.advance(l)
		v.apply(l)
	}
}

// takesOver reports whether the script goes on to the next line. The current line answers any
// number of calls.
func (v *driver) takesOver(want verb) bool {
	if v.next+1 >= len(v.s.script) {
		return v.line().verb != want
	}
	after := &v.s.script[v.next+1]
	return v.line().verb != want || after.calls() && after.verb == want && !v.now.Before(v.before.Add(after.wait))
}

// calling describes the call of the flow, for an error message.
func (v *driver) calling() string {
	if v.state.Stage == flow.Querying {
		return "asks for the status for the " + ordinal(v.state.Queries) + " time"
	}
	return "sends for the " + ordinal(v.state.Attempts) + " time"
}

func ordinal(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2 && n%100 != 12:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3 && n%100 != 13:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}

// reply answers a call. A timeout is answered when the call is given up.
func (v *driver) reply(l *line) {
	if l.times != always {
		v.before = v.now
		if v.used++; v.used == l.times {
			v.next, v.used = v.next+1, 0
		}
	}
	switch {
	case l.crashed:
		v.step(flow.Resumed{Moment: v.moment()})
		return
	case l.answer.Fault == policy.Timeout:
		v.now = v.now.Add(v.rules.Terms(&v.state.Payment).Contract.CallTimeout())
	}
	if l.times != always {
		v.before = v.now
	}
	if l.verb == onSend {
		v.step(flow.Answered{Moment: v.moment(), Answer: l.answer.Answer})
		return
	}
	v.step(flow.Queried{Moment: v.moment(), Answer: l.answer.Answer})
}

// advance moves the time to the moment of a line.
func (v *driver) advance(l *line) {
	if then := v.before.Add(l.wait); then.After(v.now) {
		v.now = then
	}
	v.before = v.now
	v.next, v.used = v.next+1, 0
}

// wait applies what comes first: the next line of the script, or the end of the wait.
func (v *driver) wait() {
	due := v.state.Next.At
	l, at := v.line(), v.next
	if l != nil && l.times == always && v.next+1 < len(v.s.script) {
		at++
		l = &v.s.script[at]
	}
	if l != nil && !l.calls() && !l.within {
		if then := v.before.Add(l.wait); !then.After(due) {
			v.next = at
			v.advance(l)
			v.apply(l)
			return
		}
	}
	if l != nil && l.calls() && at == v.next { // the process may wake up later than planned
		if then := v.before.Add(l.wait); then.After(due) {
			due = then
		}
	}
	if due.After(v.now) {
		v.now = due
	}
	e := flow.Due{Moment: v.moment()}
	switch v.state.Next.Action {
	case policy.RetryNewRequest:
		e.RequestID = v.request()
	case policy.RetryNewOrder:
		if !v.s.noNewOrders {
			v.orders++
			e.OrderID, e.RequestID = fmt.Sprintf("order-%d", v.orders), v.request()
		}
	default: // needs no new id
	}
	v.step(e)
}

func (v *driver) request() string {
	v.asked++
	return fmt.Sprintf("request-%d", v.asked)
}

// aboutThis is a webhook of a script. One that gives no body and no name is about the payment of
// the script, and names the request that was sent last.
func (v *driver) aboutThis(said answer) policy.Answer {
	a := said.Answer
	if n := len(v.state.Ledger); n > 0 && said.body == "" && a.OrderID == "" && a.RequestID == "" && a.ProviderID == "" {
		a.OrderID, a.RequestID = v.state.Ledger[n-1].OrderID, v.state.Ledger[n-1].RequestID
	}
	return a
}

// apply applies a line that does not answer the call under way.
func (v *driver) apply(l *line) {
	switch l.verb {
	case byWebhook:
		v.step(flow.Received{Moment: v.moment(), Answer: v.aboutThis(l.answer)})
	case crash:
		v.step(flow.Resumed{Moment: v.moment()})
	case withdraw:
		v.step(flow.Withdrawn{Moment: v.moment(), Why: l.why})
	case resolve:
		v.step(flow.Resolved{Moment: v.moment(), Identity: len(v.state.Ledger) - 1, Effect: l.effect, Who: "a person", Why: l.why})
	case stop:
		v.stopped = true
	case onSend:
		earlier := v.state.Attempts
		if v.state.Stage == flow.Sending {
			earlier-- // the send under way is not late yet
		}
		if earlier < 1 {
			v.fail(l.pos, "there is no earlier send whose answer could be late")
			return
		}
		v.step(flow.Answered{Moment: v.moment(), Answer: l.answer.Answer, Attempt: earlier})
	case onQuery:
		earlier := v.state.Queries
		if v.state.Stage == flow.Querying {
			earlier--
		}
		if earlier < 1 {
			v.fail(l.pos, "there is no earlier query whose answer could be late")
			return
		}
		v.step(flow.Queried{Moment: v.moment(), Answer: l.answer.Answer, Query: earlier})
	}
}

// step sends an event to the state machine and records its commands.
func (v *driver) step(e flow.Event) {
	next, commands, err := flow.Step(v.rules, v.state, e)
	if err != nil {
		pos := v.s.pos
		if v.next > 0 && v.next <= len(v.s.script) {
			pos = v.s.script[v.next-1].pos
		}
		v.fail(pos, "this cannot happen now: %s", err)
		return
	}
	v.state = next
	for _, c := range commands {
		v.command(c)
	}
}

func (v *driver) command(c flow.Command) {
	if _, record := c.(flow.Record); v.lines && !record {
		v.out.lines = append(v.out.lines, traceLine{v.now.Sub(v.s.at), flow.Describe(c)})
	}
	switch c := c.(type) {
	case flow.Send:
		v.record(sends, howSent(&c))
	case flow.Ask:
		v.record(asks, "")
	case flow.Wait:
		v.waited = c.Until.Sub(v.now)
	case flow.Finish:
		v.record(outcomeEvent(c.Outcome), "")
	case flow.Alert:
		v.record(alerts, "")
	case flow.Decided:
		j := tracedDecision{decided: &c}
		if !c.Due {
			j.situation = v.rules.seen
		}
		v.out.decided = append(v.out.decided, j)
	case flow.Record:
	}
}

func howSent(c *flow.Send) string {
	switch {
	case c.Attempt == 1:
		return ""
	case c.Action == policy.RetrySame:
		return sameRequest
	case c.Action == policy.RetryNewOrder:
		return newOrder
	}
	return newRequest
}

func (v *driver) record(e event, how string) {
	v.out.events = append(v.out.events, flowEvent{event: e, how: how, in: v.waited, by: len(v.out.decided) - 1})
	v.waited = 0
}

// scriptEnd returns the position of the script's last line.
func (s *story) scriptEnd() source.Pos {
	if n := len(s.script); n > 0 {
		return s.script[n-1].pos
	}
	return s.pos
}
