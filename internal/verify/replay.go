package verify

import (
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// replay runs the trace again with the real rules, the real machine and the schedules' own waits,
// and stamps its steps with times. A trace that runs otherwise gets no times.
func (v *Violation) replay(e *ruleset.Engine, o *Options) {
	r := &replayer{v: v, now: base, s: flow.State{Payment: v.payment}}
	r.d, _ = e.For(&v.payment) // the search has opened the same rules
	if o.DistrustInferred {
		r.d = distrustingDecider{r.d}
	}
	at := make([]time.Duration, 0, len(v.Story))
	for i := range v.trace.steps {
		t := &v.trace.steps[i]
		if !r.step(t) {
			return
		}
		if t.transition.kind != kindTime {
			at = append(at, r.now.Sub(base))
		}
	}
	v.Replayed, v.replayed = true, r.steps
	for i := range at {
		v.Story[i].At = short(at[i].Truncate(time.Second))
	}
}

// distrustingDecider treats inferred facts as unknown.
type distrustingDecider struct{ policy.Decider }

func (d distrustingDecider) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	return distrust(d.Decider.Judge(p, a))
}

// distrust makes an inferred fact unknown.
func distrust(f policy.Fact) policy.Fact {
	if f.Basis == policy.Inferred {
		f.Effect = policy.Unknown
	}
	return f
}

// replayer runs a trace step by step.
type replayer struct {
	v        *Violation
	d        policy.Decider
	s        flow.State
	now      time.Time
	lastSent time.Time
	steps    []replayedStep
}

// replayedStep is a step as it was run.
type replayedStep struct {
	*traceStep
	at       time.Time
	event    flow.Event
	commands []flow.Command
}

// step runs one step. It reports whether the rules and the interlock decided as in the trace.
func (r *replayer) step(t *traceStep) bool {
	r.advance(t)
	var commands []flow.Command
	switch {
	case t.transition.kind == kindTime:
		return true
	case t.event == nil: // the interlock was bypassed; see dueForced
		id := t.to.s.Ledger[len(t.to.s.Ledger)-1]
		r.s = flow.Sent(r.d, r.s, r.moment(), id.OrderID, id.RequestID, id.ProviderID)
		last := r.s.Ledger[len(r.s.Ledger)-1]
		commands = []flow.Command{flow.Send{Identity: &last, Attempt: r.s.Attempts}}
		r.steps = append(r.steps, replayedStep{t, r.now, nil, commands})
	default:
		e := r.timed(t.event)
		if start, again := e.(flow.Start); again && t.transition.kind == kindSecondFlow {
			start.Earlier = r.s.Ledger
			r.s, e = flow.State{Payment: r.v.payment}, start
		}
		var err error
		if r.s, commands, err = flow.Step(r.d, r.s, e); err != nil {
			return false
		}
		t := replayedStep{t, r.now, e, commands}
		if t.transition.bypass {
			t.commands = nil // they follow the interlock's correction
		}
		r.steps = append(r.steps, t)
	}
	for _, c := range commands {
		if _, send := c.(flow.Send); send {
			r.lastSent = r.now
		}
	}
	if !sameDecision(t.commands, commands) {
		return false
	}
	if t.transition.bypass && !t.from.isForced {
		r.bypassInterlock(commands)
	}
	return true
}

// bypassInterlock gives the state what the rule wanted, without the interlock.
func (r *replayer) bypassInterlock(commands []flow.Command) {
	for _, c := range commands {
		if d, ok := c.(flow.Decided); ok {
			r.s.Stage, r.s.Outcome, r.s.Next = flow.Waiting, policy.Open, flow.Next{Action: d.Decision.Action, At: r.now}
			switch d.Decision.Action {
			case policy.MarkFailed:
				r.s.Stage, r.s.Outcome = flow.Ended, policy.Failed
			case policy.MarkSucceeded:
				r.s.Stage, r.s.Outcome = flow.Ended, policy.Succeeded
			default:
				if sched := d.Decision.Schedule; sched != nil {
					r.s.Next.At = r.now.Add(sched.Delay(0))
				}
			}
		}
	}
}

// sameDecision reports whether two lists of commands hold the same decision and verdict.
func sameDecision(want, got []flow.Command) bool {
	decided := func(list []flow.Command) (d flow.Decided) {
		for _, c := range list {
			if x, ok := c.(flow.Decided); ok {
				d = x
			}
		}
		return d
	}
	w, g := decided(want), decided(got)
	return w.Decision.Source == g.Decision.Source && w.Decision.Action == g.Decision.Action &&
		w.Verdict.Action == g.Verdict.Action && w.Verdict.Property == g.Verdict.Property
}

// advance moves the clock to the time of a step.
func (r *replayer) advance(t *traceStep) {
	timeout := r.v.trace.model.terms.Contract.CallTimeout()
	switch t.transition.kind {
	case kindStart:
	case kindAnswer, kindQueryAnswer:
		since := r.now
		if answerOf(t.event).Fault == policy.Timeout {
			r.now = since.Add(timeout)
			return
		}
		r.now = since.Add(time.Second)
	case kindDue:
		if r.s.Next.At.After(r.now) {
			r.now = r.s.Next.At
		}
	case kindTime:
		r.waitForAge(t)
	default:
		r.now = r.now.Add(time.Second)
	}
}

// waitForAge moves the clock until a send is as old as in the trace.
func (r *replayer) waitForAge(t *traceStep) {
	k := r.v.trace.model.clock
	if t.transition.variant == 2 || t.to == nil || int(t.transition.id) >= len(r.s.Ledger) {
		return
	}
	id, st := &r.s.Ledger[t.transition.id], &t.to.ids[t.transition.id]
	until := id.FirstSent.Add(k.age(st.first))
	if t.transition.variant == 1 {
		until = id.LastSent.Add(k.age(st.last))
	}
	if until.After(r.now) {
		r.now = until
	}
	if int(t.transition.id) == t.to.firstOwn {
		if until := r.s.Started.Add(k.age(t.to.started)); until.After(r.now) {
			r.now = until
		}
	}
}

func (r *replayer) moment() flow.Moment { return flow.Moment{At: r.now, Jitter: 0.5} }

// timed gives an event the time of the replay.
func (r *replayer) timed(e flow.Event) flow.Event {
	m := r.moment()
	switch e := e.(type) {
	case flow.Start:
		e.Moment = m
		return e
	case flow.Answered:
		e.Moment = m
		return e
	case flow.Queried:
		e.Moment = m
		return e
	case flow.Received:
		e.Moment = m
		return e
	case flow.Due:
		e.Moment = m
		return e
	case flow.Resumed:
		e.Moment = m
		return e
	case flow.Resolved:
		e.Moment = m
		return e
	case flow.Withdrawn:
		e.Moment = m
		return e
	}
	return e
}
