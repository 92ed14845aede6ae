package executor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// An error of Do that is not a PendingError says that nothing was sent: nothing is sent later
// either, though the journal has the row that it said it could not store.
func TestARowThatTheJournalRefusedAndHasIsNeverSent(t *testing.T) {
	for _, key := range []string{"", "k"} {
		t.Run("key "+key, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j, b := newSpy(), &bank{sends: []reply{paidNow}, asks: []reply{missing}}
				j.after = func(p *put) error {
					if p.n == 1 {
						return errBroken
					}
					return nil
				}
				x := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
				q := payment("k")
				q.Key = key
				if _, err := x.Do(within(t, time.Minute), q, b); !errors.Is(err, errBroken) {
					t.Fatalf("Do: %v", err)
				}
				time.Sleep(100 * time.Hour)
				b.wantCalls(t, 0, 0)
				if row, s := standing(t, j, j.list()[0].ID); row.Open || s.Outcome != policy.Failed {
					t.Errorf("open %v, %s %s", row.Open, s.Stage, s.Outcome)
				}
			})
		})
	}
}

// Whose call hung waits for what others make of his flow. When his time is over, sending ends
// with him, as if he had driven it himself.
func TestDoWhoseCallHungWithdrawsToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		b := &bank{sends: []reply{{after: 45 * time.Second, deaf: true, err: errors.New("reset")}, paidNow}, asks: []reply{missing}}
		start := time.Now()
		_, err := x.Do(within(t, time.Minute), payment("k"), b)
		pending := wantError[*executor.PendingError](t, err)
		if took := time.Since(start); took != time.Minute || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %s: %v", took, err)
		}
		h, err := x.Handle(context.Background(), pending.Flow)
		if err != nil {
			t.Fatal(err)
		}
		if s := h.State(); s.Withdrawn == "" {
			t.Errorf("it was not withdrawn; next: %+v", s.Next)
		}
		wantOutcome(t, end(t, h, 100*time.Hour), policy.Escalated)
		if s, _ := b.calls(); s != 1 {
			t.Errorf("%d sends: the last after his time was over", s)
		}
	})
}

// The bound of a Do stands in the journal: who waited is gone with his process, and the next one
// finds out what became of the payment, and sends nothing.
func TestTheBoundOfADoOutlivesItsProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		shared := newSpy()
		j := shared.beside()
		x := open(t, defaults(), executor.Config{Journal: j})
		b := &bank{sends: []reply{shut, paidNow}, asks: []reply{missing}}
		go func() { _, _ = x.Do(within(t, 90*time.Second), payment("k"), b) }()
		time.Sleep(10 * time.Second)
		j.kill(true)
		go func() { _ = shutDown(x) }() // it is gone, and tries nothing again
		open(t, defaults(), executor.Config{Journal: shared, Clients: map[string]executor.Client{"momo": b}})
		time.Sleep(27 * time.Hour)
		b.wantCalls(t, 1, 0)
		all := rows(t, shared, keyOf(payment("k")))
		if len(all) != 1 || all[0].Open {
			t.Fatalf("the journal has %+v", all)
		}
		if s := decodeState(t, &all[0]); s.Outcome != policy.Failed || s.Withdrawn == "" {
			t.Errorf("it ended %s, withdrawn %q", s.Outcome, s.Withdrawn)
		}
	})
}

// A Do without a bound is as a Start: the next process goes on with it.
func TestADoWithoutABoundIsCarriedOnByTheNextProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		shared := newSpy()
		j := shared.beside()
		x := open(t, defaults(), executor.Config{Journal: j})
		b := &bank{sends: []reply{shut, paidNow}}
		go func() { _, _ = x.Do(context.Background(), payment("k"), b) }()
		time.Sleep(10 * time.Second)
		j.kill(true)
		go func() { _ = shutDown(x) }() // it is gone, and tries nothing again
		open(t, defaults(), executor.Config{Journal: shared, Clients: map[string]executor.Client{"momo": b}})
		time.Sleep(27 * time.Hour)
		b.wantCalls(t, 2, 0)
		if s := decodeState(t, &rows(t, shared, keyOf(payment("k")))[0]); s.Outcome != policy.Succeeded {
			t.Errorf("it is %s %s", s.Stage, s.Outcome)
		}
	})
}

// A caller that joins a flow that has not begun, and has more time than the first, does not get the first one's error.
func TestAJoinerIsNotBoundByTheFirstContext(t *testing.T) {
	joins := map[string]func(*executor.Executor, executor.Client) error{
		"Do": func(x *executor.Executor, c executor.Client) error {
			_, err := x.Do(context.Background(), payment("k"), c)
			return err
		},
		"Start": func(x *executor.Executor, c executor.Client) error {
			h, err := x.Start(context.Background(), payment("k"), c)
			if err != nil {
				return err
			}
			_, err = h.Wait(context.Background())
			return err
		},
	}
	for name, join := range joins {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				x := open(t, defaults(), executor.Config{Journal: newSpy()})
				trip(t, x)
				b := &bank{sends: []reply{paidNow}}
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(5*time.Second, cancel)
				left := make(chan error, 1)
				go func() { _, err := x.Do(ctx, payment("k"), b); left <- err }()
				synctest.Wait()
				if err := join(x, b); err != nil {
					t.Errorf("the second gets: %v", err)
				}
				if err := <-left; !errors.Is(err, context.Canceled) {
					t.Errorf("the first gets: %v", err)
				}
				b.wantCalls(t, 1, 0)
			})
		})
	}
}

