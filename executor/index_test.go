package executor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// A flow gets its webhooks, whatever becomes of requests beside it, and of those that want its order.
func TestNotifyReachesAFlowWhoseOrderOthersWant(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{working}, asks: []reply{working}}
				c := config()
				c.Breaker = executor.Breaker{Failures: 1, Open: 10 * time.Minute}
				x := open(t, defaults(), c)
				same := func(key string) executor.Request {
					q := payment(key)
					q.OrderID = "o-k"
					return q
				}
				h := begin(t, x, same("k"), b)
				synctest.Wait()
				_, err := x.Do(context.Background(), same("another"), &bank{sends: []reply{paidNow}})
				if taken := wantError[*executor.OrderError](t, err); taken.Flow != h.Flow() || taken.OrderID != "o-k" {
					t.Errorf("it names %+v", taken)
				}
				_, _ = x.Do(within(t, time.Second), payment("down"), &bank{sends: []reply{shut}})
				if _, err := x.Do(within(t, time.Second), as("o-9", "r-9", same("never begins")), b); err == nil {
					t.Error("the breaker is closed")
				}
				w := hookOf("k", "0")
				w.Answer.RequestID = "r-k"
				notify(t, x, w)
				wantOutcome(t, end(t, h, 0), policy.Succeeded)
			})
		})
	}
}

// A webhook about the new order may come before the answer to its send.
func TestAWebhookOfTheNewOrderDuringItsSend(t *testing.T) {
	rules := newOrders(t)
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{refused, silence}, asks: []reply{working}}
				c := config()
				c.NewOrder = numbered("n-")
				x := open(t, rules, c)
				h := begin(t, x, of("acme", payment("k")), b)
				time.Sleep(5 * time.Second)
				if err := x.Notify(context.Background(), hook("n-1", "0", true)); err != nil {
					t.Errorf("the webhook: %v", err)
				}
				wantOutcome(t, end(t, h, time.Hour), policy.Succeeded)
				b.wantCalls(t, 2, 0)
			})
		})
	}
}

// A payment and its capture have one order and one trade. A notice of the hold says nothing of
// the capture; one of the capture says both.
func TestAPaymentAndItsCaptureTakeWhatIsTheirs(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				status := func(s, sub string) policy.Answer { return policy.Answer{Status: s, SubStatus: sub, ProviderID: "T1"} }
				b := &bank{sends: []reply{{answer: status("PROCESSING", "")}}, asks: []reply{{answer: status("PROCESSING", "")}}}
				x := open(t, defaults(), config())
				pay := executor.Request{OrderID: "o", Payment: policy.Payment{
					Provider: "shopline", Operation: policy.Pay, Key: "k", Amount: 1000, Currency: "TWD", Capture: policy.Manual,
				}}
				capture := pay
				capture.Operation, capture.ProviderID = policy.Capture, "T1"
				paying, capturing := begin(t, x, pay, b), begin(t, x, capture, b)
				synctest.Wait()
				reported := func(sub string) {
					a := status("SUCCEEDED", sub)
					notify(t, x, executor.Webhook{Provider: "shopline", Verified: true, Answer: &a})
				}
				reported("AUTHORIZED")
				wantOutcome(t, end(t, paying, 0), policy.Succeeded)
				if s := capturing.State(); s.Outcome != policy.Open {
					t.Fatalf("the hold ended the capture: %s", s.Outcome)
				}
				reported("CAPTURED")
				wantOutcome(t, end(t, capturing, 0), policy.Succeeded)
			})
		})
	}
}

// What was kept in memory for a hook is let go of when proof has settled it.
func TestASettledEscalationIsForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{OnEscalate: func(context.Context, *executor.Result) error { return errBroken }})
		wantOutcome(t, carry(t, x, payment("k"), &bank{asks: []reply{working}}), policy.Escalated)
		notify(t, x, hookOf("k", "0"))
		time.Sleep(10 * time.Minute)
		if err := x.Notify(context.Background(), hookOf("k", "0")); !errors.Is(err, executor.ErrUnknownFlow) {
			t.Errorf("it is still there: %v", err)
		}
		if err := shutDown(x); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}
