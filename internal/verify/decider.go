package verify

import (
	"fmt"
	"strconv"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// decider asks the real rules. A rule may read what the model does not follow: the hour, the
// message, tags, the length of a wait. Then the decider returns each possible decision in turn.
type decider struct {
	engine        *ruleset.Engine
	looks         *ruleset.Looks
	terms         policy.Terms
	distrust      bool
	unconstrained map[string]bool // variables that the model does not follow

	refusals []policy.Fact // every fact that proves that a request was not executed

	choice  int // index of the option that is taken
	options int // options of the last decision; at least 1

	memo map[string][]policy.Decision
	buf  []byte
}

// Judge implements [policy.Decider].
func (d *decider) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	f := d.engine.Judge(p, a)
	if d.distrust {
		f = distrust(f)
	}
	return f
}

// Terms implements [policy.Decider].
func (d *decider) Terms(*policy.Payment) *policy.Terms { return &d.terms }

// Decide implements [policy.Decider].
func (d *decider) Decide(s *policy.Situation) policy.Decision {
	all := d.possible(s)
	d.options = len(all)
	return all[d.choice]
}

// A wait that ends within the flow's time, and one that does not.
var (
	withinTime = &policy.Schedule{Name: "shortly", Intervals: []time.Duration{time.Nanosecond}}
	afterTime  = &policy.Schedule{Name: "too late", Intervals: []time.Duration{100 * 365 * 24 * time.Hour}}
)

// anyRefusal stands for every fact that proves that a request was not executed.
var anyRefusal = policy.Fact{Effect: policy.NotExecuted, Reach: 255}

// possible returns every decision that the rules can make in a situation.
func (d *decider) possible(s *policy.Situation) []policy.Decision {
	key := d.key(s)
	if all, known := d.memo[key]; known {
		return all
	}
	seen := map[string]bool{}
	var all []policy.Decision
	for _, asked := range d.situations(s) {
		for _, want := range d.engine.Possible(&asked, d.unconstrained) {
			if want.Schedule != nil {
				want.Schedule = withinTime
			}
			if id := fmt.Sprint(want.Rule, want.Source, want.Action); !seen[id] {
				seen[id] = true
				all = append(all, want)
			}
		}
	}
	for _, want := range all {
		if want.Action.Sends() {
			want.Schedule = afterTime // the flow's time may end before the wait
			all = append(all, want)
		}
	}
	d.memo[key] = all
	return all
}

// situations returns the concrete situations that an abstract one stands for.
func (d *decider) situations(s *policy.Situation) []policy.Situation {
	facts := []policy.Fact{s.Fact}
	if s.Fact.Reach == anyRefusal.Reach {
		facts = d.refusals
	}
	var all []policy.Situation
	for _, at := range d.instants(s.At) {
		for _, f := range facts {
			one := *s
			one.At, one.Fact = at, f
			if s.Fact.Effect != policy.NotExecuted {
				one.Fact.Effect, one.Fact.Class = s.Fact.Effect, s.Fact.Class
			}
			all = append(all, one)
		}
	}
	return all
}

// instants returns one instant of each part of the week that the rules distinguish.
func (d *decider) instants(at time.Time) []time.Time {
	if !d.looks.At["hour"] && !d.looks.At["weekday"] {
		return []time.Time{at}
	}
	days, hours := 1, 1
	if d.looks.At["weekday"] {
		days = 7
	}
	if d.looks.At["hour"] {
		hours = 24
	}
	var all []time.Time
	for day := range days {
		for hour := range hours {
			all = append(all, at.Add(time.Duration(24*day+hour)*time.Hour))
		}
	}
	return all
}

// key identifies a situation within one model. Situations with one key get one decision.
func (d *decider) key(s *policy.Situation) string {
	b := d.buf[:0]
	a, f := s.Answer, &s.Fact
	b = append(b, byte(f.Effect), byte(f.Class), byte(f.Stage), byte(f.Reach), byte(f.Final), byte(a.Phase), byte(a.Fault))
	if s.InDoubt {
		b = append(b, 1)
	}
	for _, text := range [...]string{a.Code, a.SubCode, a.Status, a.SubStatus} {
		b = append(append(b, 0), text...)
	}
	b = strconv.AppendInt(append(b, '|'), int64(a.HTTPStatus), 10)
	b = strconv.AppendInt(append(b, '|'), int64(a.RetryAfter), 10)
	if d.unconstrained == nil {
		b = append(b, byte(s.Attempt), byte(s.Queries), byte(s.Queries>>8), byte(cutIndex(d.looks.Cuts["elapsed"], int64(s.Elapsed))))
		for _, c := range s.Fired {
			b = append(append(append(b, '|'), c.Name...), byte(c.N))
		}
	}
	d.buf = b
	return string(b)
}
