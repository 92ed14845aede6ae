package ruletest

import (
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// happened is one event of a flow.
type happened struct {
	event event
	how   string        // of a send after the first
	in    time.Duration // how long it was waited for, as decided
	by    int           // the decision before it, an index; -1: none
}

// told is what came of a story.
type told struct {
	events  []happened
	decided []judged
	lines   []toldLine
	reason  string // of the end

	// What the script did not foresee, and where.
	problem string
	at      source.Pos
}

// judged is a decision and what the rules were shown for it.
type judged struct {
	decided   *flow.Decided
	situation *policy.Situation // nil: no rule was asked
}

// toldLine is one line of a story for people.
type toldLine struct {
	after time.Duration // since the start
	text  string
}

// witness notes what the rules are shown.
type witness struct {
	policy.Decider
	seen *policy.Situation
}

// Decide implements [policy.Decider].
func (w *witness) Decide(s *policy.Situation) policy.Decision {
	shown := *s
	w.seen = &shown
	return w.Decider.Decide(s)
}

// driver carries one flow through its script, in virtual time.
type driver struct {
	s       *story
	rules   *witness
	state   flow.State
	now     time.Time
	before  time.Time     // of the line before
	next    int           // the line that comes next
	used    int           // how many calls it answered already
	waited  time.Duration // as the latest decision wanted it
	orders  int
	asked   int // requests
	out     told
	stopped bool
	tell    bool // keep lines for people
}

// run tells a story to the machine that runs in production.
func (s *story) run(e *ruleset.Engine, tell bool) *told {
	d, _ := e.For(&s.payment) // tests may try what the provider does not offer
	v := &driver{s: s, rules: &witness{Decider: d}, now: s.at, before: s.at, orders: 1, asked: 1, tell: tell}
	v.state.Payment = s.payment
	v.step(flow.Start{Moment: v.moment(), OrderID: "order-1", RequestID: "request-1", ProviderID: s.providerID})
	for v.out.problem == "" && !v.stopped && v.turn() {
	}
	v.out.reason = v.state.Reason
	if v.stopped && v.state.Stage != flow.Ended {
		v.happen(isOpen, "")
	}
	return &v.out
}

func (v *driver) moment() flow.Moment { return flow.Moment{At: v.now, Jitter: 0.5} }

func (v *driver) fail(pos source.Pos, format string, args ...any) {
	if v.out.problem == "" {
		v.out.problem, v.out.at = fmt.Sprintf(format, args...), pos
	}
}

// line is the line that comes next; nil: the script is over.
func (v *driver) line() *line {
	if v.next < len(v.s.script) {
		return &v.s.script[v.next]
	}
	return nil
}

// turn brings about what happens next; false when nothing is left to happen.
func (v *driver) turn() bool {
	switch v.state.Stage {
	case flow.Sending:
		v.called(onSend)
	case flow.Querying:
		v.called(onQuery)
	case flow.Waiting:
		v.waiting()
	case flow.Ended, flow.New:
		return v.over()
	}
	return true
}

// over brings what is said after the end.
func (v *driver) over() bool {
	l := v.line()
	switch {
	case l == nil:
		return false
	case l.times == always:
		v.next++
	case l.calls():
		v.fail(l.pos, "the flow has ended %s, and waits for no answer any more", v.state.Outcome)
	default:
		v.pass(l)
		v.bring(l)
	}
	return true
}

// calls reports whether a line answers a call that the flow has to make.
func (l *line) calls() bool { return (l.verb == onSend || l.verb == onQuery) && !l.late }

// called answers the call that is under way.
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
		v.pass(l)
		v.bring(l)
	}
}

// takesOver reports whether the line after one that answers any number of calls has its turn.
func (v *driver) takesOver(want verb) bool {
	if v.next+1 >= len(v.s.script) {
		return v.line().verb != want
	}
	after := &v.s.script[v.next+1]
	return v.line().verb != want || after.calls() && after.verb == want && !v.now.Before(v.before.Add(after.wait))
}

// calling says what the flow does, for a script that did not expect it.
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

// reply answers a call. An answer of no answer comes when the call is given up.
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

// pass lets the time go by that a line waits for.
func (v *driver) pass(l *line) {
	if then := v.before.Add(l.wait); then.After(v.now) {
		v.now = then
	}
	v.before = v.now
	v.next, v.used = v.next+1, 0
}

// waiting brings whatever comes first: what the script says, or the end of the wait.
func (v *driver) waiting() {
	due := v.state.Next.At
	l, at := v.line(), v.next
	if l != nil && l.times == always && v.next+1 < len(v.s.script) {
		at++
		l = &v.s.script[at]
	}
	if l != nil && !l.calls() && !l.within {
		if then := v.before.Add(l.wait); !then.After(due) {
			v.next = at
			v.pass(l)
			v.bring(l)
			return
		}
	}
	if l != nil && l.calls() && at == v.next { // whoever drives the flow may be late
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
		if !v.s.deaf {
			v.orders++
			e.OrderID, e.RequestID = fmt.Sprintf("order-%d", v.orders), v.request()
		}
	default: // needs no new name
	}
	v.step(e)
}

func (v *driver) request() string {
	v.asked++
	return fmt.Sprintf("request-%d", v.asked)
}

// bring brings what a line says that answers no call of the flow's.
func (v *driver) bring(l *line) {
	switch l.verb {
	case byWebhook:
		v.step(flow.Received{Moment: v.moment(), Answer: l.answer.Answer})
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
			earlier-- // the one under way is not late yet
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

// step advances the machine.
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
	if _, record := c.(flow.Record); v.tell && !record {
		v.out.lines = append(v.out.lines, toldLine{v.now.Sub(v.s.at), flow.Describe(c)})
	}
	switch c := c.(type) {
	case flow.Send:
		v.happen(sends, howSent(&c))
	case flow.Ask:
		v.happen(asks, "")
	case flow.Wait:
		v.waited = c.Until.Sub(v.now)
	case flow.Finish:
		v.happen(outcomeEvent(c.Outcome), "")
	case flow.Alert:
		v.happen(alerts, "")
	case flow.Decided:
		j := judged{decided: &c}
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

func (v *driver) happen(e event, how string) {
	v.out.events = append(v.out.events, happened{event: e, how: how, in: v.waited, by: len(v.out.decided) - 1})
	v.waited = 0
}

// scriptEnd is where the script's last line stands.
func (s *story) scriptEnd() source.Pos {
	if n := len(s.script); n > 0 {
		return s.script[n-1].pos
	}
	return s.pos
}
