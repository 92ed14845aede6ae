package outage

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Report is what the outages of one provider do to its flows. Amounts are in ISO 4217 minor units.
type Report struct {
	Provider string   `json:"provider"`
	Windows  []Window `json:"windows"` // in the order of time
	Flows    int      `json:"flows"`   // that are played: those around the outage
	Met      int      `json:"met"`     // of them, those that called in the outage
	From     string   `json:"from"`    // of the calls before the outage that are counted: not before the provider's first call in the recording
	To       string   `json:"to"`      // of those after it: not after its last

	Without Side `json:"without"` // the same flows with the same rules, and no outage
	Lost    Side `json:"lost"`    // as if no call that got no answer had arrived
	Arrived Side `json:"arrived"` // as if each had

	Money    []Money  `json:"money"` // by currency
	Timeline Timeline `json:"timeline"`
}

// Window is one outage.
type Window struct {
	Operation string    `json:"operation"` // *: all
	Fault     Fault     `json:"fault"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
}

// Side is one way in which it may go.
type Side struct {
	Sends         int      `json:"sends"`
	Queries       int      `json:"queries"`
	Before        Rate     `json:"before"` // calls a second
	During        Rate     `json:"during"`
	After         Rate     `json:"after"`
	Amplification float64  `json:"amplification"` // of the calls from the outage's begin on: times those without it
	DrainMS       int64    `json:"drain_ms"`      // from the end of the last outage that a flow met until it is over: of all but one in a hundred
	LastMS        int64    `json:"last_ms"`       // of all
	Delayed       delays   `json:"delayed"`
	Ends          ends     `json:"ends"`
	Otherwise     []change `json:"otherwise"` // flows that end otherwise than without the outage
	Harms         harms    `json:"harms"`
}

// Rate is calls a second.
type Rate struct {
	Mean float64 `json:"mean"`
	Peak int     `json:"peak"` // in the busiest second
}

type ends struct {
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Escalated int `json:"escalated"`
	Open      int `json:"open"`
	Refused   int `json:"refused"` // not started: an earlier flow of the payment key has not failed
}

type change struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Flows   int    `json:"count"`
	Example string `json:"example"` // the earliest
}

// harms counts flows, by what the emulated provider executed.
type harms struct {
	ExecutedTwice              int `json:"executed_twice"`
	FailedThoughExecuted       int `json:"failed_though_executed"`
	SucceededThoughNotExecuted int `json:"succeeded_though_not_executed"`
}

// Money is the amounts of one currency: without the outage, and what they are at least and at most with it. A flow of which
// both ways say the same is in both bounds.
type Money struct {
	Currency      string `json:"currency"`
	Volume        int64  `json:"volume"`
	Succeeded     Bound  `json:"succeeded"`
	Failed        Bound  `json:"failed"`
	Escalated     Bound  `json:"escalated"`
	Open          Bound  `json:"open"`
	Refused       Bound  `json:"refused"`
	ExecutedTwice Bound  `json:"executed_twice"`
}

// Bound is an amount without the outage, and its least and most with it.
type Bound struct {
	Without int64 `json:"without"`
	Least   int64 `json:"least"`
	Most    int64 `json:"most"`
}

// Timeline is calls in steps of time.
type Timeline struct {
	StepS  int64   `json:"step_s"`
	Points []Point `json:"points"`
}

// Point is the calls of one step.
type Point struct {
	At      time.Time `json:"at"`
	Without int       `json:"without"`
	Lost    int       `json:"lost"`
	Arrived int       `json:"arrived"`
}

// Holds reports whether no payment comes to harm, whatever becomes of the calls.
func (r *Report) Holds() bool { return r.Lost.Harms == harms{} && r.Arrived.Harms == harms{} }

// MaxFlows bounds the flows around the outages of a provider, which are held in memory.
const MaxFlows = 200_000

// Recorded is from when until when the recording has calls of a provider.
type Recorded struct{ From, To time.Time }

// Play plays the flows of a provider through its outages, each of which has a time. catalog finds the catalogue of a payment.
func Play(d policy.Decider, catalog func(*policy.Payment) (*providers.Catalog, error), of Recorded, windows []Spec, flows []Flow) (*Report, error) {
	if len(flows) > MaxFlows {
		return nil, fmt.Errorf("%d flows lie around the outage of %s; at most %d can be played", len(flows), windows[0].Provider, MaxFlows)
	}
	if len(windows) == 0 || len(flows) == 0 {
		return nil, errors.New("an outage needs flows")
	}
	slices.SortFunc(flows, func(a, b Flow) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Payment.Merchant, b.Payment.Merchant), strings.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(windows, func(a, b Spec) int { return a.From.Compare(b.From) })
	s := spanOf(windows)
	r := &Report{
		Provider: windows[0].Provider, Flows: len(flows), Windows: []Window{},
		From: later(s.before, of.From).Format(time.RFC3339), To: earlier(s.after, of.To).Format(time.RFC3339),
	}
	for i := range windows {
		w := &windows[i]
		op := "*"
		if !w.All {
			op = w.Operation.String()
		}
		r.Windows = append(r.Windows, Window{op, w.Fault, w.From, w.to()})
	}
	var plays [worlds]*play
	for w := range worlds {
		plays[w] = &play{d: d, catalog: catalog, windows: windows, world: w, flows: flows}
		plays[w].run()
	}
	for i := range flows {
		if !plays[lost].runs[i].met.IsZero() || !plays[arrived].runs[i].met.IsZero() {
			r.Met++
		}
	}
	for w, side := range []*Side{&r.Without, &r.Lost, &r.Arrived} {
		*side = plays[w].side(&s, &of, plays[without])
	}
	r.Money, r.Timeline = moneyOf(&plays), timelineOf(&s, &plays)
	return r, nil
}

// span is the outages of one provider, and the time around them in which calls are counted.
type span struct{ before, from, to, after time.Time }

// spanOf counts calls where the flows of one outage or another are taken, from before the first and until after the last: elsewhere there are none.
func spanOf(windows []Spec) span {
	first := &windows[0] // in the order of time
	s := span{first.From.Add(-first.Margin()), first.From, first.to(), first.to().Add(first.Margin())}
	for i := range windows {
		w := &windows[i]
		s.to, s.after = later(s.to, w.to()), later(s.after, w.to().Add(w.Margin()))
		if early := w.From.Add(-w.Margin()); early.Before(s.before) {
			s.before = early
		}
	}
	return s
}

func (p *play) side(s *span, of *Recorded, base *play) Side {
	side := Side{
		Sends: p.sends, Queries: p.queries, Before: p.rate(of, stretch{s.before, s.from}), During: p.rate(of, p.within()...), After: p.rate(of, stretch{s.to, s.after}),
		Delayed: p.delays, Otherwise: []change{},
	}
	if n := base.from(s.from); n > 0 {
		side.Amplification = float64(p.from(s.from)) / float64(n)
	}
	var over []int64
	changed := map[[2]string]*change{}
	for i := range p.runs {
		r := &p.runs[i]
		was, is := base.runs[i].how(), r.how()
		side.Ends.count(r)
		side.Harms.count(r)
		if !r.met.IsZero() { // each is over, at the limit of its rules at the latest
			over = append(over, max(0, r.ended.Sub(r.met).Milliseconds()))
		}
		if was == is {
			continue
		}
		key := [2]string{was, is}
		if changed[key] == nil {
			changed[key] = &change{From: key[0], To: key[1], Example: r.f.Name}
		}
		changed[key].Flows++
	}
	if slices.Sort(over); len(over) > 0 {
		side.DrainMS, side.LastMS = over[allButOneInAHundred(len(over))], over[len(over)-1]
	}
	for _, key := range slices.SortedFunc(maps.Keys(changed), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		side.Otherwise = append(side.Otherwise, *changed[key])
	}
	return side
}

// allButOneInAHundred is the last place of n that is not among the last hundredth.
func allButOneInAHundred(n int) int { return n - n/100 - 1 }

// how is the name of a flow's end; one that waits for what does not come is open.
func (r *run) how() string {
	if r.refused {
		return "refused"
	}
	return r.s.Outcome.String()
}

func (e *ends) count(r *run) {
	if r.refused {
		e.Refused++
		return
	}
	switch r.s.Outcome {
	case policy.Succeeded:
		e.Succeeded++
	case policy.Failed:
		e.Failed++
	case policy.Escalated:
		e.Escalated++
	case policy.Open:
		e.Open++
	}
}

// executions is how often the emulated provider executed a flow.
func (r *run) executions() int {
	if r.provider == nil {
		return 0
	}
	return len(r.provider.Ledger(farAway))
}

var farAway = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (h *harms) count(r *run) {
	n := r.executions()
	if n > 1 {
		h.ExecutedTwice++
	}
	if r.s.Outcome == policy.Failed && n > 0 {
		h.FailedThoughExecuted++
	}
	if r.s.Outcome == policy.Succeeded && n == 0 && r.provider != nil {
		h.SucceededThoughNotExecuted++
	}
}

// stretch is some time.
type stretch struct{ from, to time.Time }

// rate is the calls a second in some stretches that do not overlap, as far as the recording reaches: in whole seconds.
func (p *play) rate(of *Recorded, all ...stretch) (r Rate) {
	total, seconds := 0, int64(0)
	for _, s := range all {
		from, to := later(s.from, of.From).Unix(), earlier(s.to, of.To.Add(time.Second)).Unix()
		seconds += max(0, to-from)
		for second, n := range p.calls {
			if second >= from && second < to {
				total += n
				r.Peak = max(r.Peak, n)
			}
		}
	}
	r.Mean = float64(total) / float64(max(1, seconds))
	return r
}

// within is the time of the outages themselves.
func (p *play) within() (all []stretch) {
	until := time.Time{}
	for i := range p.windows { // in the order of time
		w := &p.windows[i]
		if from := later(w.From, until); w.to().After(from) {
			all = append(all, stretch{from, w.to()})
			until = w.to()
		}
	}
	return all
}

// from is how many calls were made from a time on.
func (p *play) from(at time.Time) int {
	total := 0
	for second, n := range p.calls {
		if second >= at.Unix() {
			total += n
		}
	}
	return total
}

func moneyOf(plays *[worlds]*play) []Money {
	all := map[string]*Money{}
	for i := range plays[without].runs {
		a, b, c := &plays[without].runs[i], &plays[lost].runs[i], &plays[arrived].runs[i]
		p := &a.f.Payment
		m := all[p.Currency]
		if m == nil {
			m = &Money{Currency: p.Currency}
			all[p.Currency] = m
		}
		m.Volume += p.Amount
		for end, bound := range map[string]*Bound{"succeeded": &m.Succeeded, "failed": &m.Failed, "escalated": &m.Escalated, "open": &m.Open, "refused": &m.Refused} {
			bound.add(p.Amount, a.how() == end, b.how() == end, c.how() == end)
		}
		m.ExecutedTwice.add(p.Amount, a.executions() > 1, b.executions() > 1, c.executions() > 1)
	}
	list := []Money{}
	for _, currency := range slices.Sorted(maps.Keys(all)) {
		list = append(list, *all[currency])
	}
	return list
}

func (b *Bound) add(amount int64, without, lost, arrived bool) {
	if without {
		b.Without += amount
	}
	if lost && arrived {
		b.Least += amount
	}
	if lost || arrived {
		b.Most += amount
	}
}

// mostPoints bounds a timeline.
const mostPoints = 300

// timelineOf counts calls in steps of as many seconds as make at most mostPoints of them.
func timelineOf(s *span, plays *[worlds]*play) Timeline {
	begin, end := s.before.Unix(), s.after.Unix()
	t := Timeline{StepS: max(1, (end-begin+mostPoints-1)/mostPoints)}
	for at := begin; at < end; at += t.StepS {
		t.Points = append(t.Points, Point{At: time.Unix(at, 0).UTC()})
	}
	for w, p := range plays {
		for second, n := range p.calls {
			if second < begin || second >= end {
				continue
			}
			point := &t.Points[(second-begin)/t.StepS]
			*[]*int{&point.Without, &point.Lost, &point.Arrived}[w] += n
		}
	}
	return t
}
