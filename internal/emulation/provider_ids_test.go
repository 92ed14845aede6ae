package emulation_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// A request id is one across all orders of a provider that dedupes it.
func TestRequestIDsAcrossOrders(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, "")
	s.send(0, "o-1", "r-1")
	if d := s.send(time.Second, "o-2", "r-1"); d.Answer.OrderID != "o-1" || s.moved(time.Hour) != 1 {
		t.Errorf("%+v, and %d executed", d.Answer, s.moved(time.Hour))
	}
	free := openShop(t, "shopline", policy.Pay, "") // without its key nothing is deduped
	free.send(0, "o-1", "r-1")
	free.send(0, "o-2", "r-1")
	free.send(0, "o-2", "r-1")
	if free.moved(time.Hour) != 3 {
		t.Errorf("%d executed", free.moved(time.Hour))
	}
	keyed := providers.Request{Operations: []policy.Operation{policy.Pay}, OrderID: "o-3", RequestID: "k-1", Keyed: true, Amount: 5, Currency: "TWD"}
	free.Call(dawn, keyed)
	keyed.OrderID = "o-4"
	if d := free.Call(after(time.Second), keyed); free.moved(time.Hour) != 4 || free.judge(d.Answer).Effect != policy.Unknown {
		t.Errorf("under one key: %+v, and %d executed", d.Answer, free.moved(time.Hour))
	}
}

// MoMo's orders and refunds share one set of order ids; OPI's do not.
func TestOrderIDsAcrossOperations(t *testing.T) {
	momo := openShop(t, "momo", policy.Pay, "")
	momo.send(0, "o-1", "r-1")
	momo.op = policy.Refund
	if d := momo.send(time.Second, "o-1", "r-2"); d.Answer.Code != "41" || momo.moved(time.Hour) != 1 {
		t.Errorf("%+v, and %d executed", d.Answer, momo.moved(time.Hour))
	}
	momo.op = policy.Capture // names the order that it captures
	if d := momo.send(time.Second, "o-1", "r-3"); momo.judge(d.Answer).Effect != policy.Executed {
		t.Errorf("%+v", d.Answer)
	}
	opi := openShop(t, "opi", policy.Checkout, "")
	opi.send(0, "o-1", "r-1")
	opi.op = policy.Refund
	if d := opi.send(time.Second, "o-1", "r-2"); opi.judge(d.Answer).Class == policy.DuplicateOrder {
		t.Errorf("%+v", d.Answer)
	}
}

// A request id that another operation has used is refused, and gets no stored result.
func TestRequestIDOfAnotherOperation(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, "")
	s.send(0, "o-1", "r-1")
	s.op = policy.Refund
	d := s.send(time.Second, "rf-1", "r-1")
	if f := s.judge(d.Answer); f.Effect != policy.Unknown || f.Class != policy.DuplicateRequest || s.moved(time.Hour) != 1 {
		t.Errorf("%+v, and %d executed", d.Answer, s.moved(time.Hour))
	}
	if d := s.ask(2*time.Second, "o-1"); s.judge(d.Answer).Class != policy.NotFound && s.judge(d.Answer).Effect != policy.Unknown {
		t.Errorf("a query for a refund finds the payment: %+v", d.Answer)
	}
	if d := s.ask(2*time.Second, "o-1"); d.Answer.ProviderID != "" {
		t.Errorf("a query for a refund names the payment: %+v", d.Answer)
	}
}

// A query of an endpoint that serves several operations is about what its order had last,
// and one by the provider's id finds its payment.
func TestQueriesFindTheirOperation(t *testing.T) {
	s := openShop(t, "shopline", policy.Pay, "")
	paid := s.send(0, "o-1", "r-1")
	ask := providers.Request{Operations: []policy.Operation{policy.Pay, policy.Capture, policy.Cancel}, Phase: policy.Query, ProviderID: paid.Answer.ProviderID}
	if d := s.Call(after(time.Second), ask); s.judge(d.Answer).Effect != policy.Executed || d.Answer.ProviderID != paid.Answer.ProviderID {
		t.Errorf("%+v", d.Answer)
	}
	cancel := providers.Request{Operations: []policy.Operation{policy.Cancel}, ProviderID: paid.Answer.ProviderID, RequestID: "r-2"}
	if d := s.Call(after(2*time.Second), cancel); d.Answer.ProviderID != paid.Answer.ProviderID || d.Answer.OrderID != "o-1" {
		t.Errorf("the cancel is of %+v", d.Answer)
	}
	s.op = policy.Cancel
	if d := s.Call(after(time.Minute), ask); s.judge(d.Answer).Effect != policy.Executed {
		t.Errorf("the query still speaks of the payment: %+v", d.Answer)
	}
	o, ok := s.Order(after(time.Minute), "o-1")
	if !ok || len(o.Transactions) != 2 || len(o.Calls) != 4 || o.Transactions[1].Operation != policy.Cancel || !o.Transactions[1].Over {
		t.Errorf("the order is %+v", o)
	}
	if _, ok := s.Order(dawn, "o-9"); ok {
		t.Error("there is an order that no call named")
	}
}

