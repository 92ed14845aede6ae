package main

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// The engine decides by the default rules that a file lacks, and no situation would be drawn from their words.
func TestRulesLeftOutOfACertificate(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	c := &certificate.Certificate{Rules: ruleTexts(e, "")}
	if why := outOfForce(c); why != "" {
		t.Errorf("all of them: %s", why)
	}
	c.Rules = slices.DeleteFunc(c.Rules, func(o certificate.Text) bool { return o.Name == "momo.toml" })
	if why, want := outOfForce(c), "it is about other rules: it has no momo.toml"; why != want {
		t.Errorf("%q, want %q", why, want)
	}
	c.Rules = append(ruleTexts(e, ""), certificate.Text{Name: "more/of.toml"})
	if why, want := outOfForce(c), "it is about other rules: it has more files"; why != want {
		t.Errorf("%q, want %q", why, want)
	}
}

// A certificate is about everything that the rules hold, or says what it is not about. A product that was taken out of a file, or one
// capture mode of it, was counted as if the rules did not hold it.
func TestCertificateIsAboutAllOfTheRules(t *testing.T) {
	e, err := engine.OpenFS(fstest.MapFS{"merchants/own.toml": {Data: []byte("[merchant]\nproviders = [\"momo\", \"opi\"]\n")}})
	if err != nil {
		t.Fatal(err)
	}
	merchants := []string{"own"}
	whole := func() *certificate.Certificate {
		c := &certificate.Certificate{}
		for _, p := range without(e, merchants, c) {
			one := certificate.Product{Payment: policy.Payment{Provider: p.Provider, Operation: p.Operation}, Merchants: p.Merchants, Captures: []policy.CaptureMode{policy.Auto}}
			c.Products = append(c.Products, one)
			one.Captures = []policy.CaptureMode{policy.Manual}
			c.Products = append(c.Products, one)
		}
		return c
	}
	refund := func(c *certificate.Certificate) int {
		return slices.IndexFunc(c.Products, func(p certificate.Product) bool {
			return p.Payment.Provider == "momo" && p.Payment.Operation == policy.Refund && p.Captures[0] == policy.Manual
		})
	}
	for _, one := range []struct {
		name, want string
		change     func(c *certificate.Certificate)
	}{
		{"all of it", "", func(*certificate.Certificate) {}},
		{"nothing", "it proves nothing", func(c *certificate.Certificate) { c.Products = nil }},
		{"a provider is left out", `it has no proof for opi checkout of merchant "" with capture = "auto", and does not say so`, func(c *certificate.Certificate) {
			c.Products = slices.DeleteFunc(c.Products, func(p certificate.Product) bool { return p.Payment.Provider == "opi" })
		}},
		{"one capture mode of two", `it has no proof for momo refund of merchant "" with capture = "manual", and does not say so`, func(c *certificate.Certificate) {
			c.Products = slices.Delete(c.Products, refund(c), refund(c)+1)
		}},
		{"a merchant is left out", `it has no proof for momo refund of merchant "own" with capture = "manual", and does not say so`, func(c *certificate.Certificate) {
			c.Products[refund(c)].Merchants = []string{""}
		}},
		{"it is not about one, and says so", "", func(c *certificate.Certificate) {
			c.Products[refund(c)].Merchants = []string{""}
			c.Without = []certificate.Part{{Provider: "momo", Operation: policy.Refund, Merchants: []string{"own"}}}
		}},
		{"it is not about one, and says it of another", `it has no proof for momo refund of merchant "own" with capture = "manual", and does not say so`, func(c *certificate.Certificate) {
			c.Products[refund(c)].Merchants = []string{""}
			c.Without = []certificate.Part{{Provider: "momo", Operation: policy.Pay, Merchants: []string{"own"}}}
		}},
		{"it says so of one that it is about", "it says that it is not about something of which it has a proof, or that the rules do not hold", func(c *certificate.Certificate) {
			c.Without = []certificate.Part{{Provider: "momo", Operation: policy.Refund, Merchants: []string{"own"}}}
		}},
	} {
		c, said := whole(), ""
		one.change(c)
		if err := covers(e, merchants, c); err != nil {
			said = err.Error()
		}
		if said != one.want {
			t.Errorf("%s: %q, want %q", one.name, said, one.want)
		}
	}
	if slices.ContainsFunc(without(e, merchants, &certificate.Certificate{}), func(p certificate.Part) bool {
		return p.Provider == "stripe" && slices.Contains(p.Merchants, "own")
	}) {
		t.Error("a provider that a merchant does not use is asked for")
	}
}
