package executor_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// A driver of another kind makes a call by Attempt.Make: what an error proves is what it proves to the executor.
func TestMakeIsACallOfTheExecutor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := payment("k").Payment
		attempt := func(d time.Duration) *executor.Attempt {
			return &executor.Attempt{Flow: "f", Payment: &p, OrderID: "o-k", RequestID: "r-k", Number: 1, Deadline: time.Now().Add(d)}
		}
		for name, tt := range map[string]struct {
			reply reply
			in    time.Duration
			want  policy.Fault
			sends int
		}{
			"paid":        {paidNow, time.Minute, policy.NoFault, 1},
			"too late":    {paidNow, -time.Millisecond, policy.NotSent, 0},
			"no answer":   {silence, 10 * time.Millisecond, policy.Timeout, 1},
			"not sent":    {reply{err: executor.ErrNotSent}, time.Minute, policy.NotSent, 1},
			"a mere text": {reply{err: errors.New("nothing was sent")}, time.Minute, policy.Reset, 1},
			"a panic":     {reply{do: func(context.Context, *executor.Attempt) { panic("x") }}, time.Minute, policy.Reset, 1},
		} {
			b := &bank{sends: []reply{tt.reply}}
			a, _, err := attempt(tt.in).Make(t.Context(), defaults(), b, policy.Send)
			if sends, _ := b.calls(); a.Fault != tt.want || sends != tt.sends || (err != nil) != (tt.want != policy.NoFault) {
				t.Errorf("%s: %+v, %v after %d sends", name, a, err, sends)
			}
			if tt.want == policy.NoFault && a.OrderID != "o-k" {
				t.Errorf("%s: the answer is about %q", name, a.OrderID)
			}
		}
		if a, _, err := attempt(time.Minute).Make(t.Context(), defaults(), nil, policy.Send); a.Fault != policy.NotSent || err == nil {
			t.Errorf("without a client: %+v, %v", a, err)
		}
	})
}

// Once knows the attempt, as in the executor.
func TestMakeWithOnce(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer server.Close()
	once := new(executor.Once)
	p := payment("k").Payment
	a := &executor.Attempt{Flow: "f", Payment: &p, OrderID: "o-k", RequestID: "r-k", Number: 1, Deadline: time.Now().Add(time.Minute)}
	answer, _, _ := a.Make(t.Context(), defaults(), twice{once, server.URL}, policy.Send)
	if requests != 1 || answer.Fault == policy.NotSent {
		t.Errorf("%d requests left, and the answer is %+v", requests, answer)
	}
}

// twice is an SDK that sends again by itself.
type twice struct {
	once *executor.Once
	url  string
}

func (c twice) Send(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
	return c.once.Call(ctx, func(ctx context.Context, hc *http.Client) error {
		var last error
		for range 2 {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, http.NoBody)
			if err != nil {
				return err
			}
			resp, err := hc.Do(r)
			if last = err; err == nil {
				resp.Body.Close()
				last = errors.New("bad gateway")
			}
		}
		return last
	})
}

func (c twice) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return c.Send(ctx, a)
}
