package executor

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// measured is a journal whose puts are measured, for [Stats].
type measured struct {
	journal.Journal
	start time.Time
	taker taker // nil: the journal is none

	under    atomic.Int64 // puts that have not returned
	moved    atomic.Int64 // when one began with none before it, or returned; nanoseconds since start
	synced   atomic.Int64 // puts that had to be on stable storage
	waited   atomic.Int64 // for them, nanoseconds
	failures atomic.Int64 // of puts of any kind
}

func (m *measured) elapsed() int64 { return int64(time.Since(m.start)) }

// Put implements [journal.Journal].
func (m *measured) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	began := m.elapsed()
	if m.under.Add(1) == 1 {
		m.moved.Store(began)
	}
	err := m.Journal.Put(ctx, r, d)
	ended := m.elapsed()
	m.moved.Store(ended)
	m.under.Add(-1)
	if d == journal.Synced {
		m.synced.Add(1)
		m.waited.Add(ended - began)
	}
	if err != nil {
		m.failures.Add(1)
	}
	return err
}

// stalled is how long no put has returned although some are under way.
func (m *measured) stalled() time.Duration {
	moved := m.moved.Load()
	if m.under.Load() == 0 {
		return 0
	}
	return max(0, time.Duration(m.elapsed()-moved))
}
