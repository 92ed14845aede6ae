package space

import (
	"iter"
	"time"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/policy"
)

// PointTries bounds the points that are tried in one box. More than one is needed because an
// opaque part may be false at the first point.
const PointTries = 3

// Owner says whose payments points are. An empty merchant leaves the box's own.
type Owner struct {
	Provider, Merchant string
	Zone               *time.Location // where the owner's rules read hour and weekday
}

// Points yields a few situations of a box, as payments of an owner. Opaque parts may be false
// in them, so the caller has to try what the engine decides.
func (s *Space) Points(b region.Box, of Owner) iter.Seq[policy.Situation] {
	return func(yield func(policy.Situation) bool) {
		for n := range PointTries {
			sit, ok := s.Point(b, of.Zone, n)
			if !ok {
				continue
			}
			sit.Payment.Provider = of.Provider
			if of.Merchant != "" {
				sit.Payment.Merchant = of.Merchant
			}
			if !yield(sit) {
				return
			}
		}
	}
}
