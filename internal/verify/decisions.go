package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/policy"
)

// What several merchants decide together is a list of decisions, without the answers that get them. A rule of a merchant's own mostly
// takes something of the payments (above an amount, at an hour) and nothing whole of the answers: then the rules behind it decide about each
// answer as they do without it, and only the rule itself is looked at.

// decisions returns the decisions that a group's answers can get, in the order of the rules. They are those of the options.
func (t *table) decisions(ph policy.Phase, b *book, group int) []*policy.Decision {
	if all := b.decided[group]; all != nil {
		return all
	}
	var all []*policy.Decision
	if t.leavesAll(ph, b, group) {
		left := t.facts.groups[ph][group].boxes
		for i := range b.own {
			r := &b.own[i]
			if !left.Meets(r.region) {
				continue
			}
			all = append(all, &r.decision)
			if i+1 == len(b.own) {
				break
			}
			if rest, err := t.space.Algebra.Minus(left, r.region); err == nil {
				left = rest
			}
		}
		all = append(all, t.base.decisions(ph, b.base, group)...)
	} else {
		for _, o := range t.of(ph, b, group) {
			all = append(all, o.decision)
		}
	}
	b.decided[group] = all
	return all
}

// leavesAll reports whether a merchant's own rules leave something of each answer of a group to the shared ones: they are limited in a
// dimension in which neither the group nor any shared rule is, and leave a part of it. Whatever the rest of a point, its part there
// is the shared rules', so these decide what they decide without the others.
func (t *table) leavesAll(ph policy.Phase, b *book, group int) bool {
	if b.base == nil || len(b.own) == 0 || b.own[0].vague || len(b.own[0].region) == 0 {
		return false
	}
	limits := func(boxes region.Region, d region.Dim) bool {
		return slices.ContainsFunc(boxes, func(o region.Box) bool { return o.Of(d) != nil })
	}
	for _, l := range b.own[0].region[0] {
		if t.leavesPart(b.own, l.Dim) && !limits(t.facts.groups[ph][group].boxes, l.Dim) &&
			!slices.ContainsFunc(b.base.own, func(r placed) bool { return limits(r.region, l.Dim) }) {
			return true
		}
	}
	return false
}

// leavesPart reports whether rules leave a part of a dimension, whatever else a situation is.
func (t *table) leavesPart(rules []placed, d region.Dim) bool {
	rest := t.space.Full(d)
	for i := range rules {
		if rules[i].vague {
			return false
		}
		for _, b := range rules[i].region {
			limit := b.Of(d)
			if limit == nil {
				return false
			}
			if rest = region.Without(rest, limit); rest.Empty() {
				return false
			}
		}
	}
	return true
}
