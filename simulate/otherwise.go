package simulate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// changedDecision is flows that meet a situation, with the rules of Options.Against, in which the rules of
// Options.Decider decide otherwise. A flow counts once in each.
type changedDecision struct {
	Name     string   `json:"name"` // as `recourse diff` names the change: PROVIDER/RULE->RULE
	Provider string   `json:"provider"`
	Before   decided  `json:"before"`
	After    decided  `json:"after"`
	Flows    int64    `json:"count"`
	Money    []amount `json:"money"` // their payments
	Example  string   `json:"example"`
}

// decided is what one of the rule sets decides.
type decided struct {
	Action   policy.Action `json:"action"`
	Rule     string        `json:"rule,omitempty"` // empty: no rule holds
	Schedule string        `json:"schedule,omitempty"`
	Waits    string        `json:"waits,omitempty"`
}

func decidedBy(d *policy.Decision) decided {
	x := decided{Action: d.Action, Rule: d.Rule}
	if d.Schedule != nil {
		x.Schedule, x.Waits = d.Schedule.Name, d.Schedule.String()
	}
	return x
}

// pair is a situation's decision before and after.
type pair struct {
	provider      string
	before, after decided
}

func (p *pair) name() string {
	rule := func(d *decided) string { return cmp.Or(d.Rule, "none") }
	return p.provider + "/" + rule(&p.before) + "->" + rule(&p.after)
}

// comparing decides with the rules of Options.Against and asks those of Options.Decider beside them. It is for
// one goroutine.
type comparing struct {
	policy.Decider
	after policy.Decider
	flow  *record
	seen  []pair // by that flow
	met   map[pair]*metBy
}

type metBy struct {
	flows example
	money weight
}

// begin says whose decisions follow.
func (c *comparing) begin(r *record) { c.flow, c.seen = r, c.seen[:0] }

// Decide decides as before, and notes where that changes.
func (c *comparing) Decide(s *policy.Situation) policy.Decision {
	before := c.Decider.Decide(s)
	after := c.after.Decide(s)
	if before.Action == after.Action && before.Rule == after.Rule && before.Schedule == after.Schedule {
		return before // most decisions, at the cost of no text
	}
	p := pair{s.Payment.Provider, decidedBy(&before), decidedBy(&after)}
	if p.before != p.after && !slices.Contains(c.seen, p) {
		c.seen = append(c.seen, p)
		m := at(c.met, p)
		m.flows.count(c.flow)
		m.money.add(1, c.flow.payment.Currency, c.flow.payment.Amount)
	}
	return before
}

func joinMet(to, from map[pair]*metBy) {
	for p, m := range from {
		mine := at(to, p)
		mine.flows.join(&m.flows)
		mine.money.join(&m.money)
	}
}

func changedDecisions(met map[pair]*metBy) []changedDecision {
	list := []changedDecision{}
	for p, m := range met {
		list = append(list, changedDecision{p.name(), p.provider, p.before, p.after, m.money.flows, amountsOf(m.money.money), m.flows.flow})
	}
	slices.SortFunc(list, func(a, b changedDecision) int {
		return cmp.Or(cmp.Compare(b.Flows, a.Flows), strings.Compare(a.Name, b.Name), cmp.Compare(a.Before.Action, b.Before.Action), cmp.Compare(a.After.Action, b.After.Action),
			strings.Compare(a.Before.Schedule+a.Before.Waits, b.Before.Schedule+b.Before.Waits), strings.Compare(a.After.Schedule+a.After.Waits, b.After.Schedule+b.After.Waits))
	})
	return list
}
