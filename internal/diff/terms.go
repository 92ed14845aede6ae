package diff

import (
	"fmt"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// termsOf compares the limits and the contract of one merchant at one provider.
func (d *differ) termsOf(p, m string, ops []policy.Operation) {
	for _, op := range ops {
		a, b := space.Terms(d.base, p, m, op), space.Terms(d.after, p, m, op)
		report := func(what string, risk Risk, before, after any) {
			if x, y := fmt.Sprint(before), fmt.Sprint(after); x != y {
				d.term(risk, p, op.String(), m, what, x, y)
			}
		}
		la, lb := &a.Limits, &b.Limits
		report("limits.max_attempts", more(la.MaxAttempts, lb.MaxAttempts), la.MaxAttempts, lb.MaxAttempts)
		report("limits.max_queries", Other, la.MaxQueries, lb.MaxQueries)
		report("limits.max_elapsed", Other, la.MaxElapsed, lb.MaxElapsed)
		report("limits.max_retry_after", Other, la.MaxRetryAfter, lb.MaxRetryAfter)
		d.contract(&a.Contract, &b.Contract, report)
		if !sameSchedule(a.Poll, b.Poll) {
			report("schedule.poll", Other, written(a.Poll), written(b.Poll))
		}
	}
	if x, y := d.base.Effective(p, m).Zone.String(), d.after.Effective(p, m).Zone.String(); x != y {
		d.term(Other, p, "", m, "timezone", x, y)
	}
}

// contract compares what the engine relies on: relying on more is riskier.
func (d *differ) contract(a, b *policy.Contract, report func(what string, risk Risk, before, after any)) {
	report("contract.dedupe", more(len(a.Dedupe), len(b.Dedupe)), a.Dedupe, b.Dedupe)
	report("contract.dedupe_window", more(a.DedupeWindow, b.DedupeWindow), a.DedupeWindow, b.DedupeWindow)
	report("contract.replay", more(relied(a.Replay), relied(b.Replay)), a.Replay, b.Replay)
	report("contract.replay_codes", Other, a.ReplayCodes, b.ReplayCodes)
	report("contract.query_by", Other, a.QueryBy, b.QueryBy)
	report("contract.webhook", Other, a.Webhook, b.Webhook)
	report("contract.arrival_grace", sooner(a.ArrivalGrace, b.ArrivalGrace), a.ArrivalGrace, b.ArrivalGrace)
	report("contract.not_found_after", sooner(a.NotFoundAfter, b.NotFoundAfter), a.NotFoundAfter, b.NotFoundAfter)
	report("contract.link_expiry", Other, a.LinkExpiry, b.LinkExpiry)
	report("contract.timeout", Other, a.Timeout, b.Timeout)
	report("contract.same_provider_id", Other, a.SameProviderID, b.SameProviderID)
}

func more[N int | time.Duration](a, b N) Risk {
	if b > a {
		return Riskier
	}
	return Safer
}

// sooner is for a time after which an answer counts as proof; 0 means never.
func sooner(a, b time.Duration) Risk {
	if b != 0 && (a == 0 || b < a) {
		return Riskier
	}
	return Safer
}

// relied orders replays by how much they allow a repeat in doubt to prove.
func relied(r policy.Replay) int {
	switch r {
	case policy.FirstResult:
		return 2 // refusals of a repeat count as proof as well
	case policy.Rejected:
		return 1
	case policy.ExecutedAgain:
	}
	return 0
}

func written(s *policy.Schedule) string {
	if s == nil {
		return "none"
	}
	text := s.String()
	if s.RandomizationFactor != 0 {
		text += fmt.Sprintf(" (randomization_factor %g)", s.RandomizationFactor)
	}
	return text
}

// term adds a change of a term, or adds the operation to a change that is known.
func (d *differ) term(risk Risk, p, op, m, what, before, after string) {
	key := strings.Join([]string{p, m, what, before, after}, "\x00")
	if t := d.terms[key]; t != nil {
		t.Operations = append(t.Operations, op)
		return
	}
	name := p + "/" + what
	t := &Term{Name: name, Risk: risk, Provider: p, Merchants: []string{m}, What: what, Before: before, After: after}
	if op != "" {
		t.Operations = []string{op}
	}
	d.terms[key] = t
	d.last = append(d.last, key)
}
