//go:build !race

package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// edited is a folder of rules that is edited again and again: rules of a merchant "some" at the provider of testdata/mutation.
type edited struct {
	mill     string
	contract string // of the merchant, with its limits
	rules    []editedRule
	wait     string
	row      string // of the catalogue, beside its own
	comment  string
	oneLine  bool // all rules stand on one line
	other    *edited
}

type editedRule struct{ id, when, then, schedule string }

// drawRule draws a rule, mostly one that is safe.
func drawRule(r draw.Rand) editedRule {
	one := editedRule{fmt.Sprintf("rule-%d", r.IntN(1000)), someWhen(r), draw.One(r, policy.All[policy.Action]()...).String(), ""}
	if r.IntN(4) > 0 {
		one.when = draw.One(r, `effect == "not_executed" && !in_doubt`, `class == "maintenance" && effect == "not_executed" && !in_doubt`,
			`class == "issuer_declined" && !in_doubt && effect == "not_executed" && stage == "result"`, `phase == "query" && effect == "not_executed" && !in_doubt`,
			`effect == "unknown" && class == "network_error"`, `effect == "unknown" && fault == "unreadable"`) +
			draw.One(r, ``, ` && amount > 500`, ` && hour < 9`, ` && attempt < 3`, ` && merchant == "some"`)
		one.then = draw.One(r, "mark_failed", "escalate", "retry_new_request", "retry_new_order")
		if strings.Contains(one.when, "unknown") {
			one.then = draw.One(r, "query_status", "retry_same_request", "escalate")
		}
	}
	if r.IntN(3) == 0 {
		one.schedule = "own"
	}
	return one
}

func drawFolder(r draw.Rand, mill string) *edited {
	f := &edited{mill: mill, wait: "15s"}
	f.contract, _, _ = strings.Cut(someRules(r), "\n[[rule]]")
	for range 1 + r.IntN(3) {
		f.rules = append(f.rules, drawRule(r))
	}
	f.nameApart()
	return f
}

// edits are what people do to a folder of rules.
var edits = []func(r draw.Rand, f *edited){
	func(r draw.Rand, f *edited) { f.any(r).when = drawRule(r).when },
	func(r draw.Rand, f *edited) {
		f.any(r).when += draw.One(r, ` && amount > 500`, ` && fired < 2`, ` && !in_doubt`, ` && hour > 3`)
	},
	func(r draw.Rand, f *edited) {
		one := f.any(r)
		one.when = strings.NewReplacer("> 500", "> 700", "< 9", "< 8", "attempt < 3", "attempt < 2", "> 700", "> 500").Replace(one.when)
	},
	func(r draw.Rand, f *edited) { f.any(r).then = drawRule(r).then },
	func(r draw.Rand, f *edited) { f.any(r).then = draw.One(r, "escalate", "mark_failed", "query_status") },
	func(r draw.Rand, f *edited) { slices.Reverse(f.rules) },
	func(r draw.Rand, f *edited) { f.any(r).id = fmt.Sprintf("named-%d", r.IntN(1000)) },
	func(r draw.Rand, f *edited) { f.rules = f.rules[1:] },
	func(r draw.Rand, f *edited) { f.rules = append(f.rules, drawRule(r)) },
	func(r draw.Rand, f *edited) { f.rules = slices.Insert(f.rules, 0, drawRule(r)) },
	func(r draw.Rand, f *edited) { f.any(r).schedule = draw.One(r, "", "own") },
	func(r draw.Rand, f *edited) { f.wait = draw.One(r, "15s", "20s", "3h") },
	func(r draw.Rand, f *edited) { f.comment += "# a line more\n\n" },
	func(r draw.Rand, f *edited) { f.oneLine = !f.oneLine },
	func(r draw.Rand, f *edited) { f.other = drawFolder(r, f.mill) },
	func(r draw.Rand, f *edited) {
		f.other = &edited{contract: f.contract, rules: []editedRule{drawRule(r)}, wait: f.wait}
	},
	func(r draw.Rand, f *edited) { f.contract, _, _ = strings.Cut(someRules(r), "\n[[rule]]") },
	func(r draw.Rand, f *edited) {
		f.contract = strings.NewReplacer("max_attempts = 3", "max_attempts = 1", "webhook = true", "webhook = false", `"1m"`, `"20m"`).Replace(f.contract)
	},
	func(r draw.Rand, f *edited) {
		f.row = draw.One(r, "", "[[code]]\ncode = \"BUSY\"\nclass = \"rate_limited\"\nfacts = [{ operation = \"pay\", phase = [\"send\"], effect = \"not_executed\", stage = \"door\", basis = \"inferred\", because = \"a test\" }]\n")
	},
}

