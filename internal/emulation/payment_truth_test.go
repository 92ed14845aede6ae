package emulation_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
)

func drawFate(t *rapid.T) emulation.Fate {
	return emulation.Fate{
		Executes:     rapid.Bool().Draw(t, "executes"),
		Settles:      time.Duration(rapid.SampledFrom([]int{0, 0, 5, 90, 4000}).Draw(t, "settles")) * time.Second,
		Murky:        rapid.IntRange(0, 3).Draw(t, "murky") == 0,
		Refusals:     rapid.IntRange(0, 2).Draw(t, "refusals"),
		WebhookDelay: time.Duration(rapid.IntRange(0, 600).Draw(t, "hook")) * time.Second,
	}
}

// said is a thing that the emulator said about one identity, or about an order.
type said struct {
	at                 time.Time
	orderID, requestID string // no request: of every one under the order
	answer             policy.Answer
	made               int // requests that had arrived by then
}

type arrival struct {
	orderID, requestID string
	at                 time.Time
}

// What the emulator says is true by its own ledger: executed only of what has executed by
// then; not executed never of what executes later.
func TestPaymentNeverContradictsItsLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		provider := rapid.SampledFrom([]string{"momo", "opi", "paykka", "shopline"}).Draw(t, "provider")
		op := rapid.SampledFrom(catalog(t, provider).Operations).Draw(t, "operation")
		p := policy.Payment{Provider: provider, Operation: op, Amount: 120_000, Currency: currencies[provider],
			Capture: rapid.SampledFrom(policy.All[policy.CaptureMode]()).Draw(t, "capture")}
		fate := drawFate(t)
		made, ok := emulation.NewPayment(catalog(t, provider), p, fate, rapid.Bool().Draw(t, "keyed"), rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)))
		if !ok {
			return // the provider has no words for it
		}
		w := world{made, t, catalog(t, provider), p}
		var all []said
		var arrivals []arrival
		now := dawn
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 3600}).Draw(t, "later")) * time.Second)
			order := rapid.SampledFrom([]string{"o-1", "o-1", "o-2"}).Draw(t, "order")
			request := rapid.SampledFrom([]string{"r-1", "r-1", "r-2", "r-3"}).Draw(t, "request")
			if rapid.Bool().Draw(t, "send") {
				arrives := now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 400}).Draw(t, "on its way")) * time.Second)
				a := w.Arrive(arrives, order, request)
				arrivals = append(arrivals, arrival{order, request, arrives})
				all = append(all, said{arrives, order, request, a, len(arrivals)})
				continue
			}
			if rapid.Bool().Draw(t, "by order") {
				request = ""
			}
			all = append(all, said{now, order, request, w.Query(now, order, request), len(arrivals)})
		}
		for _, h := range w.Webhooks() {
			if h.At.Before(now) {
				continue // it was sent before the last request arrived; said below as of its time
			}
			all = append(all, said{h.At, h.OrderID, h.RequestID, h.Answer, len(arrivals)})
		}
		for i := range all {
			w.check(t, &all[i], arrivals)
		}
		for _, x := range w.Ledger(now.AddDate(1, 0, 0)) {
			if !fate.Executes || x.Amount != p.Amount {
				t.Fatalf("in the ledger: %+v", x)
			}
		}
	})
}

