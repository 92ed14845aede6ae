package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// describe writes down what the verdict depends on: assumptions, opaque conditions and facts.
func (j *job) describe(e *ruleset.Engine, p *Product) {
	c := &e.Terms(&j.payment).Contract
	p.Assumptions = assumptions(c)
	for _, o := range j.looks.Opaque {
		p.Opaque = append(p.Opaque, fmt.Sprintf("%s (%s, %s)", o.Text, o.Rule, o.Source))
	}
	cat, err := e.Catalog(&j.payment)
	if err != nil {
		return
	}
	p.Covered.Codes = listedWords(cat)
	for _, r := range slices.Concat(cat.Codes, cat.Statuses, cat.Fallbacks) {
		for _, f := range r.Facts {
			if f.Operation != j.payment.Operation || f.Effect == policy.Unknown {
				continue
			}
			p.Covered.Facts++
			if f.Basis == policy.Inferred {
				p.Covered.Inferred++
			}
		}
	}
}

// assumptions lists what the model assumes of the provider.
func assumptions(c *policy.Contract) []string {
	all := []string{"an answer's facts, as the catalogue has them, are true"}
	relied := len(c.Dedupe) > 0 && c.DedupeWindow > 0 && (c.Replay == policy.FirstResult || c.Replay == policy.Rejected)
	switch {
	case relied && c.ArrivalGrace <= 0:
		all = append(all, "nothing: a request that is repeated may be executed again (the dedupe window says nothing without an arrival_grace)")
	case relied:
		names := make([]string, len(c.Dedupe))
		for i, id := range c.Dedupe {
			names[i] = string(id)
		}
		all = append(all, fmt.Sprintf("a second request with the same %s is not executed for %s (dedupe; a repeat gets %s)",
			strings.Join(names, " or "), short(c.DedupeWindow), c.Replay))
	default:
		all = append(all, "nothing: a request that is repeated may be executed again (no dedupe window is declared)")
	}
	if c.ArrivalGrace > 0 {
		all = append(all, fmt.Sprintf("a request arrives within %s of its deadline or never (arrival_grace)", short(c.ArrivalGrace)))
	} else {
		all = append(all, "nothing: a request may arrive however late (no arrival_grace is declared)")
	}
	if c.NotFoundAfter > 0 {
		all = append(all, fmt.Sprintf("a query finds what arrived, %s after the last send (not_found_after)", short(c.NotFoundAfter)))
	} else {
		all = append(all, "nothing: \"not found\" is never a proof (no not_found_after is declared)")
	}
	return append(all,
		"a webhook whose signature was verified is the provider's; it may come late, twice, and in any order",
		"one flow at a time is open for a payment key, and a flow's row is stored before it sends (the journal)",
		"a process that was paused does not send after its deadline",
	)
}
