package ruleset

import (
	"slices"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// contradictions refuses the lines of merchants' contracts that the catalogues deny, or that no row or block of them can keep: a proof that
// rests on both sides proves anything. A line holds for every operation and provider of the merchant; it is refused where all of them deny
// it. The embedded merchants are checked by a test.
func (c *compiler) contradictions() {
	for m, f := range c.e.Rules.Merchants {
		if f.Builtin() || !slices.ContainsFunc(policy.Operations(), func(op policy.Operation) bool { return len(f.ContractKeys(op)) > 0 }) {
			continue
		}
		l := &contractLines{holds: map[source.Pos]int{}, denied: map[source.Pos]int{}, first: map[source.Pos]policy.Mistake{}}
		for _, p := range c.e.Catalogs.Names() {
			if c.e.Rules.Uses(m, p) {
				l.look(c, f, p, m)
			}
		}
		for at, m := range l.first {
			said := slices.ContainsFunc(c.errs.Mistakes, func(o policy.Mistake) bool { return o.Position == at }) // the file denies it by itself
			if l.denied[at] == l.holds[at] && !said {
				c.errs.Add(at, "%s", m.Msg)
			}
		}
	}
}

// contractLines counts for how many products each line of a file holds, and how many of them deny it.
type contractLines struct {
	holds, denied map[source.Pos]int
	first         map[source.Pos]policy.Mistake
}

// look looks at the products of one provider and merchant.
func (l *contractLines) look(c *compiler, f *rules.File, provider, merchant string) {
	layers, read := c.e.Rules.Layers(provider, merchant), c.catalog(provider, merchant)
	cat := read()
	for _, op := range cat.Operations {
		mine := map[source.Pos]bool{}
		for _, key := range f.ContractKeys(op) {
			if at := layers.ContractAt(op, key); at.File == f.Name {
				l.holds[at]++
				mine[at] = true
			}
		}
		report := func(at policy.Position, text string) {
			if !mine[at] {
				return
			}
			mine[at] = false // a second reason is no second product
			l.denied[at]++
			if _, known := l.first[at]; !known {
				l.first[at] = policy.Mistake{Position: at, Msg: provider + " " + op.String() + ": " + text}
			}
		}
		promised := func(key string) policy.Position { return cat.ContractAt(op, layers.IdempotentKey(), key) }
		k := contract(read, layers, op)
		layers.CheckContract(op, &k, promised, report)
		cat.CheckContract(op, &k, func(key string) policy.Position { return layers.ContractAt(op, key) }, report)
	}
}
