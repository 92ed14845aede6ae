package certify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// Check checks one product under the certificate's rules. The error says why it is refused.
func Check(ctx context.Context, e *engine.Engine, p *certificate.Product, rules []certificate.Text) error {
	if err := basis(e, p); err != nil {
		return err
	}
	asked := map[certificate.Question][]certificate.Choice{}
	for _, a := range p.Asked {
		asked[a.Question] = a.Choices
	}
	done := map[certificate.Question]bool{}
	m := New(p, e, func(q certificate.Question) []certificate.Choice {
		done[q] = true
		return asked[q]
	})
	if err := m.closed(ctx); err != nil {
		return err
	}
	for _, a := range p.Asked {
		if !done[a.Question] {
			return fmt.Errorf("it answers %v, which no step asks", a.Question)
		}
	}
	return errors.Join(m.uses(), m.complete(e, asked, rules))
}

// closed checks that no step leads out of the set, and that one leads to each state of it.
func (m *Machine) closed(ctx context.Context) error {
	all, err := entries(m.Closed)
	if err != nil {
		return err
	}
	for i, c := range m.Closed {
		if i%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := m.From(&c.State, c.Worlds, func(to certificate.State, reached []world) {
			for _, w := range reached {
				_, in := all[to][w]
				if m.expect(in, "a step from %+v leaves the set: to %+v, world %x", c.State, to, w); in {
					all[to][w] = true
				}
			}
		})
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
func (m *Machine) uses() error {
	uses := map[certificate.Use]bool{}
	for _, u := range m.Uses {
		uses[u] = true
	}
	if !maps.Equal(uses, m.Used) {
		return fmt.Errorf("it lists the promises %v, and needs %v", m.Uses, slices.Collect(maps.Keys(m.Used)))
	}
	return nil
}

// basis checks that the certificate is about what the rules and the catalogue say.
func basis(e *engine.Engine, p *certificate.Product) error {
	for _, merchant := range append([]string{p.Payment.Merchant}, p.Merchants...) {
		pay := p.Payment
		pay.Merchant = merchant
		cat, err := e.Catalog(&pay)
		if err != nil {
			return err
		}
		if !slices.Equal(certificate.Facts(cat, p.Payment.Operation), p.Facts) {
			return fmt.Errorf("the catalogue of %s says something else than its facts", cat.Name)
		}
		t := e.Terms(&pay)
		is, err := json.Marshal(t.Contract)
		was, failed := json.Marshal(p.Terms.Contract)
		window := t.Contract.DedupeWindow - t.Contract.CallTimeout() - t.Contract.ArrivalGrace
		if err != nil || failed != nil || string(is) != string(was) || (t.Limits.MaxAttempts > 1) != (p.Terms.Limits.MaxAttempts > 1) ||
			(t.Limits.MaxElapsed <= window) != (p.Terms.Limits.MaxElapsed <= window) {
			return fmt.Errorf("merchant %q has other terms than it says", merchant)
		}
	}
	return nil
}

// New returns the machine of a product. Ask says what the rules decide.
func New(p *certificate.Product, rules policy.Decider, ask func(certificate.Question) []certificate.Choice) *Machine {
	m := &Machine{Product: p, rules: rules, ask: ask, terms: p.Terms, Used: map[certificate.Use]bool{}, ages: []time.Duration{0}, names: []naming{unnamed, byBoth},
		given: map[given]chance{}, varied: map[variation][]world{}}
	for ph := range p.Answers {
		for _, a := range p.Answers[ph] {
			a.Phase = policy.Phase(ph)
			m.facts[ph] = append(m.facts[ph], m.Judge(&p.Payment, &a))
		}
	}
	if !certificate.OnTarget(&p.Payment) && slices.Contains(p.Terms.Contract.QueryBy, policy.ProviderID) {
		m.names = append(m.names, byTheirs)
	}
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

// note notes the promises that a step needed, with the rules that decided then.
func (m *Machine) note(d *flow.Decided) {
	rules := []string{""}
	if d.Decision.Rule != "" && !d.Due {
		rules = m.choices[min(m.choice, len(m.choices)-1)].Rules
	}
	for _, r := range rules {
		if m.promise != "" {
			m.Used[certificate.Use{Promise: m.promise, Rule: r}] = true
		}
		if d.Verdict.Action == policy.RetrySame && d.InDoubt && !d.Due {
			m.Used[certificate.Use{Promise: "dedupe", Rule: r}] = true
		}
	}
}

// many is a limit that no count of the proof reaches.
const many = 100
