package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// deadRules reports rules that decide nothing, in every rule list or in some.
func (c *checker) deadRules(context.Context) error {
	for _, r := range c.rules {
		slices.SortFunc(r.seen, func(a, b outcome) int {
			if a.merchant != b.merchant {
				return compare(a.merchant, b.merchant)
			}
			return compare(a.provider, b.provider)
		})
		by := map[state][]outcome{}
		tried := 0
		for _, f := range r.seen {
			by[f.state] = append(by[f.state], f)
			if f.state != notApplicable {
				tried++
			}
		}
		if r.cond.Err != nil || len(r.cond.Region) == 0 {
			continue // conditions reported it
		}
		switch {
		case tried == 0:
			c.report.add(Finding{Kind: Contradiction, Severity: c.severityFor(r.file, Error), Place: r.place(0), Message: "rule " + quote(r.ID) + " is for a provider or merchant that its file never speaks for"})
		case len(by[unknown]) > 0:
			c.report.add(Finding{Kind: TooComplex, Severity: c.severityFor(r.file, Warning), Place: r.place(0), Message: "whether rule " + quote(r.ID) + " is ever reached is too complex to tell"})
		case len(by[live]) > 0:
			c.shadowed(r, by[covered])
		default:
			c.dead(r, by)
		}
	}
	return nil
}

// dead reports a rule that decides nothing anywhere.
func (c *checker) dead(r *checkedRule, by map[state][]outcome) {
	if len(by[covered]) == 0 {
		c.report.add(c.neverOccurs(r, by[unreachable]))
		return
	}
	first := by[covered][0]
	f := Finding{Kind: Dead, Severity: c.severityFor(r.file, Error), Place: r.place(0), Related: places(first.by)}
	f.Message = "rule " + quote(r.ID) + " never decides: " + coveredBy(first.by)
	if other := c.of[first.by[0]]; len(first.by) == 1 && other != nil && other.Then != r.Then && c.contains(r, other) {
		f.Message += fmt.Sprintf("; they contradict each other: it wants %s, the first %s", r.Then, other.Then)
	}
	if len(by[unreachable]) > 0 {
		f.Message += "; at " + several(providersOf(by[unreachable])) + " no answer comes to it"
	}
	f.Witness = c.displaced(r, first)
	c.report.add(f)
}

// neverOccurs is the finding for a rule whose answers are not in the catalogues.
func (c *checker) neverOccurs(r *checkedRule, outcomes []outcome) Finding {
	f := Finding{Kind: Unreachable, Severity: Warning, Place: r.place(0)}
	if c.names(r) {
		f.Severity = Error // it names codes or statuses, which its author expected to occur
	}
	f.Severity = c.severityFor(r.file, f.Severity)
	where := several(providersOf(outcomes))
	if slices.ContainsFunc(outcomes, func(x outcome) bool { return !x.never }) {
		f.Message = fmt.Sprintf("rule %s never decides: what earlier rules leave of it no answer of %s comes to", quote(r.ID), where)
		return f
	}
	f.Message = fmt.Sprintf("rule %s never decides: no answer of %s comes to it", quote(r.ID), where)
	if why := c.nearest(r, outcomes[0]); why != "" {
		f.Message += " (" + why + ")"
	}
	return f
}

// names reports whether a rule names codes or statuses.
func (c *checker) names(r *checkedRule) bool {
	for _, b := range r.cond.Region {
		for _, d := range []region.Dim{space.Code, space.Status, space.SubCode, space.SubStatus} {
			if t, ok := b.Of(d).(region.Texts); ok && !t.Except {
				return true
			}
		}
	}
	return false
}

// nearest describes the one variable that keeps the condition from occurring, if there is one.
func (c *checker) nearest(r *checkedRule, at outcome) string {
	for _, d := range []region.Dim{space.Effect, space.Class, space.Phase, space.Fault, space.InDoubt, space.Status, space.Stage, space.Final, space.HTTPStatus} {
		freed := make(region.Region, 0, len(r.cond.Region))
		for _, b := range r.cond.Region {
			if t, limited := b.Of(space.Provider).(region.Texts); limited && !t.Has(at.provider) {
				continue
			}
			if b.Of(d) != nil {
				freed = append(freed, b.Without(d).Without(space.Provider).Without(space.Merchant))
			}
		}
		if hit := c.occurs(at.provider, freed); hit != nil {
			if set := hit.Box.Of(d); set != nil {
				return fmt.Sprintf("but for %s: there it is %s", c.s.Name(d), c.s.Show(d, set))
			}
		}
	}
	return ""
}

// shadowed reports a rule that another layer covers in some rule lists.
func (c *checker) shadowed(r *checkedRule, outcomes []outcome) {
	var others []outcome
	for _, f := range outcomes {
		if slices.ContainsFunc(f.by, func(x *rules.Rule) bool { return c.of[x] == nil || c.of[x].file != r.file }) {
			others = append(others, f)
		}
	}
	if len(others) == 0 {
		return
	}
	first := others[0]
	f := Finding{Kind: Shadowed, Severity: Note, Place: r.place(0), Related: places(first.by), Witness: c.displaced(r, first)}
	f.Providers, f.Merchants = providersOf(others), merchantsOf(others)
	for i, m := range f.Merchants {
		if m == "" {
			f.Merchants = slices.Delete(f.Merchants, i, i+1)
			break
		}
	}
	whose := "at " + several(f.Providers)
	if len(f.Merchants) > 0 {
		whose = "for merchant " + several(f.Merchants)
		if len(f.Merchants) > 1 {
			whose = "for merchants " + several(f.Merchants)
		}
	}
	f.Message = fmt.Sprintf("rule %s is dead %s: %s", quote(r.ID), whose, coveredBy(first.by))
	c.report.add(f)
}

// displaced returns an input for which a dead rule's condition holds and another rule decides.
func (c *checker) displaced(r *checkedRule, at outcome) *space.Witness {
	settled := c.book(at.provider, at.merchant)
	for i := range settled.Rulings {
		if settled.Rulings[i].Rule == r.Rule {
			return c.witness(at.provider, at.merchant, settled.Rules[i].Region, func(sit *policy.Situation, d policy.Decision) bool {
				return c.e.Holds(r.Rule, sit) && slices.ContainsFunc(at.by, func(x *rules.Rule) bool { return x.Source() == d.Source })
			})
		}
	}
	return nil
}

func coveredBy(by []*rules.Rule) string {
	names := make([]string, len(by))
	for i, r := range by {
		names[i] = quote(r.ID) + " (" + r.Source() + ")"
	}
	if len(by) == 1 {
		return "rule " + names[0] + " comes first and takes every input of it"
	}
	return "rules " + several(names) + " come first and together take every input of it"
}

func places(by []*rules.Rule) []Place {
	out := make([]Place, len(by))
	for i, r := range by {
		out[i] = Place{File: r.Pos.File, Line: r.Pos.Line, Rule: r.ID}
	}
	return out
}

func providersOf(outcomes []outcome) []string {
	return distinct(outcomes, func(f outcome) string { return f.provider })
}

func merchantsOf(outcomes []outcome) []string {
	return distinct(outcomes, func(f outcome) string { return f.merchant })
}

func distinct(outcomes []outcome, of func(outcome) string) []string {
	var all []string
	for _, f := range outcomes {
		all = append(all, of(f))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func quote(s string) string { return strconv.Quote(s) }

func quoted(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = "`" + s + "`"
	}
	return out
}
