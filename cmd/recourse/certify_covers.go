package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// without lists what rules hold, for these merchants and those without a file, and the proofs of a certificate are not about.
func without(e *engine.Engine, merchants []string, c *certificate.Certificate) (all []certificate.Part) {
	for _, name := range e.Catalogs.Names() {
		for _, op := range policy.Operations() {
			one := certificate.Part{Provider: name, Operation: op}
			for _, m := range append([]string{""}, merchants...) {
				if e.Check(&policy.Payment{Provider: name, Operation: op, Merchant: m}) == nil && len(lacking(c, &one, m)) > 0 {
					one.Merchants = append(one.Merchants, m)
				}
			}
			if len(one.Merchants) > 0 {
				all = append(all, one)
			}
		}
	}
	return all
}

// lacking returns the capture modes in which a certificate has no proof of a merchant's product.
func lacking(c *certificate.Certificate, of *certificate.Part, merchant string) []policy.CaptureMode {
	modes := policy.All[policy.CaptureMode]()
	for i := range c.Products {
		if p := &c.Products[i]; p.Payment.Provider == of.Provider && p.Payment.Operation == of.Operation && slices.Contains(p.Merchants, merchant) {
			modes = slices.DeleteFunc(modes, func(m policy.CaptureMode) bool { return slices.Contains(p.Captures, m) })
		}
	}
	return modes
}

// covers checks that a certificate is about everything that the rules hold, but for what it names.
func covers(e *engine.Engine, merchants []string, c *certificate.Certificate) error {
	if len(c.Products) == 0 {
		return errors.New("it proves nothing")
	}
	left := without(e, merchants, c)
	for i := range left {
		p := &left[i]
		for _, m := range p.Merchants {
			if !slices.ContainsFunc(c.Without, func(o certificate.Part) bool {
				return o.Provider == p.Provider && o.Operation == p.Operation && slices.Contains(o.Merchants, m)
			}) {
				return fmt.Errorf("it has no proof for %s %s of merchant %q with capture = %q, and does not say so", p.Provider, p.Operation, m, lacking(c, p, m)[0])
			}
		}
	}
	if !slices.EqualFunc(left, c.Without, func(a, b certificate.Part) bool {
		return a.Provider == b.Provider && a.Operation == b.Operation && slices.Equal(a.Merchants, b.Merchants)
	}) {
		return errors.New("it says that it is not about something of which it has a proof, or that the rules do not hold")
	}
	return nil
}

// outOfForce says which rules are in force here and not in a certificate, or the reverse. The engine would decide by them, and no words of
// theirs be drawn. Empty: they are the same.
func outOfForce(c *certificate.Certificate) string {
	set, err := rules.LoadFS(c.FS(), "")
	if err != nil {
		return err.Error()
	}
	var want []certificate.Text
	for _, f := range set.Files() {
		want = append(want, certificate.Text{Name: f.Path, Data: f.Text})
	}
	return otherRules(slices.DeleteFunc(slices.Clone(c.Rules), func(t certificate.Text) bool { return strings.HasPrefix(t.Name, "providers/") }), want)
}

// merchantsIn are those with a file in the rules of a certificate.
func merchantsIn(c *certificate.Certificate) (all []string) {
	for _, t := range c.Rules {
		if name, is := strings.CutPrefix(t.Name, "merchants/"); is {
			all = append(all, strings.TrimSuffix(name, ".toml"))
		}
	}
	slices.Sort(all)
	return all
}