// A caller's own back-off around Do goes on after a failure of the journal: that Do's loop ends is
// nothing to him.
func TestAnErrorOfDoIsNotPermanent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		j.before = func(*put) error { return errBroken }
		x := open(t, defaults(), executor.Config{Journal: j})
		_, err := x.Do(context.Background(), payment("k"), &bank{})
		if permanent := (*backoff.PermanentError)(nil); !errors.Is(err, errBroken) || errors.As(err, &permanent) {
			t.Errorf("the error is %T: %v", err, err)
		}
	})
}

// A hook takes its time before a send, and the send has all of its own.
func TestASlowHookTakesNoTimeFromItsSend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{refused, paidNow}}
		x := open(t, newOrders(t), executor.Config{Journal: newSpy(), NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
			time.Sleep(40 * time.Second)
			return "o-2", nil
		}})
		r := carry(t, x, of("acme", payment("k")), b)
		wantOutcome(t, r, policy.Succeeded)
		b.wantCalls(t, 2, 0)
		if c := b.sent[1]; c.OrderID != "o-2" || c.Number != 2 || c.Deadline.Sub(c.at) != 30*time.Second {
			t.Errorf("send %d of order %s had %s", c.Number, c.OrderID, c.Deadline.Sub(c.at))
		}
	})
}

// A Start that joins a Do frees the flow of the bound that the Do had, for the next process too.
func TestAStartThatJoinsOutlivesTheBoundOfADo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		shared := newSpy()
		j := shared.beside()
		x := open(t, defaults(), executor.Config{Journal: j})
		b := &bank{sends: []reply{shut, paidNow}, asks: []reply{missing}}
		go func() { _, _ = x.Do(within(t, 90*time.Second), payment("k"), b) }()
		time.Sleep(10 * time.Second)
		begin(t, x, payment("k"), b)
		time.Sleep(10 * time.Second)
		j.kill(true)
		open(t, defaults(), executor.Config{Journal: shared, Clients: map[string]executor.Client{"momo": b}})
		time.Sleep(27 * time.Hour)
		b.wantCalls(t, 2, 0)
	})
}

// What another process sent is in doubt, however often the journal fails while it is taken
// up: only the process that wrote a row knows that nothing followed it.
func TestAResumeThatFailsProvesNothing(t *testing.T) {
	for _, fails := range []error{errBroken, journal.ErrConflict} {
		t.Run(fails.Error(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				shared, let := newSpy(), make(chan struct{})
				first := shared.beside()
				x := open(t, defaults(), executor.Config{Journal: first})
				h := begin(t, x, payment("k"), &bank{sends: []reply{{hold: let, deaf: true}}}) // it executes
				synctest.Wait()
				first.kill(true)
				second, tries := shared.beside(), 0
				second.before = func(*put) error {
					if tries++; tries == 1 {
						return fails
					}
					return nil
				}
				b := &bank{asks: []reply{paidAsk}}
				y := open(t, defaults(), executor.Config{Journal: second, Clients: map[string]executor.Client{"momo": b}})
				if _, err := y.Resume(context.Background()); err == nil {
					t.Error("it resumed though the journal failed")
				}
				time.Sleep(time.Hour)
				if _, s := standing(t, second, h.Flow()); s.Outcome != policy.Succeeded {
					t.Errorf("it ended %s (%s), and was executed", s.Outcome, s.Reason)
				}
				close(let)
			})
		})
	}
}

// A row whose first write failed may be continued nevertheless, by the next request of the key.
// From then on it is a flow like any other.
func TestARefusedFlowThatIsJoinedContinues(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{silence}, asks: []reply{missing, paidAsk}}
		j.after = func(p *put) error {
			switch {
			case p.n == 1:
				return errBroken
			case p.state.Attempts == 1 && p.state.Stage == flow.Querying:
				return journal.ErrConflict // it leaves memory, and is read again
			}
			return nil
		}
		x := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		if _, err := x.Do(context.Background(), payment("k"), b); !errors.Is(err, errBroken) {
			t.Fatalf("Do: %v", err)
		}
		h := begin(t, x, payment("k"), b)
		time.Sleep(100 * time.Hour)
		if _, s := standing(t, j, h.Flow()); s.Withdrawn != "" || s.Outcome == policy.Open {
			t.Errorf("%s %s, withdrawn %q", s.Stage, s.Outcome, s.Withdrawn)
		}
	})
}
