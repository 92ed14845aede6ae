package outage

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// A published study lets a hundred clients change one row, each by a read and a write that succeeds only if no other write came
// between, and counts calls and time by how they wait after a failure: base 5 ms, cap 2 s, a network of 10 ms. Exponential waits without
// jitter take more than twice the calls of full jitter, and decorrelated ones a quarter more than that. Our schedules come to the same ratios.
func TestTheJitterStudy(t *testing.T) {
	const clients, rounds = 100, 20
	type result struct{ calls, ms float64 }
	average := func(waits func() func(n int, r *rand.Rand) time.Duration) (all result) {
		for seed := range uint64(rounds) {
			calls, took := contend(clients, rand.New(rand.NewPCG(seed, 7)), waits)
			all.calls += float64(calls) / rounds
			all.ms += float64(took.Milliseconds()) / rounds
		}
		return all
	}
	// spread is a schedule whose waits lie between a part of the exponential one and all of it.
	spread := func(least float64) func() func(n int, r *rand.Rand) time.Duration {
		middle := (1 + least) / 2
		s := policy.Schedule{
			InitialInterval: time.Duration(middle * float64(5*time.Millisecond)), Multiplier: 2, MaxInterval: time.Duration(middle * float64(2*time.Second)),
			RandomizationFactor: (1 - least) / (1 + least),
		}
		return func() func(n int, r *rand.Rand) time.Duration {
			return func(n int, r *rand.Rand) time.Duration { return s.Jittered(s.Delay(n), r.Float64()) }
		}
	}
	// Decorrelated: between the base and three times the wait before. A schedule of its own each time, since ours do not look back.
	decorrelated := func() func(n int, r *rand.Rand) time.Duration {
		before := 5 * time.Millisecond
		return func(_ int, r *rand.Rand) time.Duration {
			low, high := float64(5*time.Millisecond), float64(3*before)
			s := policy.Schedule{Intervals: []time.Duration{time.Duration((low + high) / 2)}, RandomizationFactor: (high - low) / (high + low)}
			before = min(2*time.Second, s.Jittered(s.Delay(0), r.Float64()))
			return before
		}
	}
	none, full, equal, decorr := average(spread(1)), average(spread(0)), average(spread(0.5)), average(decorrelated)
	t.Logf("calls: none %.0f, full %.0f, equal %.0f, decorrelated %.0f", none.calls, full.calls, equal.calls, decorr.calls)
	t.Logf("ms: none %.0f, full %.0f, equal %.0f, decorrelated %.0f", none.ms, full.ms, equal.ms, decorr.ms)
	for _, x := range []struct {
		what           string
		got, published float64
	}{
		{what: "calls without jitter", got: none.calls / full.calls, published: 1846.0 / 800},
		{what: "calls with decorrelated jitter", got: decorr.calls / full.calls, published: 1007.0 / 800},
	} {
		if x.got < x.published*0.8 || x.got > x.published*1.2 {
			t.Errorf("%s are %.2f times those with full jitter; published: %.2f", x.what, x.got, x.published)
		}
	}
	if equal.calls <= full.calls || equal.calls >= none.calls {
		t.Errorf("calls with equal jitter, %.0f, lie between full, %.0f, and none, %.0f", equal.calls, full.calls, none.calls)
	}
	if none.ms < 1.5*full.ms || none.ms < decorr.ms {
		t.Errorf("without jitter it takes %.0f ms, with full jitter %.0f, decorrelated %.0f", none.ms, full.ms, decorr.ms)
	}
}

// turn is a client's next arrival at the row.
type turn struct {
	at     time.Duration
	client int
	write  bool
}

type turns []turn

func (q turns) Len() int           { return len(q) }
func (q turns) Less(i, j int) bool { return q[i].at < q[j].at }
func (q turns) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *turns) Push(x any)        { *q = append(*q, x.(turn)) }
func (q *turns) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// contend lets clients change one row until each has, and returns the writes and the time that it took.
func contend(clients int, r *rand.Rand, waits func() func(n int, r *rand.Rand) time.Duration) (writes int, took time.Duration) {
	network := func() time.Duration {
		ms := 10 + 2*r.NormFloat64()
		return time.Duration(max(ms, -ms) * float64(time.Millisecond))
	}
	version, seen, failed := 0, make([]int, clients), make([]int, clients)
	wait := make([]func(n int, r *rand.Rand) time.Duration, clients)
	var q turns
	for c := range clients {
		wait[c] = waits()
		heap.Push(&q, turn{network(), c, false})
	}
	for len(q) > 0 {
		now := heap.Pop(&q).(turn)
		took = now.at
		switch {
		case !now.write:
			seen[now.client] = version
			heap.Push(&q, turn{now.at + network() + network(), now.client, true})
		case seen[now.client] == version:
			writes++
			version++
		default:
			writes++
			back := wait[now.client](failed[now.client], r)
			failed[now.client]++
			heap.Push(&q, turn{now.at + network() + back + network(), now.client, false})
		}
	}
	return writes, took
}
