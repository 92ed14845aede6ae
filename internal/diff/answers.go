package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// saying are the dimensions that tell one answer from another.
var saying = []region.Dim{space.Fault, space.Status, space.SubStatus, space.Code, space.SubCode, space.HTTPStatus}

// answers lists the answers that come to a region as they are judged, by operation and phase.
func (d *differ) answers(p string, r region.Region) []Answers {
	type key struct {
		op policy.Operation
		ph policy.Phase
	}
	at := map[key]region.Region{}
	for _, reached := range d.reached(d.after, p) {
		if reached.How != space.Judged {
			break // the plain ones come first
		}
		for _, b := range r {
			both, ok := b.And(reached.Box)
			if !ok {
				continue
			}
			said := region.Box{}
			for _, dim := range saying {
				if set := both.Of(dim); set != nil {
					said = said.With(dim, set)
				}
			}
			for _, op := range policy.Operations() {
				for _, ph := range policy.Phases() {
					if has(both, space.Operation, int(op)) && has(both, space.Phase, int(ph)) {
						at[key{op, ph}] = append(at[key{op, ph}], said)
					}
				}
			}
		}
	}
	var out []Answers
	for _, op := range policy.Operations() {
		for _, ph := range policy.Phases() {
			if said := at[key{op, ph}]; len(said) > 0 {
				out = append(out, Answers{op, ph, d.said(said)})
			}
		}
	}
	return out
}

func has(b region.Box, d region.Dim, i int) bool {
	set, limited := b.Of(d).(region.Words)
	return !limited || set.Has(i)
}

