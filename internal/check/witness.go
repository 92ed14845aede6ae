package check

import (
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// maxPoints bounds all points that are tried for one witness.
const maxPoints = 60

// witness looks for an input of a region that can occur, and for which the engine decides as
// the finding says. It returns nil when none was found.
func (c *checker) witness(provider, merchant string, r region.Region, accepts func(*policy.Situation, policy.Decision) bool) *space.Witness {
	return c.witnessOf(space.Ledger, provider, merchant, r, accepts)
}

// witnessOf is witness for inputs that are at least as ordinary as last.
func (c *checker) witnessOf(last space.How, provider, merchant string, r region.Region, accepts func(*policy.Situation, policy.Decision) bool) *space.Witness {
	of := space.Owner{Provider: provider, Merchant: merchant, Zone: c.e.Effective(provider, merchant).Zone}
	left := maxPoints
	for box, how := range c.index[provider].Occurring(r) {
		if how > last {
			break
		}
		for sit := range c.s.Points(box, of) {
			if d := c.e.Decide(&sit); accepts(&sit, d) {
				return space.Witnessed(sit, how, d)
			}
			if left--; left < 0 {
				return nil
			}
		}
	}
	return nil
}

// decidedBy accepts an input that one rule decides although another rule's condition holds.
func (c *checker) decidedBy(by, although *rules.Rule) func(*policy.Situation, policy.Decision) bool {
	return func(sit *policy.Situation, d policy.Decision) bool {
		return d.Source == by.Source() && c.e.Holds(although, sit)
	}
}
