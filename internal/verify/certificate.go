package verify

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/certify"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// certifier makes the certificate of products that a search has proved.
type certifier struct {
	ground  *ground
	decider *decider
	product certificate.Product
	classes [3][]answerClass // by phase: what the certificate's classes stand for
	asked   map[certificate.Question][]certificate.Choice
	states  map[certificate.State][]uint32
	open    map[certificate.State][]uint32 // worlds whose steps are to be taken
	queue   []certificate.State
	most    int // states
	machine *certify.Machine
}

func newCertifier(g *ground, m *model) *certifier {
	c := &certifier{ground: g, decider: m.decider, asked: map[certificate.Question][]certificate.Choice{},
		states: map[certificate.State][]uint32{}, open: map[certificate.State][]uint32{}}
	c.product.Payment, c.product.Terms = m.payment, *g.engine.Terms(&m.payment)
	for _, ph := range policy.Phases() {
		for i := range g.facts.classes[ph] {
			c.addClass(ph, &g.facts.classes[ph][i])
		}
		if ph == policy.Send && g.facts.notSent >= 0 {
			c.addClass(ph, &g.facts.notSentClass)
		}
	}
	if cat, err := g.engine.Catalog(&m.payment); err == nil { // which a product has
		c.product.Facts = certificate.Facts(cat, m.payment.Operation)
	}
	c.machine = certify.New(&c.product, g.engine, c.ask)
	return c
}

// addClass adds a class of the search to the one of the certificate in which the flow reads the same.
func (c *certifier) addClass(ph policy.Phase, one *answerClass) {
	fact := certify.Read(c.ground.facts.groups[ph][one.groups[0]].fact)
	answer := c.exampleOf(ph, one, fact)
	for i := range c.classes[ph] {
		is := &c.classes[ph][i]
		if is.fact == fact {
			is.groups = append(is.groups, one.groups...)
			if is.answer.Fault != policy.NoFault {
				is.answer, c.product.Answers[ph][i] = answer, answer // a failed call names no payment
			}
			return
		}
	}
	c.classes[ph] = append(c.classes[ph], answerClass{answer: answer, fact: fact, groups: slices.Clone(one.groups)})
	c.product.Answers[ph] = append(c.product.Answers[ph], answer)
}

// exampleOf returns an answer of a class that proves what the class proves. The search's own may not: where a row has a pattern, a box of
// all unlisted texts has some that it reads otherwise.
func (c *certifier) exampleOf(ph policy.Phase, one *answerClass, fact policy.Fact) policy.Answer {
	is := func(a policy.Answer) bool { return certify.Read(c.ground.engine.Judge(&c.product.Payment, &a)) == fact }
	if is(one.answer) {
		return one.answer
	}
	for _, j := range one.groups {
		for _, b := range c.ground.facts.groups[ph][j].boxes {
			if a := c.ground.facts.answerIn(b, ph); is(a) {
				return a
			}
		}
	}
	return one.answer // the checker refuses that
}

// ask returns what the rules can decide about a question.
func (c *certifier) ask(q certificate.Question) []certificate.Choice {
	if all, known := c.asked[q]; known {
		return all
	}
	ph := policy.Phase(q[0])
	fact := policy.Fact{Effect: policy.Effect(q[2]), Class: policy.Class(q[3]), Stage: policy.Stage(q[4]), Reach: policy.Reach(q[5]), Final: policy.Finality(q[6])}
	facts := []policy.Fact{fact}
	if fact.Effect == policy.Executed && fact.Class == ownClass { // of the answer, or of the ledger
		facts = nil
		for _, e := range c.ground.facts.executed {
			one := policy.Fact{Effect: e.Effect, Class: e.Class, Reach: ownReach, Final: ownFinal}
			if certify.Read(e).Class == ownClass && !slices.Contains(facts, one) {
				facts = append(facts, one)
			}
		}
	}
	all := []certificate.Choice{}
	for _, f := range facts {
		key := cellKey{at: shown{ph, f, q[7] == 1}, asked: &c.classes[ph][q[1]]}
		for _, d := range c.decider.collect(&key, nil) {
			one := certificate.Choice{Action: d.decision.Action, Waits: d.decision.Schedule != nil}
			k := slices.IndexFunc(all, func(o certificate.Choice) bool { return o.Action == one.Action && o.Waits == one.Waits })
			if k < 0 {
				k, all = len(all), append(all, one)
			}
			for _, r := range d.rules {
				if !slices.Contains(all[k].Rules, r.Rule) {
					all[k].Rules = append(all[k].Rules, r.Rule)
				}
			}
		}
	}
	c.asked[q] = all
	return all
}

