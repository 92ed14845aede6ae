package killtest_test

import (
	"context"
	"encoding/json"
	"errors"
	mrand "math/rand/v2"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
)

// sabotaged is the payer's journal, with what its orders want of it.
func (p *payer) sabotaged(j journal.Journal) journal.Journal {
	if p.Sabotage == "no write-ahead" {
		j = &behind{Journal: j, missing: map[string]int64{}}
	}
	if p.KillAt == "in commit" {
		j = &mortal{j, p}
	}
	return j
}

// mortal kills its process at some moment of a commit.
type mortal struct {
	journal.Journal
	p *payer
}

func (m *mortal) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if m.p.nth.Add(1) == m.p.KillNth {
		time.AfterFunc(time.Duration(mrand.IntN(3000))*time.Microsecond, die)
	}
	return m.Journal.Put(ctx, r, d)
}

// behind does not write a send before it, but after.
type behind struct {
	journal.Journal
	mu      sync.Mutex
	missing map[string]int64 // rows that were not written, by flow
}

func (b *behind) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	row := *r
	b.mu.Lock()
	if stageOf(r) == flow.Sending {
		b.missing[r.ID]++
		b.mu.Unlock()
		return nil
	}
	row.Version -= b.missing[r.ID]
	b.mu.Unlock()
	return b.Journal.Put(ctx, &row, d)
}

func stateOf(r *journal.Row) flow.State {
	var e struct {
		State flow.State `json:"state"`
	}
	if err := json.Unmarshal(r.State, &e); err != nil {
		panic(err)
	}
	return e.State
}

func stageOf(r *journal.Row) flow.Stage { s := stateOf(r); return s.Stage }

// givenUp is a row's state as one that has ended.
func givenUp(state []byte) []byte {
	var row, inner map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(state, &row), json.Unmarshal(row["state"], &inner)); err != nil {
		panic(err)
	}
	inner["stage"], inner["outcome"] = json.RawMessage(`"ended"`), json.RawMessage(`"escalated"`)
	var err error
	if row["state"], err = json.Marshal(inner); err == nil {
		state, err = json.Marshal(row)
	}
	if err != nil {
		panic(err)
	}
	return state
}

// forgotten are the carts whose payment a careless payer begins anew: those that were being
// sent when its forerunner died. A careful one has none, and asks.
func (p *payer) forgotten(ctx context.Context) (carts []string, err error) {
	if p.Sabotage != "no query" {
		return nil, nil
	}
	rows, err := p.journal.Due(ctx, time.Now().AddDate(1, 0, 0), journal.Cursor{}, 100_000)
	for i := range rows {
		r := &rows[i]
		s := stateOf(r)
		if !r.Open || s.Stage != flow.Sending {
			continue
		}
		r.Version++
		r.Open, r.Due, r.State = false, time.Time{}, givenUp(r.State)
		if err := p.journal.Put(ctx, r, journal.Synced); err != nil {
			return nil, err
		}
		carts = append(carts, s.Payment.Tags["cart"])
	}
	return carts, err
}
