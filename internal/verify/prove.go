package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// A proof about rules that allow more is a proof about rules that allow less: the search over the
// joined decisions of many merchants visits every state that any of them reaches. So products of
// one operation and one contract are proved together. Where that fails, the half of them is tried,
// down to a single merchant, and then to a single kind of payment.

// batch is the products that can be proved together.
type batch struct {
	jobs []*job
	e    *ruleset.Engine
	o    *Options
	s    *space.Space

	answers *answersMemo
	same    same // in the assumptions of its products

	uncertified error // why there is no certificate of what is proved
}

// runAll verifies the jobs. A product that was not finished is nil.
func runAll(ctx context.Context, e *ruleset.Engine, o *Options, jobs []*job) ([]*Product, error) {
	s := space.New(e)
	answers := &answersMemo{known: map[answersKey][]space.Group{}}
	byTerms := map[string]*batch{}
	var batches []*batch
	for _, j := range jobs {
		s.Book(e, j.payment.Provider, j.payment.Merchant) // compiles the conditions: one at a time
		s.Book(e, j.payment.Provider, "")
		key := fmt.Sprint(j.payment.Provider, j.payment.Operation, j.terms)
		if byTerms[key] == nil {
			byTerms[key] = &batch{e: e, o: o, s: s, answers: answers, same: same{map[string]string{}, map[string][]string{}}}
			batches = append(batches, byTerms[key])
		}
		byTerms[key].jobs = append(byTerms[key].jobs, j)
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var mu sync.Mutex
	done, finished := make([]*Product, len(jobs)), 0
	report := func(j *job) {
		mu.Lock()
		defer mu.Unlock()
		done[j.at] = j.product
		finished++
		if o.Progress != nil {
			o.Progress(finished, len(jobs))
		}
	}
	next := make(chan *batch)
	var wait sync.WaitGroup
	var errs error
	for range min(workers, len(batches)) {
		wait.Go(func() {
			for b := range next {
				if err := errors.Join(b.verify(ctx, report), b.uncertified); err != nil {
					mu.Lock()
					errs = errors.Join(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, b := range batches {
		select {
		case next <- b:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return done, errs
}

// verify proves the products of a batch, or finds what breaks in them.
func (b *batch) verify(ctx context.Context, report func(*job)) error {
	var open []*job
	names := map[*job]string{}
	for _, j := range b.jobs {
		j.product = &Product{Provider: j.payment.Provider, Operation: j.payment.Operation, Merchants: j.merchants}
		name, err := j.key(b.e, b.o)
		if err != nil {
			return err
		}
		names[j] = name
		was, known := b.o.Known.proved(name)
		if j.product.Covered, j.product.Known, j.product.needs = was.Covered, known, was.Needs; !known {
			open = append(open, j)
			j.product.Within = b.o.Known != nil // until a search is needed
		}
	}
	if len(open) > 0 {
		if err := b.proveModes(ctx, open, space.Bit(policy.Auto, policy.Manual)); err != nil {
			return err
		}
	}
	for _, j := range b.jobs {
		p := j.product
		p.Holds = len(p.Violations) == 0 && p.Unfinished == ""
		if p.Holds && !p.Known {
			b.o.Known.add(names[j], proved{p.Covered, p.needs})
		}
		b.describe(j)
		report(j)
	}
	return nil
}

// proveModes proves products for payments of some capture modes.
func (b *batch) proveModes(ctx context.Context, jobs []*job, modes region.Words) error {
	g, all, err := b.ground(jobs, modes)
	if err != nil {
		return err
	}
	var open []*job
	var tables []*table
	g.name = g.key(all[0].payment, jobs[0].terms, b.o.VerdictOnly, b.o.maxStates())
	for i, j := range jobs {
		if c := b.o.Known.covering(g.name, all[i]); c != nil {
			j.product.Covered.join(c.Covered)
			j.product.join(c.needsOf(all[i]))
			continue
		}
		j.product.Within = false
		open, tables = append(open, j), append(tables, all[i])
	}
	if len(open) == 0 {
		return nil
	}
	return b.prove(ctx, g, open, tables)
}

// ground returns what the models of some capture modes have in common, and the tables of products.
func (b *batch) ground(jobs []*job, modes region.Words) (*ground, []*table, error) {
	p := jobs[0].payment
	p.Capture = firstMode(modes)
	g, err := newGround(b.e, b.s, p, modes, b.o.DistrustInferred, b.answers)
	if err != nil {
		return nil, nil, err
	}
	g.watched = b.o.Considered != nil
	everyone := p
	everyone.Merchant = ""
	base := newTable(b.s, b.e, g.facts, everyone, nil, nil)
	tables := make([]*table, len(jobs))
	for i, j := range jobs {
		p.Merchant = j.payment.Merchant
		tables[i] = newTable(b.s, b.e, g.facts, p, nil, base)
	}
	return g, tables, nil
}

// firstMode is the first of some capture modes.
func firstMode(modes region.Words) policy.CaptureMode {
	if modes.Has(int(policy.Auto)) {
		return policy.Auto
	}
	return policy.Manual
}

// join adds what another search has looked at.
func (c *Covered) join(o Covered) {
	c.Payments, c.States, c.Steps, c.Depth = c.Payments+o.Payments, c.States+o.States, c.Steps+o.Steps, max(c.Depth, o.Depth)
	c.Answers, c.Classes, c.Together = max(c.Answers, o.Answers), max(c.Classes, o.Classes), max(c.Together, 1)
}

// prove proves products together, or else each half.
func (b *batch) prove(ctx context.Context, g *ground, jobs []*job, tables []*table) error {
	s, err := b.search(ctx, g, tables)
	if err != nil {
		return err
	}
	if s.holds() {
		if err := b.certify(ctx, g, jobs, tables); err != nil {
			if ctx.Err() != nil {
				return err
			}
			b.uncertified = errors.Join(b.uncertified, err) // the proof stands
		}
		n, err := b.needs(ctx, g, s)
		if err != nil {
			return err
		}
		b.o.Known.addCover(g.name, s, n)
		for i, j := range jobs {
			b.considered(j.merchants, g.facts.modes, nil, s)
			j.product.join(n.of(tables[i], s.questions))
			j.product.Covered.Payments++
			j.product.Covered.add(s)
			j.product.Covered.Shared = i > 0
			j.product.Covered.Together = max(j.product.Covered.Together, len(jobs))
		}
		return nil
	}
	if len(jobs) == 1 {
		if !g.joinsModes() {
			own := *g // the limits are the first merchant's: what the search without counts reads of them is the same
			own.terms = *b.e.Terms(&jobs[0].payment)
			return b.refine(ctx, &own, jobs[0], s)
		}
		for _, mode := range []policy.CaptureMode{policy.Auto, policy.Manual} {
			if err := b.proveModes(ctx, jobs, space.Bit(mode)); err != nil || b.decided(jobs[0]) {
				return err
			}
		}
		return nil
	}
	half := len(jobs) / 2
	if err := b.prove(ctx, g, jobs[:half], tables[:half]); err != nil {
		return err
	}
	return b.prove(ctx, g, jobs[half:], tables[half:])
}

// search looks for anything that breaks under the joined decisions of tables.
func (b *batch) search(ctx context.Context, g *ground, tables []*table) (*search, error) {
	s := newSearch(g.model(tables, false, true))
	s.maxStates = b.o.maxStates()
	if len(tables) > 1 || g.joinsModes() || b.firstOnly() {
		s.stop = func(*finding) bool { return true }
	}
	err := s.run(ctx)
	if errors.As(err, &errTooMany{}) {
		s.unfinished, err = true, nil
	}
	return s, err
}

// holds reports whether a search came to its end and found nothing.
func (s *search) holds() bool { return len(s.found) == 0 && !s.unfinished }

// refine verifies a product for each kind of payment that its rules tell apart, and looks for the
// stories of what breaks. The search of all kinds together has found something.
func (b *batch) refine(ctx context.Context, g *ground, j *job, all *search) error {
	t := all.m.decider.tables[0]
	cells := t.cells()
	if len(cells) == 1 {
		return b.found(ctx, g, j, all)
	}
	var proved []*search
	for _, cell := range cells {
		one := newTable(b.s, b.e, g.facts, b.example(t.payment, cell), cell, nil)
		if by := covered(proved, one); by != nil {
			n, err := b.needs(ctx, g, by)
			if err != nil {
				return err
			}
			b.considered(j.merchants, g.facts.modes, cell, by)
			j.product.join(n.of(one, by.questions))
			j.product.Covered.Payments++
			continue
		}
		s, err := b.search(ctx, g, []*table{one})
		if err != nil {
			return err
		}
		if s.holds() {
			proved = append(proved, s)
		}
		if err := b.found(ctx, g, j, s); err != nil || b.decided(j) {
			return err
		}
	}
	return nil
}

// firstOnly reports whether one violation of a product is enough.
func (b *batch) firstOnly() bool { return b.o.VerdictOnly && b.o.FirstOnly }

// decided reports whether nothing that is still to be searched can change what is asked about a product.
func (b *batch) decided(j *job) bool { return b.firstOnly() && len(j.product.Violations) > 0 }

// countedEdges bounds the search that counts.
const countedEdges = 2_000_000

// countedBehind bounds how far it goes on behind a finding: the rules are refused, and what is near is listed with it.
const countedBehind = 100_000

// counted searches again with what the rules look at counted: sends, queries, firings, the flow's time. It returns the search without
// counts if the rules look at none, and if that comes to no end.
func (b *batch) counted(ctx context.Context, g *ground, s *search) (*search, error) {
	tables := s.m.decider.tables
	known := cutsOf(g.space, tables)
	if s.holds() || s.unfinished || !known.any() {
		return s, nil
	}
	if s.uncounted = whyUncounted(g.space, tables, known, &g.terms.Limits); s.uncounted != "" {
		return s, nil
	}
	c := newSearch(g.countingModel(tables, known))
	c.maxStates, c.maxEdges = b.o.maxStates(), countedEdges
	c.stop = func(f *finding) bool {
		c.maxEdges = min(c.maxEdges, c.edges+countedBehind)
		return s.stop != nil && s.stop(f)
	}
	switch err := c.run(ctx); {
	case errors.As(err, &errTooMany{}) && len(c.found) == 0:
		s.uncounted = fmt.Sprintf("the search that counts found nothing and came to no end within its bound (%d steps, or %d states): it may be safe. "+
			"Compare counts and elapsed with fewer or smaller numbers, or lower the limits", c.maxEdges, c.maxStates)
		return s, nil
	case err != nil && !errors.As(err, &errTooMany{}):
		return nil, err
	}
	return c, nil
}

// found adds what a search has found to its product.
func (b *batch) found(ctx context.Context, g *ground, j *job, s *search) error {
	s, err := b.counted(ctx, g, s)
	if err != nil {
		return err
	}
	if s.holds() {
		b.considered(j.merchants, g.facts.modes, s.m.decider.tables[0].cell, s)
	}
	n, err := b.needs(ctx, g, s)
	if err != nil {
		return err
	}
	j.product.join(n.of(s.m.decider.tables[0], s.questions))
	j.product.Covered.Counted = j.product.Covered.Counted || s.m.counts()
	j.product.Covered.Payments++
	j.product.Covered.add(s)
	if s.unfinished {
		j.product.Unfinished = fmt.Sprintf("not proved: more than %d states", b.o.maxStates())
	}
	for i := range s.found {
		f := &s.found[i]
		if key := string(f.property) + f.rule; !j.found[key] {
			j.found[key] = true
			v, err := buildViolation(ctx, g, b.o, s, f)
			if err != nil {
				return err
			}
			j.product.Violations = append(j.product.Violations, *v)
		}
	}
	return nil
}

// covered returns a search that found nothing and followed all that rules decide; nil: there is none. Of a payment that says less of the
// money fewer answers are possible, and its search has not asked about the others.
func covered(proved []*search, t *table) *search {
	for _, s := range proved {
		if moneySaid(&s.m.payment) >= moneySaid(&t.payment) && s.m.decider.includes(t) {
			return s
		}
	}
	return nil
}

// example returns a payment of a cell, one that says as much of the money as any there: what else the provider may answer to
// others, it may answer to that.
func (b *batch) example(p policy.Payment, cell region.Box) policy.Payment {
	if amounts, limited := cell.Of(space.Amount).(region.Ints); limited && !region.Both(amounts, region.Range(1, math.MaxInt64)).Empty() {
		cell = cell.With(space.Amount, region.Both(amounts, region.Range(1, math.MaxInt64)))
	}
	if currencies, limited := cell.Of(space.Currency).(region.Texts); limited && !region.Without(currencies, region.In("")).Empty() {
		cell = cell.With(space.Currency, region.Without(currencies, region.In("")))
	}
	sit, _ := b.s.Point(cell, time.UTC, 0)
	if cell.Of(space.Capture) != nil {
		p.Capture = sit.Payment.Capture
	}
	if cell.Of(space.Merchant) != nil {
		p.Merchant = sit.Payment.Merchant
	}
	if cell.Of(space.Currency) != nil {
		p.Currency = sit.Payment.Currency
	}
	if cell.Of(space.Amount) != nil {
		p.Amount = sit.Payment.Amount
	}
	return p
}
