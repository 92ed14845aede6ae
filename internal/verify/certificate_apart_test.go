//go:build !race

package verify

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/certify"
	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// A state of a certificate keeps one identity beside the latest. Held against the set that keeps all of them: what breaks there breaks
// in the certificate; the rules are asked nothing else; and each state in which no earlier identity is open has one that stands for it.
func TestOneIdentityStandsForAll(t *testing.T) {
	products := []policy.Payment{
		{Provider: "shopline", Operation: policy.Unbind},
		{Provider: "opi", Operation: policy.Cancel},
		{Provider: "shopline", Operation: policy.Bind},
		{Provider: "momo", Operation: policy.Unbind},
		{Provider: "stripe", Operation: policy.Cancel},
		{Provider: "momo", Operation: policy.Refund},
		{Provider: "stripe", Operation: policy.Refund},
		{Provider: "paykka", Operation: policy.Checkout},
	}
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range products[:testkit.Size(2, 4, len(products))] {
		p.Amount, p.Currency = 120_000, "VND"
		c := closeBoth(t, e, p, testkit.Size(2_000, 4_000, 20_000))
		if c.compare(t, fmt.Sprint(p.Provider, " ", p.Operation)); c.refused != nil {
			t.Errorf("%s %s: %v", p.Provider, p.Operation, c.refused)
		}
	}
}

func TestOneIdentityStandsForAllUnderDrawnRules(t *testing.T) {
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	refused, both, held := 0, 0, 0
	sets := testkit.Size(8, 20, 400)
	for seed := range uint64(sets) {
		text := someRules(draw.From(seed))
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/some.toml": text}))
		if err != nil {
			t.Fatal(err)
		}
		p := policy.Payment{Provider: "mill", Merchant: "some", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}
		c := closeBoth(t, e, p, testkit.Size(500, 1_000, 3_000))
		c.compare(t, fmt.Sprint("seed ", seed, "\n", text))
		switch {
		case c.refused == nil:
			held++
		default:
			refused++
			if c.refusedApart != nil {
				both++
			}
		}
	}
	t.Logf("%d sets: %d have a certificate, %d are refused, %d of them with all identities", sets, held, refused, both)
	if held == 0 || both < refused*9/10 {
		t.Errorf("of %d sets %d have a certificate, and %d of %d are refused with all identities", sets, held, both, refused)
	}
}

// closures are the states of a certificate, and those in which all identities are kept.
type closures struct {
	one, apart            *certifier
	refused, refusedApart error
}

// closeBoth grows both sets, the second one to so many states.
func closeBoth(t *testing.T, e *ruleset.Engine, p policy.Payment, most int) (b closures) {
	t.Helper()
	if b.one, b.refused = closeOf(t, e, p, false, mostCertified); tooLarge(b.refused) {
		t.Fatal(b.refused)
	}
	if b.apart, b.refusedApart = closeOf(t, e, p, true, most); tooLarge(b.refusedApart) {
		b.refusedApart = nil
	}
	return b
}

// closeOf grows the states of a certificate, whatever the search says of the rules. The error says why there is none.
func closeOf(t *testing.T, e *ruleset.Engine, p policy.Payment, apart bool, most int) (*certifier, error) {
	t.Helper()
	return closeWith(t, e, p, most, func(m *certify.Machine) { m.Apart = apart })
}

// closeWith is closeOf with a change of the checker's machine.
func closeWith(t *testing.T, e *ruleset.Engine, p policy.Payment, most int, change func(*certify.Machine)) (*certifier, error) {
	t.Helper()
	s := space.New(e)
	g, err := newGround(e, s, p, space.Bit(p.Capture), false, &answersMemo{known: map[answersKey][]space.Group{}})
	if err != nil {
		t.Fatal(err)
	}
	m := g.model([]*table{newTable(s, e, g.facts, p, nil, nil)}, false, true)
	m.decider.joined = false
	c := newCertifier(g, m)
	c.most = most
	change(c.machine)
	_, err = c.close(context.Background())
	return c, err
}

