package outage

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// traffic is flows that all execute, one each so often, over an hour around noon.
func traffic(every time.Duration) (flows []Flow) {
	for at := noon.Add(-30 * time.Minute); at.Before(noon.Add(30 * time.Minute)); at = at.Add(every) {
		n := len(flows)
		flows = append(flows, Flow{
			Name: fmt.Sprint("f-", n), At: at, OrderID: fmt.Sprint("o-", n), RequestID: fmt.Sprint("r-", n),
			Payment: policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: fmt.Sprint("k-", n), Amount: 1000, Currency: "VND"},
			Fate:    emulation.Fate{Executes: n%10 != 0}, Latency: 200 * time.Millisecond, QueryLatency: 100 * time.Millisecond,
		})
	}
	return flows
}

// recordedAs is a recording that has these flows alone, without end.
func recordedAs(flows []Flow) Recorded {
	of := Recorded{To: farAway}
	for i := range flows {
		if i == 0 || flows[i].At.Before(of.From) {
			of.From = flows[i].At
		}
	}
	return of
}

func played(t testkit.Failer, flows []Flow, windows ...Spec) *Report {
	t.Helper()
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatalf("%v", err)
	}
	r, err := Play(e, e.Catalog, recordedAs(flows), windows, flows)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return r
}

func momo(from time.Time, length time.Duration, f Fault) Spec {
	return Spec{Provider: "momo", Operation: policy.Pay, Length: length, Fault: f, From: from}
}

// Silence brings retries and queries, which no payment comes to harm by; money that moved is found out, and
// what did not arrive is not taken for paid.
func TestSilence(t *testing.T) {
	r := played(t, traffic(time.Second), momo(noon, 5*time.Minute, Timeout))
	if !r.Holds() {
		t.Errorf("%+v %+v", r.Lost.Harms, r.Arrived.Harms)
	}
	if r.Flows != 3600 || r.Met != 300 {
		t.Errorf("%d flows, %d met", r.Flows, r.Met)
	}
	for name, s := range map[string]*Side{"lost": &r.Lost, "arrived": &r.Arrived} {
		if s.Amplification <= 1.05 || s.Amplification > 5 || s.During.Mean <= r.Without.During.Mean || s.DrainMS == 0 || s.LastMS < s.DrainMS {
			t.Errorf("%s: %+v", name, *s)
		}
		if s.Before != r.Without.Before {
			t.Errorf("%s: before the outage %+v, without one %+v", name, s.Before, r.Without.Before)
		}
	}
	if w := &r.Without; w.Amplification != 1 || w.Before.Peak != 1 || w.Ends.Succeeded != 3240 || w.Ends.Failed != 360 || len(w.Otherwise) > 0 {
		t.Errorf("without: %+v", *w)
	}
	if a := &r.Arrived; a.Ends.Succeeded != 3240 {
		t.Errorf("arrived: %+v", *a) // all of them are found
	}
}

// A refused connection opens the breaker: the provider gets fewer calls than without the outage, and no call is in doubt.
func TestRefused(t *testing.T) {
	r := played(t, traffic(2*time.Second), momo(noon, 10*time.Minute, Refused))
	a, b := r.Lost, r.Arrived
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("no call arrives, whatever the world: %+v\n%+v", a, b)
	}
	if a.Delayed.Breaker == 0 || a.During.Mean > r.Without.During.Mean/2 {
		t.Errorf("%+v", a)
	}
	if !r.Holds() {
		t.Errorf("%+v", a.Harms)
	}
	for i := range r.Money {
		if m := &r.Money[i]; m.Succeeded.Least != m.Succeeded.Most {
			t.Errorf("%+v", m)
		}
	}
}

// The budget bounds what retries add while the provider is silent for many: without tokens they wait.
func TestTheBudgetBoundsRetries(t *testing.T) {
	s := played(t, traffic(400*time.Millisecond), momo(noon, 3*time.Minute, Unavailable)).Lost
	if s.Delayed.Budget+s.Delayed.Breaker == 0 {
		t.Errorf("nothing waited: %+v", s)
	}
	if s.Amplification > 5 {
		t.Errorf("%+v", s)
	}
}