func (f *edited) any(r draw.Rand) *editedRule { return &f.rules[r.IntN(len(f.rules))] }

func (f *edited) edit(r draw.Rand) {
	for range 1 + r.IntN(3) {
		if len(f.rules) == 0 {
			f.rules = append(f.rules, drawRule(r))
			continue
		}
		edits[r.IntN(len(edits))](r, f)
	}
	f.nameApart()
}

// nameApart gives each rule a name of its own.
func (f *edited) nameApart() {
	seen := map[string]bool{}
	for i := range f.rules {
		for seen[f.rules[i].id] {
			f.rules[i].id += "-again"
		}
		seen[f.rules[i].id] = true
	}
}

func (f *edited) text() string {
	between, begin, end := "\n", "[[rule]]\n", "\n"
	if f.oneLine {
		between, begin, end = ", ", "{ ", " }, "
	}
	rules := ""
	for _, r := range f.rules {
		fields := []string{fmt.Sprintf("id = %q", r.id), "when = '" + r.when + "'", fmt.Sprintf("then = %q", r.then)}
		if r.schedule != "" {
			fields = append(fields, fmt.Sprintf("schedule = %q", r.schedule))
		}
		rules += begin + strings.Join(fields, between) + end
	}
	rest := fmt.Sprintf("%s\n[schedule.own]\nintervals = [%q]\n", f.contract, f.wait)
	if f.oneLine {
		return f.comment + "rule = [" + rules + "]\n" + rest
	}
	return f.comment + rest + rules
}

func (f *edited) open(t *testing.T) *ruleset.Engine {
	t.Helper()
	files := map[string]string{"providers/mill.toml": f.mill + f.row, "merchants/some.toml": f.text()}
	if f.other != nil {
		files["merchants/other.toml"] = f.other.text()
	}
	e, err := ruleset.Open(testkit.Dir(t, files))
	if err != nil {
		t.Fatalf("%v\n%s", err, f.text())
	}
	return e
}

