package certify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// Checker checks the products of a certificate. Where the flow reads the same in two of them, its steps are taken once.
type Checker struct {
	engine *engine.Engine
	rules  []certificate.Text
	mu     sync.Mutex
	known  []*steps
}

// steps are those of a product.
type steps struct {
	*Machine
	take func() error // once
}

// NewChecker returns a checker of products under the certificate's rules, which the engine was opened from.
func NewChecker(e *engine.Engine, rules []certificate.Text) *Checker {
	return &Checker{engine: e, rules: rules}
}

// Check checks one product. The error says why it is refused.
func (c *Checker) Check(ctx context.Context, p *certificate.Product) error {
	if err := basis(c.engine, p); err != nil {
		return err
	}
	asked, done := map[certificate.Question][]certificate.Choice{}, map[certificate.Question]bool{}
	for _, a := range p.Asked {
		asked[a.Question] = a.Choices
	}
	m := New(p, c.engine, func(q certificate.Question) []certificate.Choice {
		done[q] = true
		return asked[q]
	})
	s := c.stepsOf(m, func() error {
		if err := m.closed(ctx); err != nil || len(done) == len(p.Asked) {
			return err
		}
		return fmt.Errorf("it answers %d questions, and the steps ask %d", len(p.Asked), len(done))
	})
	if err := s.take(); err != nil {
		return err
	}
	return errors.Join(uses(p, s.Used), m.complete(c.engine, asked, c.rules))
}

// stepsOf returns the steps of a product, or those of one that is like it.
func (c *Checker) stepsOf(m *Machine, take func() error) *steps {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.known, func(s *steps) bool { return s.alike(m) }); i >= 0 {
		return c.known[i]
	}
	c.known = append(c.known, &steps{m, sync.OnceValue(take)})
	return c.known[len(c.known)-1]
}

// alike reports whether two products have one set, decide the same, and are the same to the flow: then all their steps are.
func (m *Machine) alike(o *Machine) bool {
	all := func(m *Machine) []any {
		return []any{m.payment, m.terms, m.facts, m.bare, m.lost, m.Asked, m.Closed}
	}
	return reflect.DeepEqual(all(m), all(o))
}

// closed checks that no step leads out of the set, and that one leads to each state of it.
func (m *Machine) closed(ctx context.Context) error {
	all, err := entries(m.Closed)
	if err != nil {
		return err
	}
	for _, c := range m.Closed {
		err := errors.Join(ctx.Err(), m.From(&c.State, c.Worlds, func(to certificate.State, reached []world) {
			for _, w := range reached {
				_, in := all[to][w]
				if m.expect(in, "a step from %+v leaves the set: to %+v, world %x", c.State, to, w); in {
					all[to][w] = true
				}
			}
		}))
		if err != nil {
			return err
		}
	}
	for s, worlds := range all {
		for w, reached := range worlds {
			if !reached {
				return fmt.Errorf("no step leads to %+v, world %x", s, w)
			}
		}
	}
	return nil
}

// entries indexes a set: each state with what can be true then, and whether a step leads there. The start is reached.
func entries(set []certificate.Closed) (map[certificate.State]map[world]bool, error) {
	all := make(map[certificate.State]map[world]bool, len(set))
	for _, c := range set {
		in := map[world]bool{}
		for _, w := range c.Worlds {
			in[w] = c.State == certificate.State{}
		}
		if all[c.State] != nil || len(in) < len(c.Worlds) {
			return nil, fmt.Errorf("%+v stands there twice", c.State)
		}
		all[c.State] = in
	}
	if start := all[certificate.State{}]; len(start) != 1 || !start[0] {
		return nil, errors.New("the start is not in the set, or is something else")
	}
	return all, nil
}

// uses checks that the promises that were needed are those that are listed.
func uses(p *certificate.Product, used map[certificate.Use]bool) error {
	listed := map[certificate.Use]bool{}
	for _, u := range p.Uses {
		listed[u] = true
	}
	if !maps.Equal(listed, used) {
		return fmt.Errorf("it lists the promises %v, and needs %v", p.Uses, slices.Collect(maps.Keys(used)))
	}
	return nil
}

