package executor_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// One merchant's host is dead. Another merchant's payment is sent, and its doubt is queried, at once; and the
// dead host's own doubts are queried although no send gets through.
func TestADeadHostIsNoMatterOfOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Breaker: executor.Breaker{Open: time.Hour}})
		doubt := &bank{sends: []reply{{answer: policy.Answer{Fault: policy.Timeout}}}, asks: []reply{paidAsk}}
		own := begin(t, x, of("acme", payment("own")), &bank{sends: []reply{{after: time.Minute, answer: policy.Answer{Fault: policy.Timeout}}}, asks: []reply{paidAsk}})
		tripFor(t, x, "acme")
		start := time.Now()
		wantOutcome(t, carry(t, x, of("other", payment("k")), doubt), policy.Succeeded)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("the other merchant's took %s", took)
		}
		wantOutcome(t, end(t, own, 5*time.Minute), policy.Succeeded)
	})
}

// Forged webhooks are bounded in size and number; verified ones come through all the same.
func TestForgedWebhooksAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		h := begin(t, x, payment("k"), &bank{sends: []reply{working}, asks: []reply{working}})
		time.Sleep(time.Second)
		huge := executor.Webhook{Provider: "momo", Body: []byte(`{"orderId":"o-k","x":"` + strings.Repeat("x", 300<<10) + `"}`)}
		if err := x.Notify(context.Background(), huge); err == nil || !strings.Contains(err.Error(), "at most 262144") {
			t.Errorf("a body of 300 kB: %v", err)
		}
		refused := 0
		for range 1000 {
			if err := x.Notify(context.Background(), hook("o-k", "0", false)); err != nil && strings.Contains(err.Error(), "not verified") {
				refused++
			}
		}
		if refused != 800 {
			t.Errorf("%d of 1000 forged webhooks are refused", refused)
		}
		time.Sleep(time.Second)
		if err := x.Notify(context.Background(), hook("o-k", "7000", false)); err != nil {
			t.Errorf("a second later: %v", err)
		}
		notify(t, x, hook("o-k", "0", true))
		wantOutcome(t, end(t, h, 0), policy.Succeeded)
	})
}
