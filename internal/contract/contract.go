// Package contract reads the lines of a [contract] table: what a provider promises about
// identities and replays. A catalogue and a merchant's rules hold the same lines, so both
// packages use this reader. What follows from a promise is not known here.
package contract

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Read reads the contract lines of a table over those in c. It serves the
// catalogues and the [contract] of a merchant's rules.
func Read(t source.Table, errs *source.List, c *policy.Contract) { Lines(t, errs)(c) }

// Lines reads the contract lines of a table, and returns what writes them over a contract. That may be done at any
// time and by several goroutines: the table, which notes what is read of it, is not looked at again.
func Lines(t source.Table, errs *source.List) (apply func(*policy.Contract)) {
	var all []func(*policy.Contract)
	add := func(key string, read func() func(*policy.Contract)) {
		if t.Has(key) {
			all = append(all, read())
		}
	}
	list := func(key string, field func(*policy.Contract) *[]policy.Identifier) {
		add(key, func() func(*policy.Contract) {
			v := identifiers(t, errs, key)
			return func(c *policy.Contract) { *field(c) = slices.Clone(v) }
		})
	}
	span := func(key string, field func(*policy.Contract) *time.Duration) {
		add(key, func() func(*policy.Contract) {
			v := t.Duration(errs, key)
			return func(c *policy.Contract) { *field(c) = v }
		})
	}
	list("dedupe", func(c *policy.Contract) *[]policy.Identifier { return &c.Dedupe })
	list("query_by", func(c *policy.Contract) *[]policy.Identifier { return &c.QueryBy })
	add("replay_codes", func() func(*policy.Contract) {
		v := t.Strings(errs, "replay_codes")
		return func(c *policy.Contract) { c.ReplayCodes = slices.Clone(v) }
	})
	add("webhook", func() func(*policy.Contract) {
		v := t.Bool(errs, "webhook")
		return func(c *policy.Contract) { c.Webhook = v }
	})
	add("replay", func() func(*policy.Contract) {
		switch r := policy.Replay(t.String(errs, "replay")); r {
		case policy.FirstResult, policy.Rejected, policy.ExecutedAgain:
			return func(c *policy.Contract) { c.Replay = r }
		default:
			errs.Add(t.ValuePos("replay"), "replay is %q; it must be first_result, rejected or executed_again", r)
			return func(*policy.Contract) {}
		}
	})
	span("dedupe_window", func(c *policy.Contract) *time.Duration { return &c.DedupeWindow })
	span("arrival_grace", func(c *policy.Contract) *time.Duration { return &c.ArrivalGrace })
	span("not_found_after", func(c *policy.Contract) *time.Duration { return &c.NotFoundAfter })
	span("link_expiry", func(c *policy.Contract) *time.Duration { return &c.LinkExpiry })
	span("timeout", func(c *policy.Contract) *time.Duration { return &c.Timeout })
	add("same_provider_id", func() func(*policy.Contract) {
		v := phases(t, errs, "same_provider_id")
		return func(c *policy.Contract) { c.SameProviderID = slices.Clone(v) }
	})
	return func(c *policy.Contract) {
		for _, set := range all {
			set(c)
		}
	}
}

func identifiers(t source.Table, errs *source.List, key string) []policy.Identifier {
	var all []policy.Identifier
	t.Each(errs, key, func(pos source.Pos, s string) {
		switch id := policy.Identifier(s); id {
		case policy.RequestID, policy.OrderID, policy.ProviderID:
			all = append(all, id)
		default:
			errs.Add(pos, "unknown identifier %q (there are: request_id, order_id, provider_id)", s)
		}
	})
	return all
}

// phases reads the phases between which an identifier is compared: none, or two at least.
func phases(t source.Table, errs *source.List, key string) []policy.Phase {
	var all []policy.Phase
	named := 0
	t.Each(errs, key, func(pos source.Pos, s string) {
		named++
		var p policy.Phase
		switch err := p.UnmarshalText([]byte(s)); {
		case err != nil:
			errs.Add(pos, "%v", err)
		case slices.Contains(all, p):
			errs.Add(pos, "%q stands twice in %s", s, key)
		default:
			all = append(all, p)
		}
	})
	if named == 1 {
		errs.Add(t.ValuePos(key), "%s names one phase, and an identifier is compared between two; name both, or write []", key)
	}
	return all
}
