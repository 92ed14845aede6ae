package emulation_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// shop is a client of an emulated provider.
type shop struct {
	*emulation.Provider
	t   failer
	cat *providers.Catalog
	op  policy.Operation
}

func openShop(t failer, provider string, op policy.Operation, doc string) shop {
	t.Helper()
	cat := catalog(t, provider)
	return shop{emulation.NewProvider(cat, &emulation.Options{Plan: plan(t, doc), Seed: 5, Start: dawn}), t, cat, op}
}

func (s shop) send(at time.Duration, order, request string) emulation.CallResult {
	return s.Call(after(at), providers.Request{
		Operations: []policy.Operation{s.op}, OrderID: order, RequestID: request, Amount: 120_000, Currency: currencies[s.cat.Name],
	})
}

func (s shop) ask(at time.Duration, order string) emulation.CallResult {
	return s.Call(after(at), providers.Request{Operations: []policy.Operation{s.op}, Phase: policy.Query, OrderID: order})
}

func (s shop) judge(a policy.Answer) policy.Fact {
	return s.cat.Judge(&policy.Payment{Provider: s.cat.Name, Operation: s.op}, &a)
}

func (s shop) moved(by time.Duration) int { return len(s.Ledger(after(by))) }

// Without a plan everything takes place at once, and the body says it.
func TestProviderWithoutFaults(t *testing.T) {
	s := shop{emulation.NewProvider(catalog(t, "momo"), nil), t, catalog(t, "momo"), policy.Pay}
	d := s.send(0, "o-1", "r-1")
	if d.Fault != emulation.NoFault || !d.ReceivedAt.Equal(dawn) || s.judge(d.Answer).Effect != policy.Executed || s.moved(0) != 1 {
		t.Errorf("%+v, and %d moved", d, s.moved(0))
	}
	var read policy.Answer
	if err := s.cat.Decode(policy.Pay, policy.Send, d.Body, &read); err != nil || read.Code != d.Answer.Code || read.OrderID != "o-1" || read.Amount != 120_000 {
		t.Errorf("the body says %+v (%v)", read, err)
	}
	x := s.Ledger(dawn)[0]
	if x.OrderID != "o-1" || x.RequestID != "r-1" || x.Operation != policy.Pay || x.Amount != 120_000 || x.Currency != "VND" || !x.At.Equal(dawn) {
		t.Errorf("the ledger has %+v", x)
	}
}

