package check

import (
	"context"
	"errors"
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
	left     []region.Region
	outcomes []outcome
	at       map[*rules.Rule]int
}

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
	b := c.s.Book(c.e, provider, merchant)
	v := &listOutcomes{list: b, left: make([]region.Region, len(b.Rules)), outcomes: make([]outcome, len(b.Rules)), at: map[*rules.Rule]int{}}
	for i := range b.Rules {
		if ctx.Err() != nil {
			break
		}
		v.at[b.Rulings[i].Rule] = i
		v.outcomes[i] = c.outcome(v, i)
		v.outcomes[i].provider, v.outcomes[i].merchant = provider, merchant
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
	first, left := 0, whole.Region
	base := c.base[b.Provider]
	if k, ok := c.unchanged(v, i); ok {
		// The result of the layers below is known. Only the merchant's own rules can take more.
		if base.outcomes[k].state != live {
			return base.outcomes[k]
		}
		first, left = -1, base.left[k]
	}
	left, err := c.without(b, left, first, i)
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

// unchanged finds the index of a lower layer's rule in the rule list without a merchant. ok is
// true only if the same rules come before it there, so that its outcome can be reused.
func (c *checker) unchanged(v *listOutcomes, i int) (k int, ok bool) {
	b, base := v.list, c.base[v.list.Provider]
	if base == nil || b.Merchant == "" {
		return 0, false
	}
	own := b.Own(c.e.Rules.Merchants[b.Merchant])
	if i < own || len(base.list.Rulings) != len(b.Rulings)-own {
		return 0, false // a rule of the merchant's own, or some lower rules are disabled
	}
	for j := own; j <= i; j++ {
		if base.list.Rulings[j-own].Rule != b.Rulings[j].Rule || !same(base.list.Rules[j-own].Region, b.Rules[j].Region) {
			return 0, false
		}
	}
	return i - own, true
}

// same reports whether two regions share their memory: the merchant's name changed nothing.
func same(r, s region.Region) bool {
	return len(r) == len(s) && (len(r) == 0 || &r[0] == &s[0])
}

// without removes the rules before rule i from a region. With first below 0 it removes only
// the merchant's own rules.
func (c *checker) without(b *space.Book, left region.Region, first, i int) (region.Region, error) {
	last := i
	if first < 0 {
		last = b.Own(c.e.Rules.Merchants[b.Merchant])
	}
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
