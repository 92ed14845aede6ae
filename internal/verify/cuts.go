package verify

import (
	"fmt"
	"math"
	"slices"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// cuts are the values from which on the rules of some tables can tell a count or a time from smaller ones. They are read from the regions
// that the tables decide by: a search that rounds counts between two of them gives the rules no other answer.
type cuts struct {
	attempts, queries, elapsed []int64
	fired                      map[string][]int64 // by the rule's id
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
	c.sort()
	return c
}

func (c *cuts) sort() {
	c.attempts, c.queries, c.elapsed = sorted(c.attempts), sorted(c.queries), sorted(c.elapsed)
	for rule := range c.fired {
		c.fired[rule] = sorted(c.fired[rule])
	}
}

func (c *cuts) add(s *space.Space, b region.Box) {
	for _, l := range b {
		rule, isFired := s.FiredOf(l.Dim)
		switch {
		case l.Dim == space.Attempt:
			c.attempts = append(c.attempts, edges(l.Set)...)
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

// any reports whether the rules look at any count or time.
func (c *cuts) any() bool {
	return len(c.attempts)+len(c.queries)+len(c.elapsed)+len(c.fired) > 0
}

// uncountable names what the rules compare with more than a state keeps of it, and more than the limits allow; empty: nothing.
func (c *cuts) uncountable(l *policy.Limits) string {
	tooLarge := func(of []int64, limit int64) bool { return len(of) > 0 && min(of[len(of)-1], limit) > maxCount }
	switch {
	case tooLarge(c.attempts, int64(l.MaxAttempts)):
		return "attempt"
	case tooLarge(c.queries, int64(l.MaxQueries)):
		return "queries"
	case len(c.elapsed) > maxCount:
		return "elapsed"
	}
	for _, of := range c.fired {
		if tooLarge(of, math.MaxInt64) {
			return "fired"
		}
	}
	return ""
}

// whyUncounted says which rule keeps counts from being followed, and what to change; empty: none does.
func whyUncounted(s *space.Space, tables []*table, known *cuts, l *policy.Limits) string {
	name := known.uncountable(l)
	switch name {
	case "":
		return ""
	case "elapsed":
		return fmt.Sprintf("not searched again with times: the rules compare elapsed with %d numbers, and at most %d are followed. Compare it with fewer", len(known.elapsed), maxCount)
	}
	remedy := fmt.Sprintf("Compare it with less than %d", maxCount)
	switch name {
	case "attempt":
		remedy += fmt.Sprintf(", or set max_attempts (now %d) to %d or less", l.MaxAttempts, maxCount)
	case "queries":
		remedy += fmt.Sprintf(", or set max_queries (now %d) to %d or less", l.MaxQueries, maxCount)
	}
	rule := ""
	for _, t := range tables {
		for _, p := range slices.Concat(t.own, t.shared) {
			one := &cuts{fired: map[string][]int64{}}
			for _, b := range p.region {
				one.add(s, b)
			}
			if one.sort(); rule == "" && one.uncountable(l) == name {
				rule = fmt.Sprintf("rule %q (%s)", p.decision.Rule, p.decision.Source)
			}
		}
	}
	return fmt.Sprintf("not searched again with counts: %s compares %s with %d or more, and that is as far as it is followed. %s", rule, name, maxCount, remedy)
}
