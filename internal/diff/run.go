package diff

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// Options of [Run]. The zero value allows no riskier change.
type Options struct {
	Allow     []string              // names of riskier changes that are intended
	Providers []string              // compare only at these; empty: at all
	Progress  func(done, lists int) // called after each merchant at each provider; may be nil
}

// differ is one run.
type differ struct {
	*Comparer
	after     *ruleset.Engine
	report    *Report
	found     map[changeKey]*Change
	changes   []*Change
	groups    map[string]*grouped
	schedules map[*policy.Schedule]int
	written   map[string]int
	terms     map[string]*Term
	last      []string

	deployments map[string]bool // whose facts are reported
	plain       bool            // find everything anew for each merchant: the plain twin of the groups, for tests
}

// Run compares what two sets of rules decide, from before to after, for every merchant at
// every provider. When ctx is cancelled it returns what is known by then, and ctx's error.
func Run(ctx context.Context, before, after *ruleset.Engine, o Options) (*Report, error) {
	return newDiffer(before, after).run(ctx, o)
}

func newDiffer(before, after *ruleset.Engine) *differ {
	return &differ{
		Comparer: &Comparer{base: before, s: space.New(before, after), reach: map[string]*reach{}}, after: after,
		report: &Report{Version: Version, Complete: true, Changes: []Change{}, Facts: []Fact{}, Terms: []Term{}},
		found:  map[changeKey]*Change{}, terms: map[string]*Term{}, deployments: map[string]bool{},
		groups: map[string]*grouped{}, schedules: map[*policy.Schedule]int{}, written: map[string]int{},
	}
}

func (d *differ) run(ctx context.Context, o Options) (*Report, error) {
	err := d.compareAll(ctx, &o)
	for _, c := range d.changes {
		d.report.Changes = append(d.report.Changes, *c)
	}
	for _, key := range d.last {
		d.report.Terms = append(d.report.Terms, *d.terms[key])
	}
	d.report.Terms = append([]Term{}, together(d.report.Terms)...)
	if err != nil {
		d.report.Complete = false
	}
	d.report.finish(o.Allow)
	return d.report, err
}

func (d *differ) compareAll(ctx context.Context, o *Options) error {
	all := merchants(d.base, d.after)
	names := slices.Concat(d.base.Catalogs.Names(), d.after.Catalogs.Names())
	slices.Sort(names)
	names = slices.Compact(names)
	if len(o.Providers) > 0 {
		names = slices.DeleteFunc(names, func(p string) bool { return !slices.Contains(o.Providers, p) })
	}
	for i, p := range names {
		a, err1 := d.base.Catalogs.Get(p)
		b, err2 := d.after.Catalogs.Get(p)
		if err1 != nil || err2 != nil {
			d.term(Other, p, "", "", "provider", known(err1), known(err2))
			continue
		}
		var facts []factChange
		if !sameFacts(d.base, d.after, p, "") {
			facts = factChanges(a, b)
			d.facts(p, facts)
			d.operations(p, a.Operations, b.Operations)
		}
		for k, m := range all {
			if err := ctx.Err(); err != nil {
				return err
			}
			if d.uses(p, m) {
				d.termsOf(p, m, a.Operations)
				d.compareDecisions(p, m, slices.Concat(facts, d.deployed(p, m)))
			}
			if o.Progress != nil {
				o.Progress(i*len(all)+k, len(names)*len(all))
			}
		}
	}
	return nil
}

// uses reports whether a merchant uses a provider before and after. Where it did not, or does not any more, no payment is decided
// otherwise; that it changed is a term.
func (d *differ) uses(p, m string) bool {
	before, after := d.base.Rules.Uses(m, p), d.after.Rules.Uses(m, p)
	if before != after {
		risk := Safer
		if after {
			risk = Riskier // payments go where no proof of before looked
		}
		d.term(risk, p, "", m, "merchant.providers", used(before), used(after))
	}
	return before && after
}

func used(yes bool) string {
	if yes {
		return "used"
	}
	return "not used"
}

func known(err error) string {
	if err != nil {
		return "not known"
	}
	return "known"
}