// tooLarge reports whether an error says that a set has too many states.
func tooLarge(err error) bool {
	return err != nil && strings.Contains(err.Error(), "would look at more than")
}

// compare holds a certificate against the set that keeps all identities.
func (b *closures) compare(t *testing.T, name string) {
	t.Helper()
	if b.refused != nil {
		return
	}
	if b.refusedApart != nil {
		t.Errorf("%s: %v, with all identities; the certificate holds", name, b.refusedApart)
	}
	for q := range b.apart.asked {
		if _, asked := b.one.asked[q]; !asked {
			t.Errorf("%s: the rules are asked %v, with all identities", name, q)
		}
	}
	for u := range b.apart.machine.Used {
		if !b.one.machine.Used[u] {
			t.Errorf("%s: %q is relied on by %q, with all identities", name, u.Promise, u.Rule)
		}
	}
	for s, worlds := range b.apart.states {
		for _, w := range worlds {
			if to, in := b.one.machine.Merge(&s, w); settled(&s) && !slices.Contains(b.one.states[to], in) {
				t.Fatalf("%s: the certificate has no %+v (%x) for %+v (%x)", name, to, in, s, w)
			}
		}
	}
}

// settled reports whether it is known of each identity before the latest that it does not execute. While one is open the flow asks no
// rules about what did not execute, and the questions are compared.
func settled(s *certificate.State) bool {
	for _, id := range s.IDs[:max(1, s.Count)-1] {
		if id.Contested || id.Effect != uint8(policy.NotExecuted) {
			return false
		}
	}
	return true
}

// The checker leaves out the steps of which it knows what comes of them. Held against the set for which each is taken: the states, the
// worlds, the questions and the promises are the same, and so is whether there is one.
func TestStepsThatAreLeftOut(t *testing.T) {
	products := []policy.Payment{
		{Provider: "momo", Operation: policy.Unbind}, // with a window of dedupe
		{Provider: "stripe", Operation: policy.Cancel},
		{Provider: "shopline", Operation: policy.Bind},
		{Provider: "momo", Operation: policy.Refund},
		{Provider: "opi", Operation: policy.Checkout},
		{Provider: "stripe", Operation: policy.Refund},
	}
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range products[:testkit.Size(2, 2, len(products))] {
		p.Amount, p.Currency = 120_000, "VND"
		if !eachTaken(t, e, p, fmt.Sprint(p.Provider, " ", p.Operation)) {
			t.Errorf("%s %s has no certificate", p.Provider, p.Operation)
		}
	}
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(testkit.Size(8, 10, 400)) {
		text := someRules(draw.From(seed))
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/some.toml": text}))
		if err != nil {
			t.Fatal(err)
		}
		eachTaken(t, e, policy.Payment{Provider: "mill", Merchant: "some", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}, fmt.Sprint("seed ", seed, "\n", text))
	}
}

// eachTaken holds a certificate against the one for which each step is taken, and reports whether there is one.
func eachTaken(t *testing.T, e *ruleset.Engine, p policy.Payment, name string) bool {
	t.Helper()
	some, refused := closeOf(t, e, p, false, mostCertified)
	each, refusedEach := closeWith(t, e, p, mostCertified, func(m *certify.Machine) { m.Each = true })
	if (refused == nil) != (refusedEach == nil) {
		t.Errorf("%s: %v; with each step: %v", name, refused, refusedEach)
	}
	if refused != nil || refusedEach != nil {
		return false
	}
	if !reflect.DeepEqual(some.product, each.product) {
		t.Errorf("%s: with each step the certificate is another one: %d states and %d, %d questions and %d, promises %v and %v", name,
			len(some.states), len(each.states), len(some.asked), len(each.asked), some.product.Uses, each.product.Uses)
	}
	return true
}
