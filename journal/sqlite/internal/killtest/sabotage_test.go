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

// wrap returns the payer's journal with the faults that the config asks for.
func (p *payer) wrap(j journal.Journal) journal.Journal {
	if p.Sabotage == "no write-ahead" {
		j = &noWriteAhead{Journal: j, missing: map[string]int64{}}
	}
	if p.KillAt == "in commit" {
		j = &killInCommit{j, p}
	}
	return j
}

// killInCommit kills its process at a random moment of a commit.
type killInCommit struct {
	journal.Journal
	p *payer
}

func (k *killInCommit) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if k.p.nth.Add(1) == k.p.KillNth {
		time.AfterFunc(time.Duration(mrand.IntN(3000))*time.Microsecond, killSelf)
	}
	return k.Journal.Put(ctx, r, d)
}

// noWriteAhead drops the row of a send. The next row of the flow is stored after the send.
type noWriteAhead struct {
	journal.Journal
	mu      sync.Mutex
	missing map[string]int64 // by flow: number of dropped rows
}

func (w *noWriteAhead) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	row := *r
	w.mu.Lock()
	if stageOf(r) == flow.Sending {
		w.missing[r.ID]++
		w.mu.Unlock()
		return nil
	}
	row.Version -= w.missing[r.ID]
	w.mu.Unlock()
	return w.Journal.Put(ctx, &row, d)
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

// escalatedState returns a row's state with the outcome escalated.
func escalatedState(state []byte) []byte {
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

// abandoned closes the flows that were being sent when the previous process was killed, and
// returns their carts. The sabotaged payer pays them again under a new key. A correct payer
// returns none: it resumes the flows with a query.
func (p *payer) abandoned(ctx context.Context) (carts []string, err error) {
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
		r.Open, r.Due, r.State = false, time.Time{}, escalatedState(r.State)
		if err := p.journal.Put(ctx, r, journal.Synced); err != nil {
			return nil, err
		}
		carts = append(carts, s.Payment.Tags["cart"])
	}
	return carts, err
}