// add adds a state that is reached.
func (c *certifier) add(s certificate.State, worlds []uint32) {
	known := c.states[s]
	for _, w := range worlds {
		if slices.Contains(known, w) {
			continue
		}
		known = append(known, w)
		if len(c.open[s]) == 0 {
			c.queue = append(c.queue, s)
		}
		c.open[s] = append(c.open[s], w)
	}
	c.states[s] = known
}

// mostCertified bounds the states of a certificate.
const mostCertified = 50_000

// close adds states until every step stays within them.
func (c *certifier) close(ctx context.Context) (*certificate.Product, error) {
	p, m := &c.product, c.machine
	c.add(certificate.State{}, []uint32{0})
	for at := 0; at < len(c.queue); at++ { //nolint:intrange // the loop appends to queue
		if at%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(c.states) > c.most {
			return nil, fmt.Errorf("no certificate for %s %s: the checker would look at more than %d states", p.Payment.Provider, p.Payment.Operation, c.most)
		}
		s := c.queue[at]
		worlds := c.open[s]
		delete(c.open, s)
		if err := m.From(&s, worlds, c.add); err != nil {
			return nil, fmt.Errorf("no certificate for %s %s: %w", p.Payment.Provider, p.Payment.Operation, err)
		}
	}
	for s, worlds := range c.states {
		slices.Sort(worlds)
		p.Closed = append(p.Closed, certificate.Closed{State: s, Worlds: worlds})
	}
	for q, all := range c.asked {
		p.Asked = append(p.Asked, certificate.Asked{Question: q, Choices: all})
	}
	for u := range m.Used {
		p.Uses = append(p.Uses, u)
	}
	slices.SortFunc(p.Closed, func(a, b certificate.Closed) int { return strings.Compare(fmt.Sprint(a.State), fmt.Sprint(b.State)) })
	slices.SortFunc(p.Asked, func(a, b certificate.Asked) int { return bytes.Compare(a.Question[:], b.Question[:]) })
	slices.SortFunc(p.Uses, func(a, b certificate.Use) int {
		return cmp.Or(strings.Compare(a.Promise, b.Promise), strings.Compare(a.Rule, b.Rule))
	})
	return p, nil
}

// certify adds the certificates of products that a search has proved together: one for each capture mode, if what answers prove
// depends on it.
func (b *batch) certify(ctx context.Context, g *ground, jobs []*job, tables []*table) error {
	if b.o.Certificate == nil {
		return nil
	}
	modes := []policy.CaptureMode{policy.Auto, policy.Manual}
	if !g.joinsModes() {
		modes = modes[:1]
	}
	var all []*certificate.Product // of both modes, or none
	for _, mode := range modes {
		if len(modes) > 1 {
			var err error
			if g, tables, err = b.ground(jobs, space.Bit(mode)); err != nil {
				return err
			}
		}
		p, err := b.certifyMode(ctx, g, jobs, tables)
		if err != nil {
			return err
		}
		if p.Captures = []policy.CaptureMode{mode}; len(modes) == 1 {
			p.Captures = []policy.CaptureMode{policy.Auto, policy.Manual}
		}
		all = append(all, p)
	}
	for _, p := range all {
		b.o.Certificate(p)
	}
	return nil
}

func (b *batch) certifyMode(ctx context.Context, g *ground, jobs []*job, tables []*table) (*certificate.Product, error) {
	m := g.model(tables, false, true)
	m.decider.joined = false // a certificate names the rules
	c := newCertifier(g, m)
	c.most = cmp.Or(b.o.mostCertified, mostCertified)
	for _, j := range jobs {
		c.product.Merchants = append(c.product.Merchants, j.merchants...)
	}
	return c.close(ctx)
}
