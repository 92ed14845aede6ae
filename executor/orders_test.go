package executor_test

import (
	"context"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// An order is that of one payment. Another one with its id would end with the first one's success: a
// query or a webhook by the order speaks of both.
func TestAnOrderServesOnePayment(t *testing.T) {
	capture := func(key, order string) executor.Request {
		return operation(policy.Capture, as(order, "r-"+key, payment(key)))
	}
	trade := func(key string) executor.Request {
		q := operation(policy.Capture, at("shopline", "TWD", as("o-"+key, "r-"+key, payment(key))))
		q.ProviderID = "T-1"
		return q
	}
	for name, tt := range map[string]struct {
		first, second executor.Request
		replies       []reply // to the first
		free          bool    // the second may have the order
	}{
		"the first is open":             {first: as("o", "1", payment("a")), second: as("o", "2", payment("b")), replies: []reply{working}},
		"the first succeeded":           {first: as("o", "1", payment("a")), second: as("o", "2", payment("b")), replies: []reply{paidNow}},
		"the first has no key":          {first: as("o", "1", payment("")), second: as("o", "2", payment("")), replies: []reply{paidNow}},
		"the first executed nothing":    {first: as("o", "1", payment("a")), second: as("o", "2", payment("b")), replies: []reply{refused}, free: true},
		"another merchant's":            {first: of("x", as("o", "1", payment("a"))), second: of("y", as("o", "2", payment("b"))), replies: []reply{paidNow}, free: true},
		"a refund of the order":         {first: as("o", "1", payment("a")), second: operation(policy.Refund, as("o", "2", payment("b"))), replies: []reply{paidNow}, free: true},
		"a capture of the order":        {first: as("o", "1", payment("a")), second: capture("b", "o"), replies: []reply{paidNow}, free: true},
		"a second capture, in doubt":    {first: capture("a", "o"), second: capture("b", "o"), replies: []reply{silence}},
		"a second capture, captured":    {first: capture("a", "o"), second: capture("b", "o"), replies: []reply{paidNow}},
		"a second capture of the trade": {first: trade("a"), second: trade("b"), replies: []reply{{answer: policy.Answer{Fault: policy.Timeout}}}},
	} {
		for journal, config := range journals {
			t.Run(name+"/"+journal, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					x := open(t, defaults(), config())
					begin(t, x, tt.first, &bank{sends: tt.replies, asks: []reply{working}})
					time.Sleep(time.Second)
					b := &bank{sends: []reply{paidNow}, asks: []reply{working}}
					_, err := x.Start(context.Background(), tt.second, b)
					ended := len(tt.replies) > 0 && tt.replies[0].answer.Code == "0"
					if tt.free || ended && journal == "in memory" { // which remembers open flows only
						if err != nil {
							t.Error(err)
						}
						return
					}
					wantError[*executor.OrderError](t, err)
					time.Sleep(time.Hour)
					b.wantCalls(t, 0, 0)
				})
			})
		}
	}
}

// The hook that makes new orders gives one that another payment has: it is not used.
func TestANewOrderIsNotThatOfAnotherPayment(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := config()
				c.NewOrder = numbered("n-")
				x := open(t, newOrders(t), c)
				begin(t, x, of("acme", as("n-1", "r", payment("other"))), &bank{sends: []reply{working}, asks: []reply{working}})
				time.Sleep(time.Second)
				b := &bank{sends: []reply{refused, paidNow}}
				r := carry(t, x, of("acme", payment("k")), b)
				wantOutcome(t, r, policy.Failed)
				if !r.State().NewOrderPossible {
					t.Error("a new order is possible")
				}
				b.wantCalls(t, 1, 0)
			})
		})
	}
}

// What is proved to have executed is not resolved away in silence: the key would be free, and the next
// request sent.
func TestResolveAgainstProof(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, alerts := newSpy(), 0
		x := open(t, defaults(), executor.Config{Journal: j, OnAlert: func(context.Context, *executor.Alert) error { alerts++; return nil }})
		r := carry(t, x, payment("k"), &bank{sends: []reply{paidNow}})
		w := executor.Resolution{OrderID: "o-k", Effect: policy.NotExecuted, Who: "ann", Why: "the bank's file"}
		for range 2 {
			proved := wantError[*executor.ProvedError](t, x.Resolve(context.Background(), r.Flow, w))
			if proved.Known != policy.Executed || proved.Proof.Answer == nil || proved.Proof.Answer.Code != "0" {
				t.Errorf("the proof is %+v", proved)
			}
		}
		b := &bank{sends: []reply{paidNow}}
		if again := carry(t, x, payment("k"), b); !again.Repeated {
			t.Error("the key is free")
		}
		b.wantCalls(t, 0, 0)
		w.Override = true
		if err := x.Resolve(context.Background(), r.Flow, w); err != nil || alerts != 1 {
			t.Errorf("%v, %d alerts", err, alerts)
		}
		_, s := standing(t, j, r.Flow)
		if last := s.Evidence[len(s.Evidence)-1]; last.Person != "ann" || last.Phase == policy.Webhook && last.Person == "" {
			t.Errorf("the person's word is %+v", last)
		}
	})
}