// What each fault of a call does to the request, and what its client sees.
func TestFaultsOfCalls(t *testing.T) {
	const patience = 30 * time.Second
	for _, tt := range []struct {
		kind, lines string
		phase       policy.Phase
		received    policy.Fault
		at          time.Duration // when it is received
		moved       int           // by then
		later       int           // an hour later
	}{
		{"refuse", "", policy.Send, policy.NotSent, 5 * time.Millisecond, 0, 0},
		{"drop_request", "", policy.Send, policy.Timeout, patience, 0, 0},
		{"delay", "for = \"7s\"\n", policy.Send, policy.NoFault, 7*time.Second + 100*time.Millisecond, 1, 1},
		{"drop_response", "", policy.Send, policy.Timeout, patience, 1, 1},
		{"reset", "", policy.Send, policy.Reset, 100 * time.Millisecond, 1, 1},
		{"execute_late", "for = \"40s\"\n", policy.Send, policy.Timeout, patience, 0, 1},
		{"error_after", "status = 504\n", policy.Send, policy.Unreadable, 100 * time.Millisecond, 1, 1},
		{"refuse", "", policy.Query, policy.NotSent, 5 * time.Millisecond, 0, 0},
		{"drop_request", "", policy.Query, policy.Timeout, patience, 0, 0},
		{"delay", "for = \"7s\"\n", policy.Query, policy.NoFault, 7 * time.Second, 0, 0},
		{"drop_response", "", policy.Query, policy.Timeout, patience, 0, 0},
		{"reset", "", policy.Query, policy.Reset, 0, 0, 0},
		{"error_after", "", policy.Query, policy.Unreadable, 0, 0, 0},
	} {
		t.Run(tt.kind+" "+tt.phase.String(), func(t *testing.T) {
			s := openShop(t, "momo", policy.Pay, "[latency]\nsend = \"100ms\"\n[[fault]]\nnth = 1\nkind = \""+tt.kind+"\"\nphase = \""+tt.phase.String()+"\"\n"+tt.lines)
			call := func(at time.Duration) emulation.CallResult { return s.ask(at, "o-1") }
			if tt.phase == policy.Send {
				call = func(at time.Duration) emulation.CallResult { return s.send(at, "o-1", "r-1") }
			}
			d := call(0)
			if d.Fault.String() != tt.kind || d.Answer.Fault != tt.received || !d.ReceivedAt.Equal(after(tt.at)) {
				t.Errorf("received %s %s at %s", d.Fault, d.Answer.Fault, d.ReceivedAt)
			}
			if tt.received == policy.Unreadable {
				if d.Answer.HTTPStatus/100 != 5 || s.cat.Decode(policy.Pay, tt.phase, d.Body, &policy.Answer{}) == nil {
					t.Errorf("%d %s", d.Answer.HTTPStatus, d.Body)
				}
			} else if (d.Body == nil) != (tt.received != policy.NoFault) {
				t.Errorf("the body is %s", d.Body)
			}
			if moved, later := s.moved(tt.at), s.moved(tt.at+time.Hour); moved != tt.moved || later != tt.later {
				t.Errorf("%d executed by then, %d at last; want %d, %d", moved, later, tt.moved, tt.later)
			}
			if d := call(2 * time.Hour); d.Fault != emulation.NoFault {
				t.Errorf("the second call has a %s", d.Fault)
			}
			if n := s.Account(after(3 * time.Hour)).Faults[tt.kind]; n != 1 {
				t.Errorf("counted %d times", n)
			}
		})
	}
}

// Requests are processed in the order of arrival, not in the order of sending.
func TestLateRequestIsADuplicate(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, "[[fault]]\nkind = \"execute_late\"\nfor = \"40s\"\nnth = 1\n")
	s.send(0, "o-1", "r-1")
	if at, ok := s.Next(); !ok || !at.Equal(after(70*time.Second)) {
		t.Errorf("next at %s (%v)", at, ok)
	}
	if d := s.ask(31*time.Second, "o-1"); d.Answer.Code != "42" {
		t.Errorf("a query finds what has not arrived: %+v", d.Answer)
	}
	if d := s.send(32*time.Second, "o-1", "r-2"); s.judge(d.Answer).Effect != policy.Executed {
		t.Errorf("the second request is answered %+v", d.Answer)
	}
	if all := s.Ledger(after(time.Hour)); len(all) != 1 || all[0].RequestID != "r-2" {
		t.Errorf("the ledger has %+v", all)
	}
}

// A client's patience is the plan's word, or else the contract's.
func TestClientTimeout(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, "patience = \"2s\"\n[[fault]]\nkind = \"execute_late\"\nfor = \"3s\"\nnth = 1\n")
	if d := s.send(0, "o-1", "r-1"); !d.ReceivedAt.Equal(after(2*time.Second)) || s.moved(5*time.Second-1) != 0 || s.moved(5*time.Second) != 1 {
		t.Errorf("%+v", d)
	}
}

func TestNotFoundEarly(t *testing.T) {
	s := openShop(t, "momo", policy.Pay, "[[fault]]\nkind = \"not_found_early\"\nfor = \"10s\"\nnth = 1\n")
	if d := s.send(0, "o-1", "r-1"); d.Fault != emulation.NotFoundEarly || s.judge(d.Answer).Effect != policy.Executed {
		t.Errorf("%+v", d)
	}
	if d := s.ask(9*time.Second, "o-1"); s.judge(d.Answer).Class != policy.NotFound {
		t.Errorf("found too early: %+v", d.Answer)
	}
	if d := s.ask(10*time.Second, "o-1"); s.judge(d.Answer).Effect != policy.Executed {
		t.Errorf("not found in the end: %+v", d.Answer)
	}
}

