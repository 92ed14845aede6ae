package flow_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A decider that wants anything: what is sensible, or what is drawn for the moment.
type decider struct {
	terms policy.Terms
	wish  policy.Action
	sane  bool
	when  *policy.Schedule
}

func (d *decider) Terms(*policy.Payment) *policy.Terms { return &d.terms }

func (d *decider) Judge(_ *policy.Payment, a *policy.Answer) policy.Fact {
	if a.Fault != policy.NoFault {
		f := policy.Fact{Class: policy.NetworkError}
		if a.Fault == policy.NotSent && a.Phase == policy.Send {
			f.Effect = policy.NotExecuted
		}
		return f
	}
	f := said[a.Code]
	if a.Phase == policy.Query && f.Stage == policy.Door {
		f.Effect = policy.Unknown // a refused query proves nothing
	}
	return f
}

func (d *decider) Decide(s *policy.Situation) policy.Decision {
	want := policy.Decision{Action: d.wish, Rule: "wish", Schedule: d.when}
	if d.sane {
		want.Rule = "sane"
		switch {
		case s.Fact.Class == policy.Mismatch || s.Fact.Class == policy.Disputed:
			want.Action = policy.Escalate
		case s.Fact.Effect == policy.Executed:
			want.Action = policy.MarkSucceeded
		case s.InDoubt || s.Fact.Effect != policy.NotExecuted:
			if !d.wish.Sends() {
				want.Action = policy.QueryStatus
			}
		case !d.wish.Sends():
			want.Action = policy.MarkFailed
		}
	}
	return want
}

var (
	wishes = rapid.SampledFrom([]policy.Action{
		policy.RetryNewRequest, policy.RetryNewRequest, policy.RetryNewOrder, policy.RetryNewOrder, policy.RetrySame,
		policy.RetrySame, policy.MarkFailed, policy.MarkSucceeded, policy.QueryStatus, policy.Escalate,
	})
	schedules = rapid.SampledFrom([]*policy.Schedule{
		nil,
		{Name: "short", Intervals: []time.Duration{time.Second, 20 * time.Second}, RandomizationFactor: 0.5},
		{Name: "long", Intervals: []time.Duration{time.Minute, 15 * time.Minute}},
	})
	lateness = rapid.SampledFrom([]time.Duration{0, 0, 0, 0, 0, 0, time.Minute, 3 * time.Hour})
	jitters  = rapid.Float64Range(0, 0.999)
)

// driver plays a flow against a world. It is a driver like any other, with bad luck:
// it dies, wakes late, and hands over webhooks at any time.
type driver struct {
	t     *rapid.T
	w     *world
	d     *decider
	state flow.State
	now   time.Time

	adviser flow.Adviser
	inPlace flow.State // state, as the adviser advances it

	call    *call   // under way
	orphans []*call // whose answers the flow waits for no more
	steps   int     // events that no noise explains
	noise   int     // webhooks, crashes, late wakings: bounded, the rest is not
	late    bool    // it woke late at least once

	withdrawnAt int // the sends by then; 0: it was not withdrawn
	history     []version
}

// call is a send or a query, of which an answer may come.
type call struct {
	stage    flow.Stage
	packet   *packet
	answer   policy.Answer // to a query
	deadline time.Time
}

// version is a state that was handed to Step, and what it was then.
type version struct {
	state flow.State
	text  string
}

func newDriver(t *rapid.T, promise func(*policy.Contract)) *driver {
	d := &decider{}
	d.terms.Limits = policy.Limits{
		MaxAttempts: rapid.SampledFrom([]int{4, 3, 2}).Draw(t, "attempts"), MaxQueries: rapid.SampledFrom([]int{6, 4, 2, 1}).Draw(t, "queries"),
		MaxElapsed:    rapid.SampledFrom([]time.Duration{2 * time.Hour, 10 * time.Hour, 5 * time.Minute, time.Minute}).Draw(t, "elapsed"),
		MaxRetryAfter: time.Minute,
	}
	d.terms.Poll = &policy.Schedule{Name: "poll", Intervals: []time.Duration{2 * time.Second, time.Minute}}
	w := newWorld(t, 1200, promise)
	d.terms.Contract = w.contract
	begin := flow.State{Payment: policy.Payment{Provider: "any", Operation: policy.Pay, Amount: w.amount, Currency: "EUR"}}
	return &driver{t: t, w: w, d: d, now: dawn, state: begin, inPlace: begin}
}