// What becomes of an order follows from its own calls, however many others there are.
func TestOrdersAreIndependent(t *testing.T) {
	const doc = `
[latency]
send = ["1ms", "1s"]
[fate]
executes = 0.5
refused  = 0.3
settles  = [{}, { for = ["1s", "1h"] }]
[[fault]]
kind = "reset"
probability = 0.3
[[fault]]
kind = "lost_webhook"
probability = 0.5
`
	alone := openShop(t, "momo", policy.Pay, doc)
	var want []string
	for i := range 20 {
		d := alone.send(time.Duration(i)*time.Second, "o-7", "r-7")
		want = append(want, fmt.Sprintf("%s %s %s", d.Fault, d.Answer.Code, d.ReceivedAt.Sub(dawn)))
	}
	crowd := openShop(t, "momo", policy.Pay, doc)
	for i := range 20 {
		for j := range 6 {
			crowd.send(time.Duration(i)*time.Second, fmt.Sprint("x-", j), fmt.Sprint("x-", j))
		}
		d := crowd.send(time.Duration(i)*time.Second, "o-7", "r-7")
		if got := fmt.Sprintf("%s %s %s", d.Fault, d.Answer.Code, d.ReceivedAt.Sub(dawn)); got != want[i] {
			t.Errorf("call %d: %s, and alone %s", i, got, want[i])
		}
	}
}

// Orders do not meet the same faults because they have the same seed.
func TestFaultsAreDrawnPerOrder(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, "[[fault]]\nkind = \"reset\"\nprobability = 0.5\n")
	reset := 0
	for i := range 400 {
		if s.send(0, fmt.Sprint("o-", i), fmt.Sprint("r-", i)).Fault == emulation.ResetConnection {
			reset++
		}
	}
	if reset < 150 || reset > 250 {
		t.Errorf("%d of 400 calls were reset", reset)
	}
}

// Counts are of an order, or of the provider, and only of the calls that a block speaks of.
func TestCounts(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, `
[[fault]]
kind = "reset"
nth  = 2
[[fault]]
kind      = "refuse"
first     = 2
operation = "refund"
of        = "provider"
[[fault]]
kind   = "drop_response"
orders = ["late-?"]
`)
	for _, tt := range []struct{ order, want string }{
		{"o-1", "none"}, {"o-2", "none"}, {"o-1", "reset"}, {"o-1", "none"}, {"o-2", "reset"},
		{"late-1", "drop_response"}, {"late-1", "reset"}, {"late-1", "drop_response"}, {"late-12", "none"},
	} {
		if d := s.send(0, tt.order, "r"); d.Fault.String() != tt.want {
			t.Errorf("%s has a %s, want %s", tt.order, d.Fault, tt.want)
		}
	}
	s.op = policy.Refund
	for i, want := range []string{"refuse", "refuse", "none"} {
		if d := s.send(0, fmt.Sprint("rf-", i), "r"); d.Fault.String() != want {
			t.Errorf("refund %d has a %s, want %s", i, d.Fault, want)
		}
	}
}

// Fates are as probable as the plan says.
func TestFateOfPayments(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, "[fate]\nexecutes = 0.7\nrefused = 0.2\nrefused_as = [\"credentials\"]\n[fate.refund]\nexecutes = 0\n")
	refused, paid := 0, 0
	const n = 2000
	for i := range n {
		switch f := s.judge(s.send(0, fmt.Sprint("o-", i), fmt.Sprint("r-", i)).Answer); {
		case f.Class == policy.Credentials:
			refused++
		case f.Effect == policy.Executed:
			paid++
		}
	}
	if refused < n*17/100 || refused > n*23/100 || paid < n*52/100 || paid > n*60/100 || s.moved(0) != paid {
		t.Errorf("%d refused and %d paid of %d; %d in the ledger", refused, paid, n, s.moved(0))
	}
	s.op = policy.Refund
	for i := range 100 {
		s.send(0, fmt.Sprint("rf-", i), fmt.Sprint("rr-", i))
	}
	if s.moved(0) != paid {
		t.Error("a refund took place that cannot")
	}
}

func TestConcurrentCalls(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, "[[fault]]\nkind = \"reset\"\nprobability = 0.2\n[[fault]]\nkind = \"execute_late\"\nfor = \"1s\"\nprobability = 0.1\n")
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			for j := range 20 {
				order := fmt.Sprint("o-", i%50)
				s.send(time.Duration(j)*time.Second, order, order)
				s.ask(time.Duration(j)*time.Second, order)
				s.NextWebhook(after(time.Duration(j) * time.Second))
				s.Order(after(0), order)
			}
		})
	}
	all.Wait()
	a := s.Account(after(time.Hour))
	if len(a.Executions) != 50 || a.Calls != 200*20*2 || a.Orders != 50 || a.Pending != 0 {
		t.Errorf("%d executed, %d calls, %d orders, %d pending", len(a.Executions), a.Calls, a.Orders, a.Pending)
	}
}

// An operation that the provider has no words for is no reason to fall over.
func TestOperationWithoutReplies(t *testing.T) {
	all, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Add("acme.toml", []byte("name = \"acme\"\noperations = [\"pay\"]\n")); err != nil {
		t.Fatal(err)
	}
	cat, _ := all.Get("acme")
	p := emulation.NewProvider(cat, nil)
	if d := p.Call(dawn, providers.Request{Operations: []policy.Operation{policy.Pay}, OrderID: "o-1"}); d.Answer.HTTPStatus != 501 || len(p.Ledger(dawn)) > 0 {
		t.Errorf("%+v", d)
	}
	if _, ok := p.Refuse(dawn, policy.Pay, policy.Send, policy.InvalidRequest); ok {
		t.Error("it has words for a refusal")
	}
}