// Outages that overlap are one: the first that has begun says what calls get.
func TestOverlap(t *testing.T) {
	flows := traffic(2 * time.Second)
	one := played(t, flows, momo(noon, 10*time.Minute, Timeout))
	two := played(t, flows, momo(noon.Add(4*time.Minute), 6*time.Minute, Timeout), momo(noon, 5*time.Minute, Timeout))
	if a, b := text(t, one.Lost), text(t, two.Lost); a != b && one.Lost.During != two.Lost.During {
		t.Errorf("%s\n%s", a, b)
	}
	if one.Lost.Ends != two.Lost.Ends || one.Lost.Sends != two.Lost.Sends || one.Met != two.Met {
		t.Errorf("%+v\n%+v", one.Lost, two.Lost)
	}
	apart := played(t, flows, momo(noon, time.Minute, Timeout), momo(noon.Add(20*time.Minute), time.Minute, Timeout))
	if apart.Without.During.Mean != 0.5 {
		t.Errorf("the time between two outages counts as one of them: %+v", apart.Without.During)
	}
}

func text(t testkit.Failer, what any) string {
	t.Helper()
	b, err := json.Marshal(what)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(b)
}

// Whatever the outages and the payments are: every flow has one end, nothing depends on the order of the flows, the bounds
// hold both worlds, and no payment comes to harm.
func TestEveryOutage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flows := traffic(time.Duration(rapid.IntRange(20, 300).Draw(t, "every")) * time.Second)
		for i := range flows {
			f := &flows[i]
			f.Fate = emulation.Fate{
				Executes: rapid.Bool().Draw(t, "executes"), Murky: rapid.IntRange(0, 4).Draw(t, "murky") == 0,
				Settles:      time.Duration(rapid.IntRange(0, 600).Draw(t, "settles")) * time.Second,
				Refusals:     max(0, rapid.IntRange(-3, 2).Draw(t, "refusals")),
				WebhookDelay: time.Duration(rapid.IntRange(0, 900).Draw(t, "webhook")) * time.Second,
			}
			f.Notifies = rapid.Bool().Draw(t, "notifies")
			f.Fault = rapid.SampledFrom([]policy.Fault{policy.NoFault, policy.NoFault, policy.Timeout, policy.Reset, policy.NotSent, policy.Unreadable}).Draw(t, "fault")
			f.Latency = time.Duration(rapid.IntRange(0, 60_000).Draw(t, "latency")) * time.Millisecond
			if rapid.IntRange(0, 5).Draw(t, "shared") == 0 {
				f.Payment.Key = "shared"
			}
			f.Payment.Provider = "momo"
		}
		var windows []Spec
		for range rapid.IntRange(1, 3).Draw(t, "windows") {
			windows = append(windows, momo(noon.Add(time.Duration(rapid.IntRange(-1800, 1800).Draw(t, "from"))*time.Second),
				time.Duration(rapid.IntRange(1, 1800).Draw(t, "length"))*time.Second, rapid.SampledFrom(faults).Draw(t, "fault")))
		}
		r := played(t, slices.Clone(flows), slices.Clone(windows)...)
		for _, s := range []*Side{&r.Without, &r.Lost, &r.Arrived} {
			if n := s.Ends.Succeeded + s.Ends.Failed + s.Ends.Escalated + s.Ends.Open + s.Ends.Refused; n != len(flows) {
				t.Errorf("%d of %d flows have an end: %+v", n, len(flows), s.Ends)
			}
			if s.Ends.Open > 0 {
				t.Errorf("%d flows are never over, and when they drain is not known", s.Ends.Open)
			}
			if s.Harms != (harms{}) {
				t.Errorf("%+v", s.Harms)
			}
		}
		for i := range r.Money {
			m := &r.Money[i]
			for _, b := range []*Bound{&m.Succeeded, &m.Failed, &m.Escalated, &m.Open, &m.Refused, &m.ExecutedTwice} {
				if b.Least > b.Most || b.Most > m.Volume {
					t.Errorf("%+v", m)
				}
			}
		}
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(flows), func(i, j int) { flows[i], flows[j] = flows[j], flows[i] })
		if a, b := text(t, r), text(t, played(t, flows, windows...)); a != b {
			t.Errorf("the order of the flows matters:\n%s\n%s", a, b)
		}
	})
}

