// Package contract reads the lines of a [contract] table: what a provider promises about
// identities and replays. A catalogue and a merchant's rules hold the same lines, so both
// packages use this reader. What follows from a promise is not known here.
package contract

import (
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Read reads the contract lines of a table over those in c. It serves the
// catalogues and the [contract] of a merchant's rules.
func Read(t source.Table, errs *source.List, c *policy.Contract) {
	if t.Has("dedupe") {
		c.Dedupe = identifiers(t, errs, "dedupe")
	}
	if t.Has("query_by") {
		c.QueryBy = identifiers(t, errs, "query_by")
	}
	if t.Has("replay_codes") {
		c.ReplayCodes = t.Strings(errs, "replay_codes")
	}
	if t.Has("webhook") {
		c.Webhook = t.Bool(errs, "webhook")
	}
	if t.Has("replay") {
		switch r := policy.Replay(t.String(errs, "replay")); r {
		case policy.FirstResult, policy.Rejected, policy.ExecutedAgain:
			c.Replay = r
		default:
			errs.Add(t.ValuePos("replay"), "replay is %q; it must be first_result, rejected or executed_again", r)
		}
	}
	if t.Has("dedupe_window") {
		c.DedupeWindow = t.Duration(errs, "dedupe_window")
	}
	if t.Has("arrival_grace") {
		c.ArrivalGrace = t.Duration(errs, "arrival_grace")
	}
	if t.Has("not_found_after") {
		c.NotFoundAfter = t.Duration(errs, "not_found_after")
	}
	if t.Has("link_expiry") {
		c.LinkExpiry = t.Duration(errs, "link_expiry")
	}
	if t.Has("timeout") {
		c.Timeout = t.Duration(errs, "timeout")
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
