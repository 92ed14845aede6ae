package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// answerDims are the dimensions that distinguish one answer from another.
var answerDims = []region.Dim{space.Fault, space.Status, space.SubStatus, space.Code, space.SubCode, space.HTTPStatus}

// answers lists the answers in a region that the catalogue judges, by operation and phase.
func (d *differ) answers(p string, r region.Region) []Answers {
	inside := d.judged(p, r)
	var out []Answers
	for _, op := range policy.Operations() {
		for _, ph := range policy.Phases() {
			var here region.Region
			for _, b := range inside {
				if has(b, space.Operation, int(op)) && has(b, space.Phase, int(ph)) {
					here = append(here, answerOnly(b))
				}
			}
			if len(here) > 0 {
				out = append(out, Answers{op, ph, d.describe(here)})
			}
		}
	}
	return out
}

// judged returns the part of a region that comes straight from the catalogue's judgement.
func (d *differ) judged(p string, r region.Region) region.Region {
	var out region.Region
	for _, reached := range d.reached(d.after, p).index.All {
		if reached.How != space.Judged {
			break // the judged ones come first
		}
		for _, b := range r {
			if both, ok := b.And(reached.Box); ok {
				out = append(out, both)
			}
		}
	}
	return out
}

// answerOnly drops every dimension that is not part of an answer.
func answerOnly(b region.Box) region.Box {
	out := region.Box{}
	for _, dim := range answerDims {
		if set := b.Of(dim); set != nil {
			out = out.With(dim, set)
		}
	}
	return out
}

func has(b region.Box, d region.Dim, i int) bool {
	set, limited := b.Of(d).(region.Words)
	return !limited || set.Has(i)
}

// describe writes answers as text, in the shortest form that is exact.
func (d *differ) describe(r region.Region) []string {
	r = d.s.Algebra.Merge(d.s.Algebra.MergeAlong(r, space.HTTPStatus, space.Code, space.SubCode))
	var out []string
	for _, b := range r {
		if set, ok := b.Of(space.Fault).(region.Words); ok && set == space.Bit(policy.NoFault) {
			b = b.Without(space.Fault)
		}
		for _, dim := range []region.Dim{space.Status, space.SubCode} {
			if t, ok := b.Of(dim).(region.Texts); ok && !t.Except && len(t.List) == 1 && t.List[0] == "" {
				b = b.Without(dim) // the answer does not have it
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

// facts reports what the catalogues judge differently. Answers whose effect changes in the
// same way are one entry.
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
				plain[k] = f // report the classes of the most ordinary answer
			}
			where[k] = append(where[k], b.Without(space.Operation).Without(space.Phase))
		}
	}
	for _, k := range order {
		f := plain[k]
		d.report.Facts = append(d.report.Facts, Fact{
			Name: p + "/facts/" + f.op.String() + "/" + f.phase.String(), Risk: movesFact(f.from, f.to), Provider: p,
			Operation: f.op, Phase: f.phase, What: d.describe(where[k]), Before: f.from, After: f.to,
		})
	}
}

func hasText(b region.Box, d region.Dim, text string) bool {
	set, limited := b.Of(d).(region.Texts)
	return !limited || set.Has(text)
}

// factDims are the dimensions that a fact determines.
var factDims = []region.Dim{space.Effect, space.Class, space.Stage, space.Reach, space.Final}

// factDecisions finds decisions that change because an answer proves something else.
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
				into.add(f, changed{a.decision, b.decision, here, a.at, b.at})
			}
		}
	}
	return nil
}

// consequences are decisions that change because facts changed. Those whose effect changes in
// the same way are one entry.
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

// consequent finds how decisions change because facts changed.
func (d *differ) consequent(p string, facts []factChange, x, y []cell) ([]part, error) {
	all := consequences{facts: map[string]*factChange{}, found: map[string]*changed{}}
	for i := range facts {
		if err := d.factDecisions(&facts[i], x, y, &all); err != nil {
			return nil, err
		}
	}
	var out []part
	for _, key := range all.order {
		ch, f := all.found[key], all.facts[key]
		ch.where = d.s.Algebra.Merge(ch.where)
		out = append(out, d.part(p, cautious(f), ch, f))
	}
	return out, nil
}

// decidedWith returns the decisions about answers that prove a fact. The fact itself is left
// out of the regions, so that the regions of two different facts can be compared.
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

// cautious returns what the more careful of two catalogues knows of the money. The risk is
// that the other one is certain and wrong.
func cautious(f *factChange) *knowledge {
	if f.to.Effect.Settled() {
		return knowing(f.from)
	}
	return knowing(f.to)
}

// knowing returns what a fact alone proves about the money.
func knowing(f policy.Fact) *knowledge {
	box := space.WithFact(region.Box{}, f).With(space.InDoubt, region.Words(1))
	for i := range evidence {
		if evidence[i].where.Meets(region.Region{box}) {
			return &evidence[i]
		}
	}
	return &evidence[2]
}

// factWitness looks for an answer that both engines judge and decide as a change says.
func (d *differ) factWitness(p, m string, ch changed) *Witness {
	of := space.Owner{Provider: p, Merchant: m, Zone: d.after.Effective(p, m).Zone}
	for _, b := range ch.where {
		for sit := range d.s.Points(b, of) {
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
