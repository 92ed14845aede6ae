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

// looked is a caller's context that runs something when it is next looked at. The driver looks
// when it has read what to do, and has not begun to do it: a request's row is written by then, and
// its call not made.
type looked struct {
	context.Context
	next atomic.Pointer[func()]
}

func (l *looked) Err() error {
	if f := l.next.Swap(nil); f != nil {
		(*f)()
	}
	return l.Context.Err()
}

// between pays by two orders, and runs something between the row of the second and its call.
func between(t *testing.T, run func(x *executor.Executor, j *spy)) (*spy, *bank, *executor.Result, error) {
	t.Helper()
	j, ctx := newSpy(), &looked{Context: context.Background()}
	x := open(t, newOrders(t), executor.Config{Journal: j, NewOrder: numbered("o2-")})
	ran := false
	j.after = func(p *put) error {
		if p.state.Stage == flow.Sending && p.state.Attempts == 2 {
			f := func() { ran = true; run(x, j) }
			ctx.next.Store(&f)
		}
		return nil
	}
	b := &bank{sends: []reply{refused, paidNow}, asks: []reply{missing}}
	r, err := x.Do(ctx, of("acme", payment("k")), b)
	if !ran {
		t.Fatal("nothing came between the row and the call")
	}
	return j, b, r, err
}

// The first order is proved paid when the second is about to be sent: it is not sent.
func TestAProofBetweenTheRowAndTheCallStopsTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, b, r, err := between(t, func(x *executor.Executor, _ *spy) { notify(t, x, hookOf("k", "0")) })
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(27 * time.Hour)
		if s, _ := b.calls(); s != 1 {
			t.Errorf("%d sends: %s", s, ended(r))
		}
		if e := r.State().Ledger[0].Effect; e != policy.Executed {
			t.Errorf("the first order is %s", e)
		}
	})
}

// Nor does a process send what another one has by then.
func TestAFlowThatIsLostBetweenTheRowAndTheCallIsNotSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, b, _, err := between(t, func(x *executor.Executor, j *spy) {
			j.before = func(*put) error { return journal.ErrLost }
			if err := x.Notify(context.Background(), hookOf("k", "7000")); err == nil {
				t.Error("the webhook was written")
			}
			j.before = nil
		})
		if !errors.Is(err, executor.ErrTakenOver) {
			t.Errorf("Do: %v", err)
		}
		wantError[*executor.PendingError](t, err)
		b.wantCalls(t, 1, 0)
	})
}