// Without an outage that a flow meets all three ways are the same.
func TestAnOutageNextToTheTraffic(t *testing.T) {
	r := played(t, traffic(10*time.Second), momo(noon.Add(5*time.Hour), time.Minute, Timeout))
	if text(t, r.Without) != text(t, r.Lost) || text(t, r.Lost) != text(t, r.Arrived) || r.Met != 0 {
		t.Errorf("%+v\n%+v\n%+v", r.Without, r.Lost, r.Arrived)
	}
}

// A second flow of a payment key does not start while the first may execute.
func TestAKeyIsTaken(t *testing.T) {
	flows := traffic(time.Minute)[:40]
	for i := range flows {
		flows[i].Payment.Key = fmt.Sprint("k-", i/2)
		flows[i].Fate.Executes = true
	}
	r := played(t, flows, momo(noon, 5*time.Minute, Timeout))
	if r.Without.Ends.Refused != 20 || r.Lost.Ends.Refused != 20 {
		t.Errorf("%+v %+v", r.Without.Ends, r.Lost.Ends)
	}
}

func TestParse(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, wrong string }{
		{"momo:pay:10m", ""},
		{"momo:*:1s:refused", ""},
		{"momo:pay:10m:503@2026-01-02T03:04:05.5+07:00", ""},
		{"momo", "it must be PROVIDER:OPERATION:LENGTH"},
		{"momo:pay:10m:timeout:x", "it must be PROVIDER:OPERATION:LENGTH"},
		{"", "it must be PROVIDER:OPERATION:LENGTH"},
		{"mommo:pay:10m", `did you mean "momo"?`},
		{"zz:pay:10m", `unknown provider "zz" (there are: momo`},
		{"momo:pya:10m", `did you mean "pay"?`},
		{"vnpay:payout:10m", "vnpay has no payout"},
		{"momo:pay:0s", "its length is 0s"},
		{"momo:pay:-1m", "its length is -1m"},
		{"momo:pay:49h", "it must be from 1s to 48h0m0s"},
		{"momo:pay:ten", `"ten" is no length`},
		{"momo:pay:10m:504", "unknown fault"},
		{"momo:pay:10m:", "unknown fault"},
		{"momo:pay:10m@noon", `"noon" is no time`},
		{"momo:pay:10m@", `"" is no time`},
		{"mommo:pya:0s:x@y", "its length is 0s"}, // all at once
		{"mommo:pya:0s:x@y", `"y" is no time`},
	} {
		s, err := Parse(tt.text, e.Catalogs)
		if tt.wrong == "" && (err != nil || s.Length < time.Second) || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
			t.Errorf("%q: %v", tt.text, err)
		}
	}
}

// Two outages of different lengths, far apart: calls before the first are counted where its flows are taken, and not
// where none is.
func TestOutagesOfDifferentLengths(t *testing.T) {
	short, long := momo(noon, time.Minute, Timeout), momo(noon.Add(10*time.Hour), time.Hour, Timeout)
	var flows []Flow
	for _, f := range traffic(time.Second) { // laid as simulate lays them
		if short.Reaches("momo", f.At, f.At) || long.Reaches("momo", f.At, f.At) {
			flows = append(flows, f)
		}
	}
	r := played(t, flows, long, short)
	if got := r.Without.Before.Mean; got < 0.99 || got > 1.01 {
		t.Errorf("%.3f calls a second before the outage, from %s; there was one each second", got, r.From)
	}
	if want := noon.Add(13 * time.Hour).Format(time.RFC3339); r.To != want {
		t.Errorf("calls are counted until %s, not %s", r.To, want)
	}
	nested := spanOf([]Spec{momo(noon, time.Hour, Timeout), momo(noon.Add(time.Minute), 2*time.Second, Timeout)})
	if nested.before != noon.Add(-2*time.Hour) || nested.to != noon.Add(time.Hour) || nested.after != noon.Add(3*time.Hour) {
		t.Errorf("%+v", nested)
	}
}

