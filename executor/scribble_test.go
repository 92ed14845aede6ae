package executor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// A client signs in place, pads a buffer, converts an amount: whatever it does with an attempt, the next one, of
// this process or another, sends what was accepted.
func TestAClientMayWriteToItsAttempt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var got []string
		look := func(_ context.Context, a *executor.Attempt) {
			got = append(got, fmt.Sprintf("%s %d %s %s %v", a.Data, a.Payment.Amount, a.Payment.Key, a.OrderID, a.Payment.Tags))
			copy(a.Data, "another payee")
			a.Payment.Amount, a.Payment.Key, a.Payment.Provider = 1, "another", "another"
			a.Payment.Tags["customer"] = "another"
		}
		b := &bank{sends: []reply{{do: look, err: executor.ErrNotSent}, {do: look, err: errors.New("reset")}}, asks: []reply{{do: look, answer: policy.Answer{Code: "7000"}}}}
		j := newSpy()
		q := of("acme", payment("k"))
		q.Data, q.Tags = []byte("the payee 4711"), map[string]string{"customer": "c-1"}
		x := open(t, defaults(), executor.Config{Journal: j})
		h := begin(t, x, q, b)
		time.Sleep(30 * time.Minute)
		if err := shutDown(x); err != nil {
			t.Fatal(err)
		}
		b.asks = []reply{{do: look, answer: policy.Answer{Code: "0"}}}
		y := open(t, defaults(), executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": b}})
		if n, err := y.Resume(context.Background()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		again, err := y.Handle(context.Background(), h.Flow())
		if err != nil {
			t.Fatal(err)
		}
		r, err := again.Wait(within(t, 100*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, r, policy.Succeeded)
		if len(got) < 4 {
			t.Errorf("the client was called with %q", got)
		}
		for _, text := range got {
			if text != got[0] {
				t.Errorf("a call was made with %q, the first with %q", text, got[0])
			}
		}
	})
}