// run plays the flow to its end, and a little beyond.
func (r *driver) run() {
	r.step(flow.Start{Moment: r.moment(), OrderID: "o-0", RequestID: "r-0"})
	for r.state.Stage != flow.Ended {
		if r.noise < 8 && rare(r.t, "noise", 2) {
			r.noise++
			r.disturb()
			continue
		}
		r.steps++
		r.proceed()
	}
	r.checkEnd()
	for range rapid.IntRange(0, 3).Draw(r.t, "afterwards") {
		r.disturb()
	}
	r.w.drain()
	r.now = r.w.clock
	r.checkTruth()
	if coin.Draw(r.t, "reconciled") {
		r.reconcile()
		r.checkTruth()
	}
}

func (r *driver) moment() flow.Moment {
	return flow.Moment{At: r.now, Jitter: jitters.Draw(r.t, "jitter")}
}

func (r *driver) pass(to time.Time) {
	if to.After(r.now) {
		r.now = to
	}
	r.w.pass(r.now)
}

// proceed brings what the flow waits for.
func (r *driver) proceed() {
	switch r.state.Stage {
	case flow.Sending:
		a, at := r.w.answer(r.call.packet, r.now, r.call.deadline)
		a.RetryAfter = moments.Draw(r.t, "retry after")
		r.pass(at)
		r.step(flow.Answered{Moment: r.moment(), Answer: a})
	case flow.Querying:
		r.pass(earlier(r.now.Add(moments.Draw(r.t, "query takes")), r.call.deadline))
		r.step(flow.Queried{Moment: r.moment(), Answer: r.call.answer})
	case flow.Waiting:
		r.pass(r.state.Next.At)
		if by := lateness.Draw(r.t, "late"); by > 0 && r.noise < 8 {
			r.noise++
			r.late = true
			r.pass(r.now.Add(by))
		}
		e := flow.Due{Moment: r.moment(), RequestID: r.fresh("r-")}
		if coin.Draw(r.t, "minted") {
			e.OrderID = r.fresh("o-")
		}
		r.step(e)
	default:
	}
}

func (r *driver) fresh(prefix string) string { return prefix + string(rune('0'+r.state.Attempts)) }

// disturb is a webhook, a crash, or the answer of a call that the flow did not wait for.
func (r *driver) disturb() {
	r.pass(r.now.Add(longWaits.Draw(r.t, "meanwhile")))
	stage, call := r.state.Stage, r.call
	switch {
	case rare(r.t, "crash", 2):
		r.step(flow.Resumed{Moment: r.moment()})
	case rare(r.t, "belated", 2):
		r.belated()
		return
	case r.state.Stage != flow.Ended && r.state.Stage != flow.New && rare(r.t, "withdrawn", 3):
		r.withdrawnAt = r.state.Attempts
		r.step(flow.Withdrawn{Moment: r.moment(), Why: "left"})
	default:
		if a, ok := r.w.notice(&r.state); ok {
			r.step(flow.Received{Moment: r.moment(), Answer: a})
		}
	}
	if (stage == flow.Sending || stage == flow.Querying) && r.state.Stage != stage {
		r.orphans = append(r.orphans, call)
	}
}

// belated brings the answer of a call that the flow left behind. An answer of the same
// kind as the one that the flow waits for is the driver's to tell apart.
func (r *driver) belated() {
	if len(r.orphans) == 0 || r.orphans[0].stage == r.state.Stage {
		return
	}
	c := r.orphans[0]
	r.orphans = r.orphans[1:]
	if c.stage == flow.Querying {
		r.step(flow.Queried{Moment: r.moment(), Answer: c.answer})
		return
	}
	a, _ := r.w.answer(c.packet, r.now, r.now)
	r.step(flow.Answered{Moment: r.moment(), Answer: a})
}

// reconcile settles an identity by the truth, when all of it is known.
func (r *driver) reconcile() {
	i := rapid.IntRange(0, len(r.state.Ledger)-1).Draw(r.t, "identity")
	id := &r.state.Ledger[i]
	e := flow.Resolved{Moment: r.moment(), Identity: i, Effect: policy.NotExecuted, Who: "file", Why: "truth"}
	for _, rec := range r.w.records {
		if rec.executes && rec.request == id.RequestID {
			if rec.short {
				return // for a person
			}
			e.Effect = policy.Executed
		}
	}
	r.step(e)
}