// said writes answers, the shortest way that is exact.
func (d *differ) said(r region.Region) []string {
	r = d.s.Algebra.Merge(d.s.Algebra.MergeAlong(r, space.HTTPStatus, space.Code, space.SubCode))
	var out []string
	for _, b := range r {
		if set, ok := b.Of(space.Fault).(region.Words); ok && set == space.Bit(policy.NoFault) {
			b = b.Without(space.Fault)
		}
		for _, dim := range []region.Dim{space.Status, space.SubCode} {
			if t, ok := b.Of(dim).(region.Texts); ok && !t.Except && len(t.List) == 1 && t.List[0] == "" {
				b = b.Without(dim) // it does not say
			}
		}
		if what := strings.Join(d.s.Describe(b), ", "); what != "" {
			out = append(out, what)
		} else {
			out = append(out, "any answer")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// facts notes what the catalogues say differently, together where the effects change alike.
func (d *differ) facts(p string, changes []factChange) {
	type key struct {
		op       policy.Operation
		ph       policy.Phase
		from, to policy.Effect
	}
	var order []key
	where, plain := map[key]region.Region{}, map[key]factChange{}
	for _, f := range changes {
		k := key{f.op, f.phase, f.from.Effect, f.to.Effect}
		if where[k] == nil {
			order = append(order, k)
			plain[k] = f
		}
		for _, b := range f.where {
			if has(b, space.Fault, int(policy.NoFault)) && hasText(b, space.SubCode, "") && b.Meets(region.Box{{Dim: space.HTTPStatus, Set: region.Range(200, 200)}}) {
				plain[k] = f // the classes are those of the plainest answer
			}
			where[k] = append(where[k], b.Without(space.Operation).Without(space.Phase))
		}
	}
	for _, k := range order {
		f := plain[k]
		d.report.Facts = append(d.report.Facts, Fact{
			Name: p + "/facts/" + f.op.String() + "/" + f.phase.String(), Risk: movesFact(f.from, f.to), Provider: p,
			Operation: f.op, Phase: f.phase, What: d.said(where[k]), Before: f.from, After: f.to,
		})
	}
}

func hasText(b region.Box, d region.Dim, text string) bool {
	set, limited := b.Of(d).(region.Texts)
	return !limited || set.Has(text)
}

// factDims are what a fact settles.
var factDims = []region.Dim{space.Effect, space.Class, space.Stage, space.Reach, space.Final}

// factDecisions finds what is decided differently because an answer proves something else.
func (d *differ) factDecisions(f *factChange, x, y []cell, into *consequences) error {
	before, err := d.decidedWith(f.where, f.from, x)
	if err != nil {
		return err
	}
	after, err := d.decidedWith(f.where, f.to, y)
	if err != nil {
		return err
	}
	for _, a := range before {
		for _, b := range after {
			if alike(&a.decision, &b.decision) {
				continue
			}
			here, err := d.s.Algebra.And(a.where, b.where)
			if err != nil {
				return err
			}
			if len(here) > 0 {
				into.add(f, changed{a.decision, b.decision, here})
			}
		}
	}
	return nil
}

// consequences are decisions that change because facts did, together where the effects
// change alike.
type consequences struct {
	order []string
	facts map[string]*factChange
	found map[string]*changed
}

func (c *consequences) add(f *factChange, ch changed) {
	key := fmt.Sprint(f.op, f.phase, f.from.Effect, f.to.Effect, side(&ch.from), side(&ch.to))
	if known := c.found[key]; known != nil {
		known.where = append(known.where, ch.where...)
		return
	}
	c.order = append(c.order, key)
	c.facts[key], c.found[key] = f, &ch
}

// consequent notes what a merchant's decisions become because facts changed.
func (d *differ) consequent(p, m string, facts []factChange, x, y []cell) error {
	all := consequences{facts: map[string]*factChange{}, found: map[string]*changed{}}
	for i := range facts {
		if err := d.factDecisions(&facts[i], x, y, &all); err != nil {
			return err
		}
	}
	for _, key := range all.order {
		ch, f := all.found[key], all.facts[key]
		ch.where = d.s.Algebra.Merge(ch.where)
		d.note(p, m, doubting(f), *ch, f)
	}
	return nil
}

// decidedWith is what is decided about some answers that prove a fact; the fact itself is
// left out of the regions.
func (d *differ) decidedWith(answers region.Region, f policy.Fact, list []cell) ([]cell, error) {
	r := make(region.Region, len(answers))
	for i, b := range answers {
		r[i] = space.WithFact(b, f)
		if !f.Effect.Settled() {
			r[i] = r[i].With(space.InDoubt, region.Words(2))
		}
	}
	cells, err := decided(&d.s.Algebra, r, list)
	for i := range cells {
		for k, b := range cells[i].where {
			for _, dim := range factDims {
				b = b.Without(dim)
			}
			if !f.Effect.Settled() {
				b = b.Without(space.InDoubt) // it follows from the fact
			}
			cells[i].where[k] = b
		}
	}
	return cells, err
}

// doubting is what the more careful of two catalogues knows of the money: the other one's
// certainty is what is at stake.
func doubting(f *factChange) *knowledge {
	if f.to.Effect.Settled() {
		return knowing(f.from)
	}
	return knowing(f.to)
}

// knowing is what is known of the money by a fact alone.
func knowing(f policy.Fact) *knowledge {
	box := space.WithFact(region.Box{}, f).With(space.InDoubt, region.Words(1))
	for i := range evidence {
		if evidence[i].where.Meets(region.Region{box}) {
			return &evidence[i]
		}
	}
	return &evidence[2]
}

// showFact looks for an answer that both engines judge and decide as a change says.
func (d *differ) showFact(p, m string, ch changed, f *factChange) *Witness {
	zone := d.after.Effective(p, m).Zone
	for _, b := range ch.where {
		for n := range guesses {
			sit, ok := d.s.Point(b, zone, n)
			if !ok {
				continue
			}
			sit.Payment.Provider = p
			if m != "" {
				sit.Payment.Merchant = m
			}
			before, after := sit, sit
			before.Fact, after.Fact = d.base.Judge(sit.Payment, sit.Answer), d.after.Judge(sit.Payment, sit.Answer)
			before.InDoubt, after.InDoubt = sit.InDoubt || !before.Fact.Effect.Settled(), sit.InDoubt || !after.Fact.Effect.Settled()
			x, y := d.base.Decide(&before), d.after.Decide(&after)
			if alike(&x, &ch.from) && alike(&y, &ch.to) {
				return space.Witnessed(after, space.Judged, y)
			}
		}
	}
	return nil
}
