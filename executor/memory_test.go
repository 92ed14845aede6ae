package executor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// slowStore is a journal whose puts take a while and overlap. It has a row until Put returns, and sees whether it changes meanwhile.
type slowStore struct {
	journal.Journal
	wrong func(format string, args ...any)
}

func (s slowStore) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	before := bytes.Clone(r.State)
	time.Sleep(time.Duration(1+len(r.ID)%7+len(r.State)%11) * time.Millisecond)
	if err := stored.CheckSeal(r.State); err != nil || !bytes.Equal(before, r.State) {
		s.wrong("the row of %s changed while it was put: %v", r.ID, err)
	}
	if own := []byte(`"order_id":"o-` + r.Key.Payment + `"`); !bytes.Contains(r.State, own) {
		s.wrong("the row of %s, payment %s, is another flow's: %s", r.ID, r.Key.Payment, r.State)
	}
	return s.Journal.Put(ctx, r, d)
}

// givenAway keeps what it observes, and what that was at the time.
type givenAway struct {
	executor.NoopObserver
	mu   sync.Mutex
	what []any
	was  []string
}

func textOf(v any) string {
	text, err := json.Marshal(v)
	return fmt.Sprint(string(text), err)
}

func (k *givenAway) keep(v any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.what, k.was = append(k.what, v), append(k.was, textOf(v))
}

func (k *givenAway) Decided(_ context.Context, e *executor.DecisionEvent) { k.keep(*e) }
func (k *givenAway) Called(_ context.Context, e *executor.CallEvent)      { k.keep(*e) }
func (k *givenAway) Waiting(_ context.Context, e *executor.WaitEvent)     { k.keep(*e) }
func (k *givenAway) Ended(_ context.Context, e *executor.EndEvent)        { k.keep(*e) }

// shaky are rules that panic for some payments, once for each, in the middle of a step.
type shaky struct {
	*engine.Engine
	met *sync.Map // by payment key
}

func (s shaky) For(*policy.Payment) (policy.Decider, error) { return s, nil }

func (s shaky) Decide(sit *policy.Situation) policy.Decision {
	if _, met := s.met.LoadOrStore(sit.Payment.Key, true); !met && sit.Payment.Amount%7 == 0 {
		panic("a bug of the rules'")
	}
	return s.Engine.Decide(sit)
}

// The memory of a step and of a row is used again by other flows. Whatever panics between, and however slow the journal is: a row is its own
// flow's while it is put, and what a caller or an observer was given stays as it was.
func TestWhatIsGivenAwayIsNotUsedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		seen := &givenAway{}
		j := slowStore{journal.NewMemory(), t.Errorf}
		x := open(t, shaky{defaults(), new(sync.Map)}, executor.Config{Journal: j, Observers: []executor.Observer{seen}, OnError: func(error) {}})
		var all sync.WaitGroup
		for i := range testkit.Size(40, 100, 400) {
			all.Go(func() {
				defer func() { _ = recover() }() // the rules'
				q := payment(fmt.Sprint("k", i))
				q.Amount += int64(i)
				b := &bank{sends: []reply{shut, shut, silence}, asks: []reply{working, working, missing, paidAsk}}
				if i%3 == 0 {
					b.sends = []reply{shut, paidNow}
				}
				ctx, cancel := context.WithTimeout(context.Background(), 24*time.Hour)
				defer cancel()
				r, err := x.Do(ctx, q, b)
				if err == nil {
					seen.keep(*r)
					seen.keep(r.State())
				}
			})
		}
		all.Wait()
		seen.mu.Lock()
		defer seen.mu.Unlock()
		if len(seen.what) < 200 {
			t.Errorf("only %d things were kept", len(seen.what))
		}
		for i, v := range seen.what {
			if now := textOf(v); now != seen.was[i] {
				t.Errorf("a %T was\n%s\nand is\n%s", v, seen.was[i], now)
			}
		}
	})
}
