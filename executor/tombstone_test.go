package executor_test

import (
	"context"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// A paid key is never free again, however often the journal is pruned: its next request gets the result of
// before, another payment under it is refused, and nothing is sent. A key of which nothing executed is forgotten.
func TestPruningFreesNoPaidKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		paid, failed := payment("paid"), payment("failed")
		paid.Data, paid.Tags = []byte("payee 7"), map[string]string{"shop": "7"}
		first := carry(t, x, paid, &bank{sends: []reply{shut, paidNow}})
		wantOutcome(t, carry(t, x, failed, &bank{sends: []reply{refused}}), policy.Failed)
		_ = shutDown(x)
		for _, p := range j.list() {
			if p.Key.Payment == "paid" && p.Due.IsZero() != (len(p.Tombstone) > 0) {
				t.Errorf("version %d, due %s, has a tombstone of %d bytes: only rows that are never due are pruned", p.Version, p.Due, len(p.Tombstone))
			}
		}
		for range 3 {
			time.Sleep(24 * time.Hour)
			if _, err := j.Prune(context.Background(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		left := rows(t, j, keyOf(paid))
		if len(left) != 1 || len(left[0].State) > 1024 || len(rows(t, j, keyOf(failed))) != 0 {
			t.Fatalf("%d rows are left: %+v", len(left), left)
		}
		b := &bank{sends: []reply{paidNow}}
		y := open(t, defaults(), executor.Config{Journal: j.beside()})
		again := carry(t, y, paid, b)
		if !again.Repeated || again.Flow != first.Flow || again.Outcome != policy.Succeeded || again.State().Ledger[0].Effect != policy.Executed {
			t.Errorf("the paid key gives %+v", again)
		}
		for what, change := range map[string]func(*executor.Request){
			"data": func(q *executor.Request) { q.Data = []byte("payee 8") }, "amount": func(q *executor.Request) { q.Amount++ },
		} {
			q := paid
			change(&q)
			if _, err := y.Do(context.Background(), q, b); err == nil {
				t.Errorf("another %s under a paid key", what)
			} else {
				wantError[*executor.MismatchError](t, err)
			}
		}
		b.wantCalls(t, 0, 0)
		wantOutcome(t, carry(t, y, failed, b), policy.Succeeded)
		b.wantCalls(t, 1, 0)
	})
}
