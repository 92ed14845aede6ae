package executor_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

func notify(t *testing.T, x *executor.Executor, w executor.Webhook) {
	t.Helper()
	if err := x.Notify(context.Background(), w); err != nil {
		t.Fatalf("the webhook: %v", err)
	}
}

func TestAWebhookEndsAWaitEarly(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{working}, asks: []reply{working}}
				x := open(t, defaults(), config())
				h := begin(t, x, payment("k"), b)
				done := make(chan *executor.Result, 1)
				q := payment("l")
				go func() { r, _ := x.Do(context.Background(), q, b); done <- r }()
				time.Sleep(time.Second)
				synctest.Wait()
				start := time.Now()
				notify(t, x, hook("o-k", "0", true))
				notify(t, x, hook("o-l", "1001", true))
				wantOutcome(t, end(t, h, 0), policy.Succeeded)
				wantOutcome(t, <-done, policy.Failed)
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %s", took)
				}
				b.wantCalls(t, 2, 0)
			})
		})
	}
}

func TestAWebhookDuringTheSend(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{silence}, asks: []reply{working}}
				x := open(t, defaults(), config())
				h := begin(t, x, payment("k"), b)
				time.Sleep(time.Second)
				synctest.Wait()
				notify(t, x, hook("o-k", "0", true))
				wantOutcome(t, end(t, h, 0), policy.Succeeded)
				time.Sleep(time.Hour)
				b.wantCalls(t, 1, 0)
			})
		})
	}
}

// A webhook of a failure during the call does not end the flow: the answer may still overturn it.
func TestNotifyOfAFailureDuringASendWaitsForTheAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{{after: 10 * time.Second, answer: policy.Answer{Code: "7000"}}}, asks: []reply{refused}}
		x := open(t, defaults(), executor.Config{})
		h := begin(t, x, payment("k"), b)
		time.Sleep(time.Second)
		synctest.Wait()
		notify(t, x, hook("o-k", "1001", true))
		if s := h.State(); s.Stage != flow.Sending {
			t.Errorf("it is %s", s.Stage)
		}
		wantOutcome(t, end(t, h, time.Hour), policy.Failed)
	})
}

func TestNotifyUnverifiedOnlyQueries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{code("1000")}, asks: []reply{working, working, working, working, working, working, paidAsk}}
		x := open(t, rulesOf(t, map[string]string{"merchants/acme.toml": "[schedule.poll]\nintervals = [\"1h\"]\n"}), executor.Config{})
		h := begin(t, x, of("acme", payment("k")), b)
		synctest.Wait()
		for n := 1; n <= 5; n++ {
			notify(t, x, hook("o-k", "0", false))
			synctest.Wait()
			if s, asks := h.State(), min(n, 3); s.Stage == flow.Ended || s.Queries != asks {
				t.Fatalf("after %d webhooks: %s, %d queries", n, s.Stage, s.Queries)
			}
		}
		b.wantCalls(t, 1, 3)
	})
}

func TestASignatureDecides(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &bank{sends: []reply{working}, asks: []reply{working}}
		x := open(t, defaults(), executor.Config{VerifyWebhook: func(_ context.Context, w *executor.Webhook) error {
			if w.Header.Get("Signature") != "good" {
				return errors.New("forged")
			}
			return nil
		}})
		h := begin(t, x, payment("k"), b)
		synctest.Wait()
		notify(t, x, hook("o-k", "0", true)) // whatever it claims
		if h.State().Stage == flow.Ended {
			t.Fatal("a forged webhook ended the flow")
		}
		body := []byte(`{"orderId":"o-k","requestId":"r-k","amount":120000,"transId":77,"resultCode":0}`)
		notify(t, x, executor.Webhook{Provider: "momo", Body: body, Header: http.Header{"Signature": {"good"}}})
		r := end(t, h, 0)
		wantOutcome(t, r, policy.Succeeded)
		if r.State().Ledger[0].ProviderID != "77" {
			t.Errorf("the provider's id is %q", r.State().Ledger[0].ProviderID)
		}
	})
}

