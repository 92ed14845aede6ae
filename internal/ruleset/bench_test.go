package ruleset

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

// A thousand codes with a rule each, and the same where every tenth rule looks at no
// code, so that many have to be tried.
func BenchmarkThousandRules(b *testing.B) {
	for _, set := range []struct {
		name     string
		crossing int
	}{{"own", 0}, {"crossing", 10}} {
		e := thousand(b, set.crossing)
		tw := newTwin(b, e)
		for _, code := range []string{"c1", "c499", "c998", "unseen"} {
			s := judged(e, paying("fifth", ""), policy.Answer{Code: code})
			s.Attempt = 2
			b.Run(set.name+"/engine/"+code, func(b *testing.B) { decided(b, e, s) })
			b.Run(set.name+"/twin/"+code, func(b *testing.B) { doubled(b, tw, s) })
		}
	}
}

// thousand has a rule for each of a thousand codes, most with a condition that the index
// cannot settle. Where crossing is not 0, every so many rules look at no code instead.
func thousand(t testing.TB, crossing int) *Engine {
	random := rand.New(rand.NewPCG(1, 2)) // the same rules every time
	var codes, text strings.Builder
	codes.WriteString("name = \"fifth\"\noperations = [\"pay\"]\n")
	for i := range 1000 {
		fmt.Fprintf(&codes, "[[code]]\ncode = \"c%d\"\nclass = \"provider_error\"\nfacts = [{ operation = \"*\", phase = [\"send\"], "+
			"effect = \"unknown\", stage = \"result\" }]\n", i)
		when := fmt.Sprintf(`code == "c%d"`, i)
		switch {
		case crossing > 0 && i%crossing == 0:
			when = fmt.Sprintf(`class == "provider_error" && operation == "pay" && attempt > %d`, 3+random.IntN(5))
		case i%3 == 0:
			when += ` && effect == "unknown" && attempt < 3`
		case i%3 == 1:
			when += ` && (in_doubt || attempt < 3) && tags.tier != "gold"`
		}
		text.WriteString(rule(fmt.Sprintf("r%d", i), when, "escalate"))
	}
	return opened(t, alone(t, map[string]string{"providers/fifth.toml": codes.String(), "fifth.toml": text.String()}))
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
