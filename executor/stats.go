package executor

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Stats is what an executor has to do, and how the parts that it needs stand: for metrics, and for people.
type Stats struct {
	// Flows are those of the journal that are not settled: open, in_doubt and escalated ones. Without
	// a journal there is none.
	Flows []journal.Tally

	// Breakers are those that are not closed: "open" until a time, or "half_open".
	Breakers []struct {
		Provider, Merchant string
		Operation          policy.Operation
		Query              bool // of queries; else of sends
		State              string
		Until              time.Time
	}

	// Journal is how long puts take. Its numbers only grow, but for Queue and Stalled.
	Journal struct {
		Synced  int64         // puts that had to be on stable storage
		Waited  time.Duration // for all of them together
		Failed  int64         // puts of any kind
		Queue   int64         // puts that have not returned
		Stalled time.Duration // how long none has returned, while some are under way
	}

	// Sweeper looks for flows that no goroutine drives.
	Sweeper struct {
		Lag   time.Duration // since its last pass ended
		Stuck int           // flows that the last pass could not continue: no client, or a row that cannot be read
	}

	Notices int // calls of OnEscalate and OnAlert that are owed
	Memory  int // flows in memory; one that Resume found waiting is not, before it is due
}

// vitals are the measurements that are taken all the time.
type vitals struct {
	journal *measured    // nil: no journal
	swept   atomic.Int64 // when the sweeper's last pass ended, nanoseconds since started
	stuck   atomic.Int64 // flows that it could not continue
	started time.Time
	pruned  time.Duration // when the journal was pruned last, since started; the sweeper's goroutine uses it
}

// pass notes that a pass of the sweeper has ended.
func (v *vitals) pass(stuck int) {
	v.stuck.Store(int64(stuck))
	v.swept.Store(int64(time.Since(v.started)))
}

// Stats takes a look. It reads the journal's counts, which is cheap in one that has an index of them.
// With an error the rest is there.
func (x *Executor) Stats(ctx context.Context) (*Stats, error) {
	s := new(Stats)
	s.Sweeper.Lag = time.Since(x.vitals.started) - time.Duration(x.vitals.swept.Load())
	s.Sweeper.Stuck = int(x.vitals.stuck.Load())
	x.countMemory(s)
	x.guards.states(s, time.Now())
	m := x.vitals.journal
	if m == nil {
		return s, nil
	}
	j := &s.Journal
	j.Synced, j.Waited, j.Failed = m.synced.Load(), time.Duration(m.waited.Load()), m.failures.Load()
	j.Queue, j.Stalled = m.under.Load(), m.stalled()
	var err error
	s.Flows, err = m.Count(ctx, journal.Filter{Standings: unsettled})
	return s, err
}

// countMemory counts the flows in memory and their notices. A flow that is being written to is left out:
// the count must not wait for a disk.
func (x *Executor) countMemory(s *Stats) {
	all := x.inMemory()
	s.Memory = len(all)
	for _, r := range all {
		if r.mu.TryLock() {
			s.Notices += len(r.notices.list)
			r.mu.Unlock()
		}
	}
}

// states lists the breakers that are not closed.
func (g *guards) states(s *Stats, now time.Time) {
	known := *g.providers.Load()
	accounts := slices.SortedFunc(maps.Keys(known), func(a, b account) int {
		return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.merchant, b.merchant))
	})
	for _, at := range accounts {
		for op := range operations {
			guard := guard{sends: known[at].sends[op], asks: known[at].asks[op]}
			for _, query := range []bool{false, true} {
				state, until := guard.gate(query).breaker.State(now)
				if state == "closed" {
					continue
				}
				b := extend(&s.Breakers)
				b.Provider, b.Merchant, b.Operation, b.Query, b.State, b.Until = at.provider, at.merchant, policy.Operation(op), query, state, until
			}
		}
	}
}

// extend adds an element to a list.
func extend[T any](list *[]T) *T {
	*list = append(*list, *new(T))
	return &(*list)[len(*list)-1]
}
