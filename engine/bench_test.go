package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

type measured struct {
	name string
	s    *policy.Situation
}

// typical are the situations that most decisions are about, with the default rules.
func typical(e *Engine) []measured {
	acme := func(op policy.Operation) policy.Payment {
		p := paying("momo", "acme")
		p.Operation = op
		return p
	}
	lost := judged(e, acme(policy.Pay), policy.Answer{Phase: policy.Query, Code: "42"})
	lost.Fact, lost.InDoubt = policy.Fact{Effect: policy.Unknown, Class: policy.NotFound}, true
	lost.Fired = policy.Counts{{Name: "in-doubt", N: 3}, {Name: "momo-lost", N: 2}}
	late := judged(e, policy.Payment{
		Provider: "opi", Merchant: "swift-payouts", Operation: policy.Payout, Amount: 6_000_000, Currency: "PHP",
	}, policy.Answer{Fault: policy.Timeout})
	late.InDoubt, late.Elapsed = true, 3*time.Hour
	return []measured{
		{"paid", judged(e, acme(policy.Pay), policy.Answer{Code: "0"})},
		{"refused", judged(e, acme(policy.Pay), policy.Answer{Code: "1001"})},
		{"timeout", judged(e, acme(policy.Pay), policy.Answer{Fault: policy.Timeout})},
		{"unlisted", judged(e, acme(policy.Refund), policy.Answer{Code: "unseen"})},
		{"not-found", lost},
		{"payday", judged(e, paying("momo", "evergreen-box"), policy.Answer{Code: "1001"})},
		{"late-payout", late},
	}
}

func BenchmarkDecide(b *testing.B) {
	e := open(b, "")
	for _, m := range typical(e) {
		b.Run(m.name, func(b *testing.B) { decided(b, e, m.s) })
	}
}

func BenchmarkTwin(b *testing.B) {
	e := open(b, "")
	tw := newTwin(b, e)
	for _, m := range typical(e) {
		b.Run(m.name, func(b *testing.B) { doubled(b, tw, m.s) })
	}
}

func decided(b *testing.B, e *Engine, s *policy.Situation) {
	b.ReportAllocs()
	for b.Loop() {
		e.Decide(s)
	}
}

// doubled is the twin without its looking for the layers.
func doubled(b *testing.B, tw *twin, s *policy.Situation) {
	layers := tw.layers(s)
	all, zone := layers.Rules(), layers.Timezone()
	b.ReportAllocs()
	for b.Loop() {
		tw.first(all, s, zone)
	}
}

// A thousand rules: each of a thousand codes has one, most with a condition that the
// index cannot settle; every tenth looks at no code.
func BenchmarkThousandRules(b *testing.B) {
	e := thousand(b)
	tw := newTwin(b, e)
	situation := func(code string) *policy.Situation {
		s := judged(e, paying("fifth", ""), policy.Answer{Code: code})
		s.Attempt = 2
		return s
	}
	for _, m := range []measured{
		{"first", situation("c1")}, {"middle", situation("c500")}, {"last", situation("c999")}, {"none", situation("unseen")},
	} {
		if got, want := e.Decide(m.s), tw.decide(m.s); got.Rule != want.Rule {
			b.Fatalf("%s, and the twin %s", told(got), told(want))
		}
		b.Run("engine/"+m.name, func(b *testing.B) { decided(b, e, m.s) })
		b.Run("twin/"+m.name, func(b *testing.B) { doubled(b, tw, m.s) })
	}
}

func thousand(b testing.TB) *Engine {
	random := rand.New(rand.NewPCG(1, 2)) // the same rules every time
	var codes, text strings.Builder
	codes.WriteString("name = \"fifth\"\noperations = [\"pay\"]\n")
	for i := range 1000 {
		fmt.Fprintf(&codes, "[[code]]\ncode = \"c%d\"\nclass = \"provider_error\"\nfacts = [{ operation = \"*\", phase = [\"send\"], "+
			"effect = \"unknown\", stage = \"result\" }]\n", i)
		when := fmt.Sprintf(`code == "c%d"`, i)
		switch {
		case i%10 == 0:
			when = fmt.Sprintf(`class == "provider_error" && operation == "pay" && attempt > %d`, 3+random.IntN(5))
		case i%3 == 0:
			when += ` && effect == "unknown" && attempt < 3`
		case i%3 == 1:
			when += ` && (in_doubt || attempt < 3) && tags.tier != "gold"`
		}
		text.WriteString(rule(fmt.Sprintf("r%d", i), when, "escalate"))
	}
	return opened(b, alone(b, map[string]string{"providers/fifth.toml": codes.String(), "fifth.toml": text.String()}))
}

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExplain(b *testing.B) {
	e := open(b, "")
	s := typical(e)[2].s
	b.ReportAllocs()
	for b.Loop() {
		e.Explain(s)
	}
}
