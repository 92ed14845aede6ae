package check

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/rules"
)

// state says what a rule can do in one rule list. A rule list holds the rules of one merchant
// at one provider, in the order in which they are tried.
type state int

const (
	notApplicable state = iota // the condition is about another provider or merchant
	live
	covered     // earlier rules decide everything that it would
	unreachable // what earlier rules leave of it never occurs
	unknown     // too complex
)

// outcome is the state of a rule in one rule list.
type outcome struct {
	state              state
	provider, merchant string
	by                 []*rules.Rule // for covered: the rules that cover it
	never              bool          // for unreachable: its condition never occurs, even without earlier rules
}

// listOutcomes is a rule list, and what earlier rules leave of each of its rules.
type listOutcomes struct {
	list     *space.Book
	own      int // how many rules are of the merchant's own file
	kept     int // how many of the list without a merchant follow them as they are there
	left     []region.Region
	outcomes []outcome
	samples  []region.Region // of the list without a merchant: some of what occurs and the rule decides
}

// maxSamples bounds them.
const maxSamples = 32

// ruleLists judges the rules of every merchant at every provider. The lists without a merchant
// come first: most merchants change little in the layers below, so their results are reused.
func (c *checker) ruleLists(ctx context.Context, progress func(done, lists int)) error {
	var done atomic.Int64
	advance := func() {
		if n := done.Add(1); progress != nil && n%16 == 0 {
			progress(int(n), c.report.RuleLists)
		}
	}
	bases := make([]*listOutcomes, len(c.providers))
	each(len(c.providers), func(i int) { bases[i] = c.judge(ctx, c.providers[i], ""); advance() })
	for i, p := range c.providers {
		c.base[p] = bases[i]
	}
	rest := c.lists()[len(c.providers):]
	each(len(rest), func(i int) {
		if ctx.Err() == nil {
			c.judge(ctx, rest[i].provider, rest[i].merchant)
			advance()
		}
	})
	return ctx.Err()
}

// judge finds out which rules of a rule list can decide anything.
func (c *checker) judge(ctx context.Context, provider, merchant string) *listOutcomes {
	b := c.book(provider, merchant)
	v := &listOutcomes{list: b, left: make([]region.Region, len(b.Rules)), outcomes: make([]outcome, len(b.Rules)), own: b.Own(c.e.Rules.Merchants[merchant])}
	v.kept = c.kept(v)
	if merchant == "" {
		v.samples = make([]region.Region, len(b.Rules))
	}
	for i := range b.Rules {
		if ctx.Err() != nil {
			break
		}
		v.outcomes[i] = c.outcome(v, i)
		v.outcomes[i].provider, v.outcomes[i].merchant = provider, merchant
		if v.samples != nil && v.outcomes[i].state == live {
			for box := range c.index[provider].Occurring(v.left[i]) {
				if v.samples[i] = append(v.samples[i], box); len(v.samples[i]) == maxSamples {
					break
				}
			}
		}
		if r := c.of[b.Rulings[i].Rule]; r != nil {
			r.mu.Lock()
			r.seen = append(r.seen, v.outcomes[i])
			r.mu.Unlock()
		}
	}
	return v
}

func (c *checker) outcome(v *listOutcomes, i int) outcome {
	b := v.list
	whole := b.Rules[i]
	if whole.Err != nil {
		return outcome{state: unknown}
	}
	if len(whole.Region) == 0 {
		return outcome{state: notApplicable}
	}
	last, left := i, whole.Region
	if k := i - v.own; k >= 0 && k < v.kept {
		// The result of the layers below is known. Only the merchant's own rules can take more.
		base := c.base[b.Provider]
		if base.outcomes[k].state != live || c.leaves(v, base.samples[k]) {
			return base.outcomes[k]
		}
		last, left = v.own, base.left[k]
	}
	left, err := c.without(b, left, last)
	switch {
	case err != nil:
		return outcome{state: unknown}
	case len(left) == 0:
		return outcome{state: covered, by: c.coverers(b, i)}
	}
	v.left[i] = left
	if c.occurs(b.Provider, left) == nil {
		return outcome{state: unreachable, never: c.occurs(b.Provider, whole.Region) == nil}
	}
	return outcome{state: live}
}