// Calls a second are those of a plain sum, over each second of the recording: before the first outage, in some outage, and after the last. It is
// written from docs/simulate.md: ten lengths around an outage, ten minutes to two hours, and no second that the recording does not reach.
func TestCallsASecondAreThoseOfAPlainSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begins := noon.Add(time.Duration(rapid.IntRange(-7200, 0).Draw(t, "begins")) * time.Second)
		lasts := rapid.IntRange(1, 7200).Draw(t, "lasts")
		of := Recorded{From: begins, To: begins.Add(time.Duration(lasts) * time.Second)}
		calls := map[int]int{}
		var flows []Flow
		for _, f := range traffic(time.Second)[:rapid.IntRange(1, 60).Draw(t, "flows")] {
			second := rapid.IntRange(0, lasts).Draw(t, "at")
			f.At, f.Fate = begins.Add(time.Duration(second)*time.Second+300*time.Millisecond), emulation.Fate{Executes: true}
			calls[second]++
			flows = append(flows, f)
		}
		var windows []Spec
		for range rapid.IntRange(1, 3).Draw(t, "windows") {
			windows = append(windows, momo(begins.Add(time.Duration(rapid.IntRange(-600, lasts+600).Draw(t, "from"))*time.Second),
				time.Duration(rapid.IntRange(1, 900).Draw(t, "length"))*time.Second, rapid.SampledFrom(faults).Draw(t, "fault")))
		}
		var sums [3]struct{ calls, seconds, peak int }
		for second := range lasts + 1 {
			at := begins.Add(time.Duration(second) * time.Second)
			before, within, after, near, late := true, false, true, false, false
			for _, w := range windows {
				margin := max(10*time.Minute, min(2*time.Hour, 10*w.Length))
				end := w.From.Add(w.Length)
				before, after = before && at.Before(w.From), after && !at.Before(end)
				within = within || !at.Before(w.From) && at.Before(end)
				near, late = near || !at.Before(w.From.Add(-margin)), late || at.Before(end.Add(margin))
			}
			for i, is := range []bool{before && near, within, after && late} {
				if is {
					sums[i].calls, sums[i].seconds, sums[i].peak = sums[i].calls+calls[second], sums[i].seconds+1, max(sums[i].peak, calls[second])
				}
			}
		}
		e, err := ruleset.Open("")
		if err != nil {
			t.Fatal(err)
		}
		r, err := Play(e, e.Catalog, of, windows, flows)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range []Rate{r.Without.Before, r.Without.During, r.Without.After} {
			want := Rate{Mean: float64(sums[i].calls) / float64(max(1, sums[i].seconds)), Peak: sums[i].peak}
			if got != want {
				t.Errorf("%s: %+v, and a plain sum is %+v", []string{"before", "during", "after"}[i], got, want)
			}
		}
	})
}

// A flow drains from the end of the outage that it met, not from the end of another one, hours later; and of 150 flows one may be left out, not two.
func TestEachFlowDrainsFromItsOutage(t *testing.T) {
	flows := traffic(2 * time.Second)
	one := played(t, flows, momo(noon, time.Minute, Refused))
	two := played(t, flows, momo(noon, time.Minute, Refused), momo(noon.Add(20*time.Hour), time.Minute, Refused))
	if one.Lost.DrainMS == 0 || one.Lost.DrainMS != two.Lost.DrainMS || one.Lost.LastMS != two.Lost.LastMS {
		t.Errorf("%d and %d ms; with another outage, which no flow meets, %d and %d", one.Lost.DrainMS, one.Lost.LastMS, two.Lost.DrainMS, two.Lost.LastMS)
	}
	for flows, most := range map[int]int{1: 0, 50: 0, 99: 0, 100: 1, 150: 1, 199: 1, 200: 2, 300: 3} {
		if left := flows - 1 - allButOneInAHundred(flows); left != most {
			t.Errorf("of %d flows %d are left out, not %d", flows, left, most)
		}
	}
}
