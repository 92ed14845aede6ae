package check

import (
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// guesses is how often a point is tried where opaque parts may have come out wrong.
const guesses = 3

// witness looks for an input of a region that can come about, and for which the engine
// decides as the finding says. Nil when none was found.
func (c *checker) witness(provider, merchant string, r region.Region, shows func(*policy.Situation, policy.Decision) bool) *space.Witness {
	return c.witnessOf(space.Ledger, provider, merchant, r, shows)
}

// witnessOf is the same for inputs that come about in no stranger a way than last.
func (c *checker) witnessOf(last space.How, provider, merchant string, r region.Region, shows func(*policy.Situation, policy.Decision) bool) *space.Witness {
	zone := c.e.Effective(provider, merchant).Zone
	tried := 0
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
			for n := range guesses {
				sit, ok := c.s.Point(both, zone, n)
				if !ok {
					continue
				}
				sit.Payment.Provider = provider
				if merchant != "" {
					sit.Payment.Merchant = merchant
				}
				if d := c.e.Decide(&sit); shows(&sit, d) {
					return space.Witnessed(sit, at.How, d)
				}
				if tried++; tried > 60 {
					return nil
				}
			}
		}
	}
	return nil
}

// decidedBy accepts an input that one rule decides although another one's condition holds.
func (c *checker) decidedBy(by, although *rules.Rule) func(*policy.Situation, policy.Decision) bool {
	return func(sit *policy.Situation, d policy.Decision) bool {
		return d.Source == by.Source() && c.e.Holds(although, sit)
	}
}
