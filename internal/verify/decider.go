package verify

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// decider answers for the rules. Of an answer it knows the group, and so every decision that some
// answer of the group can get. It returns each of them in turn.
type decider struct {
	judge   space.Judge // of the catalogue
	tables  []*table    // of several: what any of them decides
	facts   *facts
	looks   *ruleset.Looks
	cuts    *cuts // of the tables, where counts are known
	terms   policy.Terms
	counts  bool    // counts are known, and limit what the rules decide
	tally   *counts // instead of those of the flow; nil: these
	perRule bool    // each rule is followed by itself, and not each action
	plain   bool    // answers that the executor never makes are left out; for stories
	joined  bool    // only what is decided counts, and not by which rule or about which answer

	asked   *answerClass // of the answer that the event brings
	choice  int          // index of the option that is taken
	options int          // options of the last decision; at least 1
	chosen  *chosen
	kind    int32 // of the last decision: those of one kind have the same options; -1: no rule was asked

	memo  map[cellKey]possible
	kinds map[string]int32
	buf   []byte

	standing standing        // how the flow stands when the event comes
	askings  map[asking]bool // what was asked; nil: it is not kept
}

// possible is every decision that the rules can make in a situation.
type possible struct {
	all  []chosen
	kind int32
}

// chosen is one decision, and why it is possible.
type chosen struct {
	decision policy.Decision
	rules    []*policy.Decision // every one with the same action and wait
	option   option
	table    *table
	at       shown
}

// cellKey identifies what the rules are asked. Questions with one key get one decision.
type cellKey struct {
	at     shown
	asked  *answerClass
	counts string
}

// Judge implements [policy.Decider]: it returns what the flow reads in the answer's class. An answer that
// the flow made by itself is judged as it is.
func (d *decider) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	if a.Fault != d.asked.answer.Fault {
		return readByFlow(d.judge(p, a))
	}
	return d.asked.fact
}

// Terms implements [policy.Decider].
func (d *decider) Terms(*policy.Payment) *policy.Terms { return &d.terms }

// Decide implements [policy.Decider].
func (d *decider) Decide(s *policy.Situation) policy.Decision {
	p := d.possible(s)
	d.options, d.kind = len(p.all), p.kind
	d.chosen = &p.all[d.choice]
	return d.chosen.decision
}

// A wait that ends within the flow's time, and one that does not.
var (
	withinTime = &policy.Schedule{Name: "shortly", Intervals: []time.Duration{time.Nanosecond}}
	afterTime  = &policy.Schedule{Name: "too late", Intervals: []time.Duration{100 * 365 * 24 * time.Hour}}
)

// possible returns every decision that the rules can make in a situation.
func (d *decider) possible(s *policy.Situation) possible {
	key := cellKey{at: shown{s.Answer.Phase, s.Fact, s.InDoubt}, asked: d.asked}
	key.at.fact.Basis = 0
	if d.askings != nil {
		d.askings[asking{d.standing, key.at, d.asked}] = true
	}
	var c *counts
	if d.counts {
		c = &counts{int64(s.Attempt), int64(s.Queries), int64(s.Elapsed), s.Fired}
		if d.tally != nil {
			c.attempt, c.queries, c.elapsed = d.tally.attempt, d.tally.queries, d.tally.elapsed
		}
		key.counts = d.countsKey(c)
	}
	if p, known := d.memo[key]; known {
		return p
	}
	all := d.collect(&key, c)
	if d.plain {
		all = withoutOdd(all)
	}
	for _, want := range all {
		if want.decision.Action.Sends() {
			want.decision.Schedule = afterTime // the flow's time may end before the wait
			all = append(all, want)
		}
	}
	p := possible{all, d.kindOf(all)}
	d.memo[key] = p
	return p
}

// kindOf numbers lists of decisions that the flow cannot tell apart.
func (d *decider) kindOf(all []chosen) int32 {
	var b []byte
	for i := range all {
		c := &all[i]
		b = append(b, byte(c.decision.Action), 'n')
		if c.decision.Schedule != nil {
			b[len(b)-1] = c.decision.Schedule.Name[0]
		}
		if d.counts || d.perRule {
			b = append(append(append(append(b, c.decision.Rule...), 0), c.decision.Source...), 0)
		}
	}
	at, known := d.kinds[string(b)]
	if !known {
		at = int32(len(d.kinds))
		d.kinds[string(b)] = at
	}
	return at
}