// A contract under which "not found" proves something is kept.
func TestNotFoundEarlyKeepsTheContract(t *testing.T) {
	all, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Add("mine.toml", []byte("name = \"momo\"\n[contract.pay]\nnot_found_after = \"4s\"\n")); err != nil {
		t.Fatal(err)
	}
	cat, _ := all.Get("momo")
	doc := "[[fault]]\nkind = \"not_found_early\"\nfor = \"10s\"\nnth = 1\n"
	s := shop{emulation.NewProvider(cat, &emulation.Options{Plan: plan(t, doc)}), t, cat, policy.Pay}
	s.send(0, "o-1", "r-1")
	if d := s.ask(4*time.Second, "o-1"); s.judge(d.Answer).Class == policy.NotFound {
		t.Errorf("the contract is broken: %+v", d.Answer)
	}
}

func TestFaultsOfWebhooks(t *testing.T) {
	const pending = "[fate]\nsettles = [{ for = \"60s\" }]\nwebhook_after = [{ for = \"5s\" }]\n"
	for _, tt := range []struct {
		kind, lines string
		at          []time.Duration
		verified    bool
	}{
		{"", "", []time.Duration{65 * time.Second}, true},
		{"lost_webhook", "", nil, true},
		{"late_webhook", "for = \"10m\"\n", []time.Duration{665 * time.Second}, true},
		{"duplicate_webhook", "for = \"3s\"\n", []time.Duration{65 * time.Second, 68 * time.Second}, true},
		{"unverified_webhook", "", []time.Duration{65 * time.Second}, false},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			doc := pending
			if tt.kind != "" {
				doc += "[[fault]]\nnth = 1\nkind = \"" + tt.kind + "\"\n" + tt.lines
			}
			s := openShop(t, "momo", policy.Pay, doc)
			s.send(0, "o-1", "r-1")
			if h, ok := s.NextWebhook(after(64 * time.Second)); ok {
				t.Errorf("it is sent at %s already", h.At)
			}
			var at []time.Duration
			for h, ok := s.NextWebhook(after(time.Hour)); ok; h, ok = s.NextWebhook(after(time.Hour)) {
				at = append(at, h.At.Sub(dawn))
				if h.Answer.Verified != tt.verified || h.OrderID != "o-1" || h.RequestID != "r-1" || len(h.Body) == 0 || s.judge(h.Answer).Effect != policy.Executed {
					t.Errorf("%+v", h)
				}
				if h.Fault.String() != tt.kind && (tt.kind != "" || h.Fault != emulation.NoFault) {
					t.Errorf("its fault is %s", h.Fault)
				}
			}
			if !reflect.DeepEqual(at, tt.at) {
				t.Errorf("sent at %v, want %v", at, tt.at)
			}
		})
	}
}

