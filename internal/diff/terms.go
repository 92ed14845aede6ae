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
		say := func(what string, risk Risk, before, after any) {
			if x, y := fmt.Sprint(before), fmt.Sprint(after); x != y {
				d.term(risk, p, op.String(), m, what, x, y)
			}
		}
		la, lb := &a.Limits, &b.Limits
		say("limits.max_attempts", more(la.MaxAttempts, lb.MaxAttempts), la.MaxAttempts, lb.MaxAttempts)
		say("limits.max_queries", Other, la.MaxQueries, lb.MaxQueries)
		say("limits.max_elapsed", Other, la.MaxElapsed, lb.MaxElapsed)
		say("limits.max_retry_after", Other, la.MaxRetryAfter, lb.MaxRetryAfter)
		d.contract(&a.Contract, &b.Contract, say)
		if !sameSchedule(a.Poll, b.Poll) {
			say("schedule.poll", Other, written(a.Poll), written(b.Poll))
		}
	}
	if x, y := d.base.Effective(p, m).Zone.String(), d.after.Effective(p, m).Zone.String(); x != y {
		d.term(Other, p, "", m, "timezone", x, y)
	}
}

// contract compares what is relied upon: more of it is riskier.
func (d *differ) contract(a, b *policy.Contract, say func(what string, risk Risk, before, after any)) {
	say("contract.dedupe", more(len(a.Dedupe), len(b.Dedupe)), a.Dedupe, b.Dedupe)
	say("contract.dedupe_window", more(a.DedupeWindow, b.DedupeWindow), a.DedupeWindow, b.DedupeWindow)
	say("contract.replay", more(relied(a.Replay), relied(b.Replay)), a.Replay, b.Replay)
	say("contract.replay_codes", Other, a.ReplayCodes, b.ReplayCodes)
	say("contract.query_by", Other, a.QueryBy, b.QueryBy)
	say("contract.webhook", Other, a.Webhook, b.Webhook)
	say("contract.arrival_grace", sooner(a.ArrivalGrace, b.ArrivalGrace), a.ArrivalGrace, b.ArrivalGrace)
	say("contract.not_found_after", sooner(a.NotFoundAfter, b.NotFoundAfter), a.NotFoundAfter, b.NotFoundAfter)
	say("contract.link_expiry", Other, a.LinkExpiry, b.LinkExpiry)
	say("contract.timeout", Other, a.Timeout, b.Timeout)
}

func more[N int | time.Duration](a, b N) Risk {
	if b > a {
		return Riskier
	}
	return Safer
}

// sooner is of a time after which something is believed; 0 is never.
func sooner(a, b time.Duration) Risk {
	if b != 0 && (a == 0 || b < a) {
		return Riskier
	}
	return Safer
}

// relied is how much a replay lets a repeat in doubt do.
func relied(r policy.Replay) int {
	switch r {
	case policy.FirstResult:
		return 2 // its refusals are believed as well
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

// term notes a change, for one more merchant or operation.
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
