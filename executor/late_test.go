package executor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A shopper tries again under the same order. The notice about the first try is delivered once
// more, and says nothing of the second.
func TestALateNoticeOfAnEarlierTryEndsNoOther(t *testing.T) {
	for name, requestID := range map[string]string{"the very same request": "r-k", "another request of the order": "r-2"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				x := open(t, defaults(), executor.Config{Journal: newSpy()})
				wantOutcome(t, carry(t, x, payment("k"), &bank{sends: []reply{refused}}), policy.Failed)
				again := payment("k")
				again.RequestID = requestID
				b := &bank{sends: []reply{working}, asks: []reply{working, paidAsk}}
				h, err := x.Start(context.Background(), again, b)
				if err != nil {
					return // refused: as good
				}
				synctest.Wait()
				notify(t, x, hookOf("k", "1001"))
				if s := h.State(); s.Outcome == policy.Failed {
					t.Fatalf("S2: it is %s, and what was sent is pending", s.Outcome)
				}
				wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
			})
		})
	}
}

// The answer of a first call that hung comes when a second order is under way, and names nothing:
// it speaks of the first.
func TestALateAnswerIsOfTheRequestThatItAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, newOrders(t), executor.Config{NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) { return "o-2", nil }})
		b := &bank{
			sends: []reply{{after: time.Minute, deaf: true, answer: paidNow.answer}, {after: 29 * time.Second, answer: working.answer}},
			asks:  []reply{refused, missing},
		}
		h := begin(t, x, of("acme", payment("k")), b)
		time.Sleep(58 * time.Second)
		if s := h.State(); s.Stage != flow.Sending || len(s.Ledger) != 2 {
			t.Fatalf("it is %s, ledger %+v", s.Stage, s.Ledger)
		}
		time.Sleep(3 * time.Second)
		s := h.State()
		if one, two := s.Ledger[0], s.Ledger[1]; one.Effect != policy.Executed || two.Effect == policy.Executed {
			t.Errorf("%s is %s, %s is %s", one.OrderID, one.Effect, two.OrderID, two.Effect)
		}
		wantOutcome(t, end(t, h, 100*time.Hour), policy.Escalated) // no answer settles the second
	})
}
