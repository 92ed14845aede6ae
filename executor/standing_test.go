package executor_test

import (
	"context"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// stands checks how the only flow of a journal stands, and for how long.
func stands(t *testing.T, j journal.Journal, how string, age time.Duration) {
	t.Helper()
	rows, err := j.List(context.Background(), journal.Filter{Standings: []string{how}}, journal.Cursor{}, 10)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d flows are %s, %v", len(rows), how, err)
	}
	if got := time.Since(rows[0].Since); (got - age).Abs() > time.Second {
		t.Errorf("it is %s for %s, want %s", how, got, age)
	}
	counts, err := j.Count(context.Background(), journal.Filter{})
	if err != nil || len(counts) != 1 || counts[0].Standing != how || counts[0].Count != 1 {
		t.Errorf("the counts are %+v, %v", counts, err)
	}
}

// The journal lists how a flow stands at every point of its life, and since when: a doubt from the first
// send that may still execute, also in the next process.
func TestAJournalListsHowFlowsStand(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		b := &bank{sends: []reply{shut, silence}, asks: []reply{working}}
		h := begin(t, x, payment("k"), b)
		time.Sleep(2 * time.Second)
		stands(t, j, "open", 2*time.Second) // refused at the door, waits to send again
		time.Sleep(time.Hour)
		doubt := h.State().Ledger[1] // the first one was refused at the door
		sent := time.Since(doubt.FirstSent)
		stands(t, j, "in_doubt", sent)
		_ = shutDown(x)
		y := open(t, defaults(), executor.Config{Journal: j.beside(), Clients: map[string]executor.Client{"momo": b}, Sweep: 10 * time.Minute})
		if n, err := y.Resume(context.Background()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(time.Hour)
		stands(t, j, "in_doubt", sent+time.Hour)
		time.Sleep(30 * 24 * time.Hour)
		escalated := time.Since(listedOne(t, j).At)
		stands(t, j, "escalated", escalated)
		s := listedOne(t, j)
		w := executor.Resolution{OrderID: "o-k", RequestID: doubt.RequestID, Effect: policy.NotExecuted, Who: "ann", Why: "the bank's file"}
		if err := y.Resolve(context.Background(), s.ID, w); err != nil {
			t.Fatal(err)
		}
		stands(t, j, "failed", 0)
	})
}

func listedOne(t *testing.T, j journal.Journal) journal.Row {
	t.Helper()
	rows, err := j.List(context.Background(), journal.Filter{}, journal.Cursor{}, 1)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	return rows[0]
}
