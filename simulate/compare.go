package simulate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// direction is how a flow ends differently with other rules, by what that means for money.
type direction uint8

const (
	newlyRisky direction = iota // harm that was not
	newlySafe                   // harm that is no more
	lost                        // was paid, and is not
	recovered                   // was not paid, and is
	moreWork                    // a person has to decide
	lessWork                    // no person has to any more
	unknownNow                  // what becomes of it is not known any more
	knownNow                    // it was not known before
	slower                      // the same end, later or not at all
	faster
	otherwise // another end
	directions
)

func (d direction) String() string {
	return [...]string{
		"newly_risky", "newly_safe", "lost", "recovered", "more_work", "less_work", "newly_unknown", "newly_known", "slower", "faster", "other",
	}[d]
}

// directionNames lists the ways in which a flow may end differently, the riskier first.
func directionNames() []string {
	all := make([]string, directions)
	for d := range directions {
		all[d] = d.String()
	}
	return all
}

// comparison is what changes from the rules of Options.Against to those of Options.Decider.
type comparison struct {
	Simulated Column   `json:"simulated"` // with the rules of Options.Against
	Same      int      `json:"same"`      // flows that end alike, at the same time
	Changes   []change `json:"changes"`   // the riskier first; those that did not happen are not in it

	Decisions []changedDecision `json:"decisions"` // what flows meet that is decided otherwise, the most frequent first
}

// change is the flows that move in one direction.
type change struct {
	Direction string        `json:"direction"`
	Flows     int           `json:"count"`
	Money     []amount      `json:"money"` // their payments
	Examples  []changedFlow `json:"examples"`
}

type amount struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"` // in ISO 4217 minor units
}

// changedFlow is a flow with both stories: Before with the rules of Options.Against.
type changedFlow struct {
	Flow     string         `json:"flow"`
	Payment  policy.Payment `json:"payment"`
	Recorded []StoryLine    `json:"recorded"`
	Before   []StoryLine    `json:"before"`
	After    []StoryLine    `json:"after"`

	at moment
}

// differences adds up changes. Those of several goroutines are joined at the end; the order does not matter.
type differences struct {
	same  int
	count [directions]int
	money [directions]map[string]int64
	flows [directions][]changedFlow
}

// shownChanges is how many examples a direction has: the earliest.
const shownChanges = 3

// compare takes the results of both rule sets for the flows of one payment key.
func (r *runner) compare(before, after []result) {
	executedBefore, executedAfter := 0, 0
	for i := range after {
		b, a := &before[i], &after[i]
		if len(a.r.sends) == 0 {
			continue
		}
		executedBefore += b.simulated.executions
		executedAfter += a.simulated.executions
		d, differ := directionOf(b, a, b.harmed(executedBefore), a.harmed(executedAfter))
		if !differ {
			r.changes.same++
			continue
		}
		a.change = d.String()
		r.changes.add(r, d, b, a)
	}
}

// harmed reports whether a flow did harm; executions is how often its payment key executed by then.
func (r *result) harmed(executions int) bool {
	return wrong(r.r, r.simulated) != "" && r.knowledge == simulated || executions > 1 && r.simulated.executions > 0
}

func directionOf(b, a *result, harmBefore, harmAfter bool) (d direction, differ bool) {
	was, is := b.seen(), a.seen()
	switch {
	case harmAfter && !harmBefore:
		return newlyRisky, true
	case harmBefore && !harmAfter && a.knowledge != unknown:
		return newlySafe, true
	case a.knowledge == unknown && b.knowledge != unknown:
		return unknownNow, true
	case b.knowledge == unknown && a.knowledge != unknown:
		return knownNow, true
	case was == is && b.end.endAt == a.end.endAt:
		return 0, false
	case was == policy.Succeeded && is == policy.Failed:
		return lost, true
	case is == policy.Succeeded && was == policy.Failed:
		return recovered, true
	case is == policy.Escalated && was != is:
		return moreWork, true
	case was == policy.Escalated && was != is:
		return lessWork, true
	case was == is && a.end.endAt > b.end.endAt, is == policy.Open:
		return slower, true
	case was == is, was == policy.Open:
		return faster, true
	}
	return otherwise, true
}

// seen is the end of a flow that is not off the record.
func (r *result) seen() policy.Outcome {
	if r.knowledge == refused {
		return policy.Failed
	}
	return r.end.outcome
}

func (c *differences) add(r *runner, d direction, b, a *result) {
	rec := a.r
	c.count[d]++
	if c.money[d] == nil {
		c.money[d] = map[string]int64{}
	}
	c.money[d][rec.payment.Currency] += rec.payment.Amount
	f := changedFlow{Flow: rec.flow, Payment: rec.payment, at: rec.start()}
	all := c.flows[d]
	if len(all) == shownChanges && all[len(all)-1].compare(&f) <= 0 {
		return
	}
	before, after := r.tell(r.o.Against, b), r.tell(r.o.Decider, a)
	f.Recorded, f.Before, f.After = after.Recorded, before.Simulated, after.Simulated
	c.flows[d] = earliest(append(all, f))
}

func (f *changedFlow) compare(o *changedFlow) int {
	return cmp.Or(cmp.Compare(f.at, o.at), strings.Compare(f.Flow, o.Flow), strings.Compare(f.Payment.Merchant, o.Payment.Merchant))
}

func earliest(all []changedFlow) []changedFlow {
	slices.SortFunc(all, func(a, b changedFlow) int { return a.compare(&b) })
	return all[:min(len(all), shownChanges)]
}

func (c *differences) join(o *differences) {
	c.same += o.same
	for d := range directions {
		c.count[d] += o.count[d]
		for currency, n := range o.money[d] {
			if c.money[d] == nil {
				c.money[d] = map[string]int64{}
			}
			c.money[d][currency] += n
		}
		c.flows[d] = earliest(append(c.flows[d], o.flows[d]...))
	}
}

func (c *differences) report(other *tally) *comparison {
	r := &comparison{Simulated: other.simulated.report(), Same: c.same, Changes: []change{}}
	for d := range directions {
		if c.count[d] == 0 {
			continue
		}
		ch := change{Direction: d.String(), Flows: c.count[d], Money: []amount{}, Examples: c.flows[d]}
		for _, currency := range sorted(c.money[d], strings.Compare) {
			ch.Money = append(ch.Money, amount{currency, c.money[d][currency]})
		}
		r.Changes = append(r.Changes, ch)
	}
	return r
}

// Failed lists the directions of Options.FailOn in which a flow moved.
func (r *Report) Failed() []string { return r.failed }

func (c *comparison) among(on []string) (moved []string) {
	for i := range c.Changes {
		if slices.Contains(on, c.Changes[i].Direction) {
			moved = append(moved, c.Changes[i].Direction)
		}
	}
	return moved
}
