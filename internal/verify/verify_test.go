package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

func TestMain(m *testing.M) { testkit.RunSearches(m) }

func open(t *testing.T, dir string) *ruleset.Engine {
	t.Helper()
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// folder writes a rules folder with one merchant.
func folder(t *testing.T, acme string) string {
	t.Helper()
	return testkit.Dir(t, map[string]string{"merchants/acme.toml": acme})
}

// verified runs what the last line of a trap's comment asks for: "verify: PROVIDER OPERATION
// MERCHANT", in its folder.
func verified(t *testing.T, trap *testkit.Archive) (*ruleset.Engine, *verify.Report, string) {
	t.Helper()
	_, files := trap.Take("stories")
	dir := testkit.Dir(t, files)
	lines := strings.Split(strings.TrimSpace(string(trap.Comment)), "\n")
	words := strings.Fields(strings.TrimPrefix(lines[len(lines)-1], "verify:"))
	var op policy.Operation
	if err := op.UnmarshalText([]byte(words[1])); err != nil {
		t.Fatal(err)
	}
	o := &verify.Options{Providers: words[:1], Operations: []policy.Operation{op}, Merchants: words[2:3]}
	o.DistrustInferred = len(words) > 3
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Run(context.Background(), e, o)
	if err != nil {
		t.Fatal(err)
	}
	return e, r, dir
}

func payoutsOf(merchants ...string) *verify.Options {
	return &verify.Options{Providers: []string{"opi"}, Operations: []policy.Operation{policy.Payout}, Merchants: merchants}
}

func run(t *testing.T, dir string, o *verify.Options) *verify.Report {
	t.Helper()
	r, err := verify.Run(context.Background(), open(t, dir), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The whole of what is shipped is verified by CI's own run of the command.
func TestShippedPayoutsHold(t *testing.T) {
	r := run(t, "", payoutsOf())
	if !r.Holds || len(r.Products) == 0 {
		t.Errorf("%+v", r)
	}
	merchants := 0
	for _, p := range r.Products {
		merchants += len(p.Merchants)
		if p.Covered.States < 50 || p.Covered.Codes < 30 || len(p.Assumptions) < 5 {
			t.Errorf("little was covered: %+v", p)
		}
	}
	if want := 1 + len(open(t, "").Rules.MerchantNames()); merchants != want {
		t.Errorf("%d merchants were verified, want %d", merchants, want)
	}
}

func TestReportIsDeterministic(t *testing.T) {
	if !testkit.Slow {
		return
	}
	dir := folder(t, "[[rule]]\nid = \"again\"\nwhen = 'fault == \"timeout\"'\nthen = \"retry_new_order\"\n")
	var texts []string
	for range 2 {
		text, err := json.Marshal(run(t, dir, payoutsOf("acme", "")))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Errorf("one run says\n%s\nanother\n%s", texts[0], texts[1])
	}
}

func TestInterruptedReportHoldsFinishedProducts(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := payoutsOf()
	o.Workers = 1
	o.Progress = func(done, total int) {
		if done == 1 && total > 1 {
			cancel()
		}
	}
	r, err := verify.Run(ctx, open(t, ""), o)
	if !errors.Is(err, context.Canceled) || r == nil || !r.Interrupted || r.Holds || len(r.Products) == 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestTooManyStatesIsNoProof(t *testing.T) {
	o := payoutsOf("")
	o.MaxStates = 20
	r := run(t, "", o)
	if r.Holds || r.Products[0].Holds || !strings.Contains(r.Products[0].Unfinished, "20 states") {
		t.Errorf("%+v", r)
	}
}

// A condition that the model cannot read counts as true and as false.
func TestOpaqueConditionsCountAsTrueAndFalse(t *testing.T) {
	o := payoutsOf("acme")
	o.VerdictOnly, o.FirstOnly = true, true
	for _, when := range []string{`tags["vip"] == "yes"`, `message contains "again"`, `amount * 2 > 100 && tags["a"] != "b"`}[:testkit.Size(1, 1, 3)] {
		r := run(t, folder(t, "[[rule]]\nid = \"opaque\"\nwhen = 'in_doubt && "+when+" && currency != \"\"'\nthen = \"retry_new_order\"\n"), o)
		if r.Holds || len(r.Products[0].Opaque) == 0 || r.Products[0].Violations[0].Rule != "opaque" {
			t.Errorf("%s: %+v", when, r.Products[0])
		}
	}
}

// The model follows hours, amounts and currencies: a rule that never holds in doubt is safe.
func TestHoursAmountsAndCurrenciesAreFollowed(t *testing.T) {
	if testkit.Short() {
		return
	}
	r := run(t, folder(t, `
[[rule]]
id   = "day"
when = 'in_doubt && hour >= 6'
then = "query_status"

[[rule]]
id   = "night"
when = 'in_doubt && hour < 6 && amount >= 5000 && currency == "PHP"'
then = "escalate"

[[rule]]
id   = "small"
when = 'in_doubt && hour < 6 && !(amount >= 5000 && currency == "PHP")'
then = "query_status"

[[rule]]
id   = "never-in-doubt"
when = 'in_doubt'
then = "retry_new_order"
`), payoutsOf("acme"))
	if !r.Holds {
		t.Errorf("%+v", r.Products[0].Violations)
	}
}

// A saved trace is a rule test that fails until the rule is fixed as proposed, and a recording
// that simulate reads.
func TestSavedStoryIsATestAndARecording(t *testing.T) {
	if !testkit.Slow {
		return
	}
	trap, err := testkit.ParseFile("testdata/traps/not-found.txtar")
	if err != nil {
		t.Fatal(err)
	}
	e, r, dir := verified(t, trap)
	out := t.TempDir()
	names, _, err := r.Save(out, e)
	if err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	failed := func() int {
		e := open(t, dir)
		files, err := ruletest.Files(filepath.Join(out, "acme-paykka-pay-not-there-S5.test.toml"))
		if err != nil {
			t.Fatal(err)
		}
		suites, err := ruletest.Read(e, files)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, s := range suites {
			for _, c := range s.Cases {
				if r := c.Run(e); !r.Passed() {
					n++
				}
			}
		}
		return n
	}
	if failed() != 1 {
		t.Error("the saved test does not fail on the rules that it was made from")
	}
	v := &r.Products[0].Violations[0]
	_, then, _ := strings.Cut(v.Fix, "write `")
	then, _, _ = strings.Cut(then, "`")
	file := filepath.Join(dir, "merchants", "acme.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fixed := strings.Replace(string(text), `then = "retry_new_request"`, then, 1)
	if err := os.WriteFile(file, []byte(fixed), 0o644); err != nil {
		t.Fatal(err)
	}
	if failed() != 0 {
		t.Errorf("fixed by %q it still fails", v.Fix)
	}
	if _, r, _ := again(t, dir); !r.Holds {
		t.Errorf("fixed by %q it does not hold", v.Fix)
	}
	recording, err := os.ReadFile(filepath.Join(out, "acme-paykka-pay-not-there-S5.jsonl"))
	if err != nil || strings.Count(string(recording), `"phase":"truth"`) != 1 || v.Harm != flow.S1 || !v.Replayed {
		t.Errorf("%v %+v\n%s", err, v, recording)
	}
}

func again(t *testing.T, dir string) (*ruleset.Engine, *verify.Report, error) {
	t.Helper()
	e := open(t, dir)
	r, err := verify.Run(context.Background(), e, &verify.Options{
		Providers: []string{"paykka"}, Operations: []policy.Operation{policy.Pay}, Merchants: []string{"acme"},
	})
	return e, r, err
}