// withoutOdd leaves out the decisions about answers that the executor never makes, unless there are
// no others.
func withoutOdd(all []chosen) []chosen {
	var plain []chosen
	for i := range all {
		if oddity(all[i].option.witness) < odd {
			plain = append(plain, all[i])
		}
	}
	if len(plain) == 0 {
		return all
	}
	return plain
}

// collect returns every decision that an answer of a class can get from any of the tables.
func (d *decider) collect(key *cellKey, c *counts) (all []chosen) {
	seen := uint32(0) // bits of the decisions
	type question struct {
		book  *book
		group int
	}
	asked := map[question]bool{}
	for _, j := range key.asked.groups {
		for _, f := range d.facts.shownFor(&key.at, d.facts.groups[key.at.phase][j].fact) {
			at := shown{key.at.phase, f, key.at.doubt}
			for _, t := range d.tables {
				b := t.book(&at)
				if asked[question{b, j}] {
					continue
				}
				asked[question{b, j}] = true
				if d.joined {
					all = d.joinBits(all, &seen, t.decisions(at.phase, b, j), t, &at)
					continue
				}
				options := t.of(at.phase, b, j)
				if c != nil {
					options = t.counted(at.phase, b, j, c)
				}
				for _, o := range options {
					all = d.join(all, chosen{decision: *o.decision, rules: []*policy.Decision{o.decision}, option: o, table: t, at: at})
				}
			}
		}
	}
	return all
}

// joinBits adds decisions to a list that come to something new.
func (d *decider) joinBits(all []chosen, seen *uint32, decisions []*policy.Decision, t *table, at *shown) []chosen {
	for _, one := range decisions {
		o := option{decision: one}
		if *seen&o.bit() == 0 {
			*seen |= o.bit()
			all = d.join(all, chosen{decision: *one, rules: []*policy.Decision{one}, option: o, table: t, at: *at})
		}
	}
	return all
}

// join adds a decision to a list, or its rule to the decision that comes to the same.
func (d *decider) join(all []chosen, one chosen) []chosen {
	if one.decision.Schedule != nil {
		one.decision.Schedule = withinTime
	}
	i := slices.IndexFunc(all, func(c chosen) bool {
		return c.option.bit() == one.option.bit() && (!d.perRule || c.decision.Source == one.decision.Source)
	})
	if i < 0 {
		return append(all, one)
	}
	if oddity(one.option.witness) < oddity(all[i].option.witness) {
		one.rules = all[i].rules // the plainer answer makes the better story
		all[i] = one
	}
	if !slices.ContainsFunc(all[i].rules, func(r *policy.Decision) bool { return r.Source == one.decision.Source }) {
		all[i].rules = append(all[i].rules, one.rules...)
	}
	return all
}

// bit is an action, and whether it waits first.
func (o *option) bit() uint32 {
	bit := uint32(1) << (2 * o.decision.Action)
	if o.decision.Schedule != nil {
		bit <<= 1
	}
	return bit
}

// includes reports whether a table decides nothing that the decider did not decide too, wherever
// the decider was asked.
func (d *decider) includes(t *table) bool {
	other := &decider{facts: d.facts, tables: []*table{t}, joined: true}
	for key, mine := range d.memo {
		var bits uint32
		for i := range mine.all {
			bits |= mine.all[i].option.bit()
		}
		for _, theirs := range other.collect(&key, nil) {
			if theirs.option.bit()&^bits != 0 {
				return false
			}
		}
	}
	return true
}

// countsKey identifies what the rules can distinguish in the counts.
func (d *decider) countsKey(of *counts) string {
	b := append(d.buf[:0], byte(of.attempt), byte(of.queries), byte(of.queries>>8), byte(cutIndex(d.cuts.elapsed, of.elapsed)))
	for _, c := range of.fired {
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
