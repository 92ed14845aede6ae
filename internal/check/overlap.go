package check

import (
	"context"
	"fmt"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/rules"
)

type rulingOf = ruleset.Ruling

// maxPerRule bounds the findings of one kind about one rule, so that a report stays readable.
const maxPerRule = 3

// overlaps reports rules of one layer that decide the same input differently, where neither is
// a special case of the other. There a change of their order changes the decision.
func (c *checker) overlaps(ctx context.Context) error {
	var files []*rules.File
	of := map[*rules.File][]*checkedRule{}
	for _, r := range c.rules {
		if of[r.file] == nil {
			files = append(files, r.file)
		}
		of[r.file] = append(of[r.file], r)
	}
	found := make([][]Finding, len(files))
	each(len(files), func(i int) {
		all := of[files[i]]
		for j := range all {
			if ctx.Err() != nil {
				return
			}
			found[i] = append(found[i], c.overlapsOf(all, j)...)
		}
	})
	for _, f := range found {
		c.report.Findings = append(c.report.Findings, f...)
	}
	return ctx.Err()
}

// overlapsOf compares one rule with those before it in its file.
func (c *checker) overlapsOf(all []*checkedRule, j int) (found []Finding) {
	later := all[j]
	for i := 0; i < j && len(found) < maxPerRule; i++ {
		first := all[i]
		if first.Then == later.Then || first.cond.Err != nil || later.cond.Err != nil || !first.cond.Region.Meets(later.cond.Region) {
			continue
		}
		if c.contains(first, later) || c.contains(later, first) {
			continue
		}
		if w := c.bothHold(all, i, j); w != nil {
			f := Finding{Kind: Overlap, Severity: Note, Place: later.place(0), Related: []Place{first.related()}, Witness: w}
			f.Message = fmt.Sprintf("rules %s (%s) and %s (%s) both hold for some inputs, and neither is a special case of the other: the first decides",
				quote(first.ID), first.Then, quote(later.ID), later.Then)
			found = append(found, f)
		}
	}
	return found
}

func (c *checker) contains(a, b *checkedRule) bool {
	left, err := c.s.Algebra.Minus(b.cond.Region, a.cond.Region)
	return err != nil || len(left) == 0
}

// bothHold returns an input for which two rules hold and the first of them decides.
func (c *checker) bothHold(all []*checkedRule, i, j int) *space.Witness {
	both, err := c.s.Algebra.And(all[i].cond.Region, all[j].cond.Region)
	for k := 0; k < i && err == nil; k++ {
		both, err = c.s.Algebra.Minus(both, all[k].cond.Region)
	}
	if err != nil || len(both) == 0 {
		return nil
	}
	if exact, _ := c.s.Exact(both); !exact {
		return nil // opaque parts: it is unknown whether both hold
	}
	providers, merchant := c.home(all[i])
	for _, p := range providers {
		if w := c.witnessOf(space.Judged, p, merchant, c.s.Settle(both, p, merchant, c.e), c.decidedBy(all[i].Rule, all[j].Rule)); w != nil {
			return w
		}
	}
	return nil
}
