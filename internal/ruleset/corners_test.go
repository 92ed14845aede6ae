package ruleset

import (
	"testing"
	"time"

	"github.com/expr-lang/expr/parser"

	"github.com/recourse-pay/recourse/policy"
)

// Conditions that the random ones do not have. Each may be refused when it is read; one
// that is taken has to mean what expr says.
func TestCornersDecideLikeTheTwin(t *testing.T) {
	answered := func(code, sub string) policy.Answer { return policy.Answer{Code: code, SubCode: sub} }
	tests := []struct {
		name, when string
		answer     policy.Answer
		tags       map[string]string
	}{
		{"a variable in a list", `"40" in [code, sub_code]`, answered("40", ""), nil},
		{"a variable in a list, not there", `"40" not in [code]`, answered("40", ""), nil},
		{"a variable in a list, with a condition", `"40" in [code] && attempt == 1`, answered("40", ""), nil},
		{"a number of runes in a list", `len(code) in [1, 2]`, answered("40", ""), nil},
		{"a sum in a list", `attempt + queries not in [1, 2]`, answered("40", ""), nil},
		{"a slice of a sum", `(code + sub_code)[0:2] == "40"`, answered("4001", "x"), nil},
		{"a member of a choice", `(in_doubt ? tags : tags).tier == "gold"`, answered("40", ""), map[string]string{"tier": "gold"}},
		{"a choice without a question mark", `(if in_doubt { code } else { sub_code }) == "40"`, answered("x", "40"), nil},
		{"a pipe", `code | lower() == "40"`, answered("40", ""), nil},
		{"strings with every escape", `message != "\a\v\x00\u00e9\U0001F600\\\""`, answered("40", ""), nil},
		{"bytes that are no text", `"\xff" != message`, answered("40", ""), nil},
		{"a list with one text twice", `code in ["40", "40"]`, answered("40", ""), nil},
		{"an index past the end is no yes", `[1, 2][5] == 1 || true`, answered("40", ""), nil},
		{"a comment", "/* all */ code == \"40\" // of them", answered("40", ""), nil},
		{"a comparison of comparisons", `code == "40" == (sub_code == "")`, answered("40", ""), nil},
		{"signs", `-attempt == -1 && +attempt == 1`, answered("40", ""), nil},
		{"a chain", `0 < attempt < 2 && "3" < code < "5"`, answered("40", ""), nil},
		{"a key of the tags that is no name", `tags["a b"] == "x" && (tags["a b"] ?? "") == "x"`, answered("40", ""), map[string]string{"a b": "x"}},
		{"no tags at all", `tags.tier == "" && "tier" not in tags && len(tags) == 0`, answered("40", ""), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := opening(folder(t, alone(t, map[string]string{"baseline.toml": rule("corner", tt.when, "escalate")})))
			if err != nil {
				t.Logf("refused: %v", err)
				return
			}
			p := paying("momo", "")
			p.Tags = tt.tags
			s, tw := judged(e, p, tt.answer), newTwin(t, e)
			for _, s.InDoubt = range []bool{false, true} {
				agree(t, e, tw, s)
				for i, r := range e.Explain(s).Rules {
					if held := tw.holds(e.Rules.Baseline.Rules[i], s, time.UTC); r.Held != held {
						t.Errorf("the explanation says that %q held: %t (%s)", r.When, r.Held, r.Condition.Err)
					}
				}
			}
		})
	}
}

// The providers without a catalogue share a rule table, which must not take them for one.
func TestUnknownProvidersDecideLikeTheTwin(t *testing.T) {
	conditions := []string{
		`provider == ""`, `provider != ""`, `provider startsWith "nopay"`, `provider endsWith "y"`, `provider contains "op"`,
		`provider in ["", "momo"]`, `provider not in ["momo"]`, `provider == "momo" || in_doubt`, `provider matches "^n"`,
		`provider startsWith "mo"`, `!(provider startsWith "om")`, `provider endsWith "mo"`, `not (provider endsWith "om")`,
		`provider contains "om"`, `provider != "momo" && merchant == "alpha"`, `merchant != ""`, `merchant startsWith "al"`, `merchant in ["beta", ""]`,
	}
	for _, when := range conditions {
		t.Run(when, func(t *testing.T) {
			e := opened(t, alone(t, map[string]string{
				"baseline.toml":        rule("base", when, "escalate"),
				"merchants/alpha.toml": rule("alphas", "("+when+") && attempt < 2 && (in_doubt || attempt < 1)", "query_status"),
			}))
			tw := newTwin(t, e)
			for _, provider := range []string{"nopay", "", "momo"} {
				for _, merchant := range []string{"", "alpha", "nobody"} {
					s := judged(e, paying(provider, merchant), policy.Answer{Code: "40"})
					for _, s.InDoubt = range []bool{false, true} {
						agree(t, e, tw, s)
					}
				}
			}
		})
	}
}

// What the index leaves over is compared with fixed numbers without a program: written
// both ways, on both sides of the limit.
func TestComparisonsDecideLikeTheTwin(t *testing.T) {
	const limit = 5
	for _, name := range []string{"attempt", "queries", "fired", "amount", "http_status", "hour", "elapsed", "retry_after"} {
		value := "5"
		if variables[name].kind == duration {
			value = `duration("5ns")`
		}
		for _, op := range relations {
			for _, when := range []string{name + " " + op + " " + value, value + " " + op + " " + name} {
				tree, err := parser.Parse(when)
				if err != nil {
					t.Fatal(err)
				}
				lowered := new(lowerer).lower(tree.Node)
				if _, ok := simpleComparison(tree.Node); !ok || lowered.op != opRange {
					t.Fatalf("%s is not simple", when)
				}
				compiled, err := program(when)
				if err != nil {
					t.Fatal(err)
				}
				for given := limit - 1; given <= limit+1; given++ {
					s := numbered(given)
					s.Fired = policy.Counts{{Name: "it", N: given}}
					f := onlyRule(s, time.UTC, "it")
					want, err := run(compiled, makeEnv(s, given, time.UTC))
					if got := lowered.holds(&f); got != want || err != nil {
						t.Errorf("%s holds for %d: %t, and expr says %t (%v)", when, given, got, want, err)
					}
				}
			}
		}
	}
}

// numbered is a situation whose every number is n.
func numbered(n int) *policy.Situation {
	return &policy.Situation{
		Payment: &policy.Payment{Amount: int64(n)}, Answer: &policy.Answer{HTTPStatus: n, RetryAfter: time.Duration(n)},
		Attempt: n, Queries: n, Elapsed: time.Duration(n), At: friday.Add(time.Duration(n-12) * time.Hour),
	}
}
