package executor_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// A flow that has ended leaves memory; its handle follows it into the journal.
func TestAHandleSeesWhatComesAfterTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		h := begin(t, x, payment("k"), &bank{sends: []reply{silence}, asks: []reply{missing}})
		wantOutcome(t, end(t, h, 200*time.Hour), policy.Escalated)
		time.Sleep(time.Second)
		notify(t, x, hookOf("k", "0"))
		wantOutcome(t, end(t, h, time.Second), policy.Succeeded)
		if s := h.State(); s.Outcome != policy.Succeeded {
			t.Errorf("State says %s", s.Outcome)
		}
	})
}

// A handle that was taken when the flow had no driver refers to the flow, not to a copy.
func TestAHandleWithdrawsTheFlowThatIsDriven(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{shut, paidNow}}
		crashed(t, j, b, 2)
		x := open(t, defaults(), executor.Config{Journal: j})
		h, err := x.Handle(context.Background(), rows(t, j, keyOf(payment("k")))[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		j.before = func(p *put) error { // the retry is due at once, and has to wait for the Withdraw
			if p.state.Attempts == 2 {
				return errBroken
			}
			return nil
		}
		if again := begin(t, x, payment("k"), b); again.Flow() != h.Flow() {
			t.Fatalf("flow %s was joined, want %s", again.Flow(), h.Flow())
		}
		if err := h.Withdraw("not wanted"); err != nil {
			t.Fatalf("Withdraw: %v", err)
		}
		wantOutcome(t, end(t, h, time.Hour), policy.Failed)
		b.wantCalls(t, 1, 0)
	})
}

// Nil of Withdraw means that it is on the disk. Behind an answer that the journal does not take
// it is not, but it is not forgotten.
func TestAWithdrawThatIsNotWrittenSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{{after: time.Second, answer: shut.answer}, paidNow}}
		x := open(t, defaults(), executor.Config{Journal: j})
		h := begin(t, x, payment("k"), b)
		j.kill(true)
		time.Sleep(1050 * time.Millisecond)
		if err := h.Withdraw("not wanted"); err == nil {
			t.Error("Withdraw says that it is written")
		}
		j.kill(false)
		wantOutcome(t, end(t, h, time.Minute), policy.Failed)
		if _, s := standing(t, j, h.Flow()); s.Withdrawn != "not wanted" {
			t.Errorf("withdrawn: %q", s.Withdrawn)
		}
		b.wantCalls(t, 1, 0)
	})
}

// losing is a journal that loses the first row that need not be on the disk at once.
type losing struct {
	*spy
	lost atomic.Bool
}

func (l *losing) Put(ctx context.Context, r *journal.Row, d journal.Durability) error {
	if d == journal.Lazy && l.lost.CompareAndSwap(false, true) {
		return nil
	}
	return l.spy.Put(ctx, r, d)
}

// What was written of a flow is lost, and its copy here is of no use any more. Its client is: this
// process takes it up again, though it has no client of its own.
func TestAFlowWhoseRowIsLostIsTakenUpAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := &losing{spy: newSpy()}, &bank{sends: []reply{working}, asks: []reply{paidAsk}}
		x := open(t, defaults(), executor.Config{Journal: j, OnError: func(err error) { t.Errorf("OnError got %v", err) }})
		h := begin(t, x, payment("k"), b)
		if _, err := h.Wait(within(t, time.Minute)); !errors.Is(err, executor.ErrTakenOver) {
			t.Errorf("Wait: %v", err)
		}
		time.Sleep(time.Hour)
		wantOutcome(t, end(t, h, time.Second), policy.Succeeded)
		if s, _ := b.calls(); s != 1 || !j.lost.Load() {
			t.Errorf("%d sends, a row was lost: %v", s, j.lost.Load())
		}
	})
}

// stale is a journal whose next Get takes a while: what it returns is old.
type stale struct {
	*spy
	meanwhile func()
}

func (s *stale) Get(ctx context.Context, id string) (journal.Row, error) {
	row, err := s.spy.Get(ctx, id)
	if f := s.meanwhile; f != nil {
		s.meanwhile = nil
		f()
	}
	return row, err
}

// The row for a webhook was read before another goroutine here continued the flow.
// That is no reason to have the provider send it again.
func TestAWebhookOutrunByAResumeIsEntered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := &stale{spy: newSpy()}, &bank{sends: []reply{silence}, asks: []reply{paidAsk}}
		crashed(t, j.spy, b, 1)
		x := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		j.meanwhile = func() {
			if n, err := x.Resume(context.Background()); n != 1 || err != nil {
				t.Errorf("%d flows go on, %v", n, err)
			}
			time.Sleep(time.Hour)
		}
		notify(t, x, hookOf("k", "0"))
		all := rows(t, j, keyOf(payment("k")))
		s := decodeState(t, &all[0])
		if s.Outcome != policy.Succeeded {
			t.Errorf("it ended %s", s.Outcome)
		}
	})
}

// Pruning a journal keeps every key that is in doubt: its next request would be sent.
func TestPruningForgetsNoKeyInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j, OnEscalate: func(context.Context, *executor.Result) error { return nil }})
		first := carry(t, x, payment("k"), &bank{sends: []reply{silence}, asks: []reply{missing}})
		wantOutcome(t, first, policy.Escalated)
		prune := func(want int) {
			t.Helper()
			time.Sleep(time.Hour)
			if n, err := j.Prune(context.Background(), time.Now()); n != want || err != nil {
				t.Errorf("%d flows were pruned (%v), want %d", n, err, want)
			}
		}
		prune(0)
		b := &bank{sends: []reply{paidNow}}
		_, err := x.Do(context.Background(), payment("k"), b)
		wantError[*executor.DoubtError](t, err)
		b.wantCalls(t, 0, 0)
		resolve(t, x, first.Flow)
		prune(1) // the doubt is settled
	})
}

// A caller without time gets an error, not a state that was true once.
func TestAHandleIsNeverStale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		h := begin(t, x, payment("k"), &bank{sends: []reply{silence}, asks: []reply{missing}})
		wantOutcome(t, end(t, h, 200*time.Hour), policy.Escalated)
		time.Sleep(time.Second)
		notify(t, x, hookOf("k", "0"))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r, err := h.Wait(ctx)
		if err == nil && r.Outcome != policy.Succeeded {
			t.Errorf("a stale %s", r.Outcome)
		}
	})
}

// What a handle and a result show of a flow is not the room that the flow goes on in.
func TestAFlowInMemoryIsNotOverwritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{})
		var sending flow.State
		b := &bank{sends: []reply{paidNow}}
		b.sends[0].do = func(ctx context.Context, a *executor.Attempt) {
			h, err := x.Handle(ctx, a.Flow)
			if err != nil {
				t.Error(err)
				return
			}
			sending = h.State()
		}
		r := carry(t, x, payment("k"), b)
		wantOutcome(t, r, policy.Succeeded)
		for name, s := range map[string]*flow.State{"while it sends": &sending, "at its end": r.State()} {
			if cap(s.Ledger) != 1 || cap(s.Evidence) != len(s.Evidence) || cap(s.Fired) != len(s.Fired) || cap(s.Waits) != len(s.Waits) {
				t.Errorf("%s: room for %d identities, %d answers, %d rules, %d waits",
					name, cap(s.Ledger), cap(s.Evidence), cap(s.Fired), cap(s.Waits))
			}
		}
	})
}
