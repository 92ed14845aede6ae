package verify

import (
	"math"
	"slices"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
)

// cuts are the values from which on the rules of some tables can tell a count or a time from smaller ones. They are read from the regions
// that the tables decide by: a search that rounds counts between two of them gives the rules no other answer.
type cuts struct {
	queries, elapsed []int64
	fired            map[string][]int64 // by the rule's id
}

func cutsOf(s *space.Space, tables []*table) *cuts {
	c := &cuts{fired: map[string][]int64{}}
	for _, t := range tables {
		for _, rules := range [][]placed{t.own, t.shared} {
			for i := range rules {
				for _, b := range rules[i].region {
					c.add(s, b)
				}
			}
		}
	}
	c.queries, c.elapsed = sorted(c.queries), sorted(c.elapsed)
	for rule := range c.fired {
		c.fired[rule] = sorted(c.fired[rule])
	}
	return c
}

func (c *cuts) add(s *space.Space, b region.Box) {
	for _, l := range b {
		rule, isFired := s.FiredOf(l.Dim)
		switch {
		case l.Dim == space.Queries:
			c.queries = append(c.queries, edges(l.Set)...)
		case l.Dim == space.Elapsed:
			c.elapsed = append(c.elapsed, edges(l.Set)...)
		case isFired:
			c.fired[rule] = append(c.fired[rule], edges(l.Set)...)
		}
	}
}

// edges are the numbers at which a set begins, and those behind which it ends.
func edges(s region.Set) (all []int64) {
	for _, part := range s.(region.Ints) {
		all = append(all, part.Lo)
		if part.Hi < math.MaxInt64 {
			all = append(all, part.Hi+1)
		}
	}
	return all
}

func sorted(list []int64) []int64 {
	slices.Sort(list)
	return slices.Compact(list)
}

// countable reports whether no rule compares a count with more than a state keeps of it.
func (c *cuts) countable() bool {
	for _, of := range c.fired {
		if of[len(of)-1] > maxCountedFired {
			return false
		}
	}
	return true
}
