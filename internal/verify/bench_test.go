package verify_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// BenchmarkShopline verifies one operation whose contract promises little.
func BenchmarkShopline(b *testing.B) {
	e, err := ruleset.Open("")
	if err != nil {
		b.Fatal(err)
	}
	o := &verify.Options{Providers: []string{"shopline"}, Merchants: []string{""}, Operations: []policy.Operation{policy.Refund}, Workers: 1}
	runs := 0
	for b.Loop() {
		runs++
		r, err := verify.Run(context.Background(), e, o)
		if err != nil || !r.Holds {
			b.Fatal(err, r)
		}
		b.ReportMetric(float64(r.Products[0].Covered.Steps), "steps/op")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(runs)/float64(r.Products[0].Covered.Steps), "ns/step")
	}
}

// BenchmarkMerchants verifies merchants that each have one rule of their own, at every provider.
// The metric is the time of one of them: it must not grow with their number.
func BenchmarkMerchants(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			files := map[string]string{}
			for i := range n {
				files[fmt.Sprintf("merchants/m%03d.toml", i)] = fmt.Sprintf(
					"[[rule]]\nid = \"own\"\nwhen = 'class == \"issuer_declined\" && effect == \"not_executed\" && !in_doubt && amount > %d && currency == \"VND\"'\nthen = \"mark_failed\"\n", 1000*i)
			}
			verifyFolder(b, testkit.Dir(b, files), &verify.Options{}, func(*verify.Report) {
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(n), "s/merchant")
			})
		})
	}
}

// BenchmarkThresholds verifies one merchant with rules at many amounts of two currencies, and with none.
func BenchmarkThresholds(b *testing.B) {
	for _, n := range []int{0, 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text := "description = \"thresholds\"\n"
			for i := range n {
				text += fmt.Sprintf("[[rule]]\nid = \"over-%d\"\nwhen = 'amount > %d && currency == %q && class == \"risk_declined\" && effect == \"not_executed\" && !in_doubt'\nthen = %q\n",
					i, 100_000*(n-i), []string{"VND", "TWD"}[i%2], []string{"escalate", "mark_failed"}[i%2])
			}
			verifyFolder(b, testkit.Dir(b, map[string]string{"merchants/acme.toml": text}),
				&verify.Options{Providers: []string{"momo"}, Merchants: []string{"acme"}, Operations: []policy.Operation{policy.Pay}}, func(*verify.Report) {})
		})
	}
}

// BenchmarkThreeRules verifies a merchant with three rules of its own at one provider.
func BenchmarkThreeRules(b *testing.B) {
	dir := testkit.Dir(b, map[string]string{"merchants/acme.toml": "[[rule]]\nid = \"a\"\nwhen = 'class == \"insufficient_funds\" && effect == \"not_executed\" && !in_doubt && fired < 2'\nthen = \"retry_new_request\"\n" +
		"[[rule]]\nid = \"b\"\nwhen = 'code == \"1005\" && effect == \"not_executed\" && !in_doubt'\nthen = \"mark_failed\"\n" +
		"[[rule]]\nid = \"c\"\nwhen = 'amount > 5000000 && currency == \"VND\" && effect == \"pending\"'\nthen = \"query_status\"\n"})
	verifyFolder(b, dir, &verify.Options{Providers: []string{"momo"}, Merchants: []string{"acme"}}, func(*verify.Report) {})
}

// BenchmarkKnown verifies a merchant of one provider after an edit, with what was proved before it, and without.
func BenchmarkKnown(b *testing.B) {
	rule := func(least int, then string) string {
		return fmt.Sprintf("[[rule]]\nid = \"own\"\nwhen = 'class == \"insufficient_funds\" && effect == \"not_executed\" && !in_doubt && amount > %d'\nthen = %q\n", least, then)
	}
	for _, edit := range []struct {
		name, rule string
		known      bool
	}{
		{"without", rule(2000, "mark_failed"), false},
		{"threshold", rule(2000, "mark_failed"), true},
		{"action", rule(1000, "escalate"), true},
	} {
		b.Run(edit.name, func(b *testing.B) {
			o := &verify.Options{Providers: []string{"momo"}, Merchants: []string{"acme"}}
			file := filepath.Join(b.TempDir(), "known.json")
			if edit.known {
				proveBefore(b, file, rule(1000, "mark_failed"), o)
			}
			dir := testkit.Dir(b, map[string]string{"merchants/acme.toml": edit.rule})
			for b.Loop() {
				if edit.known {
					k, err := verify.OpenKnown(file) // each time: what this run proves is not kept
					if err != nil {
						b.Fatal(err)
					}
					o.Known = k
				}
				verifyOnce(b, dir, o)
			}
		})
	}
}

// proveBefore writes the file of what is proved of a merchant's rule.
func proveBefore(b *testing.B, file, rule string, o *verify.Options) {
	b.Helper()
	k, err := verify.OpenKnown(file)
	if err != nil {
		b.Fatal(err)
	}
	before := *o
	before.Known = k
	verifyOnce(b, testkit.Dir(b, map[string]string{"merchants/acme.toml": rule}), &before)
	if err := k.Save(); err != nil {
		b.Fatal(err)
	}
}

func verifyOnce(b *testing.B, dir string, o *verify.Options) {
	b.Helper()
	e, err := ruleset.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	if r, err := verify.Run(context.Background(), e, o); err != nil || !r.Holds {
		b.Fatal(err, r)
	}
}

func verifyFolder(b *testing.B, dir string, o *verify.Options, report func(*verify.Report)) {
	b.Helper()
	e, err := ruleset.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	var r *verify.Report
	for b.Loop() {
		if r, err = verify.Run(context.Background(), e, o); err != nil || !r.Holds {
			b.Fatal(err, r)
		}
	}
	report(r)
}
