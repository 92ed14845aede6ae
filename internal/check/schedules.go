package check

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// schedules reports rules whose waits and counts exceed what the flow, the provider or a card
// scheme allows.
func (c *checker) schedules(ctx context.Context) error {
	rows, err := Ceilings()
	if err != nil {
		return err
	}
	found := make([][]Finding, len(c.rules))
	each(len(c.rules), func(i int) {
		if r := c.rules[i]; ctx.Err() == nil && slices.ContainsFunc(r.seen, func(f outcome) bool { return f.state == live }) {
			found[i] = c.timing(r, rows)
		}
	})
	for _, f := range found {
		c.report.Findings = append(c.report.Findings, f...)
	}
	c.links()
	return ctx.Err()
}

// links reports flows that end while the shopper can still pay their link.
func (c *checker) links() {
	for _, l := range c.lists() {
		terms := space.Terms(c.e, l.provider, l.merchant, policy.Checkout)
		file := c.e.Rules.Merchants[l.merchant]
		if file == nil || terms.Limits.MaxElapsed >= terms.Contract.LinkExpiry {
			continue
		}
		c.report.add(Finding{Kind: Window, Severity: Note, Place: Place{File: file.Name}, Providers: []string{l.provider}, Merchants: []string{l.merchant},
			Message: fmt.Sprintf("max_elapsed ends a checkout after %s, and a link of %s can be paid for %s: what is paid later is reported as a contradiction", terms.Limits.MaxElapsed, l.provider, terms.Contract.LinkExpiry)})
	}
}

// use is a rule where it can decide: at one provider, for one operation.
type use struct {
	provider, merchant string
	op                 policy.Operation
	at                 region.Region
	terms              *policy.Terms
	schedule           *policy.Schedule
	resends            int // the most that the limits and the rule's own count allow
}

func (u *use) String() string { return u.provider + " " + u.op.String() }

// uses lists where a rule can decide.
func (c *checker) uses(r *checkedRule) []use {
	var all []use
	providers, merchant := c.home(r)
	for _, p := range providers {
		cat, err := c.e.Catalogs.Get(p)
		b := c.book(p, merchant)
		i := slices.IndexFunc(b.Rulings, func(x rulingOf) bool { return x.Rule == r.Rule })
		if err != nil || i < 0 {
			continue
		}
		for _, op := range cat.Operations {
			here, err := c.s.Algebra.And(b.Rules[i].Region, region.Region{{{Dim: space.Operation, Set: space.Bit(op)}}})
			if err != nil || c.occurs(p, here) == nil {
				continue
			}
			u := use{provider: p, merchant: merchant, op: op, at: here, terms: space.Terms(c.e, p, merchant, op), schedule: b.Rulings[i].Decision.Schedule}
			u.resends = u.terms.Limits.MaxAttempts - 1
			if most := c.highest(here, "fired", r.ID); most < int64(u.resends) {
				u.resends = int(most) + 1
			}
			all = append(all, u)
		}
	}
	return all
}

// highest returns the greatest value that a region allows for a variable.
func (c *checker) highest(r region.Region, name, rule string) int64 {
	d, ok := c.s.Dim(name, rule)
	if !ok {
		return math.MaxInt64
	}
	most := int64(-1)
	for _, b := range r {
		set, limited := b.Of(d).(region.Ints)
		if !limited {
			return math.MaxInt64
		}
		most = max(most, set[len(set)-1].Hi)
	}
	return most
}

// lowest returns the least value that a region allows for a variable.
func (c *checker) lowest(r region.Region, d region.Dim) int64 {
	least := int64(math.MaxInt64)
	for _, b := range r {
		set, limited := b.Of(d).(region.Ints)
		if !limited {
			return math.MinInt64
		}
		least = min(least, set[0].Lo)
	}
	return least
}

func (c *checker) timing(r *checkedRule, rows []CeilingRow) (found []Finding) {
	uses := c.uses(r)
	if len(uses) == 0 {
		return nil
	}
	report := func(k Kind, s Severity, format string, args ...any) {
		found = append(found, Finding{Kind: k, Severity: c.severityFor(r.file, s), Place: r.place(0), Message: "rule " + quote(r.ID) + ": " + fmt.Sprintf(format, args...)})
	}
	c.counts(uses, report)
	if r.Then.Sends() {
		c.resends(uses, report)
		c.schemes(uses, rows, report)
	}
	if r.Then == policy.RetrySame {
		c.windows(uses, report)
	}
	if s := uses[0].schedule; s != nil && (r.Then.Sends() || r.Then == policy.QueryStatus) {
		c.waits(r, uses, s, report)
	}
	return found
}

type reporter func(k Kind, s Severity, format string, args ...any)

