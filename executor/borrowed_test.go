package executor_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// newer makes the latest row of a flow one of a newer release.
func newer(t *testing.T, j journal.Journal, id string) {
	t.Helper()
	row, err := j.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	row.State = []byte(strings.Replace(string(row.State), `"v":4`, `"v":5`, 1))
	row.Version++
	row.Names = nil
	row.At = time.Now()
	if err := j.Put(context.Background(), &row, journal.Synced); err != nil {
		t.Fatal(err)
	}
}

func TestNotifyPassesOverRowsThatCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		b := &bank{sends: []reply{code("7000")}, asks: []reply{working}}
		ha := begin(t, x, of("a", payment("k")), b)
		hb := begin(t, x, of("b", payment("k")), b)
		time.Sleep(time.Second)
		newer(t, j.Journal, hb.Flow())
		w := hook("o-k", "0", true)
		w.Merchant = "a"
		if err := x.Notify(context.Background(), w); err != nil {
			t.Errorf("the webhook of merchant a: %v", err)
		}
		if s := ha.State(); s.Outcome != policy.Succeeded {
			t.Errorf("merchant a's flow: %v", s.Outcome)
		}
		w.Merchant = ""
		if err := x.Notify(context.Background(), w); err == nil {
			t.Error("the provider is not asked to send again for the row that cannot be read")
		}
	})
}

func TestRowOfANewerReleaseKeepsItsKey(t *testing.T) {
	for name, sends := range map[string][]reply{"paid": {paidNow}, "refused": {refused}, "doubt": {silence}, "pending": {code("7000")}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j := newSpy()
				x := open(t, defaults(), executor.Config{Journal: j})
				h := begin(t, x, payment("k"), &bank{sends: sends, asks: []reply{working}})
				time.Sleep(time.Minute)
				_ = shutDown(x)
				newer(t, j.Journal, h.Flow())
				b := &bank{sends: []reply{paidNow}}
				x2 := open(t, defaults(), executor.Config{Journal: j.beside(), Clients: map[string]executor.Client{"momo": b}})
				_, _ = x2.Resume(context.Background())
				r, err := x2.Do(within(t, time.Hour), payment("k"), b)
				if err == nil {
					t.Errorf("done again: %v", r.Outcome)
				}
				time.Sleep(30 * time.Hour)
				b.wantCalls(t, 0, 0)
			})
		})
	}
}

// A probe's flow is taken over while its client hangs. The breaker must let the next call probe.
func TestProbeIsGivenBackWhenItsFlowIsTakenOver(t *testing.T) {
	for _, how := range []string{"hangs", "goexit", "panics"} {
		t.Run(how, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j := newSpy()
				x := open(t, defaults(), executor.Config{Journal: j, Breaker: executor.Breaker{Failures: 1, Open: time.Minute}})
				_, _ = x.Do(within(t, time.Second), payment("down"), &bank{sends: []reply{shut}})
				never := make(chan struct{})
				t.Cleanup(func() { close(never) })
				var id string
				inside := make(chan struct{})
				probe := &bank{sends: []reply{{do: func(ctx context.Context, a *executor.Attempt) {
					close(inside)
					time.Sleep(10 * time.Second)
					switch how {
					case "hangs":
						<-never
					case "goexit":
						runtime.Goexit()
					case "panics":
						panic("oh")
					}
				}}}}
				h := begin(t, x, payment("probe"), probe)
				id = h.Flow()
				<-inside
				// Another process writes the flow, and a webhook shows it.
				row, err := j.Journal.Get(context.Background(), id)
				if err != nil {
					t.Fatal(err)
				}
				row.Version++
				row.Names = nil
				row.At = time.Now()
				if err := j.Journal.Put(context.Background(), &row, journal.Synced); err != nil {
					t.Fatal(err)
				}
				if err := x.Notify(context.Background(), hook("o-probe", "7000", true)); err != nil {
					t.Fatal(err)
				}
				other := &bank{sends: []reply{paidNow}}
				h2 := begin(t, x, payment("other"), other)
				time.Sleep(20 * time.Hour)
				synctest.Wait()
				if s, _ := other.calls(); s == 0 {
					t.Errorf("20 hours later the breaker still lets nothing through; %v", h2.State().Stage)
				}
			})
		})
	}
}

func TestCallerMayReuseItsData(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		b := &bank{sends: []reply{shut, paidNow}}
		q := payment("k")
		q.Data = []byte("card-1")
		q.Tags = map[string]string{"a": "b"}
		h := begin(t, x, q, b)
		synctest.Wait()
		copy(q.Data, "card-2")
		q.Tags["a"] = "c"
		end(t, h, 26*time.Hour)
		for i, c := range b.sent {
			if string(c.Data) != "card-1" || c.Payment.Tags["a"] != "b" {
				t.Errorf("send %d has data %q and tags %v", i+1, c.Data, c.Payment.Tags)
			}
		}
		var s struct {
			Request struct{ Data []byte }
		}
		row, _ := j.Get(context.Background(), h.Flow())
		_ = json.Unmarshal(row.State, &s)
		if string(s.Request.Data) != "card-1" {
			t.Errorf("the row's data is %s", s.Request.Data)
		}
	})
}

func TestHookThatEndsItsGoroutine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		n := 0
		x := open(t, defaults(), executor.Config{Journal: j, NewRequestID: func(*policy.Payment) string {
			n++
			if n == 1 {
				runtime.Goexit()
			}
			return "id" + string(rune('0'+n))
		}})
		b := &bank{sends: []reply{code("7000")}, asks: []reply{working, paidAsk}}
		h := begin(t, x, payment("k"), b)
		ctx := within(t, 30*time.Hour)
		if _, err := h.Wait(ctx); err != nil {
			t.Errorf("no end: %v", err)
		}
	})
}

// The row of an earlier flow of the key cannot be read any more. Nothing is sent, and the flow ends.
func TestFlowEndsAlthoughItsKeyCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		first := begin(t, x, payment("k"), &bank{sends: []reply{refused}})
		end(t, first, time.Hour)
		b := &bank{sends: []reply{shut}}
		h := begin(t, x, payment("k"), b)
		synctest.Wait()
		newer(t, j.Journal, first.Flow())
		time.Sleep(100 * time.Hour)
		s := h.State()
		b.wantCalls(t, 1, 0)
		if s.Stage != flow.Ended {
			t.Errorf("after 100 hours it is %s, next %+v, started %s", s.Stage, s.Next, s.Started)
		}
	})
}
