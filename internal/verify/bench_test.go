package verify_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

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

// BenchmarkShipped verifies all that ships.
func BenchmarkShipped(b *testing.B) {
	e, err := ruleset.Open("")
	if err != nil {
		b.Fatal(err)
	}
	states, steps := 0, 0
	for b.Loop() {
		r, err := verify.Run(context.Background(), e, &verify.Options{})
		if err != nil || !r.Holds {
			b.Fatal(err, r)
		}
		states, steps = 0, 0
		for i := range r.Products {
			if c := &r.Products[i].Covered; !c.Shared {
				states, steps = states+c.States, steps+c.Steps
			}
		}
	}
	b.ReportMetric(float64(states), "states")
	b.ReportMetric(float64(steps), "steps")
}

// BenchmarkMerchants verifies merchants that differ in one rule each, at every provider. RECOURSE_MERCHANTS=1000 measures so many. The
// time of one of them must not grow with their number.
func BenchmarkMerchants(b *testing.B) {
	sizes := []int{10, 100}
	if n, err := strconv.Atoi(os.Getenv("RECOURSE_MERCHANTS")); err == nil {
		sizes = []int{n}
	}
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			files := map[string]string{}
			for i := range n {
				files[fmt.Sprintf("merchants/m%04d.toml", i)] = "[[rule]]\nid = \"own\"\n" + ownRule(i)
			}
			verifyFolder(b, testkit.Dir(b, files), &verify.Options{}, n)
		})
	}
}

// ownRule is a safe rule, another one for each number: of other classes, amounts, currencies, hours and actions.
func ownRule(i int) string {
	classes := []string{"issuer_declined", "insufficient_funds", "risk_declined", "limit_exceeded", "maintenance", "rate_limited", "expired"}
	then := []string{"mark_failed", "escalate", "retry_new_request"}[i%3]
	limit := fmt.Sprintf("amount > %d && currency == %q", 1000*(1+i), []string{"VND", "TWD", "PHP"}[i/3%3])
	if i/9%2 == 1 {
		limit += fmt.Sprintf(" && hour < %d", 1+i%23)
	}
	return fmt.Sprintf("when = 'class == %q && effect == \"not_executed\" && !in_doubt && %s'\nthen = %q\n", classes[i%len(classes)], limit, then)
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
				&verify.Options{Providers: []string{"momo"}, Merchants: []string{"acme"}, Operations: []policy.Operation{policy.Pay}}, 1)
		})
	}
}

// BenchmarkThreeRules verifies a merchant with three rules of its own at one provider.
func BenchmarkThreeRules(b *testing.B) {
	dir := testkit.Dir(b, map[string]string{"merchants/acme.toml": "[[rule]]\nid = \"a\"\nwhen = 'class == \"insufficient_funds\" && effect == \"not_executed\" && !in_doubt && fired < 2'\nthen = \"retry_new_request\"\n" +
		"[[rule]]\nid = \"b\"\nwhen = 'code == \"1005\" && effect == \"not_executed\" && !in_doubt'\nthen = \"mark_failed\"\n" +
		"[[rule]]\nid = \"c\"\nwhen = 'amount > 5000000 && currency == \"VND\" && effect == \"pending\"'\nthen = \"query_status\"\n"})
	verifyFolder(b, dir, &verify.Options{Providers: []string{"momo"}, Merchants: []string{"acme"}}, 1)
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

// verifyFolder verifies rules of so many merchants. It reports the time of one of them, with the look at their files, the states of the searches and the
// most memory in use.
func verifyFolder(b *testing.B, dir string, o *verify.Options, merchants int) {
	b.Helper()
	var r *verify.Report
	peak := measurePeak(b)
	for b.Loop() {
		e, err := ruleset.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if r, err = verify.Run(context.Background(), e, o); err != nil || !r.Holds {
			b.Fatal(err, r)
		}
	}
	states := 0
	for i := range r.Products {
		if c := &r.Products[i].Covered; !c.Shared {
			states += c.States
		}
	}
	b.ReportMetric(float64(peak())/1e6, "peak-MB")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(merchants), "s/merchant")
	b.ReportMetric(float64(states), "states")
}

// measurePeak begins to look at the memory that the program holds. What it returns ends that, and says how much it was at most.
func measurePeak(b *testing.B) func() uint64 {
	b.Helper()
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		peak := uint64(0)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64()-sample[1].Value.Uint64())
			select {
			case <-tick.C:
			case <-done:
				most <- peak
				return
			}
		}
	}()
	return func() uint64 {
		close(done)
		return <-most
	}
}
