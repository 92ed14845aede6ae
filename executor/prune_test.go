package executor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Ended flows are pruned after Config.Keep. A paid key stays paid, and a flow in doubt stays as it is.
func TestEndedFlowsArePrunedByDefault(t *testing.T) {
	for keep, want := range map[time.Duration]struct{ pruned bool }{0: {true}, 24 * time.Hour: {true}, -1: {false}, 1000 * 24 * time.Hour: {false}} {
		bubble(t, func(t *testing.T) {
			j := journal.NewMemory()
			b := &bank{sends: []reply{paidNow, refused, silence}, asks: []reply{working}}
			x := open(t, defaults(), executor.Config{Journal: j, Keep: keep, Sweep: time.Hour})
			paid, failed, doubt := payment("paid"), payment("failed"), payment("doubt")
			wantOutcome(t, carry(t, x, paid, b), policy.Succeeded)
			wantOutcome(t, carry(t, x, failed, b), policy.Failed)
			h := begin(t, x, doubt, b)
			whole := len(rows(t, j, keyOf(paid))[0].State)
			time.Sleep(200 * 24 * time.Hour)
			synctest.Wait()
			if r := end(t, h, time.Hour); r.Outcome != policy.Escalated {
				t.Fatal(ended(r))
			}
			if n := len(rows(t, j, keyOf(failed))); n == 0 != want.pruned {
				t.Errorf("kept for %s: %d rows are left of a flow that failed", keep, n)
			}
			if left := rows(t, j, keyOf(paid)); len(left) != 1 || len(left[0].State) < whole != want.pruned {
				t.Errorf("kept for %s: of a paid key %d rows are left", keep, len(left))
			}
			if left := rows(t, j, keyOf(doubt)); len(left) != 1 {
				t.Errorf("kept for %s: of a flow in doubt %d rows are left", keep, len(left))
			}
			sends, _ := b.calls()
			if r := carry(t, x, paid, b); !r.Repeated || r.Outcome != policy.Succeeded {
				t.Error(ended(r))
			}
			if _, err := x.Do(context.Background(), doubt, b); err == nil {
				t.Error("a key in doubt was free")
			}
			b.wantCalls(t, sends, func() int { _, asks := b.calls(); return asks }())
		})
	}
}