// The faults of an order's webhooks do not depend on when the order was asked about, or how often: a client that asks once more meets the same ones.
func TestFaultsOfWebhooksWhateverTheCalls(t *testing.T) {
	const doc = "[fate]\nsettles = [{ for = \"60s\" }]\nwebhook_after = [{ for = \"5s\" }]\n[[fault]]\nkind = \"delay\"\nprobability = 0.5\nfor = [\"1s\", \"9s\"]\n" +
		"[[fault]]\nkind = \"lost_webhook\"\nprobability = 0.3\n" +
		"[[fault]]\nkind = \"late_webhook\"\nprobability = 0.5\nfor = [\"1s\", \"10m\"]\n" +
		"[[fault]]\nkind = \"duplicate_webhook\"\nprobability = 0.5\nfor = [\"1s\", \"10m\"]\n"
	webhooks := func(asks func(order int) int) (all []string) {
		s := openShop(t, "momo", policy.Pay, doc)
		for i := range 100 {
			order := fmt.Sprint("o-", i)
			for range asks(i) {
				s.ask(0, order)
			}
			s.send(0, order, fmt.Sprint("r-", i))
		}
		for h, ok := s.NextWebhook(after(time.Hour)); ok; h, ok = s.NextWebhook(after(time.Hour)) {
			all = append(all, fmt.Sprintln(h.OrderID, h.Fault, h.At.Sub(dawn)))
		}
		return all
	}
	never := webhooks(func(int) int { return 0 })
	if len(never) < 50 || len(never) > 150 {
		t.Errorf("%d webhooks of 100 orders", len(never))
	}
	if some := webhooks(func(order int) int { return order % 4 }); !reflect.DeepEqual(some, never) {
		t.Errorf("%d webhooks with queries before the sends: %v\n%d without: %v", len(some), some, len(never), never)
	}
}

func TestMaintenance(t *testing.T) {
	const window = "[[maintenance]]\nfrom = \"2026-01-02T03:10:00Z\"\nevery = \"1h\"\nfor = \"5m\"\noperation = \"pay\"\n"
	s := openShop(t, "momo", policy.Pay, window)
	for i, tt := range []struct {
		at     time.Duration
		closed bool
	}{{0, false}, {10*time.Minute - 1, false}, {10 * time.Minute, true}, {15*time.Minute - 1, true}, {15 * time.Minute, false}, {72 * time.Minute, true}} {
		d := s.send(tt.at, fmt.Sprint("o-", i), fmt.Sprint("r-", i))
		f := s.judge(d.Answer)
		if closed := f.Class == policy.Maintenance && f.Effect == policy.Unknown && f.Stage == policy.Door; closed != tt.closed || closed != (d.Fault == emulation.Maintenance) {
			t.Errorf("at %s: %+v", tt.at, d)
		}
	}
	if d := s.send(11*time.Minute, "o-x", "r-x"); d.Answer.RetryAfter != 4*time.Minute {
		t.Errorf("to be tried again after %s", d.Answer.RetryAfter)
	}
	if s.moved(2*time.Hour) != 3 {
		t.Errorf("%d executed", s.moved(2*time.Hour))
	}
	s.op = policy.Refund
	if d := s.send(11*time.Minute, "o-y", "r-y"); d.Fault != emulation.NoFault {
		t.Errorf("another operation is refused: %+v", d)
	}
	none := openShop(t, "opi", policy.Cancel, "[[maintenance]]\nfor = \"5m\"\n") // without a code for it
	if d := none.send(0, "o-1", "r-1"); d.Fault != emulation.Maintenance || d.Answer.HTTPStatus != 503 && none.judge(d.Answer).Class != policy.Maintenance {
		t.Errorf("%+v", d)
	}
}

func TestRateLimit(t *testing.T) {
	for _, provider := range []string{"momo", "opi", "shopline", "paykka"} {
		s := openShop(t, provider, policy.Refund, "[rate_limit]\ncalls = 2\nper = \"1m\"\n")
		for i := range 6 {
			d := s.send(time.Duration(i)*15*time.Second, fmt.Sprint("o-", i), fmt.Sprint("r-", i))
			if limited := i == 2 || i == 3; limited != (d.Fault == emulation.RateLimit) {
				t.Errorf("%s, call %d: %+v", provider, i, d)
			} else if limited && (d.Answer.RetryAfter != time.Minute-time.Duration(i)*15*time.Second || d.Answer.HTTPStatus != 429 && s.judge(d.Answer).Class != policy.RateLimited) {
				t.Errorf("%s, call %d: %+v", provider, i, d.Answer)
			}
		}
		if s.moved(time.Hour) != 4 {
			t.Errorf("%s: %d executed", provider, s.moved(time.Hour))
		}
	}
}
