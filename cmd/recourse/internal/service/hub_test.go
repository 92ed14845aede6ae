package service

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// attempt is a call of the executor, whose caller listens for 30 s.
func attempt() *executor.Attempt {
	return &executor.Attempt{Flow: "f-1", OrderID: "o", RequestID: "r", Number: 1, Deadline: time.Now().Add(30 * time.Second)}
}

// made is how a call ended.
type made struct {
	reply executor.Reply
	err   error
}

// call makes a call in the background, and returns when it waits for a caller.
func call(h *hub, a *executor.Attempt) <-chan made {
	out := make(chan made, 1)
	go func() {
		ctx, cancel := context.WithDeadline(context.Background(), a.Deadline)
		defer cancel()
		reply, err := h.Send(ctx, a)
		out <- made{reply, err}
	}()
	synctest.Wait()
	return out
}

func TestCommandIsGivenToOneCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		out := call(h, attempt())
		first := h.take("f-1", "caller-a", time.Time{}).mine
		if first == nil {
			t.Fatal("the first caller got no command")
		}
		if again := h.take("f-1", "caller-a", time.Time{}).mine; again != first {
			t.Error("the same caller must get the same command again: it alone knows whether it was carried out")
		}
		for _, other := range []string{"caller-b", ""} {
			if got := h.take("f-1", other, time.Time{}); got.mine != nil || got.other != first {
				t.Errorf("caller %q was given another caller's command", other)
			}
		}
		if _, err := h.report("f-1", "caller-b", first.id, sha256.Sum256([]byte("b")), executor.Reply{HTTPStatus: 200}); !errors.Is(err, errNotTaken) {
			t.Errorf("another caller's report: %v", err)
		}
		if _, err := h.report("f-1", "caller-a", first.id, sha256.Sum256([]byte("a")), executor.Reply{HTTPStatus: 200}); err != nil {
			t.Error(err)
		}
		if got := <-out; got.err != nil || got.reply.HTTPStatus != 200 {
			t.Errorf("the call returned %+v", got)
		}
		if len(h.seats) > 1 {
			t.Errorf("%d seats are left", len(h.seats))
		}
	})
}

func TestRepeatedReportChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		out := call(h, attempt())
		c := h.take("f-1", "caller-a", time.Time{}).mine
		paid, refusedLater := sha256.Sum256([]byte("paid")), sha256.Sum256([]byte("refused"))
		for i := range 3 {
			if again, err := h.report("f-1", "caller-a", c.id, paid, executor.Reply{HTTPStatus: 200}); err != nil || again != (i > 0) {
				t.Errorf("report %d: again %t, %v", i, again, err)
			}
		}
		if _, err := h.report("f-1", "caller-a", c.id, refusedLater, executor.Reply{HTTPStatus: 400}); !errors.Is(err, errOtherwise) {
			t.Errorf("a second report with another content: %v", err)
		}
		if _, err := h.report("f-2", "caller-a", c.id, paid, executor.Reply{HTTPStatus: 200}); !errors.Is(err, errOver) { // as of a command that never was
			t.Errorf("the report for another flow: %v", err)
		}
		<-out
	})
}

// Only a command that no caller has taken is known not to have been sent.
func TestSilenceIsDoubtOnlyIfTheCommandWasTaken(t *testing.T) {
	for _, taken := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := newHub()
			out := call(h, attempt())
			var c *command
			if taken {
				c = h.take("f-1", "caller-a", time.Time{}).mine
			}
			time.Sleep(31 * time.Second)
			got := <-out
			if errors.Is(got.err, executor.ErrNotSent) == taken || got.err == nil {
				t.Errorf("taken %t: %v", taken, got.err)
			}
			if taken {
				if _, err := h.report("f-1", "caller-a", c.id, sha256.Sum256(nil), executor.Reply{HTTPStatus: 200}); !errors.Is(err, errOver) {
					t.Errorf("a report after the deadline: %v", err)
				}
			}
		})
	}
}

