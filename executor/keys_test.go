package executor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// journals are the two ways to keep flows: in memory only, and in a journal.
var journals = map[string]func() executor.Config{
	"in memory": func() executor.Config { return executor.Config{} },
	"journaled": func() executor.Config { return executor.Config{Journal: newSpy()} },
}

func TestManyWhoPayOneThingPayItOnce(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{{after: time.Second, answer: policy.Answer{Code: "0"}}}}
				x := open(t, defaults(), config())
				var wg sync.WaitGroup
				flows := make([]string, 100)
				for i := range flows {
					wg.Go(func() {
						r, err := x.Do(context.Background(), payment("k"), b)
						if err != nil || r.Outcome != policy.Succeeded {
							t.Errorf("%v: %v", r, err)
							return
						}
						flows[i] = r.Flow
					})
				}
				wg.Wait()
				b.wantCalls(t, 1, 0)
				for _, f := range flows {
					if f != flows[0] {
						t.Fatalf("flows %s and %s", f, flows[0])
					}
				}
			})
		})
	}
}

func TestWhatIsPaidIsNotPaidAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, b := newSpy(), &bank{sends: []reply{paidNow}}
		x := open(t, defaults(), executor.Config{Journal: j})
		first := carry(t, x, payment("k"), b)
		for _, again := range []*executor.Executor{x, open(t, defaults(), executor.Config{Journal: j})} {
			r := carry(t, again, payment("k"), b)
			if r.Flow != first.Flow || !r.Repeated || r.Outcome != policy.Succeeded || r.Class != first.Class || len(r.State().Ledger) != 1 {
				t.Errorf("the result is %+v", r)
			}
			r = end(t, begin(t, again, payment("k"), b), 0)
			if r.Flow != first.Flow || !r.Repeated {
				t.Errorf("Start: %+v", r)
			}
		}
		b.wantCalls(t, 1, 0)
	})
}

func TestWhatWasRefusedMayBeTriedAgain(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{refused, refused, paidNow}}
				x := open(t, defaults(), config())
				one, two, three := carry(t, x, payment("k"), b), carry(t, x, payment("k"), b), carry(t, x, payment("k"), b)
				wantOutcome(t, one, policy.Failed)
				wantOutcome(t, two, policy.Failed)
				wantOutcome(t, three, policy.Succeeded)
				if one.Flow == two.Flow || three.Repeated {
					t.Errorf("flows %s, %s, repeated %v", one.Flow, two.Flow, three.Repeated)
				}
			})
		})
	}
}

func TestWhatIsInDoubtIsForAPersonFirst(t *testing.T) {
	for effect, want := range map[policy.Effect]policy.Outcome{policy.Executed: policy.Succeeded, policy.NotExecuted: policy.Failed} {
		t.Run(effect.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				j := newSpy()
				b := &bank{sends: []reply{silence, paidNow}, asks: []reply{working}}
				x := open(t, defaults(), executor.Config{Journal: j})
				first := carry(t, x, payment("k"), b)
				wantOutcome(t, first, policy.Escalated)
				_, err := x.Do(context.Background(), payment("k"), b)
				doubt := wantError[*executor.DoubtError](t, err)
				if doubt.Flow != first.Flow || doubt.State.Outcome != policy.Escalated || !strings.Contains(err.Error(), first.Flow) {
					t.Errorf("%v", err)
				}
				ctx := context.Background()
				for _, wrong := range []executor.Resolution{
					{OrderID: "o-k", Effect: effect, Why: "w"}, {OrderID: "o-k", Effect: effect, Who: "w"},
					{OrderID: "o-k", Effect: policy.Pending, Who: "w", Why: "w"}, {OrderID: "o-2", Effect: effect, Who: "w", Why: "w"},
				} {
					if x.Resolve(ctx, first.Flow, wrong) == nil {
						t.Errorf("%+v was taken", wrong)
					}
				}
				if err := x.Resolve(ctx, "f-none", executor.Resolution{OrderID: "o-k", Effect: effect, Who: "w", Why: "w"}); !errors.Is(err, executor.ErrUnknownFlow) {
					t.Errorf("an unknown flow: %v", err)
				}
				if err := x.Resolve(ctx, first.Flow, executor.Resolution{OrderID: "o-k", RequestID: "r-k", Effect: effect, Who: "ann", Why: "the file"}); err != nil {
					t.Fatal(err)
				}
				if _, s := standing(t, j, first.Flow); s.Outcome != want || !strings.Contains(s.Reason, "ann: the file") {
					t.Errorf("resolved, it is %s: %s", s.Outcome, s.Reason)
				}
				r := carry(t, x, payment("k"), b)
				wantOutcome(t, r, policy.Succeeded)
				if r.Repeated != (effect == policy.Executed) {
					t.Errorf("repeated: %v", r.Repeated)
				}
			})
		})
	}
}