func TestNotifyOfAnUnknownFlowOrProvider(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				x := open(t, defaults(), config())
				begin(t, x, payment("k"), &bank{sends: []reply{working}, asks: []reply{paidAsk}})
				for what, w := range map[string]executor.Webhook{
					"another order":    hook("o-other", "0", true),
					"no name at all":   hook("", "0", true),
					"another provider": {Provider: "shopline", Verified: true, Answer: &policy.Answer{Status: "SUCCEEDED", OrderID: "o-k"}},
					"another merchant": {Provider: "momo", Merchant: "one", Verified: true, Answer: &policy.Answer{Code: "0", OrderID: "o-k"}},
					"no body":          {Provider: "momo", Verified: true},
				} {
					if err := x.Notify(context.Background(), w); !errors.Is(err, executor.ErrUnknownFlow) {
						t.Errorf("%s: %v", what, err)
					}
				}
				if err := x.Notify(context.Background(), executor.Webhook{Provider: "unknown"}); err == nil {
					t.Error("a provider that the rules do not know")
				}
			})
		})
	}
}

// Two merchants may have the same order id at a provider, and each has webhooks of its own.
func TestMerchantsWithTheSameOrderID(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{working}, asks: []reply{working}}
				x := open(t, defaults(), config())
				one, two := begin(t, x, of("one", payment("k")), b), begin(t, x, of("two", payment("k")), b)
				synctest.Wait()
				w := hook("o-k", "0", true)
				w.Merchant = "one"
				if err := x.Notify(context.Background(), w); err != nil {
					t.Error(err)
				}
				if s := two.State(); s.Outcome == policy.Succeeded {
					t.Error("S3: the payment of another merchant succeeded by it")
				}
				wantOutcome(t, end(t, one, 0), policy.Succeeded)
				w.Merchant = "two"
				notify(t, x, w)
				wantOutcome(t, end(t, two, 0), policy.Succeeded)
			})
		})
	}
}

func TestAContradictionAfterTheEndIsAnAlert(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{refused}}
		var mu sync.Mutex
		var alerts []*executor.Alert
		config := executor.Config{Journal: j, OnAlert: func(_ context.Context, a *executor.Alert) error {
			mu.Lock()
			defer mu.Unlock()
			alerts = append(alerts, a)
			return nil
		}}
		x := open(t, defaults(), config)
		r := carry(t, x, payment("k"), b)
		notify(t, x, hook("o-k", "1001", true)) // the same again
		synctest.Wait()
		if len(alerts) != 0 {
			t.Errorf("a repetition is no alert: %+v", alerts[0])
		}
		if err := shutDown(x); err != nil {
			t.Fatal(err)
		}
		y := open(t, defaults(), config)
		notify(t, y, hook("o-k", "0", true))
		notify(t, y, hook("o-k", "0", true))
		synctest.Wait()
		if len(alerts) != 1 || alerts[0].Flow != r.Flow || alerts[0].State.Outcome != policy.Failed || alerts[0].Evidence.Answer.Code != "0" {
			t.Fatalf("%d alerts: %+v", len(alerts), alerts)
		}
		_, err := y.Do(context.Background(), payment("k"), b)
		wantError[*executor.DoubtError](t, err)
		b.wantCalls(t, 1, 0)
	})
}

// Providers send a webhook several times, and at once.
func TestDuplicatesOfAWebhookAfterTheEnd(t *testing.T) {
	for range 20 {
		bubble(t, func(t *testing.T) {
			j, b := newSpy(), &bank{sends: []reply{refused}}
			var mu sync.Mutex
			reported := 0
			x := open(t, defaults(), executor.Config{
				Journal: j, OnError: func(err error) { t.Errorf("OnError got %v", err) },
				OnAlert: func(context.Context, *executor.Alert) error {
					mu.Lock()
					defer mu.Unlock()
					reported++
					return nil
				},
			})
			r := carry(t, x, payment("k"), b)
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if err := x.Notify(context.Background(), hook("o-k", "0", true)); err != nil {
						t.Errorf("the webhook: %v", err)
					}
				})
			}
			wg.Wait()
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			row, s := standing(t, j, r.Flow)
			if reported != 1 || len(s.Evidence) != 2 || row.Due.Year() < 9999 { // its key must not be forgotten
				t.Errorf("%d alerts, %d pieces of evidence, due %s", reported, len(s.Evidence), row.Due)
			}
		})
	}
}
