package diff

import (
	"reflect"
	"slices"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// Witness is an input that shows a difference; see its fields' JSON in docs/check.md.
type Witness = space.Witness

// Comparer compares engines with one base engine. Only one goroutine may use it at a time.
type Comparer struct {
	base  *ruleset.Engine
	s     *space.Space
	reach map[string]*reach
}

// NewComparer returns a Comparer for a base engine.
func NewComparer(base *ruleset.Engine) *Comparer {
	return &Comparer{base: base, s: space.New(base), reach: map[string]*reach{}}
}

// Verdict is how two engines compare.
type Verdict struct {
	Same  bool // they decide every input alike
	Exact bool // false: too complex, or it depends on opaque parts; then Same means nothing

	// An input that shows a difference, with the decisions of both engines; nil when Same.
	Witness       *Witness
	Before, After policy.Decision
}

// Compare compares an engine with the base: whether both decide alike, by the same rules and with the same waits, for
// every possible input of every merchant. Rule lists that are the same in both cost little, so an engine that differs in
// one rule is compared fast.
func (c *Comparer) Compare(b *ruleset.Engine) Verdict {
	if !slices.Equal(c.base.Catalogs.Names(), b.Catalogs.Names()) {
		return Verdict{Exact: true}
	}
	unsure := false
	for _, p := range b.Catalogs.Names() {
		for _, m := range merchants(c.base, b) {
			if !sameFacts(c.base, b, p, m) || !sameTerms(c.base, b, p, m) {
				return Verdict{Exact: true}
			}
			v := c.compareAt(b, p, m)
			switch {
			case v.Exact && !v.Same:
				return v
			case !v.Exact:
				unsure = true
			}
		}
	}
	return Verdict{Same: !unsure, Exact: !unsure}
}

// compareAt compares one merchant at one provider.
func (c *Comparer) compareAt(e *ruleset.Engine, provider, merchant string) Verdict {
	x, err1 := listOf(c.s, c.base, provider, merchant)
	y, err2 := listOf(c.s, e, provider, merchant)
	if err1 != nil || err2 != nil {
		return Verdict{}
	}
	changes, err := compare(&c.s.Algebra, x, y)
	if err != nil {
		return Verdict{}
	}
	unsure := false
	for _, ch := range changes {
		w, occurs := c.witness(e, provider, merchant, ch)
		switch {
		case w != nil:
			return Verdict{Exact: true, Witness: w, Before: ch.from, After: ch.to}
		case occurs:
			unsure = true
		}
	}
	return Verdict{Same: !unsure, Exact: !unsure}
}

// witness looks for an input on which both engines decide as a change says. occurs is false
// when no input of the change can occur.
func (c *Comparer) witness(e *ruleset.Engine, provider, merchant string, ch changed) (w *Witness, occurs bool) {
	of := space.Owner{Provider: provider, Merchant: merchant, Zone: e.Effective(provider, merchant).Zone}
	for box, how := range c.reached(e, provider).index.Occurring(ch.where) {
		occurs = true
		for sit := range c.s.Points(box, of) {
			before, after := c.base.Decide(&sit), e.Decide(&sit)
			if !alike(&before, &after) && alike(&before, &ch.from) && alike(&after, &ch.to) {
				return space.Witnessed(sit, how, after), true
			}
		}
	}
	return nil, occurs
}

// merchants lists those with a file in either engine, and "" for all others.
func merchants(a, b *ruleset.Engine) []string {
	all := append(append([]string{""}, a.Rules.MerchantNames()...), b.Rules.MerchantNames()...)
	slices.Sort(all)
	return slices.Compact(all)
}

// sameFacts reports whether a provider's answers to a merchant's payments prove the same in two engines.
func sameFacts(a, b *ruleset.Engine, provider, merchant string) bool {
	x, err1 := a.Catalog(&policy.Payment{Provider: provider, Merchant: merchant})
	y, err2 := b.Catalog(&policy.Payment{Provider: provider, Merchant: merchant})
	if err1 != nil || err2 != nil {
		return false
	}
	if x == y || reflect.DeepEqual(x.Codes, y.Codes) && reflect.DeepEqual(x.Statuses, y.Statuses) && reflect.DeepEqual(x.Fallbacks, y.Fallbacks) && slices.Equal(x.Operations, y.Operations) {
		return true
	}
	if !slices.Equal(x.Operations, y.Operations) {
		return false
	}
	return len(factChanges(x, y)) == 0
}

func sameTerms(a, b *ruleset.Engine, provider, merchant string) bool {
	for _, op := range policy.Operations() {
		if x, y := space.Terms(a, provider, merchant, op), space.Terms(b, provider, merchant, op); !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return a.Effective(provider, merchant).Zone.String() == b.Effective(provider, merchant).Zone.String() || !usesTime(a, b)
}

// usesTime reports whether any rule compares the hour or the weekday.
func usesTime(a, b *ruleset.Engine) bool {
	s := space.New(a, b)
	for _, e := range []*ruleset.Engine{a, b} {
		for _, r := range space.AllRules(e.Rules) {
			for _, box := range s.Of(e, r).Region {
				if box.Of(space.Hour) != nil || box.Of(space.Weekday) != nil {
					return true
				}
			}
		}
	}
	return false
}
