package ruleset

import (
	"maps"
	"slices"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/rules"
)

// With compiles another set of rules against the same catalogues, and takes over what the
// two have in common: the rules that are the same in memory, and all that was prepared for
// merchants whose files are. It is for tools that try small changes, one after another. The
// engine itself stays as it is. The error holds every mistake.
func (e *Engine) With(set *rules.Set) (*Engine, error) {
	next := &Engine{Catalogs: e.Catalogs, Rules: set, ruleTables: make(map[string]*ruleTables, len(e.ruleTables)), named: &setName{}}
	var errs source.List
	c := newCompiler(next, &errs, maps.Clone(e.conditions))
	c.files()
	if err := errs.Err(); err != nil {
		return nil, err
	}
	next.conditions, next.Warnings = c.done, errs.Warnings.Sorted()
	for _, p := range append([]string{""}, e.Catalogs.Names()...) {
		of := func(m string, old *ruleTable) *ruleTable {
			if old != nil && slices.Equal(e.Rules.Layers(p, m), set.Layers(p, m)) {
				return old
			}
			return c.ruleTable(p, m)
		}
		before := e.ruleTables[p]
		all := &ruleTables{rest: of("", before.rest), own: map[string]*ruleTable{}}
		for _, m := range set.MerchantNames() {
			all.own[m] = of(m, before.own[m])
		}
		next.ruleTables[p] = all
	}
	next.index()
	return next, nil
}
