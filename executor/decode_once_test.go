package executor_test

import (
	"context"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// countingRules counts the webhooks that are decoded.
type countingRules struct {
	*engine.Engine
	reads map[decodedAs]int
}

type decodedAs struct {
	operation policy.Operation
	currency  string
}

func (c *countingRules) Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error) {
	if ph == policy.Webhook {
		c.reads[decodedAs{p.Operation, p.Currency}]++
	}
	return c.Engine.Read(p, ph, m)
}

// The names that find the flow and the answer for the flow come from the same decoding. A body
// without a currency is decoded once more, for the currency of the payment.
func TestNotifyDecodesOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rules := &countingRules{Engine: defaults(), reads: map[decodedAs]int{}}
		x := open(t, rules, executor.Config{Journal: newSpy()})
		h := begin(t, x, payment("k"), &bank{sends: []reply{working}, asks: []reply{working}})
		w := executor.Webhook{Provider: "momo", Verified: true, Body: []byte(`{"orderId":"o-k","requestId":"r-k","resultCode":0,"amount":120000}`)}
		if err := x.Notify(context.Background(), w); err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, end(t, h, time.Minute), policy.Succeeded)
		for as, n := range rules.reads {
			if n != 1 || as.currency != "" && as.operation != policy.Pay {
				t.Errorf("decoded as %s in %q: %d times", as.operation, as.currency, n)
			}
		}
	})
}
