package check

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/rules"
)

// state is what became of a rule in one book.
type state int

const (
	elsewhere state = iota // its condition is about another provider or merchant
	live
	covered     // earlier rules decide everything that it would
	unreachable // what earlier rules leave of it never occurs
	unknown     // too complex
)

// fate is a rule in one book.
type fate struct {
	state              state
	provider, merchant string
	by                 []*rules.Rule // of a covered one
	never              bool          // of an unreachable one: nothing of it occurs, earlier rules or not
}

// verdicts are a book and what is left of each of its rules.
type verdicts struct {
	book  *space.Book
	left  []region.Region
	fates []fate
	at    map[*rules.Rule]int
}

// books looks at every merchant at every provider, first at those without a file: most
// merchants' rules leave most of the layers below as they are.
func (c *checker) books(ctx context.Context, progress func(done, books int)) error {
	var done atomic.Int64
	told := func() {
		if n := done.Add(1); progress != nil && n%16 == 0 {
			progress(int(n), c.report.Books)
		}
	}
	bases := make([]*verdicts, len(c.providers))
	each(len(c.providers), func(i int) { bases[i] = c.judge(ctx, c.providers[i], ""); told() })
	for i, p := range c.providers {
		c.base[p] = bases[i]
	}
	n := len(c.providers) * (len(c.merchants) - 1)
	each(n, func(i int) {
		if ctx.Err() == nil {
			c.judge(ctx, c.providers[i%len(c.providers)], c.merchants[1+i/len(c.providers)])
			told()
		}
	})
	return ctx.Err()
}

// judge finds out which rules of a book can decide anything.
func (c *checker) judge(ctx context.Context, provider, merchant string) *verdicts {
	b := c.s.Book(c.e, provider, merchant)
	v := &verdicts{book: b, left: make([]region.Region, len(b.Rules)), fates: make([]fate, len(b.Rules)), at: map[*rules.Rule]int{}}
	for i := range b.Rules {
		if ctx.Err() != nil {
			break
		}
		v.at[b.Rulings[i].Rule] = i
		v.fates[i] = c.fate(v, i)
		v.fates[i].provider, v.fates[i].merchant = provider, merchant
		if r := c.of[b.Rulings[i].Rule]; r != nil {
			r.mu.Lock()
			r.seen = append(r.seen, v.fates[i])
			r.mu.Unlock()
		}
	}
	return v
}

func (c *checker) fate(v *verdicts, i int) fate {
	b := v.book
	whole := b.Rules[i]
	if whole.Err != nil {
		return fate{state: unknown}
	}
	if len(whole.Region) == 0 {
		return fate{state: elsewhere}
	}
	first, left := 0, whole.Region
	base := c.base[b.Provider]
	if k, ok := c.unchanged(v, i); ok {
		// What the layers below leave of it is known; the merchant's own rules may take more.
		if base.fates[k].state != live {
			return base.fates[k]
		}
		first, left = -1, base.left[k]
	}
	left, err := c.without(b, left, first, i)
	switch {
	case err != nil:
		return fate{state: unknown}
	case len(left) == 0:
		return fate{state: covered, by: c.coverers(b, i)}
	}
	v.left[i] = left
	if c.occurs(b.Provider, left) == nil {
		return fate{state: unreachable, never: c.occurs(b.Provider, whole.Region) == nil}
	}
	return fate{state: live}
}

// unchanged finds a rule of a lower layer in the book of merchants without a file, if the
// same rules come before it there.
func (c *checker) unchanged(v *verdicts, i int) (k int, ok bool) {
	b, base := v.book, c.base[v.book.Provider]
	if base == nil || b.Merchant == "" {
		return 0, false
	}
	own := b.Own(c.e.Rules.Merchants[b.Merchant])
	if i < own || len(base.book.Rulings) != len(b.Rulings)-own {
		return 0, false // its own, or some are disabled
	}
	for j := own; j <= i; j++ {
		if base.book.Rulings[j-own].Rule != b.Rulings[j].Rule || !same(base.book.Rules[j-own].Region, b.Rules[j].Region) {
			return 0, false
		}
	}
	return i - own, true
}

// same reports whether two regions are one: a merchant's name changed nothing in it.
func same(r, s region.Region) bool {
	return len(r) == len(s) && (len(r) == 0 || &r[0] == &s[0])
}

// without takes the rules before rule i from a region; with first below 0, only the
// merchant's own.
func (c *checker) without(b *space.Book, left region.Region, first, i int) (region.Region, error) {
	last := i
	if first < 0 {
		last = b.Own(c.e.Rules.Merchants[b.Merchant])
	}
	for j := range last {
		var err error
		if b.Rules[j].Err != nil {
			continue // without it more is left, so what is dead is dead
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

// coverers names as few earlier rules as take everything from rule i.
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
	for k := len(taking) - 1; k >= 0; k-- { // leave out those that are not needed
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

// occurs finds the plainest situation of a region that can come about at a provider; nil
// when none can.
func (c *checker) occurs(provider string, r region.Region) *space.Reached {
	return c.index[provider].Find(r)
}

// conditions says of which rules nothing can be told, and which parts are opaque.
func (c *checker) conditions(context.Context) error {
	for _, r := range c.rules {
		switch exact, parts := c.s.Exact(r.cond.Region); {
		case errors.Is(r.cond.Err, region.ErrTooComplex):
			c.report.add(Finding{Kind: TooComplex, Severity: c.grave(r.file, Warning), Place: r.place(0), Message: "the condition of rule " + quote(r.ID) + " is too complex to tell anything of it; split it into rules"})
		case !exact:
			c.report.add(Finding{Kind: OpaquePart, Severity: Note, Place: r.place(0), Message: "rule " + quote(r.ID) + ": cannot see into " + several(quoted(parts)) + ", and counts it as both true and false"})
		case len(r.cond.Region) == 0:
			c.report.add(Finding{Kind: Contradiction, Severity: c.grave(r.file, Error), Place: r.place(0), Message: "rule " + quote(r.ID) + " contradicts itself: its condition holds for no input"})
		}
	}
	return nil
}
