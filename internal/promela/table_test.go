package promela

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

func world(t *testing.T, acme string) (*World, error) {
	t.Helper()
	mill, err := os.ReadFile("../verify/testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/acme.toml": acme}))
	if err != nil {
		t.Fatal(err)
	}
	return NewWorld(e, policy.Payment{Provider: "mill", Merchant: "acme", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}, false)
}

// The table holds what the engine decides, for each answer, fact and doubt that it has an entry for.
func TestTheTableHoldsWhatTheEngineDecides(t *testing.T) {
	w, err := world(t, `[[rule]]
id = "some"
when = 'http_status >= 500 && fired < 1 || code startsWith "N" && attempt > 1'
then = "query_status"
`)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for c, set := range w.table {
		answers := w.judged[c.phase][c.judged].answers
		for i := 0; i < len(answers); i += 1 + len(answers)/4 {
			for _, s := range w.counts() {
				s.Payment, s.Answer, s.Fact, s.InDoubt = &w.payment, &answers[i], w.facts[c.shown], c.inDoubt
				s.Fired = policy.Counts{{Name: "some", N: i % 2}}
				d := w.engine.Decide(&s)
				one := decision{action: d.Action, waits: d.Schedule != nil, rule: max(0, slices.Index(w.sources, d.Source))}
				n := slices.Index(w.decisions, one)
				if n < 0 || !slices.Contains(strings.Fields(strings.Trim(w.sets[set], "[]")), itoa(n)) {
					t.Fatalf("%+v: the engine decides %+v, the table has %s of %+v", c, d, w.sets[set], w.decisions)
				}
				asked++
			}
		}
	}
	t.Log(asked, "decisions")
	if asked == 0 {
		t.Error("nothing was asked")
	}
}

func itoa(n int) string { return texted([]int{n})[0] }

func TestWhatCannotBeEnumeratedIsRefused(t *testing.T) {
	_, err := world(t, `[[rule]]
id = "some"
when = 'tags.tier == "gold"'
then = "query_status"
`)
	if err == nil || !strings.Contains(err.Error(), "acme.toml:1") || !strings.Contains(err.Error(), "tags") {
		t.Error(err)
	}
}

// A rule that needs more sends or queries than the limits allow decides nothing. Spin's model counts neither, and would follow it.
func TestCountsBeyondTheLimitsAreLeftOut(t *testing.T) {
	acme := "[limits]\nmax_attempts = 1\nmax_queries = 1\n"
	for _, when := range []string{"attempt > 1", "attempt == 2", "queries > 1", "attempt > 1 || queries == 2"} {
		for _, beyond := range []bool{true, false} {
			text := acme
			if !beyond {
				text = "[limits]\nmax_attempts = 3\nmax_queries = 3\n"
			}
			w, err := world(t, text+fmt.Sprintf("[[rule]]\nid = \"some\"\nwhen = '%s'\nthen = \"mark_succeeded\"\n", when))
			if err != nil {
				t.Fatal(err)
			}
			decides := slices.ContainsFunc(w.decisions, func(d decision) bool { return d.action == policy.MarkSucceeded })
			own := slices.ContainsFunc(w.sources, func(s string) bool { return strings.Contains(s, "acme.toml") })
			if own == beyond || !beyond && !decides {
				t.Errorf("%s: the rule is in the table: %t; it can hold: %t", when, own, !beyond)
			}
		}
	}
}

// Spin refuses a c_decl of more than 16 KiB.
func TestTheModelIsTheSameEachTimeAndInSmallParts(t *testing.T) {
	w, err := world(t, "")
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := Write(&first, w); err != nil {
		t.Fatal(err)
	}
	if err := Write(&second, w); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Error("two models of one world differ")
	}
	for _, part := range strings.Split(first.String(), "c_decl {")[1:] {
		if part, _, _ = strings.Cut(part, "\n}\n"); len(part) > 16_000 {
			t.Errorf("a part of %d bytes", len(part))
		}
	}
}

// A rule about an amount or a currency that is not the example's is in the table of another kind of payment.
func TestEachKindOfPaymentIsAWorld(t *testing.T) {
	mill, err := os.ReadFile("../verify/testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	for when, silent := range map[string]bool{
		`amount == 0`: false, `amount > 200000`: false, `currency == "" && amount == 0`: true, `lower(currency) == "usd"`: false, `currency != "VND" && amount <= 5`: true, `capture == "manual"`: false,
	} {
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"providers/mill.toml": string(mill), "merchants/acme.toml": fmt.Sprintf("[[rule]]\nid = \"some\"\nwhen = '''%s'''\nthen = \"mark_succeeded\"\n", when)}))
		if err != nil {
			t.Fatal(err)
		}
		all, err := Worlds(e, policy.Payment{Provider: "mill", Merchant: "acme", Operation: policy.Pay, Amount: 120_000, Currency: "VND"}, false)
		if err != nil {
			t.Fatal(err)
		}
		holds, without, saysNothing := 0, 0, false
		for _, w := range all {
			if slices.ContainsFunc(w.sources, func(s string) bool { return strings.Contains(s, "acme.toml") }) {
				holds++
				saysNothing = saysNothing || !w.saysMoney()
			} else {
				without++
			}
		}
		if holds == 0 || without == 0 || saysNothing != silent {
			t.Errorf("%s: it can hold in %d worlds and in %d it cannot; says nothing: %t", when, holds, without, saysNothing)
		}
	}
}
