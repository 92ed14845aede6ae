package check_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/check"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// 10,000 rules over 1,000 merchants at four providers, reading the files included.
func BenchmarkTenThousandRules(b *testing.B) {
	dir := b.TempDir()
	if err := manyMerchants(dir, 1000, 10); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		at := time.Now()
		e, err := ruleset.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		opened := time.Since(at)
		report, err := check.Run(context.Background(), e, check.Options{})
		if err != nil {
			b.Fatal(err)
		}
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		b.Logf("%d rules, %d rule lists: opened in %s, checked in %s; %d errors, %d warnings, %d notes; %d MB from the system",
			report.Rules, report.RuleLists, opened.Round(time.Millisecond), (time.Since(at) - opened).Round(time.Millisecond), report.Errors, report.Warnings, report.Notes, mem.Sys>>20)
	}
}

// A finding that many merchants share is reported once.
func TestManyMerchants(t *testing.T) {
	dir := t.TempDir()
	if err := manyMerchants(dir, 60, 10); err != nil {
		t.Fatal(err)
	}
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.Run(context.Background(), e, check.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Merchants != 60 || report.RuleLists != 61*6 || !report.Complete {
		t.Errorf("%d merchants, %d rule lists, complete %t", report.Merchants, report.RuleLists, report.Complete)
	}
	for _, f := range report.Findings {
		if f.Rule == "executed" && len(f.Merchants) > 0 {
			t.Errorf("no merchant's rule covers this rule of the baseline: %s", f.Message)
		}
	}
}