func TestOneKeyIsOnePayment(t *testing.T) {
	changes := map[string]func(*executor.Request){
		"amount":   func(q *executor.Request) { q.Amount++ },
		"currency": func(q *executor.Request) { q.Currency = "USD" },
		"data":     func(q *executor.Request) { q.Data = []byte("another card") },
		"capture":  func(q *executor.Request) { q.Capture = policy.Manual },
		"provider": func(q *executor.Request) { q.Provider = "shopline" },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{working}, asks: []reply{working}}
				x := open(t, defaults(), executor.Config{Journal: newSpy()})
				h := begin(t, x, payment("k"), b)
				other := payment("k")
				change(&other)
				for _, when := range []string{"open", "ended"} {
					_, err := x.Do(context.Background(), other, b)
					if m := wantError[*executor.MismatchError](t, err); m.Flow != h.Flow() || m.Key != "k" {
						t.Errorf("%s: %v", when, err)
					}
					_, err = x.Start(context.Background(), other, b)
					wantError[*executor.MismatchError](t, err)
					if when == "open" {
						synctest.Wait()
						if err := x.Notify(context.Background(), hook("o-k", "0", true)); err != nil {
							t.Fatal(err)
						}
						end(t, h, 0)
					}
				}
				b.wantCalls(t, 1, 0)
			})
		})
	}
}

func TestOtherOperationsAndMerchantsAreOtherPayments(t *testing.T) {
	for name, config := range journals {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &bank{sends: []reply{paidNow}}
				x := open(t, defaults(), config())
				seen := map[string]bool{}
				for _, op := range []policy.Operation{policy.Pay, policy.Refund, policy.Payout} {
					for _, merchant := range []string{"", "one", "two"} {
						q := of(merchant, payment("k"))
						q.Operation = op
						r := carry(t, x, q, b)
						if r.Repeated || seen[r.Flow] {
							t.Errorf("%s of %q: %+v", op, merchant, r)
						}
						seen[r.Flow] = true
					}
				}
				none := payment("")
				for i := range 2 {
					none.OrderID = fmt.Sprint("o", i)
					if r := carry(t, x, none, b); r.Repeated || seen[r.Flow] {
						t.Errorf("without a key: %+v", r)
					}
				}
				b.wantCalls(t, 11, 0)
			})
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		x := open(t, defaults(), executor.Config{Journal: newSpy()})
		b := &bank{sends: []reply{paidNow}}
		for name, q := range map[string]executor.Request{
			"no order":             {Payment: payment("k").Payment},
			"an unknown provider":  {Payment: policy.Payment{Provider: "unknown", Operation: policy.Pay}, OrderID: "o"},
			"an amount below zero": {Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: -1, Currency: "VND"}, OrderID: "o"},
		} {
			if _, err := x.Do(context.Background(), q, b); err == nil {
				t.Errorf("%s: done", name)
			}
		}
		if _, err := x.Do(context.Background(), payment("k"), nil); err == nil {
			t.Error("without a client: done")
		}
		b.wantCalls(t, 0, 0)
		wantOutcome(t, carry(t, x, payment("k"), b), policy.Succeeded)
	})
}

// What is proved of an earlier try counts in a later one: nothing more is sent.
func TestAProofOfAnEarlierTryForbidsANewOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rules := rulesOf(t, map[string]string{"merchants/acme.toml": "[schedule.hour]\nintervals = [\"1h\"]\n" +
			strings.Replace(newOrderRule, "reason", "schedule = \"hour\"\nreason", 1)})
		minted, j := 0, newSpy()
		x := open(t, rules, executor.Config{Journal: j, NewOrder: func(context.Context, *policy.Payment, []flow.Identity) (string, error) {
			minted++
			return "o-2", nil
		}})
		first := carry(t, x, of("acme", payment("k")), &bank{sends: []reply{code("1002")}})
		wantOutcome(t, first, policy.Failed)
		second := of("acme", payment("k"))
		second.OrderID, second.RequestID = "o-1", "r-1"
		b := &bank{sends: []reply{refused}}
		h := begin(t, x, second, b)
		synctest.Wait()
		notify(t, x, hook("o-k", "0", true))
		wantOutcome(t, end(t, h, 2*time.Hour), policy.Succeeded)
		if minted != 0 {
			t.Errorf("%d orders were minted", minted)
		}
		b.wantCalls(t, 1, 0)
		if _, s := standing(t, j, first.Flow); s.Ledger[0].Effect != policy.NotExecuted {
			t.Error("the first flow got it too; only the last one may answer for the key")
		}
	})
}
