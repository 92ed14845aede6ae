package executor_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// later is a pending answer whose provider wants to be asked in ten minutes.
var later = reply{answer: policy.Answer{Code: "7000", RetryAfter: 10 * time.Minute}}

func TestAFlowThatWaitsHasNoGoroutine(t *testing.T) {
	for name, j := range map[string]func() journal.Journal{
		"memory": func() journal.Journal { return nil }, "journal": func() journal.Journal { return journal.NewMemory() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const flows = 200
				b := &bank{sends: []reply{later}, asks: []reply{later, later, later, paidAsk}}
				x := open(t, defaults(), executor.Config{Journal: j()})
				before := runtime.NumGoroutine()
				var all []*executor.Handle
				for i := range flows {
					all = append(all, begin(t, x, payment(fmt.Sprint("k", i)), b))
				}
				synctest.Wait()
				if more := runtime.NumGoroutine() - before; more > 20 {
					t.Errorf("%d flows that wait have %d goroutines", flows, more)
				}
				// One is woken by a webhook, one is withdrawn; the others go on when their time has come.
				if err := x.Notify(context.Background(), hook("o-k7", "0", true)); err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, end(t, all[7], time.Second), policy.Succeeded)
				for i, h := range all {
					if i != 7 {
						wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
					}
				}
				if sends, _ := b.calls(); sends != flows {
					t.Errorf("%d sends for %d flows", sends, flows)
				}
			})
		})
	}
}

// Parking a flow copies what its trace and its evidence point to. Nothing of them may be lost or differ.
func TestAParkedFlowTellsTheSameStory(t *testing.T) {
	story := func(background bool) (text string) {
		bubble(t, func(t *testing.T) {
			b := &bank{sends: []reply{silence}, asks: []reply{working, missing, later, code("9000"), {err: executor.ErrNotSent}, working, paidAsk}}
			x := open(t, defaults(), executor.Config{Journal: journal.NewMemory()})
			var r *executor.Result
			if background {
				r = end(t, begin(t, x, payment("k"), b), 24*time.Hour)
			} else {
				r = carry(t, x, payment("k"), b)
			}
			text = r.Story()
			for _, e := range r.Trace() {
				text += fmt.Sprintf("%T\n", e.Command)
			}
			for _, e := range r.State().Evidence {
				text += fmt.Sprintln(e.At, e.Phase, e.Identity, *e.Answer, e.Fact, e.Person)
			}
			text += fmt.Sprintln(r.State().Ledger, r.State().Fired, r.State().Waits)
		})
		return text
	}
	if driven, parked := story(false), story(true); driven != parked || strings.Count(driven, "\n") < 20 {
		t.Errorf("driven by its caller:\n%s\nin the background:\n%s", driven, parked)
	}
}

// resumed begins flows that wait, ends their process, and opens the next one.
func resumed(t *testing.T, flows int, b *bank, request func(i int) executor.Request) (*executor.Executor, journal.Journal) {
	t.Helper()
	j := journal.NewMemory()
	x := open(t, defaults(), executor.Config{Journal: j})
	for i := range flows {
		begin(t, x, request(i), b)
	}
	synctest.Wait()
	if err := shutDown(x); err != nil {
		t.Fatal(err)
	}
	y := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
	if n, err := y.Resume(context.Background()); n != flows || err != nil {
		t.Fatalf("%d of %d flows go on: %v", n, flows, err)
	}
	synctest.Wait()
	return y, j
}

func inMemory(t *testing.T, x *executor.Executor) int {
	t.Helper()
	s, err := x.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s.Memory
}

func numbers(i int) executor.Request { return payment(fmt.Sprint("k", i)) }

// A flow that waits when its process begins stays in the journal until it is due. A webhook, a request of
// its key and a person find it as ever, and nothing is sent or asked twice.
func TestResumeLeavesFlowsThatWaitInTheJournal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const flows = 50
		b := &bank{sends: []reply{later}, asks: []reply{paidAsk}}
		x, j := resumed(t, flows, b, numbers)
		ctx := context.Background()
		if n := inMemory(t, x); n != 0 {
			t.Errorf("%d flows that wait are in memory", n)
		}
		if n, err := x.Resume(ctx); n != flows || err != nil { // once more does no harm
			t.Errorf("%d of %d flows go on: %v", n, flows, err)
		}
		if err := x.Notify(ctx, hook("o-k3", "0", true)); err != nil {
			t.Error(err)
		}
		if err := x.Resolve(ctx, rows(t, j, keyOf(numbers(4)))[0].ID, executor.Resolution{OrderID: "o-k4", Effect: policy.Executed, Who: "ann", Why: "seen"}); err != nil {
			t.Error(err)
		}
		joined := begin(t, x, numbers(5), b)
		b.wantCalls(t, flows, 0)
		if r := end(t, joined, 11*time.Minute); r.Outcome != policy.Succeeded {
			t.Error(ended(r))
		}
		time.Sleep(time.Minute)
		b.wantCalls(t, flows, flows-2)
		for i := range flows {
			all := rows(t, j, keyOf(numbers(i)))
			if len(all) != 1 || all[0].Open {
				t.Errorf("payment %d has %d rows, open %t", i, len(all), len(all) > 0 && all[0].Open)
			}
		}
		if n := inMemory(t, x); n != 0 {
			t.Errorf("%d flows that have ended are in memory", n)
		}
	})
}

// What a caller writes into a request cannot make a request under way look like one that waits.
func TestATagDoesNotSayThatAFlowWaits(t *testing.T) {
	for _, write := range []func(q *executor.Request){
		func(q *executor.Request) { q.Tags = map[string]string{"stage": "waiting", "started": "x"} },
		func(q *executor.Request) { q.Data = []byte(`},"stage":"waiting","started":"`) },
		func(q *executor.Request) { q.RequestID = `},"stage":"waiting","started":"` },
		func(q *executor.Request) { q.Key = `},"stage":"waiting","started":"` },
		func(q *executor.Request) { q.Merchant = `},"stage":"waiting","started":"` },
		func(q *executor.Request) { q.Tags = map[string]string{`},"stage":"waiting","started":"`: "x"} },
	} {
		bubble(t, func(t *testing.T) {
			b := &bank{sends: []reply{silence}, asks: []reply{paidAsk}}
			q := payment("k")
			write(&q)
			j := newSpy()
			x := open(t, defaults(), executor.Config{Journal: j})
			begin(t, x, q, b)
			synctest.Wait()
			beside := j.beside()
			j.kill(true) // its row says sending
			_ = shutDown(x)
			y := open(t, defaults(), executor.Config{Journal: beside, Clients: map[string]executor.Client{"momo": b}})
			if n, err := y.Resume(context.Background()); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			synctest.Wait()
			if n := inMemory(t, y); n != 1 {
				t.Errorf("%+v: a request that may be under way was left in the journal", q)
			}
		})
	}
}

// The journal fails when a flow is due: the sweeper continues it.
func TestAFlowInTheJournalSurvivesAFailedRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{later}, asks: []reply{paidAsk}}
		j := newSpy()
		first := open(t, defaults(), executor.Config{Journal: j.beside()})
		for i := range 3 {
			begin(t, first, numbers(i), b)
		}
		synctest.Wait()
		if err := shutDown(first); err != nil {
			t.Fatal(err)
		}
		second := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		if n, err := second.Resume(context.Background()); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(9 * time.Minute)
		j.kill(true)
		time.Sleep(2 * time.Minute)
		b.wantCalls(t, 3, 0)
		j.kill(false)
		time.Sleep(time.Minute)
		b.wantCalls(t, 3, 3)
	})
}
