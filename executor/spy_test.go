package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
)

var errBroken = errors.New("the disk is full")

// spy is a journal that remembers what was put, and fails where a test says so.
type spy struct {
	journal.Journal

	mu     sync.Mutex
	puts   []put
	dead   bool                    // everything fails
	before func(p *put) error      // of a Put; an error refuses it
	after  func(p *put) error      // it was stored; an error says otherwise
	reads  func(what string) error // of a read
}

// put is a row that was handed to the journal.
type put struct {
	journal.Row
	durability journal.Durability
	state      flow.State
	n          int // of the puts, from 1
}

func newSpy() *spy { return &spy{Journal: journal.NewMemory()} }

// beside is another process's view of the same journal.
func (s *spy) beside() *spy { return &spy{Journal: s.Journal} }

func (s *spy) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	p := put{Row: *r, durability: d}
	var e struct {
		State flow.State `json:"state"`
	}
	if err := json.Unmarshal(r.State, &e); err != nil {
		return err
	}
	p.state = e.State
	s.mu.Lock()
	p.n = len(s.puts) + 1
	dead, before, after := s.dead, s.before, s.after
	s.puts = append(s.puts, p)
	s.mu.Unlock()
	if dead {
		return errBroken
	}
	if before != nil {
		if err := before(&p); err != nil {
			return err
		}
	}
	if err := s.Journal.Put(ctx, r, d); err != nil {
		return err
	}
	if after != nil {
		return after(&p)
	}
	return nil
}

func (s *spy) read(what string) error {
	s.mu.Lock()
	dead, reads := s.dead, s.reads
	s.mu.Unlock()
	switch {
	case dead:
		return errBroken
	case reads != nil:
		return reads(what)
	}
	return nil
}

func (s *spy) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	if err := s.read("ByKey"); err != nil {
		return nil, err
	}
	return s.Journal.ByKey(ctx, k)
}

func (s *spy) Get(ctx context.Context, id string) (journal.Row, error) {
	if err := s.read("Get"); err != nil {
		return journal.Row{}, err
	}
	return s.Journal.Get(ctx, id)
}

// kill makes the journal fail for ever, or work again.
func (s *spy) kill(dead bool) {
	s.mu.Lock()
	s.dead = dead
	s.mu.Unlock()
}

// list is what was put so far.
func (s *spy) list() []put {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]put(nil), s.puts...)
}

// standing is a flow as the journal has it.
func standing(t *testing.T, j journal.Journal, id string) (journal.Row, flow.State) {
	t.Helper()
	row, err := j.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		State flow.State `json:"state"`
	}
	if err := json.Unmarshal(row.State, &e); err != nil {
		t.Fatal(err)
	}
	return row, e.State
}

// rows are the flows of a payment's key.
func rows(t *testing.T, j journal.Journal, k journal.Key) []journal.Row {
	t.Helper()
	all, err := j.ByKey(context.Background(), k)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
