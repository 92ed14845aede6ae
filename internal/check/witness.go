package check

import (
	"time"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// pointTries bounds the points that are tried in one box. More than one is needed because an
// opaque part may be false at the first point.
const pointTries = 3

// maxPoints bounds all points that are tried for one witness.
const maxPoints = 60

// witness looks for an input of a region that can occur, and for which the engine decides as
// the finding says. It returns nil when none was found.
func (c *checker) witness(provider, merchant string, r region.Region, accepts func(*policy.Situation, policy.Decision) bool) *space.Witness {
	return c.witnessOf(space.Ledger, provider, merchant, r, accepts)
}

// witnessOf is witness for inputs that are at least as ordinary as last.
func (c *checker) witnessOf(last space.How, provider, merchant string, r region.Region, accepts func(*policy.Situation, policy.Decision) bool) *space.Witness {
	zone := c.e.Effective(provider, merchant).Zone
	left := maxPoints
	for i := range c.reach[provider] {
		at := &c.reach[provider][i]
		if at.How > last {
			break
		}
		for _, b := range r {
			both, ok := b.And(at.Box)
			if !ok {
				continue
			}
			for n := range pointTries {
				sit, ok := c.point(both, zone, n, provider, merchant)
				if !ok {
					continue
				}
				if d := c.e.Decide(&sit); accepts(&sit, d) {
					return space.Witnessed(sit, at.How, d)
				}
				if left--; left < 0 {
					return nil
				}
			}
		}
	}
	return nil
}

// point returns the n-th point of a box, as a payment of a merchant at a provider.
func (c *checker) point(b region.Box, zone *time.Location, n int, provider, merchant string) (policy.Situation, bool) {
	sit, ok := c.s.Point(b, zone, n)
	if !ok {
		return sit, false
	}
	sit.Payment.Provider = provider
	if merchant != "" {
		sit.Payment.Merchant = merchant
	}
	return sit, true
}

// decidedBy accepts an input that one rule decides although another rule's condition holds.
func (c *checker) decidedBy(by, although *rules.Rule) func(*policy.Situation, policy.Decision) bool {
	return func(sit *policy.Situation, d policy.Decision) bool {
		return d.Source == by.Source() && c.e.Holds(although, sit)
	}
}
