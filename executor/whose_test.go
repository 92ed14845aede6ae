package executor_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// operation is a request of another operation than payment.
func operation(op policy.Operation, q executor.Request) executor.Request {
	q.Operation = op
	return q
}

// at is a request at another provider.
func at(provider, currency string, q executor.Request) executor.Request {
	q.Provider, q.Currency = provider, currency
	return q
}

// trade makes a request one about a payment that the provider named.
func trade(q executor.Request) executor.Request { q.ProviderID = "T-1"; return q }

func body(text string) executor.Webhook { return executor.Webhook{Verified: true, Body: []byte(text)} }

// otherPayments are webhooks about another payment than the one in doubt: another operation of the same
// trade, another merchant's, or one whose ids look alike.
var otherPayments = map[string]struct {
	doubt  executor.Request
	beside []executor.Request // flows that the webhook may be about, also in doubt
	hook   executor.Webhook
	known  bool // some flow is named
}{
	"a payment's, while its refund is in doubt": {
		doubt: trade(operation(policy.Refund, at("shopline", "TWD", as("o-ref", "r-ref", payment("k"))))),
		hook:  body(`{"id":"evt","type":"trade.succeeded","data":{"tradeOrderId":"T-1","status":"SUCCEEDED","subStatus":"CAPTURED","amount":{"value":120000,"currency":"TWD"}}}`),
	},
	"a payment's failure, while its refund is in doubt": {
		doubt: trade(operation(policy.Refund, at("shopline", "TWD", as("o-ref", "r-ref", payment("k"))))),
		hook:  body(`{"id":"evt","type":"trade.failed","data":{"tradeOrderId":"T-1","status":"FAILED","paymentMsg":{"code":"4454"}}}`),
	},
	"a payment's by its id, read as the refund's": {
		doubt: func() executor.Request {
			q := trade(operation(policy.Refund, at("opi", "VND", as("o-ref", "r-ref", payment("k")))))
			return q
		}(),
		hook: body(`{"mchOrderId":"o-1","transactionId":"T-1","transactionStatus":"COMPLETED","refundStatus":"COMPLETE"}`),
	},
	"a checkout's, with the number of a payout": {
		doubt:  operation(policy.Payout, as("1001", "1001", payment("out"))),
		beside: []executor.Request{operation(policy.Checkout, as("1001", "1001", payment("in")))},
		hook:   body(`{"orderId":"1001","requestId":"1001","amount":120000,"transId":77,"resultCode":0}`),
		known:  true,
	},
	"another merchant's, with the same order number": {
		doubt:  of("one", as("1001", "1", payment("k"))),
		beside: []executor.Request{of("two", as("1001", "2", payment("k")))},
		hook:   body(`{"orderId":"1001","requestId":"2","amount":120000,"transId":77,"resultCode":0}`),
		known:  true,
	},
	"one of two merchants', and it does not say whose": {
		doubt:  of("one", as("1001", "1001", payment("k"))),
		beside: []executor.Request{of("two", as("1001", "1001", payment("k")))},
		hook:   body(`{"orderId":"1001","requestId":"1001","amount":120000,"transId":77,"resultCode":0}`),
		known:  true,
	},
	"another merchant's order, which no flow here has": {
		doubt: of("one", as("1001", "1", payment("k"))),
		hook:  body(`{"orderId":"1001","requestId":"2","amount":120000,"transId":77,"resultCode":0}`),
	},
	"another payment's, whose id at the provider is this one's order": {
		doubt: as("77", "r-1", payment("k")),
		hook:  body(`{"amount":120000,"transId":77,"resultCode":0}`),
	},
	"another payment's, whose request is this one's order": {
		doubt: as("77", "r-1", payment("k")),
		hook:  body(`{"requestId":"77","amount":120000,"resultCode":0}`),
	},
	"the first capture's, while the second is in doubt": {
		doubt: operation(policy.Capture, as("1001", "r-2", payment("k2"))),
		hook:  body(`{"orderId":"1001","requestId":"r-1","amount":120000,"transId":77,"resultCode":0}`),
	},
	"of no id": {doubt: payment("k"), hook: body(`{"amount":120000,"resultCode":0}`)},
	"of id 0":  {doubt: payment("k"), hook: body(`{"orderId":"","requestId":"0","transId":0,"amount":120000,"resultCode":0}`)},
	"for another operation's URL": {
		doubt: as("1001", "1001", payment("k")),
		hook: executor.Webhook{Verified: true, Operations: []policy.Operation{policy.Refund},
			Body: []byte(`{"orderId":"1001","requestId":"1001","amount":120000,"transId":77,"resultCode":0}`)},
	},
	"a refusal of another amount": {
		doubt: payment("k"), known: true,
		hook: body(`{"orderId":"o-k","requestId":"r-k","amount":500,"transId":77,"resultCode":1006}`),
	},
}

// A flow is in doubt, and a webhook comes that is about another payment. The flow stays in doubt.
func TestWebhooksOfOtherPaymentsAreNoEvidence(t *testing.T) {
	for name, tt := range otherPayments {
		for journal, config := range journals {
			t.Run(name+"/"+journal, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					x := open(t, defaults(), config())
					b := &bank{sends: []reply{{answer: policy.Answer{Fault: policy.Timeout}}}, asks: []reply{{answer: policy.Answer{Fault: policy.Timeout}}}}
					doubt := begin(t, x, tt.doubt, b)
					for _, q := range tt.beside {
						begin(t, x, q, b)
					}
					time.Sleep(time.Second)
					synctest.Wait()
					tt.hook.Provider = tt.doubt.Provider
					switch err := x.Notify(context.Background(), tt.hook); {
					case tt.known && err != nil:
						t.Errorf("the webhook: %v", err)
					case !tt.known && !errors.Is(err, executor.ErrUnknownFlow):
						t.Errorf("the webhook of no flow here: %v", err)
					}
					synctest.Wait()
					if s := doubt.State(); s.Outcome != policy.Open || s.Ledger[0].Effect.Settled() || s.Ledger[0].Contested {
						t.Errorf("%s, %s: %s", s.Outcome, s.Reason, fmt.Sprintf("%+v", s.Ledger[0]))
					}
				})
			})
		}
	}
}

