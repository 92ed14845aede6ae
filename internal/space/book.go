package space

import (
	"slices"
	"sync"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// Book is the rules of one merchant at one provider, with where each of them can hold there.
type Book struct {
	Provider, Merchant string // an empty merchant stands for all without a file
	ruleset.Effective
	Rules []Place // beside Rulings
}

// Place is where one rule's condition holds in a book. It may be shared by many books, and is not to be written to.
type Place struct {
	Region region.Region
	Err    error // region.ErrTooComplex
	Serial int   // places of one space with the same serial are the same place
}

// settled finds places again. A place is the same for every merchant unless its rule asks for the merchant.
type settled struct {
	mu     sync.Mutex
	places map[settledKey]Place
	serial int
}

type settledKey struct {
	cond     *Condition
	provider string
}

// next returns a serial that no place has. The caller holds mu.
func (c *settled) next() int { c.serial++; return c.serial }

func (s *Space) place(c *Condition, provider, merchant string, e *ruleset.Engine) Place {
	s.settled.mu.Lock()
	defer s.settled.mu.Unlock()
	key := settledKey{c, provider}
	if p, known := s.settled.places[key]; known {
		return p
	}
	p := Place{settle(c.Region, provider, merchant, e), c.Err, s.settled.next()}
	if !slices.ContainsFunc(c.Region, func(b region.Box) bool { return b.Of(Merchant) != nil }) {
		s.settled.places[key] = p
	}
	return p
}

// Book returns a book of an engine. Provider and merchant are settled in its regions.
func (s *Space) Book(e *ruleset.Engine, provider, merchant string) *Book {
	b := &Book{Provider: provider, Merchant: merchant, Effective: e.Effective(provider, merchant)}
	b.Rules = make([]Place, len(b.Rulings))
	for i, r := range b.Rulings {
		b.Rules[i] = s.place(s.Of(e, r.Rule), provider, merchant, e)
	}
	return b
}

// settle leaves of a region what a provider and a merchant leave of it.
func settle(r region.Region, provider, merchant string, e *ruleset.Engine) region.Region {
	if !slices.ContainsFunc(r, func(b region.Box) bool { return b.Of(Provider) != nil || b.Of(Merchant) != nil }) {
		return r
	}
	var out region.Region
	for _, b := range r {
		if t, limited := b.Of(Provider).(region.Texts); limited {
			if !t.Has(provider) {
				continue
			}
			b = b.Without(Provider)
		}
		if t, limited := b.Of(Merchant).(region.Texts); limited {
			if merchant != "" {
				if !t.Has(merchant) {
					continue
				}
				b = b.Without(Merchant)
			} else {
				rest := region.Both(t, region.NotIn(e.Rules.MerchantNames()...))
				if rest.Empty() {
					continue
				}
				b = b.With(Merchant, rest)
			}
		}
		out = append(out, b)
	}
	return out
}

// AbsentAt says for which operations "not found" can prove not_executed at a provider, by
// the contract or by what a merchant says of it.
func AbsentAt(e *ruleset.Engine, provider string, merchants []string) MayBeAbsent {
	absent := MayBeAbsent{}
	cat, err := e.Catalogs.Get(provider)
	if err != nil {
		return absent
	}
	for _, m := range merchants {
		for _, op := range cat.Operations {
			if Terms(e, provider, m, op).Contract.NotFoundAfter > 0 {
				absent[op] = true
			}
		}
	}
	return absent
}

// Terms are what holds for an operation of a merchant at a provider.
func Terms(e *ruleset.Engine, provider, merchant string, op policy.Operation) *policy.Terms {
	return e.Terms(&policy.Payment{Provider: provider, Merchant: merchant, Operation: op})
}

// Own counts the rules of a book that stand in a merchant's own file; they come first.
func (b *Book) Own(f *rules.File) int {
	n := 0
	for n < len(b.Rulings) && f != nil && slices.Contains(f.Rules, b.Rulings[n].Rule) {
		n++
	}
	return n
}

// Settle leaves of a region what a provider and a merchant leave of it.
func (s *Space) Settle(r region.Region, provider, merchant string, e *ruleset.Engine) region.Region {
	return settle(r, provider, merchant, e)
}
