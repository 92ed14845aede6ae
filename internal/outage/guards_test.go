package outage

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// Budgets and breakers delay what the plain reading has them delay, call by call: the same calls in each second, the same waits, and the same end
// of each flow at the same time.
func TestGuardsAreThoseOfAPlainReading(t *testing.T) {
	var rules []*ruleset.Engine
	for _, dir := range []string{"", testkit.Dir(t, map[string]string{"merchants/acme.toml": eager})} {
		e, err := ruleset.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, e)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom(rules).Draw(t, "rules")
		flows, windows := drawnTraffic(t), drawnWindows(t)
		for w := range worlds {
			fast := &play{d: e, catalog: e.Catalog, windows: windows, world: w, flows: flows}
			fast.run()
			slow := playPlainly(e, w, windows, flows)
			samePlay(t, w, fast, slow)
		}
	})
}

// eager is rules that send as often as they may, soon after each other, for a short time.
const eager = `
[limits]
max_attempts = 30
max_elapsed = "3m"

[schedule.soon]
intervals = ["1s"]

[[rule]]
id = "again"
when = 'effect == "unknown" && attempt < 30'
then = "retry_same_request"
schedule = "soon"
reason = "a replay is the same payment"

[[rule]]
id = "anew"
when = 'effect == "not_executed" && attempt < 30'
then = "retry_new_request"
schedule = "soon"
reason = "nothing was paid"
`

func samePlay(t *rapid.T, w world, fast *play, slow *plain) {
	t.Helper()
	if fast.sends != slow.sends || fast.queries != slow.queries || fast.delays != slow.delays || fmt.Sprint(fast.calls) != fmt.Sprint(slow.calls) {
		t.Errorf("world %d: %d sends, %d queries, %+v; plainly %d, %d, %+v", w, fast.sends, fast.queries, fast.delays, slow.sends, slow.queries, slow.delays)
	}
	for i := range fast.runs {
		a, b := &fast.runs[i], &slow.flows[i]
		if a.s.Outcome != b.s.Outcome || !a.ended.Equal(b.ended) || a.refused != b.refused || !a.met.Equal(b.met) || a.s.Attempts != b.s.Attempts || a.s.Queries != b.s.Queries {
			t.Errorf("world %d, %s of %s: %s at %s after %d sends and %d queries; plainly %s at %s after %d and %d", w, a.f.Name, a.f.Payment.Merchant,
				a.how(), a.ended, a.s.Attempts, a.s.Queries, b.s.Outcome, b.ended, b.s.Attempts, b.s.Queries)
		}
	}
}

// drawnTraffic is so many flows of two merchants, close to each other, that budgets are spent and breakers open.
func drawnTraffic(t *rapid.T) []Flow {
	every := rapid.SampledFrom([]time.Duration{300 * time.Millisecond, 2 * time.Second, 20 * time.Second}).Draw(t, "every")
	flows := traffic(every)[:rapid.IntRange(1, min(testkit.Size(60, 150, 150), int(time.Hour/every))).Draw(t, "flows")]
	fates := rapid.SliceOfN(rapid.IntRange(0, 1<<30), len(flows), len(flows)).Draw(t, "fates")
	for i := range flows {
		f, n := &flows[i], rand.New(rand.NewPCG(uint64(fates[i]), 7))
		f.At = noon.Add(time.Duration(i) * every)
		f.Payment.Merchant = []string{"acme", "acme", "bolt"}[n.IntN(3)]
		f.Fate = emulation.Fate{Executes: n.IntN(4) > 0, Murky: n.IntN(5) == 0, Refusals: max(0, n.IntN(6)-3), Settles: time.Duration(n.IntN(300)) * time.Second, WebhookDelay: time.Duration(n.IntN(600)) * time.Second}
		f.Notifies = n.IntN(2) == 0
		f.Fault = []policy.Fault{policy.NoFault, policy.NoFault, policy.NotSent, policy.Timeout, policy.Reset, policy.Unreadable}[n.IntN(6)]
		f.Latency, f.QueryLatency = time.Duration(n.IntN(40_000))*time.Millisecond, time.Duration(n.IntN(20_000))*time.Millisecond
		if n.IntN(4) > 0 {
			f.Latency = time.Duration(n.IntN(900)) * time.Millisecond
		}
		if n.IntN(8) == 0 {
			f.Payment.Key = "shared"
		}
	}
	return flows
}

func drawnWindows(t *rapid.T) (windows []Spec) {
	for range rapid.IntRange(1, 3).Draw(t, "windows") {
		length := rapid.SampledFrom([]time.Duration{10 * time.Second, 3 * time.Minute, time.Hour, 40 * time.Hour}).Draw(t, "length")
		windows = append(windows, momo(noon.Add(time.Duration(rapid.IntRange(-60, 90).Draw(t, "from"))*time.Second), length, rapid.SampledFrom(faults).Draw(t, "fault")))
	}
	slices.SortStableFunc(windows, func(a, b Spec) int { return a.From.Compare(b.From) })
	return windows
}
