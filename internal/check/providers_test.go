package check_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/check"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// ruleOf is a rule that decides nothing: another takes every input of it.
func ruleOf(id, provider string) string {
	when := "'attempt > 1'"
	if provider != "" {
		when = `'provider == "` + provider + `" && attempt > 1'`
	}
	return "[[rule]]\nid = \"" + id + "-1\"\nwhen = " + when + "\nthen = \"query_status\"\n[[rule]]\nid = \"" + id + "\"\nwhen = " + when + "\nthen = \"escalate\"\n"
}

func checked(t *testing.T, files map[string]string, only ...string) *check.Report {
	t.Helper()
	e, err := ruleset.Open(testkit.Dir(t, files))
	if err != nil {
		t.Fatal(err)
	}
	r, err := check.Run(t.Context(), e, check.Options{Providers: only})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dead are the rules that a report finds dead.
func dead(r *check.Report) string {
	var ids []string
	for _, f := range r.Findings {
		if f.Kind == check.Dead {
			ids = append(ids, f.Rule)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// With providers named, what is about others is left out, and what is reported is what the whole report says.
func TestOnlyTheNamedProvidersAreReported(t *testing.T) {
	files := map[string]string{"merchants/acme.toml": ruleOf("of-momo", "momo") + ruleOf("of-opi", "opi") + ruleOf("of-all", "")}
	whole := checked(t, files)
	if got := dead(whole); got != "of-all of-momo of-opi" {
		t.Fatalf("dead are %s", got)
	}
	for only, want := range map[string]string{"momo": "of-all of-momo", "opi": "of-all of-opi", "paykka": "of-all"} {
		part := checked(t, files, only)
		if got := dead(part); got != want || part.Providers != 1 {
			t.Errorf("%s: dead are %s, want %s; %d providers", only, got, want, part.Providers)
		}
		for _, f := range part.Findings {
			if len(f.Providers) > 0 && !slices.Contains(f.Providers, only) {
				t.Errorf("%s: a finding about %v", only, f.Providers)
			}
		}
		if len(part.Findings) >= len(whole.Findings) {
			t.Errorf("%s: %d findings of %d", only, len(part.Findings), len(whole.Findings))
		}
	}
}

// A row of the user's that is evidence though it is about something else is a warning at that row, though an embedded
// file decodes it, and whatever the file is called.
func TestRowOfOnesOwnIsNotTheEmbeddedFiles(t *testing.T) {
	t.Chdir(testkit.Dir(t, map[string]string{
		"merchants/acme.toml": ruleOf("of-all", ""),
		"providers/shopline.toml": `name = "shopline"
[[code]]
code = "X1"
final = "yes"
class = "success"
description = "ours"
facts = [{ operation = ["payout"], phase = ["query"], effect = "executed", stage = "result", basis = "inferred", because = "it was seen" }]
`,
	}))
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{".", here} {
		e, err := ruleset.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		r, err := check.Run(t.Context(), e, check.Options{Providers: []string{"shopline"}})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "providers", "shopline.toml")
		for _, f := range r.Findings {
			ours := f.Kind == check.Evidence && strings.Contains(f.Message, `"X1"`)
			if ours && (f.Severity != check.Warning || f.Place.File != file || f.Place.Line != 2) || !ours && f.Kind == check.Evidence && f.Severity != check.Note {
				t.Errorf("%s: %s at %v: %s", dir, f.Severity, f.Place, f.Message)
			}
		}
		if r.Warnings != 3 {
			t.Errorf("%s: %d warnings", dir, r.Warnings)
		}
	}
}

// A merchant is not looked at where it takes no payments.
func TestMerchantsAreCheckedAtTheirProviders(t *testing.T) {
	own := "[merchant]\nproviders = [\"momo\"]\n" + ruleOf("of-momo", "momo")
	r := checked(t, map[string]string{"merchants/acme.toml": own + "[[rule]]\nid = \"elsewhere\"\nwhen = 'provider == \"opi\"'\nthen = \"escalate\"\n"})
	if r.RuleLists != 6+1 {
		t.Errorf("%d rule lists, want those of no merchant and one more", r.RuleLists)
	}
	found := false
	for _, f := range r.Findings {
		found = found || f.Rule == "elsewhere" && f.Kind == check.Contradiction && strings.Contains(f.Message, "never speaks for")
		if slices.Contains(f.Merchants, "acme") && !slices.Contains(f.Providers, "momo") {
			t.Errorf("acme at %v: %s", f.Providers, f.Message)
		}
	}
	if !found {
		t.Error("a rule for a provider that the merchant does not use is not found")
	}
}