// A caller that would have no time for its call is given none.
func TestNoCommandIsGivenOutShortOfItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		out := call(h, attempt())
		time.Sleep(29*time.Second + 100*time.Millisecond)
		if got := h.take("f-1", "caller-a", time.Time{}); got.mine != nil || got.other == nil {
			t.Error("a command was given out 900 ms before its deadline")
		}
		if got := <-out; !errors.Is(got.err, executor.ErrNotSent) {
			t.Errorf("the call returned %v", got.err)
		}
	})
}

// A service that stops gives out nothing, but waits for reports.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		free, taken := attempt(), attempt()
		taken.Flow = "f-2"
		outFree, outTaken := call(h, free), call(h, taken)
		c := h.take("f-2", "caller-a", time.Time{}).mine
		drained := make(chan struct{})
		go func() {
			h.drain(context.Background())
			close(drained)
		}()
		synctest.Wait()
		if got := h.take("f-1", "caller-b", time.Time{}); got.mine != nil {
			t.Error("a command was given out by a service that stops")
		}
		select {
		case <-outFree:
			t.Error("a call failed while callers could still report")
		case <-drained:
			t.Error("a command is with its caller, and the service stops")
		default:
		}
		if _, err := h.report("f-2", "caller-a", c.id, sha256.Sum256(nil), executor.Reply{HTTPStatus: 200}); err != nil {
			t.Error(err)
		}
		if got := <-outTaken; got.reply.HTTPStatus != 200 {
			t.Errorf("the command that a caller had: %+v", got)
		}
		<-drained
		h.stop()
		if got := <-outFree; !errors.Is(got.err, executor.ErrNotSent) {
			t.Errorf("the command that no caller had: %v", got.err)
		}
		if got := <-call(h, attempt()); !errors.Is(got.err, executor.ErrNotSent) {
			t.Errorf("a command after the end: %v", got.err)
		}
	})
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent[int, string](2)
	for i, v := range []string{"a", "b", "c"} {
		r.put(i, v)
	}
	if _, ok := r.get(0); ok {
		t.Error("the oldest is still there")
	}
	if v, ok := r.get(2); !ok || v != "c" || len(r.values) != 2 {
		t.Errorf("%q, %v", v, r.values)
	}
}

// A panic over one line stays there: the process carries flows.
func TestAPanicOverALineStaysInItsLine(t *testing.T) {
	m := &memory{asking: asking{caller: access.Simple("", "").Find("", nil)}}
	m.readPart(bufio.NewReader(strings.NewReader(`{"provider":"momo","operation":"pay"}` + "\n{")))
	new(Service).answerPart(nil, m) // without rules
	out := string(m.out)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 2 || !strings.Contains(lines[0], "panicked") || !strings.Contains(lines[1], "not a question") {
		t.Errorf("the answer is %s", out)
	}
}

// In its last second, and after not_after, a send is given to no caller; a query knows no such limit.
func TestNotAfterBoundsTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		out := call(h, attempt())
		limit := time.Now().Add(10 * time.Second)
		time.Sleep(9*time.Second + 100*time.Millisecond)
		if got := h.take("f-1", "caller-a", limit); got.mine != nil {
			t.Error("a send was given out 900 ms before not_after")
		}
		h.mu.Lock()
		c := *h.seats["f-1"].current
		h.mu.Unlock()
		if !c.enoughTime(time.Time{}) {
			t.Error("without not_after there is time")
		}
		if c.phase = policy.Query; !c.enoughTime(limit) {
			t.Error("not_after bounds a query")
		}
		<-out
	})
}

// What can never be taken is not answered with 503, which says that it can be repeated.
func TestErrorsOfTheExecutorHaveTheirStatus(t *testing.T) {
	s := &Service{log: slog.New(slog.DiscardHandler)}
	for text, status := range map[string]int{
		"executor: Request.Amount is 0; a pay must have an amount":     422,
		"executor: Webhook.Provider is \"x\"; it must be a provider":   422,
		"executor: payment key \"k\" has had 100 flows, of which none": 409,
		"executor: flow f: no space left on device":                    503,
	} {
		var got huma.StatusError
		if !errors.As(s.refused(errors.New(text)), &got) || got.GetStatus() != status {
			t.Errorf("%s: %v, want %d", text, got, status)
		}
	}
}