// counts reports conditions on counts that no flow reaches within its limits.
func (c *checker) counts(uses []use, report reporter) {
	for _, v := range []struct {
		d     region.Dim
		what  string
		limit func(*policy.Limits) int
	}{
		{space.Attempt, "attempt", func(l *policy.Limits) int { return l.MaxAttempts }},
		{space.Queries, "queries", func(l *policy.Limits) int { return l.MaxQueries }},
	} {
		most := 0
		for i := range uses {
			most = max(most, v.limit(&uses[i].terms.Limits))
		}
		least := int64(math.MaxInt64)
		for i := range uses {
			least = min(least, c.lowest(uses[i].at, v.d))
		}
		if least > int64(most) {
			report(Limits, Warning, "it waits for %s %d, and max_%s ends a flow at %d", v.what, least, strings.TrimSuffix(v.what, "s")+"s", most)
		}
	}
}

// resends reports a retry where max_attempts allows none.
func (c *checker) resends(uses []use, report reporter) {
	if !slices.ContainsFunc(uses, func(u use) bool { return u.terms.Limits.MaxAttempts > 1 }) {
		report(Limits, Warning, "it sends again, and max_attempts is 1 for %s", &uses[0])
	}
}

// waits reports waits that end after max_elapsed has ended the flow.
func (c *checker) waits(r *checkedRule, uses []use, s *policy.Schedule, report reporter) {
	maxElapsed, retries := time.Duration(0), 0
	for i := range uses {
		maxElapsed = max(maxElapsed, uses[i].terms.Limits.MaxElapsed)
		retries = max(retries, uses[i].resends)
	}
	if soonest := minDelay(s, 0); soonest > maxElapsed {
		report(Limits, Warning, "its first wait is %s at the least (schedule %s), and max_elapsed ends a flow after %s", soonest, s.Name, maxElapsed)
		return
	}
	if len(s.Intervals) == 0 || !r.Then.Sends() {
		return
	}
	total := time.Duration(0)
	for i := range s.Intervals {
		if total += minDelay(s, i); total > maxElapsed {
			report(Limits, Warning, "wait %d of schedule %s comes after %s in all, and max_elapsed ends a flow after %s", i+1, s.Name, total, maxElapsed)
			return
		}
		if i >= retries {
			report(Limits, Note, "wait %d of schedule %s is never used: %d is the most that it sends again", i+1, s.Name, retries)
			return
		}
	}
}

func minDelay(s *policy.Schedule, n int) time.Duration {
	return time.Duration(float64(s.Delay(n)) * (1 - s.RandomizationFactor))
}

// schemes reports more re-attempts of a declined card payment than a scheme allows.
func (c *checker) schemes(uses []use, rows []CeilingRow, report reporter) {
	reported := map[string]bool{} // several operations may exceed the same row
	for i := range uses {
		u := &uses[i]
		if u.op != policy.Pay && u.op != policy.Checkout {
			continue
		}
		for k := range rows {
			row := &rows[k]
			key := row.Scheme + row.Region + row.Window.String() + fmt.Sprint(row.Reattempts)
			declined := region.Region{region.Box{}.With(space.Fault, space.Bit(policy.NoFault)).
				With(space.Effect, space.Bit(policy.NotExecuted)).With(space.Class, space.Bit(row.Classes...))}
			here, err := c.s.Algebra.And(u.at, declined)
			if hit := c.occurs(u.provider, here); reported[key] || err != nil || hit == nil || hit.How != space.Judged {
				continue
			}
			if n := mostWithin(u.schedule, u.resends, u.terms.Limits.MaxElapsed, row.Window); n > row.Reattempts {
				reported[key] = true
				report(Ceiling, Warning, "at %s it lets a declined card be tried again %s in %s; %s", u, times(n), days(row.Window), row)
			}
		}
	}
}

// windows reports repeats in doubt that arrive after the provider's dedupe window, when the
// provider would execute them as new requests.
func (c *checker) windows(uses []use, report reporter) {
	doubt := region.Region{
		{{Dim: space.InDoubt, Set: region.Words(2)}},
		{{Dim: space.Effect, Set: space.Bit(policy.Unknown, policy.Pending)}},
	}
	for i := range uses {
		u := &uses[i]
		window := u.terms.Contract.DedupeWindow
		here, err := c.s.Algebra.And(u.at, doubt)
		if err != nil || window <= 0 || u.schedule == nil || c.occurs(u.provider, here) == nil {
			continue
		}
		total := time.Duration(0)
		for n := range u.resends {
			total += minDelay(u.schedule, n)
			if done := total + u.terms.Contract.CallTimeout() + u.terms.Contract.ArrivalGrace; done >= window {
				report(Window, Warning, "at %s it repeats a request in doubt after %s (repeat %d), and the provider tells repeats apart for %s only", u, total, n+1, window)
				return
			}
		}
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
