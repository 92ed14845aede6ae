package executor_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
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

// hanging is a client for all merchants: of one of them each query takes as long as it may, and no more than so many are under way.
type hanging struct {
	merchant string
	now      atomic.Int64
	most     atomic.Int64
}

// Send implements [executor.Client].
func (h *hanging) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{Answer: &policy.Answer{Fault: policy.Timeout, OrderID: a.OrderID}}, nil
}

// Query implements [executor.Client].
func (h *hanging) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	if a.Payment.Merchant != h.merchant {
		return executor.Reply{Answer: &policy.Answer{Code: "0", OrderID: a.OrderID, Amount: a.Payment.Amount, Currency: a.Payment.Currency}}, nil
	}
	now := h.now.Add(1)
	defer h.now.Add(-1)
	for most := h.most.Load(); now > most; most = h.most.Load() {
		if h.most.CompareAndSwap(most, now) {
			break
		}
	}
	<-ctx.Done()
	return executor.Reply{}, ctx.Err()
}

// A process ends with hundreds of doubts of a merchant whose host swallows every query, and one of another merchant. The next process asks
// for no more of the first at once than it may, and for the other's as soon as if that were alone.
func TestAHostThatHangsAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const doubts, atOnce = 300, 20
		j := journal.NewMemory()
		x, err := executor.New(defaults(), &executor.Config{Journal: j})
		if err != nil {
			t.Fatal(err)
		}
		client := &hanging{merchant: "acme"}
		for i := range doubts {
			begin(t, x, of("acme", payment(fmt.Sprint("a", i))), client)
		}
		begin(t, x, of("other", payment("k")), client)
		synctest.Wait()
		if err := x.Close(within(t, time.Hour)); err != nil {
			t.Fatal(err)
		}
		y := open(t, defaults(), executor.Config{Journal: j, AtOnce: atOnce, Clients: map[string]executor.Client{"momo": client}})
		if n, err := y.Resume(context.Background()); n != doubts+1 || err != nil {
			t.Fatalf("%d flows go on, %v", n, err)
		}
		time.Sleep(10 * time.Second)
		rows, err := j.ByKey(context.Background(), journal.Key{Merchant: "other", Operation: policy.Pay, Payment: "k"})
		if err != nil || len(rows) != 1 || rows[0].Open {
			t.Errorf("the other merchant's payment still waits after 10 s: %v", err)
		}
		if most := client.most.Load(); most != atOnce {
			t.Errorf("%d queries were under way at the host that hangs, want %d", most, atOnce)
		}
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