// basis checks that the certificate is about what the rules and the catalogue say.
func basis(e *engine.Engine, p *certificate.Product) error {
	if !slices.Contains(p.Merchants, p.Payment.Merchant) || !slices.Contains(p.Captures, p.Payment.Capture) {
		return errors.New("it is not about the merchant or the capture mode of its own example")
	}
	window := p.Terms.Contract.DedupeWindow - p.Terms.Contract.CallTimeout() - p.Terms.Contract.ArrivalGrace
	for _, merchant := range p.Merchants {
		pay := p.Payment
		pay.Merchant = merchant
		cat, err := e.Catalog(&pay)
		if err = errors.Join(err, e.Check(&pay)); err != nil {
			return err
		}
		if !slices.Equal(certificate.Facts(cat, p.Payment.Operation), p.Facts) {
			return fmt.Errorf("the catalogue of %s says something else than its facts", cat.Name)
		}
		t := *e.Terms(&pay)
		if l, is := &t.Limits, &p.Terms.Limits; merchant != p.Payment.Merchant && (l.MaxAttempts > 1) == (is.MaxAttempts > 1) && (l.MaxElapsed <= window) == (is.MaxElapsed <= window) {
			t.Limits, t.Poll = *is, p.Terms.Poll // the proof holds for both
		}
		is, err := json.Marshal(&t)
		was, failed := json.Marshal(&p.Terms)
		if err != nil || failed != nil || string(is) != string(was) {
			return fmt.Errorf("merchant %q has other terms than it says", merchant)
		}
	}
	return nil
}

// New returns the machine of a product. Ask says what the rules decide.
func New(p *certificate.Product, rules policy.Decider, ask func(certificate.Question) []certificate.Choice) *Machine {
	m := &Machine{Product: p, payment: policy.Payment{Operation: p.Payment.Operation, Amount: wholeAmount}, ask: ask, terms: p.Terms, Used: map[certificate.Use]bool{}, ages: []time.Duration{0},
		events: map[given]flow.Event{}, looked: map[outcome][]world{}}
	for ph := range p.Answers {
		for _, a := range p.Answers[ph] {
			a.Phase = policy.Phase(ph)
			m.facts[ph] = append(m.facts[ph], Read(rules.Judge(&p.Payment, &a)))
			m.claims |= saysOfMoney[m.facts[ph][len(m.facts[ph])-1].Class]
			m.bare[ph] = append(m.bare[ph], policy.Answer{Phase: a.Phase, Fault: a.Fault})
		}
		lost := Read(rules.Judge(&p.Payment, &policy.Answer{Phase: policy.Phase(ph), Fault: policy.Timeout}))
		m.lost[ph] = int8(slices.Index(m.facts[ph], lost))
	}
	c := &p.Terms.Contract
	m.learns = c.QueryIdentifier(true) != c.QueryIdentifier(false) && !certificate.OnTarget(&p.Payment)
	m.terms.Poll, m.terms.Limits.MaxQueries = nil, many
	if m.terms.Limits.MaxAttempts > 1 {
		m.terms.Limits.MaxAttempts = many
	}
	if c := &m.terms.Contract; c.ArrivalGrace > 0 && c.NotFoundAfter > 0 {
		arrived := c.CallTimeout() + c.ArrivalGrace
		if arrived < c.NotFoundAfter { // else a younger request is as one that is new
			m.ages = append(m.ages, arrived)
		}
		m.ages = append(m.ages, max(arrived, c.NotFoundAfter))
	}
	return m
}

// saysOfMoney is what an answer of a class can have said before an execution is known: no step with it is left out.
var saysOfMoney = map[policy.Class]int{policy.Disputed: wasDisputed | wereDisputed, policy.Mismatch: wasPart}

// note notes the promises that a step needed, with the rules that decided then.
func (m *Machine) note(d *flow.Decided) {
	rules := []string{""}
	if d.Decision.Rule != "" && !d.Due {
		rules = m.choices[min(m.choice, len(m.choices)-1)].Rules
	}
	for _, r := range rules {
		if m.promise > 0 {
			m.Used[certificate.Use{Promise: promises[m.promise], Rule: r}] = true
		}
		if d.Verdict.Action == policy.RetrySame && d.InDoubt && !d.Due {
			m.Used[certificate.Use{Promise: "dedupe", Rule: r}] = true
		}
	}
}

// many is a limit that no count of the proof reaches, and wholeAmount any amount but the odd one.
const many, wholeAmount = 100, 120_000