func (d *differ) operations(p string, before, after []policy.Operation) {
	for _, op := range policy.Operations() {
		if x, y := slices.Contains(before, op), slices.Contains(after, op); x != y {
			d.term(Other, p, op.String(), "", "offered", fmt.Sprint(x), fmt.Sprint(y))
		}
	}
}

// compareDecisions reports where the decisions for one merchant at one provider change.
func (d *differ) compareDecisions(p, m string, facts []factChange) {
	x, err := listOf(d.s, d.base, p, m)
	y, err2 := listOf(d.s, d.after, p, m)
	if err == nil {
		err = err2
	}
	if err == nil {
		found := d.partsOf(p, facts, x, y)
		for i := range found.parts {
			d.note(p, m, &found.parts[i], x, y)
		}
		err = found.err
	}
	if err != nil {
		d.report.Complete = false
		d.report.Unknown = append(d.report.Unknown, strings.TrimSuffix(p+" "+m, " ")+": "+err.Error())
	}
}

// note adds a change, or adds the merchant to a change that is known.
func (d *differ) note(p, m string, t *part, x, y []cell) {
	ch := changed{x[t.fromAt].decision, y[t.toAt].decision, t.where, t.fromAt, t.toAt}
	from, to := side(&ch.from), side(&ch.to)
	if from.Rule != to.Rule {
		from.Waits, to.Waits = "", "" // merchants with different waits still share the change
	}
	key := changeKey{p, from, to, t.key}
	if known := d.found[key]; known != nil {
		known.Merchants = append(known.Merchants, m)
		return
	}
	c := &Change{
		Name: nameOf(p, &ch), Risk: t.knows.moves(ch.from.Action, ch.to.Action), Money: t.knows.name, Provider: p, Merchants: []string{m},
		Before: side(&ch.from), After: side(&ch.to), Regions: t.regions, Opaque: t.opaque, Answers: t.answers,
	}
	if f := t.fact; f == nil {
		c.Witness, _ = d.witness(d.after, p, m, ch)
	} else {
		c.FactBefore, c.FactAfter = &f.from, &f.to
		c.Witness = d.factWitness(p, m, ch)
	}
	d.found[key] = c
	d.changes = append(d.changes, c)
}

// changeKey is the same for the same change of several merchants.
type changeKey struct {
	provider string
	from, to Side
	part     [32]byte
}

// nameOf names a change. The name stays the same while the rules keep their ids, so that it
// can be allowed on the command line.
func nameOf(p string, ch *changed) string {
	rule := func(x *policy.Decision) string {
		if x.Rule == "" {
			return "none"
		}
		return x.Rule
	}
	return p + "/" + rule(&ch.from) + "->" + rule(&ch.to)
}

func side(x *policy.Decision) Side {
	s := Side{Action: x.Action, Rule: x.Rule, Source: x.Source}
	if x.Schedule != nil {
		s.Schedule, s.Waits = x.Schedule.Name, x.Schedule.String()
	}
	return s
}

// together joins the same change of a term for several merchants.
func together(terms []Term) []Term {
	at := map[string]int{}
	var out []Term
	for _, t := range terms {
		key := fmt.Sprint(t.Name, t.Operations, t.Before, "\x00", t.After)
		if i, known := at[key]; known {
			out[i].Merchants = append(out[i].Merchants, t.Merchants...)
			continue
		}
		at[key] = len(out)
		out = append(out, t)
	}
	return out
}

// deployed reports what a merchant's deployment of a provider changes: which one is meant, and what its answers prove.
func (d *differ) deployed(p, m string) []factChange {
	before, after := d.base.Rules.Deployment(m, p), d.after.Rules.Deployment(m, p)
	if before == "" && after == "" {
		return nil
	}
	a, err1 := d.base.Catalog(&policy.Payment{Provider: p, Merchant: m})
	b, err2 := d.after.Catalog(&policy.Payment{Provider: p, Merchant: m})
	if err1 != nil || err2 != nil {
		return nil
	}
	if before != after {
		d.term(Riskier, p, "", m, "contract.deployment", before, after) // its answers and signatures are read otherwise
	}
	if sameFacts(d.base, d.after, p, m) {
		return nil
	}
	facts := factChanges(a, b)
	if key := p + "\n" + before + "\n" + after; !d.deployments[key] { // several merchants may meet it there
		d.deployments[key] = true
		d.facts(p, facts)
	}
	return facts
}
