package executor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

type tag struct{}

// inCall runs something as the client, within a call.
func inCall(t *testing.T, parent context.Context, look func(context.Context, *executor.Attempt)) {
	t.Helper()
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{})
		_, _ = x.Do(parent, payment("k"), &bank{sends: []reply{{answer: policy.Answer{Code: "0"}, do: look}}, asks: []reply{refused}})
	})
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// agree checks that Err and Done of a context say the same.
func agree(t *testing.T, ctx context.Context, want error) {
	t.Helper()
	synctest.Wait()
	if err := ctx.Err(); !errors.Is(err, want) || (err != nil) != closed(ctx.Done()) {
		t.Errorf("Err is %v, Done closed: %v; want %v", err, closed(ctx.Done()), want)
	}
}

func TestACallHasItsDeadline(t *testing.T) {
	inCall(t, context.WithValue(context.Background(), tag{}, "v"), func(ctx context.Context, a *executor.Attempt) {
		at, ok := ctx.Deadline()
		if !ok || !at.Equal(a.Deadline) || time.Until(at) != 30*time.Second || ctx.Value(tag{}) != "v" {
			t.Errorf("deadline %s (%v), value %v", time.Until(at), ok, ctx.Value(tag{}))
		}
		child, cancel := context.WithCancel(ctx)
		defer cancel()
		late, stop := context.WithTimeout(ctx, time.Hour)
		defer stop()
		early, enough := context.WithTimeout(ctx, time.Second)
		defer enough()
		var ran, stopped int
		context.AfterFunc(ctx, func() { ran++ })
		forget := context.AfterFunc(ctx, func() { stopped++ })
		if !forget() || forget() {
			t.Error("AfterFunc cannot be stopped once")
		}
		agree(t, ctx, nil)
		time.Sleep(2 * time.Second)
		agree(t, early, context.DeadlineExceeded)
		agree(t, child, nil)
		time.Sleep(28*time.Second - 1)
		agree(t, ctx, nil)
		time.Sleep(time.Nanosecond)
		for _, c := range []context.Context{ctx, child, late} {
			agree(t, c, context.DeadlineExceeded)
		}
		if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
			t.Errorf("the cause is %v", cause)
		}
		context.AfterFunc(ctx, func() { ran++ })
		synctest.Wait()
		if ran != 2 || stopped != 0 {
			t.Errorf("%d functions ran, and %d that were stopped", ran, stopped)
		}
	})
}

// Err reports a deadline although Done was never called.
func TestADeadlineIsSeenWithoutDone(t *testing.T) {
	inCall(t, context.Background(), func(ctx context.Context, a *executor.Attempt) {
		time.Sleep(31 * time.Second)
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) || !closed(ctx.Done()) {
			t.Errorf("Err is %v, Done closed: %v", ctx.Err(), closed(ctx.Done()))
		}
		agree(t, ctx, context.DeadlineExceeded)
	})
}

func TestACallEndsWithItsCaller(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		look := func(ctx context.Context, a *executor.Attempt) {
			if at, _ := ctx.Deadline(); time.Until(at) != 10*time.Second {
				t.Errorf("the deadline is in %s", time.Until(at))
			}
			agree(t, ctx, nil)
			time.Sleep(5 * time.Second)
			cancel()
			agree(t, ctx, context.Canceled)
		}
		x := open(t, defaults(), executor.Config{})
		_, err := x.Do(parent, payment("k"), &bank{sends: []reply{{answer: policy.Answer{Code: "7000"}, do: look}}, asks: []reply{paidAsk}})
		wantError[*executor.PendingError](t, err)
	})
}

// The context of a call is over when the call is, and when the flow has ended without it.
func TestACallsContextEndsWithTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var after, during context.Context
		x := open(t, defaults(), executor.Config{})
		b := &bank{sends: []reply{{answer: policy.Answer{Code: "0"}, do: func(ctx context.Context, _ *executor.Attempt) { after = ctx }}}}
		carry(t, x, payment("k"), b)
		agree(t, after, context.Canceled)
		b = &bank{sends: []reply{{after: time.Hour, do: func(ctx context.Context, _ *executor.Attempt) { during = ctx }}}}
		h := begin(t, x, payment("l"), b)
		synctest.Wait()
		agree(t, during, nil)
		notify(t, x, hookOf("l", "0"))
		wantOutcome(t, end(t, h, 0), policy.Succeeded)
		agree(t, during, context.Canceled)
	})
}

// A client that checks the context once before it sends, as net/http does, sees that its caller is gone.
func TestTheFirstLookAtDoneSeesThatTheCallerIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(context.Background())
		x := open(t, defaults(), executor.Config{})
		_, err := x.Do(parent, payment("k"), &bank{sends: []reply{{answer: policy.Answer{Code: "0"}, do: func(ctx context.Context, _ *executor.Attempt) {
			cancel()
			if err := ctx.Err(); !closed(ctx.Done()) || !errors.Is(err, context.Canceled) {
				t.Errorf("Err is %v, Done closed: %v", err, closed(ctx.Done()))
			}
		}}}})
		if err != nil {
			t.Errorf("the answer was lost: %v", err)
		}
	})
}
