package rules_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

func TestDefaults(t *testing.T) {
	set, err := rules.Load("")
	if err != nil {
		t.Fatal(err)
	}
	if set.Baseline == nil || set.Baseline.Name != "rules/baseline.toml" {
		t.Fatalf("the baseline is %v", set.Baseline)
	}
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range cs.Names() {
		f := set.Providers[name]
		if f == nil || f.Provider != name || f.Name != "rules/"+name+".toml" {
			t.Errorf("the rules of %s are %v", name, f)
		}
	}
	for _, name := range set.MerchantNames() {
		if f := set.Merchants[name]; f.Merchant != name || !strings.HasPrefix(f.String(), "rules of rules/merchants/") {
			t.Errorf("the rules of merchant %s are %v of %q", name, f, f.Merchant)
		}
	}
	if got := strings.Join(set.MerchantNames(), " "); got != "evergreen-box isla-wages midnight-drop swift-payouts" {
		t.Errorf("the merchants are %s", got)
	}
	for _, layers := range []rules.Layers{set.Layers("momo", ""), set.Layers("opi", "evergreen-box"), set.Layers("nopay", "")} {
		for _, r := range layers.Rules() {
			if r.Reason == "" || r.Pos.Line == 0 || r.Schedule != "" && layers.Schedule(r.Schedule) == nil {
				t.Errorf("%s: rule %q has no reason, place or schedule", r.Source(), r.ID)
			}
		}
		for _, op := range policy.Operations() {
			if l := layers.Limits(op); l.MaxAttempts < 1 || l.MaxQueries < 1 || l.MaxElapsed <= 0 || l.MaxRetryAfter <= 0 {
				t.Errorf("%s: a limit is missing: %+v", op, l)
			}
		}
		if layers.Schedule("poll") == nil || layers.Schedule("retry") == nil {
			t.Error("the schedules poll and retry are missing")
		}
	}
}

func TestReadRule(t *testing.T) {
	set := flawless(t, map[string]string{"opi.toml": `
provider    = "opi"
description = "read by people"

[[rule]]
id       = "late"
when     = '''
in_doubt
  && attempt > 2'''
then     = "query_status"
schedule = "often"
reason   = "it takes its time"

[schedule.often]
initial_interval     = "3s"
multiplier           = 3
randomization_factor = 0.25
max_interval         = "1m"

[schedule.rarely]
intervals            = ["1h", "2h"]
randomization_factor = 0.5

[schedule.least]
initial_interval = "2h"
`})
	f := set.Providers["opi"]
	if len(f.Rules) != 1 {
		t.Fatalf("the rules are %+v", f.Rules)
	}
	r := f.Rules[0]
	if r.ID != "late" || r.When != "in_doubt\n  && attempt > 2" || r.Then != policy.QueryStatus || r.Schedule != "often" ||
		r.Reason != "it takes its time" {
		t.Errorf("the rule is %+v", r)
	}
	if !strings.HasSuffix(r.Source(), "opi.toml:5") {
		t.Errorf("the rule stands at %s", r.Source())
	}
	if got := r.WhenAt(len("in_doubt\n  && ")).String(); !strings.HasSuffix(got, "opi.toml:9:6") {
		t.Errorf("attempt stands at %s", got)
	}
	tests := []struct {
		schedule string
		delays   []time.Duration
		factor   float64
	}{
		{"often", []time.Duration{3 * time.Second, 9 * time.Second, 27 * time.Second, time.Minute}, 0.25},
		{"rarely", []time.Duration{time.Hour, 2 * time.Hour, 2 * time.Hour}, 0.5},
		{"least", []time.Duration{2 * time.Hour, 2 * time.Hour}, 0}, // its cap is at least its start
	}
	for _, tt := range tests {
		s := f.Schedules[tt.schedule]
		if s == nil || s.Name != tt.schedule || s.RandomizationFactor != tt.factor {
			t.Errorf("schedule %s is %+v", tt.schedule, s)
			continue
		}
		for n, want := range tt.delays {
			if got := s.Delay(n); got != want {
				t.Errorf("schedule %s waits %s at %d, want %s", tt.schedule, got, n, want)
			}
		}
	}
}

