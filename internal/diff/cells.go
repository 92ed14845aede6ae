package diff

import (
	"reflect"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// cell is one decision and the region in which it is made.
type cell struct {
	decision policy.Decision
	where    region.Region
	at       int // its place in the list
	serial   int // of the rule's place; see [space.Place]
}

// listOf returns the rules of a merchant at a provider as cells, in the order in which they
// are tried. The engine's own decisions come last. A rule that is too complex is an error.
func listOf(s *space.Space, e *ruleset.Engine, provider, merchant string) ([]cell, error) {
	b := s.Book(e, provider, merchant)
	list := make([]cell, 0, len(b.Rules)+2)
	for i, r := range b.Rules {
		if r.Err != nil {
			return nil, r.Err
		}
		list = append(list, cell{b.Rulings[i].Decision, r.Region, i, r.Serial})
	}
	doubt := region.Region{
		{{Dim: space.InDoubt, Set: region.Words(2)}},
		{{Dim: space.Effect, Set: space.Bit(policy.Unknown, policy.Pending)}},
	}
	n := len(list)
	return append(list, cell{b.None, doubt, n, 0}, cell{b.Lost, region.All(), n + 1, 0}), nil
}

// alike reports whether two decisions are the same apart from reason and source line.
func alike(a, b *policy.Decision) bool {
	return a.Action == b.Action && a.Rule == b.Rule && sameSchedule(a.Schedule, b.Schedule)
}

func sameSchedule(a, b *policy.Schedule) bool {
	return a == b || a != nil && b != nil && reflect.DeepEqual(a, b)
}

func sameRegion(r, s region.Region) bool {
	if len(r) != len(s) {
		return false
	}
	if len(r) == 0 || &r[0] == &s[0] {
		return true
	}
	for i := range r {
		if !r[i].Equal(s[i]) {
			return false
		}
	}
	return true
}

func sameCell(a, b *cell) bool {
	return alike(&a.decision, &b.decision) && sameRegion(a.where, b.where)
}

// changed is one decision in place of another.
type changed struct {
	from, to policy.Decision
	where    region.Region
	fromAt   int // the places of the two in their lists
	toAt     int
}

// compare finds where two lists decide differently, in any situation.
func compare(al *region.Algebra, a, b []cell) ([]changed, error) {
	prefix := 0
	for prefix < len(a) && prefix < len(b) && sameCell(&a[prefix], &b[prefix]) {
		prefix++
	}
	suffix := 0
	for suffix < min(len(a), len(b))-prefix && sameCell(&a[len(a)-1-suffix], &b[len(b)-1-suffix]) {
		suffix++
	}
	// A decision changes only in the regions of the rules that differ. Common rules before them
	// decide first, so their regions are removed.
	var touched region.Region
	var err error
	for _, list := range [][]cell{a[prefix : len(a)-suffix], b[prefix : len(b)-suffix]} {
		for i := range list {
			if touched, err = al.Or(touched, list[i].where); err != nil {
				return nil, err
			}
		}
	}
	for i := range prefix {
		if touched, err = al.Minus(touched, a[i].where); err != nil {
			return nil, err
		}
	}
	return split(al, touched, a[prefix:], b[prefix:])
}

// split finds where two lists decide differently within a region.
func split(al *region.Algebra, r region.Region, a, b []cell) ([]changed, error) {
	before, err := decided(al, r, a)
	if err != nil {
		return nil, err
	}
	var out []changed
	for _, x := range before {
		after, err := decided(al, x.where, b)
		if err != nil {
			return nil, err
		}
		for _, y := range after {
			if !alike(&x.decision, &y.decision) {
				out = append(out, changed{x.decision, y.decision, y.where, x.at, y.at})
			}
		}
	}
	return out, nil
}

// decided splits a region by the rule that decides there.
func decided(al *region.Algebra, r region.Region, list []cell) (cells []cell, err error) {
	for i := range list {
		if len(r) == 0 {
			break
		}
		if !r.Meets(list[i].where) {
			continue
		}
		here, err := al.And(r, list[i].where)
		if err != nil {
			return nil, err
		}
		cells = append(cells, cell{list[i].decision, here, list[i].at, list[i].serial})
		if r, err = al.Minus(r, list[i].where); err != nil {
			return nil, err
		}
	}
	return cells, nil
}