func (w world) check(t *rapid.T, s *said, arrivals []arrival) {
	f := w.judge(s.answer)
	if s.answer.OrderID != "" { // it may speak of another one: that of the first result
		s.orderID, s.requestID = s.answer.OrderID, s.answer.RequestID
	}
	by, later := 0, 0
	for _, x := range w.Ledger(s.at.AddDate(1, 0, 0)) {
		if x.OrderID != s.orderID || s.requestID != "" && x.RequestID != s.requestID {
			continue
		}
		if !x.At.After(s.at) {
			by++
		}
		if !w.sentAgain(x, s, arrivals) {
			later++
		}
	}
	switch {
	case f.Effect == policy.Executed && by == 0:
		t.Fatalf("%s: executed, it says, and the ledger has nothing of %s %s by then:\n%+v\n%+v",
			s.at, s.orderID, s.requestID, s.answer, w.Ledger(s.at.AddDate(1, 0, 0)))
	case f.Effect == policy.NotExecuted && later > 0:
		t.Fatalf("%s: not executed, it says of %s %s:\n%+v\n%+v", s.at, s.orderID, s.requestID, s.answer, w.Ledger(s.at.AddDate(1, 0, 0)))
	}
}

// sentAgain reports whether an execution may be that of a request that arrived after
// something was said.
func (w world) sentAgain(x emulation.Execution, s *said, arrivals []arrival) bool {
	for _, a := range arrivals[s.made:] {
		if a.orderID == x.OrderID && a.requestID == x.RequestID && !a.at.After(x.At) {
			return true
		}
	}
	return false
}

// The same seed makes the same world.
func TestSameSeedGivesSamePayment(t *testing.T) {
	for _, provider := range []string{"momo", "opi", "paykka", "shopline"} {
		for _, op := range catalog(t, provider).Operations {
			var replies [2][]policy.Answer
			for i := range replies {
				p := policy.Payment{Provider: provider, Operation: op, Amount: 100, Currency: currencies[provider]}
				made, ok := emulation.NewPayment(catalog(t, provider), p, slow, false, rand.New(rand.NewPCG(5, 5)))
				if !ok {
					continue
				}
				replies[i] = append(replies[i], made.Arrive(dawn, "o", "r"), made.Arrive(after(time.Minute), "o", "r"),
					made.Query(after(2*time.Minute), "o", ""), made.Query(after(time.Hour), "o", "r"))
				for _, h := range made.Webhooks() {
					replies[i] = append(replies[i], h.Answer)
				}
			}
			for k := range replies[0] {
				if replies[0][k] != replies[1][k] {
					t.Errorf("%s %s: %+v and %+v", provider, op, replies[0][k], replies[1][k])
				}
			}
		}
	}
}

// What the emulator says comes out of its envelope as it went in.
func TestBodiesReadBack(t *testing.T) {
	for _, provider := range []string{"momo", "opi", "paykka", "shopline"} {
		for _, op := range catalog(t, provider).Operations {
			for seed := range uint64(10) {
				p := policy.Payment{Provider: provider, Operation: op, Amount: 120_000, Currency: currencies[provider]}
				made, ok := emulation.NewPayment(catalog(t, provider), p, slow, false, rand.New(rand.NewPCG(seed, 3)))
				if !ok {
					continue
				}
				w := world{made, t, catalog(t, provider), p}
				answers := []policy.Answer{w.Arrive(dawn, "o", "r"), w.Arrive(after(time.Minute), "o", "r"), w.Query(after(2*time.Minute), "o", ""), w.Query(after(time.Hour), "o", "")}
				for _, h := range w.Webhooks() {
					answers = append(answers, h.Answer)
				}
				for _, a := range answers {
					w.readsBack(a)
				}
			}
		}
	}
}

func (w world) readsBack(a policy.Answer) {
	body, ok := w.Body(&a, dawn)
	if !ok {
		return
	}
	read := policy.Answer{Phase: a.Phase, HTTPStatus: a.HTTPStatus, Verified: a.Verified}
	if err := w.cat.Decode(w.p.Operation, a.Phase, body, &read); err != nil {
		w.t.Fatalf("%s %s: %v\n%s", w.p.Provider, w.p.Operation, err, body)
	}
	if want, got := w.judge(a), w.judge(read); want.Effect != got.Effect || want.Class != got.Class {
		w.t.Fatalf("%s %s: sent %+v, decoded %+v\n%s", w.p.Provider, w.p.Operation, want, got, body)
	}
}
