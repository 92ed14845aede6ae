package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// decider answers for the rules. Of an answer it knows the group, and so every decision that some
// answer of the group can get. It returns each of them in turn.
type decider struct {
	engine   *ruleset.Engine
	tables   []*table // of several: what any of them decides
	facts    *facts
	looks    *ruleset.Looks
	terms    policy.Terms
	distrust bool
	counts   bool // counts are known, and limit what the rules decide
	perRule  bool // each rule is followed by itself, and not each action

	group   int // of the answer that the event brings; -1: it brings none
	choice  int // index of the option that is taken
	options int // options of the last decision; at least 1
	chosen  *chosen

	unforeseen *shown // something that the rules were shown and that facts does not list

	memo    map[cellKey][]chosen
	numbers map[string]uint32
	buf     []byte
}

// chosen is one decision, and why it is possible.
type chosen struct {
	decision policy.Decision
	rules    []*policy.Decision // every one with the same action and wait
	option   option
	table    *table
	at       shown
	group    int
}

// cellKey identifies what the rules are asked. Questions with one key get one decision.
type cellKey struct {
	at     shown
	group  int
	counts string
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
	d.chosen = &all[d.choice]
	return d.chosen.decision
}

// A wait that ends within the flow's time, and one that does not.
var (
	withinTime = &policy.Schedule{Name: "shortly", Intervals: []time.Duration{time.Nanosecond}}
	afterTime  = &policy.Schedule{Name: "too late", Intervals: []time.Duration{100 * 365 * 24 * time.Hour}}
)

// Values that stand for any fact of a kind. They equal no value that a catalogue has, so that
// nothing is taken for a repetition of it.
const (
	noClass  policy.Class = 255
	anyReach policy.Reach = 255
)

// anyRefusal stands for every fact that proves that a request was not executed.
var anyRefusal = policy.Fact{Effect: policy.NotExecuted, Class: noClass, Reach: anyReach}

// possible returns every decision that the rules can make in a situation.
func (d *decider) possible(s *policy.Situation) []chosen {
	group := d.group
	if group < 0 {
		group = d.facts.lost[s.Answer.Phase] // the flow asks about a call that was left behind
	}
	key := cellKey{at: shown{s.Answer.Phase, s.Fact, s.InDoubt}, group: group}
	key.at.fact.Basis = 0
	if d.counts {
		key.counts = d.countsKey(s)
	}
	if all, known := d.memo[key]; known {
		return all
	}
	var all []chosen
	for _, f := range d.shownFacts(&key.at) {
		k := d.facts.at(key.at.phase, f, key.at.doubt)
		if k < 0 {
			d.unforeseen = &shown{key.at.phase, f, key.at.doubt}
			all = append(all, chosen{decision: policy.Decision{Action: policy.QueryStatus}, at: key.at})
			continue
		}
		all = d.collect(all, k, group, s)
	}
	for _, want := range all {
		if want.decision.Action.Sends() {
			want.decision.Schedule = afterTime // the flow's time may end before the wait
			all = append(all, want)
		}
	}
	d.memo[key] = all
	return all
}

// shownFacts returns the facts that an abstract one stands for.
func (d *decider) shownFacts(at *shown) []policy.Fact {
	if at.fact.Reach != anyReach {
		return []policy.Fact{at.fact}
	}
	all := make([]policy.Fact, len(d.facts.refusals))
	for i, f := range d.facts.refusals {
		if f.Class == policy.NotFound && at.doubt {
			f = conflict(f) // another identity is in doubt: see flow's situation
		}
		all[i] = f
	}
	return all
}

// collect adds the decisions about one fact that were not found before.
func (d *decider) collect(all []chosen, k, group int, s *policy.Situation) []chosen {
	ph := s.Answer.Phase
	for _, t := range d.tables {
		b := t.book(ph, k)
		var options []option
		if d.counts {
			options = t.counted(ph, b, group, &counts{int64(s.Attempt), int64(s.Queries), int64(s.Elapsed), s.Fired})
		} else {
			options = t.of(ph, b, group)
		}
		for _, o := range options {
			one := chosen{decision: *o.decision, rules: []*policy.Decision{o.decision}, option: o, table: t, at: d.facts.shown[ph][k], group: group}
			if one.decision.Schedule != nil {
				one.decision.Schedule = withinTime
			}
			i := slices.IndexFunc(all, func(c chosen) bool {
				same := c.option.bit() == o.bit()
				return same && (!d.perRule || c.decision.Source == one.decision.Source)
			})
			switch {
			case i < 0:
				all = append(all, one)
			case !slices.ContainsFunc(all[i].rules, func(r *policy.Decision) bool { return r.Source == o.decision.Source }):
				all[i].rules = append(all[i].rules, o.decision)
			}
		}
	}
	return all
}

// countsKey identifies what the rules can distinguish in the counts.
func (d *decider) countsKey(s *policy.Situation) string {
	b := append(d.buf[:0], byte(s.Attempt), byte(s.Queries), byte(s.Queries>>8), byte(cutIndex(d.looks.Cuts["elapsed"], int64(s.Elapsed))))
	for _, c := range s.Fired {
		b = append(append(append(b, '|'), c.Name...), byte(c.N))
	}
	d.buf = b
	return string(b)
}

// cutIndex returns how many cuts are at or below a value.
func cutIndex(cuts []int64, v int64) int {
	n, found := slices.BinarySearch(cuts, v)
	if found {
		n++
	}
	return n
}

// witness returns the answer of an event as one that gets the decision which was taken.
func (m *model) witness(a policy.Answer) policy.Answer {
	c := m.decider.chosen
	if c == nil || c.table == nil || len(c.option.witness) == 0 {
		return a
	}
	for n := range space.PointTries {
		sit, ok := m.space.Point(c.option.witness, c.table.zone.Zone, n)
		if !ok {
			continue
		}
		w := sit.Answer
		w.Phase, w.Verified, w.Amount, w.Currency = a.Phase, a.Verified, a.Amount, a.Currency
		w.OrderID, w.RequestID, w.ProviderID = a.OrderID, a.RequestID, a.ProviderID
		if n == 0 {
			a = *w
		}
		p := m.payment
		p.Tags = sit.Payment.Tags
		sit.Payment, sit.Answer, sit.Fact, sit.InDoubt = &p, w, c.at.fact, c.at.doubt
		if m.engine.Decide(&sit).Source == c.decision.Source {
			m.addTags(p.Tags)
			return *w
		}
	}
	return a
}

// addTags gives the payment the tags that a decision needs. A tag that has another value already
// stays: then the replay fails, and the story has no times.
func (m *model) addTags(tags map[string]string) {
	for k, v := range tags {
		if _, has := m.payment.Tags[k]; has {
			continue
		}
		if m.payment.Tags == nil {
			m.payment.Tags = map[string]string{}
		}
		m.payment.Tags[k] = v
	}
}

// foreseen is an error if the rules were shown something that the model does not list.
func (d *decider) foreseen() error {
	if d.unforeseen == nil {
		return nil
	}
	return fmt.Errorf("internal error: the rules were shown %+v, which the model does not list", *d.unforeseen)
}