// VerifyWebhook knows whose secret fits, and says so.
func TestVerifyWebhookNamesTheMerchant(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := config()
				c.VerifyWebhook = func(_ context.Context, w *executor.Webhook) error {
					w.Merchant = "two"
					return nil
				}
				x := open(t, defaults(), c)
				b := &bank{sends: []reply{working}, asks: []reply{working}}
				one, two := begin(t, x, of("one", payment("k")), b), begin(t, x, of("two", payment("k")), b)
				synctest.Wait()
				notify(t, x, executor.Webhook{Provider: "momo", Body: []byte(`{"orderId":"o-k","requestId":"r-k","amount":120000,"transId":77,"resultCode":0}`)})
				wantOutcome(t, end(t, two, 0), policy.Succeeded)
				if s := one.State(); s.Outcome != policy.Open {
					t.Errorf("the other merchant's is %s", s.Outcome)
				}
			})
		})
	}
}

// A webhook that fits two merchants' flows, or two operations', lets both be asked about.
func TestAWebhookThatFitsTwoPaymentsIsAHint(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		one, two := &bank{sends: []reply{working}, asks: []reply{working}}, &bank{sends: []reply{working}, asks: []reply{paidAsk}}
		begin(t, x, of("one", payment("k")), one)
		h := begin(t, x, of("two", payment("k")), two)
		synctest.Wait()
		notify(t, x, executor.Webhook{Provider: "momo", Verified: true, Body: []byte(`{"orderId":"o-k","requestId":"r-k","amount":120000,"transId":77,"resultCode":0}`)})
		synctest.Wait()
		one.wantCalls(t, 1, 1)
		two.wantCalls(t, 1, 1)
		wantOutcome(t, end(t, h, 0), policy.Succeeded)
	})
}

// Webhooks that change nothing are not written: neither forged ones nor repetitions, and also not
// for flows that have ended.
func TestWebhooksThatChangeNothingAreNotWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newSpy()
		x := open(t, defaults(), executor.Config{Journal: j})
		h := begin(t, x, payment("k"), &bank{sends: []reply{working}, asks: []reply{working}})
		synctest.Wait()
		for _, verified := range []bool{false, true} {
			for range 5 { // three queries may be brought forward
				notify(t, x, hook("o-k", "7000", verified))
				synctest.Wait()
			}
			n := len(j.list())
			for range 100 {
				notify(t, x, hook("o-k", "7000", verified))
			}
			synctest.Wait()
			if m := len(j.list()); m != n {
				t.Errorf("verified %t: %d writes", verified, m-n)
			}
		}
		notify(t, x, hook("o-k", "0", true))
		wantOutcome(t, end(t, h, 0), policy.Succeeded)
		n := len(j.list())
		time.Sleep(time.Minute)
		for range 100 {
			notify(t, x, hook("o-k", "0", true))
			notify(t, x, hook("o-k", "1001", false))
		}
		if m := len(j.list()); m != n {
			t.Errorf("after the end: %d writes", m-n)
		}
	})
}

// counting counts the looks by name.
type counting struct {
	journal.Journal
	named atomic.Int64
}

func (c *counting) Named(ctx context.Context, provider string, names ...string) ([]journal.Row, error) {
	c.named.Add(1)
	return c.Journal.Named(ctx, provider, names...)
}

// Providers write 0, or nothing, before they have given an id. A notice with that as its only name is about no flow,
// though thousands have it: none is ended, asked for, or even looked at.
func TestAnIDOfZeroIsThatOfNoFlow(t *testing.T) {
	for _, said := range []string{"0", "", "000"} {
		for name, config := range journals {
			bubble(t, func(t *testing.T) {
				c := config()
				var looks *counting
				if c.Journal != nil {
					looks = &counting{Journal: c.Journal}
					c.Journal = looks
				}
				x := open(t, defaults(), c)
				pending := reply{answer: policy.Answer{Code: "7000", ProviderID: said}}
				b := &bank{sends: []reply{pending}, asks: []reply{pending}}
				for i := range 20 {
					begin(t, x, payment(fmt.Sprint(i)), b)
				}
				time.Sleep(time.Second)
				sends, asks := b.calls()
				before := int64(0)
				if looks != nil {
					before = looks.named.Load()
				}
				for _, verified := range []bool{true, false} {
					w := executor.Webhook{Provider: "momo", Verified: verified, Answer: &policy.Answer{Code: "0", OrderID: said, RequestID: said, ProviderID: said}}
					if err := x.Notify(context.Background(), w); !errors.Is(err, executor.ErrUnknownFlow) {
						t.Errorf("%s, id %q: %v", name, said, err)
					}
				}
				synctest.Wait()
				b.wantCalls(t, sends, asks)
				if looks != nil && looks.named.Load() != before {
					t.Errorf("%s, id %q: %d looks into the journal", name, said, looks.named.Load()-before)
				}
			})
		}
	}
}
