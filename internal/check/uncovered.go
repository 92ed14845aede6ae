package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// gap is the region that no rule of one rule list decides.
type gap struct {
	provider, merchant string
	left               region.Region
	err                error
}

// uncovered reports answers that no rule decides. There the engine's own decision stands: it
// queries the status while anything is in doubt, and otherwise escalates.
func (c *checker) uncovered(ctx context.Context) error {
	closed := map[string]bool{}
	var mu sync.Mutex
	var gaps []gap
	look := func(provider, merchant string) {
		if ctx.Err() != nil {
			return
		}
		b := c.book(provider, merchant)
		mu.Lock()
		skip := merchant != "" && closed[provider] && c.onlyAdds(b)
		mu.Unlock()
		if skip {
			return
		}
		left, err := c.undecided(b)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && len(left) == 0 {
			closed[provider] = closed[provider] || merchant == ""
			return
		}
		gaps = append(gaps, gap{provider, merchant, left, err})
	}
	all := c.lists()
	of, rest := all[:len(c.providers)], all[len(c.providers):] // those of no merchant come first: most of the others add to them
	each(len(of), func(i int) { look(of[i].provider, "") })
	each(len(rest), func(i int) { look(rest[i].provider, rest[i].merchant) })
	c.reportGaps(gaps)
	return ctx.Err()
}

// onlyAdds reports whether a merchant's rules only come before the rules of the layers below,
// and change none of them.
func (c *checker) onlyAdds(b *space.Book) bool {
	own := b.Own(c.e.Rules.Merchants[b.Merchant])
	base := c.base[b.Provider].list
	if len(b.Rulings)-own != len(base.Rulings) {
		return false
	}
	for i := range base.Rulings {
		if base.Rulings[i].Rule != b.Rulings[own+i].Rule || !same(base.Rules[i].Region, b.Rules[own+i].Region) {
			return false
		}
	}
	return true
}

// undecided returns what can occur and no rule decides. The last rules are usually the widest,
// so subtracting them first keeps the region small.
func (c *checker) undecided(b *space.Book) (region.Region, error) {
	left := region.All()
	var err error
	for i := len(b.Rules) - 1; i >= 0 && len(left) > 0; i-- {
		if left, err = c.s.Algebra.Minus(left, b.Rules[i].Region); err != nil {
			return nil, err
		}
	}
	var out region.Region
	for _, at := range c.reach[b.Provider] {
		if len(left) == 0 {
			break
		}
		for _, l := range left {
			if both, ok := at.Box.And(l); ok {
				out = append(out, both) // one part is enough to report the gap
				break
			}
		}
	}
	return out, nil
}

// reportGaps reports the gaps. A gap that several merchants share is one finding.
func (c *checker) reportGaps(gaps []gap) {
	slices.SortFunc(gaps, func(a, b gap) int {
		return strings.Compare(a.provider+"\x00"+a.merchant, b.provider+"\x00"+b.merchant)
	})
	type group struct {
		first     gap
		merchants []string
	}
	var order []string
	groups := map[string]*group{}
	for _, g := range gaps {
		what := c.summary(g.left)
		key := fmt.Sprint(g.provider, what, g.err)
		if groups[key] == nil {
			groups[key] = &group{first: g}
			order = append(order, key)
		}
		groups[key].merchants = append(groups[key].merchants, g.merchant)
	}
	for _, key := range order {
		g := groups[key]
		f := Finding{Kind: NoRule, Severity: Warning, Place: Place{File: c.fileOf(g.first), Line: 1}, Providers: []string{g.first.provider}, Merchants: g.merchants}
		whose := ""
		if g.merchants[0] != "" {
			whose = " for merchant " + several(g.merchants)
		}
		f.Message = fmt.Sprintf("no rule decides some answers of %s%s: %s", g.first.provider, whose, c.summary(g.first.left))
		if g.first.err != nil {
			f.Kind, f.Message = TooComplex, "whether every answer of "+g.first.provider+whose+" has a rule is too complex to tell"
		} else {
			f.Witness = c.witness(g.first.provider, g.first.merchant, g.first.left, func(_ *policy.Situation, d policy.Decision) bool { return d.Rule == "" })
			if exact, _ := c.s.Exact(g.first.left); f.Witness == nil && !exact {
				f.Severity = Note // it depends on opaque parts
			}
		}
		c.report.add(f)
	}
}

// summary describes a gap by its operations, phases, effects and classes.
func (c *checker) summary(r region.Region) string {
	var parts []string
	for _, d := range []region.Dim{space.Operation, space.Phase, space.Effect, space.Class} {
		var all region.Words
		for _, b := range r {
			if set, ok := b.Of(d).(region.Words); ok {
				all |= set
			} else {
				all |= c.s.Full(d).(region.Words)
			}
		}
		if all != c.s.Full(d).(region.Words) && (d != space.Class || all.Len() <= 4) {
			parts = append(parts, c.s.Name(d)+" "+c.s.Show(d, all))
		}
	}
	return strings.Join(parts, ", ")
}

// fileOf returns the file that a gap is reported for: the merchant's own, or the last layer,
// whose rules should decide whatever the others leave.
func (c *checker) fileOf(g gap) string {
	layers := c.e.Rules.Layers(g.provider, g.merchant)
	switch {
	case len(layers) == 0:
		return "rules"
	case g.merchant != "":
		return layers[0].Name
	}
	return layers[len(layers)-1].Name
}