// A source names one rule, also where several stand on one line.
func TestSourceNamesOneRule(t *testing.T) {
	set := flawless(t, map[string]string{"merchants/acme.toml": "rule = [{ id = \"a\", when = 'in_doubt', then = \"query_status\" }, { id = \"b\", when = 'true', then = \"escalate\" },\n" +
		"{ id = \"c\", when = 'false', then = \"escalate\" }]\n"})
	var got []string
	for _, r := range set.Merchants["acme"].Rules {
		_, place, _ := strings.Cut(r.Source(), "acme.toml")
		got = append(got, place)
	}
	if want := []string{":1", ":1:65", ":2"}; !slices.Equal(got, want) {
		t.Errorf("the rules stand at %q, want %q", got, want)
	}
}

func TestFilesOfAFolder(t *testing.T) {
	set, mistakes, dir := loaded(t, map[string]string{
		"momo.toml":                rule("momo-lost") + rule("mine"),
		"merchants/acme.toml":      rule("acmes"),
		"merchants/acme.test.toml": "this is no TOML",
		"momo.test.toml":           "nor this",
		"merchants/deep/er.toml":   "nor this",
		"notes.txt":                "nor this",
		"providers/momo.toml":      "nor this, which is not for this package to read",
	})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	if got := ids(set.Layers("momo", "acme")[:2]); got != "acmes momo-lost mine" {
		t.Errorf("the rules are %s", got)
	}
	if want := filepath.Join(dir, "momo.toml"); set.Providers["momo"].Name != want {
		t.Errorf("MoMo's rules come from %s, want %s", set.Providers["momo"].Name, want)
	}
	if got := set.Providers["opi"].Name; got != "rules/opi.toml" {
		t.Errorf("OPI's rules come from %s, want the default", got)
	}
	if got := strings.Join(set.MerchantNames(), " "); got != "acme evergreen-box isla-wages midnight-drop swift-payouts" {
		t.Errorf("the merchants are %s", got)
	}
	again, _ := rules.Load("")
	if again.Providers["momo"].Name != "rules/momo.toml" || again.Merchants["acme"] != nil {
		t.Error("the folder has changed the defaults")
	}
}

// A file without a name would be the layer of every payment that has no merchant, and an
// editor's lock file is no layer at all.
func TestHiddenFilesAreNoRules(t *testing.T) {
	set, _, _ := loaded(t, map[string]string{"merchants/.toml": rule("nobodys"), "merchants/.#acme.toml": rule("locked")})
	for _, name := range set.MerchantNames() {
		if name == "" || strings.HasPrefix(name, ".") {
			t.Errorf("%s are read as the rules of merchant %q", set.Merchants[name].Name, name)
		}
	}
	if got := ids(set.Layers("nopay", "")[:1]); strings.Contains(got, "nobodys") {
		t.Errorf("a payment without a merchant has the rules %s", got)
	}
}

func TestFolderThatCannotBeRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.toml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(t.TempDir(), "nowhere")} {
		set, err := rules.Load(dir)
		if set != nil || err == nil || !strings.HasPrefix(err.Error(), dir+": ") {
			t.Errorf("%s: %v, %v", dir, set, err)
		}
	}
}

func TestLoadFSReadsAFileSystem(t *testing.T) {
	set, err := rules.LoadFS(fstest.MapFS{
		"momo.toml":                {Data: []byte(rule("mine"))},
		"merchants/acme.toml":      {Data: []byte(rule("theirs"))},
		"merchants/acme.test.toml": {Data: []byte("no rules")},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(set.Layers("momo", "acme")[:2]); got != "theirs mine" {
		t.Errorf("the rules are %q, want those of the file system", got)
	}
}

func TestLoadFSNamesFilesBelowTheRoot(t *testing.T) {
	files := fstest.MapFS{"momo.toml": {Data: []byte("max = 1\n")}, "merchants/acme.toml": {Data: []byte("min = 1\n")}}
	for root, want := range map[string][]string{"": {"merchants/acme.toml", "momo.toml"}, "embedded": {"embedded/merchants/acme.toml", "embedded/momo.toml"}} {
		set, err := rules.LoadFS(files, root)
		var mistakes policy.Mistakes
		if !errors.As(err, &mistakes) || len(mistakes) != 2 || set == nil {
			t.Fatalf("the error is %v, want two mistakes beside what could be read", err)
		}
		for i, m := range mistakes {
			if filepath.ToSlash(m.File) != want[i] || m.Line != 1 || m.Column != 1 || !strings.HasPrefix(m.Msg, "unknown key") {
				t.Errorf("mistake %d is %+v, want an unknown key in %s", i, m, want[i])
			}
		}
	}
}
