package executor_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// overtaken is a journal whose rows are old when one kind of read returns them: meanwhile does something first.
type overtaken struct {
	journal.Journal

	kind      string
	meanwhile func()
}

func (o *overtaken) read(kind string) {
	if do := o.meanwhile; do != nil && kind == o.kind {
		o.meanwhile = nil // it reads, too
		do()
	}
}

func (o *overtaken) Get(ctx context.Context, id string) (journal.Row, error) {
	defer o.read("Get")
	return o.Journal.Get(ctx, id)
}

func (o *overtaken) ByKey(ctx context.Context, k journal.Key) ([]journal.Row, error) {
	defer o.read("ByKey")
	return o.Journal.ByKey(ctx, k)
}

func (o *overtaken) Due(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error) {
	defer o.read("Due")
	return o.Journal.Due(ctx, by, after, limit)
}

// A flow is read from the journal while a webhook takes it into memory, ends it, and lets it go. What was read is not
// continued: its writes would be refused, and a caller would get the error.
func TestARowThatIsOldWhenItIsTakenUp(t *testing.T) {
	asks := map[string]func(*testing.T, *executor.Executor, string){
		"Due": func(t *testing.T, x *executor.Executor, _ string) {
			if n, err := x.Resume(context.Background()); n != 0 || err != nil {
				t.Errorf("%d flows continue, %v", n, err)
			}
		},
		"Get": func(t *testing.T, x *executor.Executor, id string) {
			h, err := x.Handle(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
		},
		"ByKey": func(t *testing.T, x *executor.Executor, _ string) {
			r := carry(t, x, payment("k"), &bank{sends: []reply{refused}})
			wantOutcome(t, r, policy.Succeeded)
			if !r.Repeated {
				t.Error("the result is not a repeated one")
			}
		},
	}
	for kind, ask := range asks {
		t.Run(kind, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				stored := journal.NewMemory()
				b := &bank{sends: []reply{silence}, asks: []reply{working}}
				before := open(t, defaults(), executor.Config{Journal: stored})
				id := begin(t, before, payment("k"), b).Flow()
				time.Sleep(time.Second) // the process dies in the middle of its call
				synctest.Wait()

				j := &overtaken{Journal: stored, kind: kind}
				x := open(t, defaults(), executor.Config{
					Journal: j, Clients: map[string]executor.Client{"momo": b},
					OnError: func(err error) { t.Errorf("reported: %v", err) },
				})
				j.meanwhile = func() {
					notify(t, x, hook("o-k", "0", true))
					time.Sleep(time.Minute)
					synctest.Wait()
				}
				ask(t, x, id)
				time.Sleep(time.Hour)
				if _, s := standing(t, stored, id); s.Outcome != policy.Succeeded || s.Ledger[0].Sends != 1 {
					t.Errorf("the flow is %s", s.Outcome)
				}
			})
		})
	}
}

// So many flows come and go while the rows of Resume are read that it is not known whether one of them was among these. They are read once
// more, and continue at once: a call that was under way when a process died is asked about, and not only when its time is over.
func TestRowsOfWhichNothingIsKnownAnyMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		stored := journal.NewMemory()
		before := open(t, defaults(), executor.Config{Journal: stored})
		begin(t, before, payment("k"), &bank{sends: []reply{silence}})
		time.Sleep(time.Second) // the process dies in the middle of its call
		synctest.Wait()

		j := &overtaken{Journal: stored, kind: "Due"}
		b := &bank{sends: []reply{paidNow}, asks: []reply{paidAsk}}
		x := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		j.meanwhile = func() {
			for i := range 1100 {
				carry(t, x, payment(fmt.Sprint("other-", i)), b)
			}
		}
		if n, err := x.Resume(context.Background()); n != 1 || err != nil {
			t.Errorf("%d flows continue, %v", n, err)
		}
		time.Sleep(20 * time.Second)
		b.wantCalls(t, 1100, 1)
	})
}
