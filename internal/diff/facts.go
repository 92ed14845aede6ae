package diff

import (
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// factChange is a set of answers that prove something else in the second catalogue.
type factChange struct {
	op       policy.Operation
	phase    policy.Phase
	from, to policy.Fact
	where    region.Region
}

// factChanges finds the answers that two catalogues judge differently.
func factChanges(a, b *providers.Catalog) []factChange {
	var out []factChange
	for _, op := range a.Operations {
		if !b.Offers(op) {
			continue
		}
		for _, ph := range policy.Phases() {
			after := space.Answers(b, op, ph)
			for _, x := range space.Answers(a, op, ph) {
				for _, y := range after {
					if x.Fact == y.Fact {
						continue
					}
					if where := inCommon(x.Boxes, y.Boxes); len(where) > 0 {
						out = append(out, factChange{op, ph, x.Fact, y.Fact, where})
					}
				}
			}
		}
	}
	return out
}

func inCommon(r, s region.Region) region.Region {
	var out region.Region
	for _, b := range r {
		for _, c := range s {
			if both, ok := b.And(c); ok {
				out = append(out, both)
			}
		}
	}
	return out
}