// kept returns how many rules of the list without a merchant follow a merchant's own as they are
// there, so that their outcomes can be reused.
func (c *checker) kept(v *listOutcomes) int {
	b, base := v.list, c.base[v.list.Provider]
	if base == nil || b.Merchant == "" || len(base.list.Rulings) != len(b.Rulings)-v.own {
		return 0 // some lower rules are disabled
	}
	n := 0
	for n < len(base.list.Rulings) && base.list.Rulings[n].Rule == b.Rulings[v.own+n].Rule && same(base.list.Rules[n].Region, b.Rules[v.own+n].Region) {
		n++
	}
	return n
}

// leaves reports whether a merchant's own rules leave one of some boxes whole.
func (c *checker) leaves(v *listOutcomes, boxes region.Region) bool {
	return slices.ContainsFunc(boxes, func(b region.Box) bool {
		return !slices.ContainsFunc(v.list.Rules[:v.own], func(p space.Place) bool { return p.Region.Meets(region.Region{b}) })
	})
}

// same reports whether two regions share their memory: the merchant's name changed nothing.
func same(r, s region.Region) bool {
	return len(r) == len(s) && (len(r) == 0 || &r[0] == &s[0])
}

// without removes the first rules of a list from a region.
func (c *checker) without(b *space.Book, left region.Region, last int) (region.Region, error) {
	for j := range last {
		var err error
		if b.Rules[j].Err != nil {
			continue // skipping it leaves more of the region, so a dead rule stays dead
		}
		if left, err = c.s.Algebra.Minus(left, b.Rules[j].Region); err != nil {
			return nil, err
		}
		if len(left) == 0 {
			return nil, nil
		}
	}
	return left, nil
}

// coverers returns a minimal set of earlier rules that together cover rule i.
func (c *checker) coverers(b *space.Book, i int) []*rules.Rule {
	whole := b.Rules[i].Region
	var taking []int
	for j := range i {
		if b.Rules[j].Err != nil || !b.Rules[j].Region.Meets(whole) {
			continue
		}
		if left, err := c.s.Algebra.Minus(whole, b.Rules[j].Region); err == nil && len(left) == 0 {
			return []*rules.Rule{b.Rulings[j].Rule}
		}
		taking = append(taking, j)
	}
	for k := len(taking) - 1; k >= 0; k-- { // drop each rule that the others make redundant
		left := whole
		for m, j := range taking {
			if m != k {
				left, _ = c.s.Algebra.Minus(left, b.Rules[j].Region)
			}
		}
		if len(left) == 0 {
			taking = append(taking[:k], taking[k+1:]...)
		}
	}
	by := make([]*rules.Rule, len(taking))
	for k, j := range taking {
		by[k] = b.Rulings[j].Rule
	}
	return by
}

// book returns the rule list of a merchant at a provider.
func (c *checker) book(provider, merchant string) *space.Book {
	at := list{provider, merchant}
	if b, known := c.books.Load(at); known {
		return b.(*space.Book)
	}
	b, _ := c.books.LoadOrStore(at, c.s.Book(c.e, provider, merchant))
	return b.(*space.Book)
}

// occurs returns the most ordinary situation of a region that can occur at a provider; nil
// when none can.
func (c *checker) occurs(provider string, r region.Region) *space.Reached {
	return c.index[provider].Find(r)
}

// conditions reports rules that are too complex to analyse, and parts that are opaque.
func (c *checker) conditions(context.Context) error {
	for _, r := range c.rules {
		switch exact, parts := c.s.Exact(r.cond.Region); {
		case errors.Is(r.cond.Err, region.ErrTooComplex):
			c.report.add(Finding{Kind: TooComplex, Severity: c.severityFor(r.file, Warning), Place: r.place(0), Message: "the condition of rule " + quote(r.ID) + " is too complex to tell anything of it; split it into rules"})
		case !exact:
			c.report.add(Finding{Kind: OpaquePart, Severity: Note, Place: r.place(0), Message: "rule " + quote(r.ID) + ": cannot see into " + several(quoted(parts)) + ", and counts it as both true and false"})
		case len(r.cond.Region) == 0:
			c.report.add(Finding{Kind: Contradiction, Severity: c.severityFor(r.file, Error), Place: r.place(0), Message: "rule " + quote(r.ID) + " contradicts itself: its condition holds for no input"})
		}
	}
	return nil
}
