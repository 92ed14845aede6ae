package executor_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// soon is how long a waiter may take who has nothing to wait for any more.
const soon = 10 * time.Minute

// Another process has taken a flow over: those who wait for it here get the error.
func TestWaitersOfATakenOverFlowGetTheError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		b := &bank{sends: []reply{working}, asks: []reply{working}}
		x := open(t, defaults(), executor.Config{Journal: j, Sweep: 100 * time.Hour})
		h := begin(t, x, payment("k"), b)
		waited := make(chan error, 2)
		go func() { _, err := h.Wait(within(t, soon)); waited <- err }()
		go func() { _, err := x.Do(within(t, soon), payment("k"), b); waited <- err }()
		synctest.Wait()
		other := open(t, defaults(), executor.Config{Journal: j.beside(), Clients: map[string]executor.Client{"momo": b}})
		if err := other.Notify(context.Background(), hook("o-k", "7000", true)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			err := <-waited
			wantError[*executor.PendingError](t, err)
			if !errors.Is(err, executor.ErrTakenOver) {
				t.Errorf("the waiter is got %v", err)
			}
		}
	})
}

// meanwhile makes the journal's look at a key wait for a word, and return it.
func meanwhile(j *spy) (word chan error) {
	word = make(chan error)
	var once atomic.Bool
	j.reads = func(what string) error {
		if what == "ByKey" && once.CompareAndSwap(false, true) {
			return <-word
		}
		return nil
	}
	return word
}

func TestJoinersOfAFlowThatCouldNotBeginGetTheError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{paidNow}}
		word := meanwhile(j)
		x := open(t, defaults(), executor.Config{Journal: j})
		got := make(chan error, 10)
		for range 10 {
			go func() { _, err := x.Do(within(t, soon), payment("k"), b); got <- err }()
		}
		synctest.Wait()
		word <- errBroken
		for range 10 {
			if err := <-got; !errors.Is(err, errBroken) {
				t.Errorf("got %v", err)
			}
		}
		b.wantCalls(t, 0, 0)
		wantOutcome(t, carry(t, x, payment("k"), b), policy.Succeeded)
	})
}

// Start returns when the flow is written down, for those too who find it begun by another.
func TestStartReturnsAfterTheFlowIsWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{paidNow}}
		word := meanwhile(j)
		x := open(t, defaults(), executor.Config{Journal: j})
		got := make(chan error, 2)
		for range 2 {
			go func() { _, err := x.Start(within(t, soon), payment("k"), b); got <- err }()
		}
		synctest.Wait()
		if len(got) != 0 {
			t.Errorf("Start returned before anything was written")
		}
		word <- errBroken
		for range 2 {
			if err := <-got; !errors.Is(err, errBroken) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// crashed leaves an open flow in a journal, as a process does that dies after a Put.
func crashed(t *testing.T, j *spy, b *bank, puts int) {
	t.Helper()
	dying := j.beside()
	dying.before = func(p *put) error {
		if p.n > puts {
			dying.kill(true)
			return errBroken
		}
		return nil
	}
	x, err := executor.New(defaults(), &executor.Config{Journal: dying, Jitter: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Start(context.Background(), payment("k"), b); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	_ = shutDown(x)
}

func TestAnOpenFlowOfADeadProcessIsJoinedBeforeResume(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{silence}, asks: []reply{paidAsk}}
		crashed(t, j, b, 1)
		x := open(t, defaults(), executor.Config{Journal: j})
		other := payment("k")
		other.Amount++
		if _, err := x.Do(context.Background(), other, b); err == nil {
			t.Error("another amount joined")
		} else {
			wantError[*executor.MismatchError](t, err)
		}
		wantOutcome(t, carry(t, x, payment("k"), b), policy.Succeeded)
		b.wantCalls(t, 1, 1)
		if n := len(rows(t, j, keyOf(payment("k")))); n != 1 {
			t.Errorf("%d flows", n)
		}
	})
}

// The flow that a dead process left cannot be taken up, because the journal fails: those who
// joined it meanwhile get the error.
func TestJoinersOfAFlowThatCannotBeTakenUpGetTheError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{silence}, asks: []reply{paidAsk}}
		crashed(t, j, b, 1)
		got := make(chan error, 3)
		var x *executor.Executor
		do := func() { _, err := x.Do(within(t, soon), payment("k"), b); got <- err }
		j.before = func(p *put) error {
			if p.n > 1 {
				return nil
			}
			for range cap(got) - 1 {
				go do()
			}
			for range 10_000 { // until they wait; what they wait for is a lock, of which synctest knows nothing
				runtime.Gosched()
			}
			return errBroken
		}
		x = open(t, defaults(), executor.Config{Journal: j, Sweep: 100 * time.Hour})
		go do()
		for range cap(got) {
			if err := <-got; err != nil && !errors.Is(err, errBroken) { // who comes later may succeed
				t.Errorf("got %v", err)
			}
		}
		wantOutcome(t, carry(t, x, payment("k"), b), policy.Succeeded)
	})
}

// A request joins a flow that turns out to be an earlier one: the handle is that one's.
func TestAHandleFollowsItsFlowToTheOneItIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{working}, asks: []reply{working}}
		crashed(t, j, b, 2)
		word := make(chan struct{})
		j.reads = func(what string) error {
			if what == "ByKey" {
				<-word
			}
			return nil
		}
		x := open(t, defaults(), executor.Config{Journal: j})
		got := make(chan *executor.Handle, 2)
		for range 2 {
			go func() { h, _ := x.Start(context.Background(), payment("k"), b); got <- h }()
			synctest.Wait()
		}
		close(word)
		all := rows(t, j.Journal, keyOf(payment("k")))
		for range 2 {
			h := <-got
			if h == nil || h.Flow() != all[0].ID || h.State().Attempts != 1 {
				t.Errorf("a handle of %v; the flow is %s", h, all[0].ID)
				continue
			}
			if err := h.Withdraw("not wanted"); err != nil {
				t.Error(err)
			}
		}
		if all = rows(t, j.Journal, keyOf(payment("k"))); len(all) != 1 {
			t.Errorf("%d flows, want 1", len(all))
		}
	})
}

// A handle that was asked for before Resume sees the flow's end as well.
func TestAHandleOfAFlowWithoutADriver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{silence}, asks: []reply{paidAsk}}
		crashed(t, j, b, 1)
		x := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		all := rows(t, j, keyOf(payment("k")))
		h, err := x.Handle(context.Background(), all[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Resume(context.Background()); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, end(t, h, soon), policy.Succeeded)
	})
}

var _ journal.Journal = (*spy)(nil)
