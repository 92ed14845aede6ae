package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// catalogues looks for answers that would be evidence though they are about something else, and for
// signatures that can be forged. A flow compares what an answer names: what is not read cannot be compared.
func (c *checker) catalogues(context.Context) error {
	for _, name := range c.providers {
		cat, err := c.e.Catalogs.Get(name)
		if err != nil {
			return err
		}
		seen := map[string]bool{} // what the provider's own catalogue shows is not said again of a deployment
		c.catalogue(name, "", cat, seen)
		for _, at := range cat.Deployments() {
			d, _ := cat.Deployment(at)
			c.catalogue(name, " in deployment "+at, d, seen)
		}
	}
	return nil
}

// catalogue looks at the catalogue of a provider, or of one of its deployments.
func (c *checker) catalogue(name, in string, cat *providers.Catalog, seen map[string]bool) {
	report := func(f Finding, what string) {
		if key := fmt.Sprint(f.Kind, f.Place, what); !seen[key] {
			seen[key] = true
			c.report.add(f)
		}
	}
	cat.Gaps(func(op policy.Operation, ph policy.Phase, gap, at, shown, line string) {
		report(Finding{
			Kind: Evidence, Severity: c.weight(cat.Own(at), gapSeverity(op, ph, gap)), Place: placeAt(at), Providers: []string{name},
			Message: fmt.Sprintf("%s%s %s, %s: %s; add to %s: %s", name, in, op, ph, shown, block(gap), line),
		}, fmt.Sprint(op, ph, gap))
	})
	if shape, ok := cat.Webhook(); ok {
		for at, algorithm := range shape.Weak() {
			report(Finding{
				Kind: WeakSignature, Severity: Note, Place: placeAt(at), Providers: []string{name},
				Message: fmt.Sprintf("%s%s signs webhooks with %s, which is weak: ask for another way, and take a webhook for no more than a reason to ask", name, in, algorithm),
			}, algorithm)
		}
	}
}

// block is where the line belongs that closes a gap.
func block(gap string) string {
	if gap == "either capture" {
		return "the row's fact"
	}
	return "[[decode]]"
}

// gapSeverity says how bad a gap is. An answer to our own send was paired by the call. What a capture's
// answer says of an amount is often the payment's. What moves no money cannot lose any.
func gapSeverity(op policy.Operation, ph policy.Phase, gap string) Severity {
	noMoney := slices.Contains([]policy.Operation{policy.Bind, policy.Unbind, policy.Onboard}, op)
	if ph == policy.Send || noMoney || op == policy.Capture && gap == "foreign amount" {
		return Note
	}
	return Warning
}

// weight is a finding's severity in a file: where the user's own rules are checked, the embedded files are
// not theirs to mend.
func (c *checker) weight(own bool, s Severity) Severity {
	if c.own && !own {
		return Note
	}
	return s
}

// placeAt reads FILE:LINE.
func placeAt(at string) Place {
	i := strings.LastIndex(at, ":")
	line, err := strconv.Atoi(at[i+1:])
	if i < 0 || err != nil {
		return Place{File: at}
	}
	return Place{File: at[:i], Line: line}
}
