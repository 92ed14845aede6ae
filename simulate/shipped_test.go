package simulate

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// coverage counts what occurs in the shipped recordings.
type coverage struct {
	providers  map[string]int
	operations map[policy.Operation]int
	effects    map[policy.Effect]int
	faults     map[policy.Fault]int
	phases     map[recorded.Phase]int
}

func countShipped(t *testing.T) coverage {
	t.Helper()
	e := defaults(t)
	c := coverage{map[string]int{}, map[policy.Operation]int{}, map[policy.Effect]int{}, map[policy.Fault]int{}, map[recorded.Phase]int{}}
	r := newLineReader(&Options{Catalogs: e.Catalogs}, newLore(true))
	for _, in := range shipped(t) {
		err := split(context.Background(), &in, func(b *batch) bool {
			b.parse(r)
			for i := range b.lines {
				l := &b.lines[i]
				k, payment := l.kind, policy.Payment{Provider: l.kind.provider, Operation: l.kind.operation, Merchant: l.merchant, Amount: l.amount, Currency: l.kind.currency, Capture: l.kind.capture}
				c.phases[k.phase]++
				if k.phase == recorded.End || k.phase == recorded.Truth {
					continue
				}
				c.providers[k.provider]++
				c.operations[k.operation]++
				c.faults[k.answer.Fault]++
				c.effects[e.Judge(&payment, &k.answer).Effect]++
			}
			for _, broken := range b.broken {
				t.Error(broken)
			}
			return true
		})
		if err != nil {
			t.Error(err)
		}
	}
	return c
}

// The shipped recordings have four providers, every operation, effect, fault and
// phase.
func TestShippedRecordingsHaveEverything(t *testing.T) {
	c := countShipped(t)
	for _, p := range []string{"momo", "opi", "paykka", "shopline"} {
		if c.providers[p] == 0 {
			t.Errorf("nothing of %s", p)
		}
	}
	for _, op := range policy.Operations() {
		if c.operations[op] == 0 {
			t.Errorf("no %s", op)
		}
	}
	for _, e := range policy.All[policy.Effect]() {
		if c.effects[e] == 0 {
			t.Errorf("no answer is %s", e)
		}
	}
	for _, f := range policy.All[policy.Fault]() {
		if c.faults[f] == 0 {
			t.Errorf("no %s", f)
		}
	}
	for ph := recorded.Send; ph <= recorded.Truth; ph++ {
		if c.phases[ph] == 0 {
			t.Errorf("no line is %s", ph)
		}
	}
}

// With the default rules there is none of the harm that the recorded clients did.
func TestShippedRecordings(t *testing.T) {
	r := simulate(t, Options{Strict: true}, shipped(t)...)
	rec, sim := &r.Recorded, &r.Simulated
	if rec.Flows < 2000 || r.Incomplete > 0 || r.NoTruth > 0 {
		t.Errorf("%d flows, %d incomplete, %d without truth", rec.Flows, r.Incomplete, r.NoTruth)
	}
	if rec.ExecutedTwice == 0 || rec.FailedThoughExecuted == 0 || rec.SucceededThoughNotExecuted == 0 || len(r.Harms) != 3 {
		t.Errorf("the recorded clients did no harm of some kind: %+v", r.Harms)
	}
	if !r.Holds() || len(r.Broken) > 0 {
		t.Errorf("the default rules do harm: %+v", r.Broken)
	}
	if sim.Corrected > 0 {
		t.Errorf("the interlock corrected the default rules %d times", sim.Corrected)
	}
	if sim.OffRecord > 536/3 {
		t.Errorf("of %d flows nothing is known", sim.OffRecord)
	}
	for _, c := range []*Column{rec, sim} {
		if sum := c.Succeeded + c.Failed + c.Escalated + c.Open + c.OffRecord; sum != c.Flows || c.Flows != rec.Flows {
			t.Errorf("the flows of a column add up to %d of %d", sum, c.Flows)
		}
		if q := c.TimeToEnd; q.P50 <= 0 || q.P50 > q.P95 || q.P95 > q.P99 {
			t.Errorf("time to the end: %+v", q)
		}
		if c.Sends < c.Flows-sim.OffRecord-sim.Refused || c.Queries == 0 {
			t.Errorf("%d sends, %d queries", c.Sends, c.Queries)
		}
	}
	for _, m := range r.Money {
		if m.Simulated.Total() > 0 || m.Volume < m.Recorded.FailedThoughExecuted+m.Recorded.SucceededThoughNotExecuted ||
			m.Volume < m.Escalated+m.Open+m.OffRecord+m.Refused {
			t.Errorf("money: %+v", m)
		}
	}
}

// BenchmarkRun reads the shipped recordings, unpacked.
func BenchmarkRun(b *testing.B) {
	e := defaults(b)
	var inputs []input
	size, lines := 0, 0
	for _, in := range shipped(b) {
		data, err := unpacked(in)
		if err != nil {
			b.Fatal(err)
		}
		size += len(data)
		lines += bytes.Count(data, []byte("\n"))
		inputs = append(inputs, raw(in.name, data))
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		r, err := run(context.Background(), Options{Decider: e, Catalogs: e.Catalogs}, inputs)
		if err != nil || r.Lines != lines {
			b.Fatalf("%v", err)
		}
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// unpacked reads one recording, unpacked.
func unpacked(in input) ([]byte, error) {
	f, err := in.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := plain(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