// With a known file, through a chain of edits, the verdict is the same as without; so are the stories; and the promises that are listed are enough.
func TestKnownProvesWhatASearchProves(t *testing.T) {
	mill, err := os.ReadFile("testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	how := map[string]int{}
	seeds := []uint64{5, 8, 11}[:testkit.Size(1, 1, 3)] // among them each kind
	for seed := range uint64(testkit.Size(0, 0, 20)) {
		seeds = append(seeds, 100+seed)
	}
	for _, seed := range seeds {
		r := draw.From(1000 + seed)
		file := filepath.Join(t.TempDir(), "known.json")
		f := drawFolder(r, string(mill))
		for range 4 {
			if compareKnown(t, r, f, file, how); t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			f.edit(r)
		}
	}
	t.Log(how)
	for _, name := range []string{"known", "within", "searched", "refused"} {
		if how[name] == 0 {
			t.Errorf("nothing is %s: nothing is compared", name)
		}
	}
}

// compareKnown verifies a folder with and without a known file.
func compareKnown(t *testing.T, r draw.Rand, f *edited, file string, how map[string]int) {
	t.Helper()
	e := f.open(t)
	o := Options{Providers: []string{"mill"}, MaxStates: 1_500, Workers: 1, VerdictOnly: true, DistrustInferred: r.IntN(8) == 0}
	o.Merchants = [][]string{{"some"}, {"some"}, {"some", ""}, nil}[r.IntN(4)]
	without, err := Run(t.Context(), e, &o)
	if share := draw.One(r, 8, 25); err == nil && (without.Holds && share == 8 || r.IntN(share) == 0) { // stories take far longer than a proof
		o.VerdictOnly = false
		without, err = Run(t.Context(), e, &o)
	}
	if err != nil {
		t.Fatal(err)
	}
	if o.Known, err = OpenKnown(file); err != nil {
		t.Fatal(err)
	}
	with, err := Run(t.Context(), e, &o)
	if err == nil {
		err = o.Known.Save()
	}
	if err != nil || len(with.Products) != len(without.Products) {
		t.Fatalf("%v: %d products with, %d without", err, len(with.Products), len(without.Products))
	}
	for i := range with.Products {
		a, b := &with.Products[i], &without.Products[i]
		switch {
		case a.Known:
			how["known"]++
		case a.Within:
			how["within"]++
		case a.Holds:
			how["searched"]++
		default:
			how["refused"]++
		}
		if a.Holds != b.Holds || a.Unfinished != b.Unfinished || !slices.Equal(a.Merchants, b.Merchants) || !slices.Equal(a.Opaque, b.Opaque) {
			t.Errorf("with: %v holds %t (known %t, within %t) %s; without: %v holds %t %s\n%s", a.Merchants, a.Holds, a.Known, a.Within, a.Unfinished, b.Merchants, b.Holds, b.Unfinished, f.text())
			continue
		}
		if !slices.EqualFunc(a.Violations, b.Violations, func(x, y Violation) bool {
			return x.Property == y.Property && x.Source == y.Source && x.Harm == y.Harm && x.Fix == y.Fix && reflect.DeepEqual(x.Story, y.Story)
		}) {
			t.Errorf("other stories: %+v\n%+v\n%s", a.Violations, b.Violations, f.text())
		}
		if a.Holds && !o.VerdictOnly && !o.DistrustInferred {
			checkPromises(t, e, a, b, f)
		}
	}
}

// checkPromises holds what a product lists with a known file to what it lists without.
func checkPromises(t *testing.T, e *ruleset.Engine, with, without *Product, f *edited) {
	t.Helper()
	listed := map[string]*Assumption{}
	for i := range with.Assumptions {
		listed[with.Assumptions[i].Promise] = &with.Assumptions[i]
	}
	for i := range without.Assumptions {
		a := &without.Assumptions[i]
		is := listed[a.Promise]
		if is == nil && (a.Breaks != "" || a.Promise == "amount" || a.Promise == "signature" || a.Promise == "facts") {
			t.Errorf("%v (known %t, within %t): %s is needed, and is not listed\n%s", with.Merchants, with.Known, with.Within, a.Promise, f.text())
		}
		if is != nil && a.Promise != "facts" && slices.ContainsFunc(a.Rules, func(r string) bool { return !slices.Contains(is.Rules, r) }) {
			t.Errorf("%v: %v rely on %s, and %v are listed\n%s", with.Merchants, a.Rules, a.Promise, is.Rules, f.text())
		}
		if is != nil && is.Breaks != "" && is.Breaks != a.Breaks {
			t.Errorf("%v (known %t, within %t): without %s %s breaks; it is listed as %s\n%s", with.Merchants, with.Known, with.Within, a.Promise, a.Breaks, is.Breaks, f.text())
		}
	}
	for _, name := range with.Merchants {
		rest := breaches{}
		for p := range promises {
			if listed[kept[p].name] == nil {
				kept[p].breach(&rest)
			}
		}
		if _, _, left := searchOf(t, e, policy.Payment{Provider: "mill", Merchant: name, Operation: policy.Pay, Amount: 120_000, Currency: "VND"}, rest); !left.holds() && !with.Covered.Counted {
			t.Errorf("%v (known %t, within %t): what is listed is not enough: %v\n%s", with.Merchants, with.Known, with.Within, left.found[0], f.text())
		}
	}
}
