package executor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

func TestAContextThatIsOverSendsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		b, j := &bank{sends: []reply{paidNow}}, newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		if _, err := x.Do(ctx, payment("k"), b); !errors.Is(err, context.Canceled) {
			t.Errorf("Do: %v", err)
		}
		if _, err := x.Start(ctx, payment("k"), b); !errors.Is(err, context.Canceled) {
			t.Errorf("Start: %v", err)
		}
		b.wantCalls(t, 0, 0)
		if n := len(j.list()); n != 0 {
			t.Errorf("%d rows were written", n)
		}
	})
}

// A deadline before the next wait ends is seen at once. What was sent is found out in the
// background; nothing is sent.
func TestADeadlineNearerThanTheNextWaitReturnsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{code("7000")}, asks: []reply{missing, missing, missing, refused}}
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		start := time.Now()
		_, err := x.Do(within(t, time.Second), payment("k"), b)
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %s", took)
		}
		pending := wantError[*executor.PendingError](t, err)
		answer := wantError[*executor.AnswerError](t, err)
		if !errors.Is(err, context.DeadlineExceeded) || answer.Answer.Code != "7000" || pending.Last != answer {
			t.Errorf("the error is %v, its answer %+v", err, answer.Answer)
		}
		if pending.Next.Action != policy.QueryStatus || !pending.Next.At.Equal(start.Add(2*time.Second)) {
			t.Errorf("next: %+v", pending.Next)
		}
		h, err := x.Handle(context.Background(), pending.Flow)
		if err != nil {
			t.Fatal(err)
		}
		r := end(t, h, 27*time.Hour)
		if r.State().Withdrawn == "" {
			t.Error("it was not withdrawn")
		}
		b.wantCalls(t, 1, 4)
		wantOutcome(t, r, policy.Failed)
	})
}

// Where everything is known not to have executed there is nothing to find out.
func TestADeadlineBeforeARetryEndsTheFlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{shut, paidNow}}
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		r, err := x.Do(within(t, 30*time.Second), payment("k"), b)
		withdrawn := wantError[*executor.WithdrawnError](t, err)
		wantOutcome(t, r, policy.Failed)
		last := wantError[*executor.AnswerError](t, err)
		if !errors.Is(err, context.DeadlineExceeded) || withdrawn.Flow != r.Flow || last.Answer.Code != shut.answer.Code {
			t.Errorf("%+v: %v", withdrawn, err)
		}
		time.Sleep(time.Hour)
		b.wantCalls(t, 1, 0)
		r, err = x.Do(context.Background(), payment("k"), &bank{sends: []reply{paidNow}})
		if err != nil || r.Repeated {
			t.Fatalf("the key is not free: %v", err)
		}
	})
}

func TestACallerWhoLeavesDuringACall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(5*time.Second, cancel)
		b := &bank{sends: []reply{silence}, asks: []reply{paidAsk}}
		x := open(t, defaults(), executor.Config{})
		start := time.Now()
		_, err := x.Do(ctx, payment("k"), b)
		pending := wantError[*executor.PendingError](t, err)
		if took := time.Since(start); took != 5*time.Second || !errors.Is(err, context.Canceled) {
			t.Errorf("after %s: %v", took, err)
		}
		if a := wantError[*executor.AnswerError](t, err); a.Answer.Fault != policy.Timeout {
			t.Errorf("the answer is %+v", a.Answer)
		}
		h, err := x.Handle(context.Background(), pending.Flow)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
		b.wantCalls(t, 1, 1)
	})
}

// The journal is slow, and the caller leaves while the row of a send is being written: that
// send is not made, not by the background either.
func TestACallerWhoLeavesBeforeASendIsWritten(t *testing.T) {
	for nth := 1; nth <= 2; nth++ {
		bubble(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			j, sends := newSpy(), 0
			j.before = func(p *put) error {
				if p.state.Stage == flow.Sending {
					if sends++; sends == nth {
						cancel()
					}
				}
				return nil
			}
			b := &bank{sends: []reply{shut, paidNow}, asks: []reply{missing}}
			x := open(t, defaults(), executor.Config{Journal: j})
			_, err := x.Do(ctx, payment("k"), b)
			wantError[*executor.WithdrawnError](t, err)
			time.Sleep(48 * time.Hour)
			if s, _ := b.calls(); s != nth-1 {
				t.Errorf("%d sends, want %d: the caller had left", s, nth-1)
			}
			if r := rows(t, j, keyOf(payment("k"))); len(r) != 1 || r[0].Open {
				t.Errorf("the flow has not ended: %+v", r)
			}
			j.before = nil
		})
	}
}

// The journal fails after an answer, and the caller leaves meanwhile. When the journal works
// again nothing more is sent.
func TestACallerWhoLeavesWhileTheJournalFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		b := &bank{sends: []reply{{answer: shut.answer, do: func(context.Context, *executor.Attempt) { j.kill(true) }}, paidNow}}
		x := open(t, defaults(), executor.Config{Journal: j})
		_, err := x.Do(within(t, 10*time.Second), payment("k"), b)
		wantError[*executor.PendingError](t, err)
		time.Sleep(time.Minute)
		j.kill(false)
		time.Sleep(27 * time.Hour)
		b.wantCalls(t, 1, 0)
		if r := rows(t, j, keyOf(payment("k"))); len(r) != 1 || r[0].Open {
			t.Errorf("the flow has not ended: %+v", r)
		}
	})
}

func TestAWithdrawnFlowSendsNothingMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{shut, paidNow}}
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		h := begin(t, x, payment("k"), b)
		synctest.Wait()
		if err := h.Withdraw("the shopper left"); err != nil {
			t.Fatal(err)
		}
		r := end(t, h, 0)
		wantOutcome(t, r, policy.Failed)
		b.wantCalls(t, 1, 0)
		if err := h.Withdraw("again"); err != nil {
			t.Errorf("after the end: %v", err)
		}
	})
}
