package emulation_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// drawPlan draws a plan in which everything goes wrong at times.
func drawPlan(t *rapid.T) string {
	doc := fmt.Sprintf("patience = \"20s\"\n[latency]\nsend = [\"1ms\", \"3s\"]\n[fate]\nexecutes = %v\nmurky = %v\nrefused = %v\nrefused_times = 2\n"+
		"settles = [{}, { for = [\"1s\", \"2h\"] }]\nwebhook_after = [{ for = [\"1s\", \"10m\"] }]\n",
		rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "executes"), rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "murky"), rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "refused"))
	for _, k := range emulation.FaultKinds() {
		if k >= emulation.Maintenance || rapid.IntRange(0, 2).Draw(t, k.String()) == 0 {
			continue
		}
		doc += "[[fault]]\nprobability = 0.15\nkind = \"" + k.String() + "\"\n"
		switch k {
		case emulation.Delay, emulation.ExecuteLate, emulation.NotFoundEarly, emulation.LateWebhook, emulation.DuplicateWebhook:
			doc += "for = [\"1s\", \"10m\"]\n"
		default: // the others take no time
		}
	}
	if rapid.Bool().Draw(t, "maintenance") {
		doc += "[[maintenance]]\nevery = \"10m\"\nfor = \"1m\"\n"
	}
	if rapid.Bool().Draw(t, "rate limit") {
		doc += "[rate_limit]\ncalls = 3\nper = \"1m\"\n"
	}
	return doc
}

// received is a thing that the provider said of one sending, or of what a query or a webhook
// names.
type received struct {
	at     time.Time
	answer policy.Answer
	op     policy.Operation
	door   bool
}

// Whatever goes wrong, the provider says nothing that its ledger denies: executed only of
// what has executed by then, and not executed never of what executes later without being
// sent again. A refusal at the door is about that one sending.
func TestProviderNeverContradictsItsLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		provider := rapid.SampledFrom([]string{"momo", "opi", "paykka", "shopline"}).Draw(t, "provider")
		cat := catalog(t, provider)
		op := rapid.SampledFrom(cat.Operations).Draw(t, "operation")
		p := emulation.NewProvider(cat, &emulation.Options{Plan: plan(t, drawPlan(t)), Seed: rapid.Uint64().Draw(t, "seed"), Start: dawn})
		judge := func(a policy.Answer) policy.Fact {
			return cat.Judge(&policy.Payment{Provider: provider, Operation: op, Capture: policy.Manual}, &a)
		}
		var said []received
		sends := map[string]int{}
		now := dawn
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 600}).Draw(t, "later")) * time.Second)
			r := providers.Request{
				Operations: []policy.Operation{op}, OrderID: rapid.SampledFrom([]string{"o-1", "o-1", "o-2"}).Draw(t, "order"),
				Amount: 500, Currency: currencies[provider], Capture: policy.Manual,
			}
			if r.Phase = policy.Query; rapid.Bool().Draw(t, "send") {
				r.Phase, r.RequestID = policy.Send, rapid.SampledFrom([]string{"r-1", "r-2"}).Draw(t, "request")
				r.Keyed = provider == "shopline" && rapid.Bool().Draw(t, "keyed")
				sends[r.OrderID]++
			}
			d := p.Call(now, r)
			checkDelivery(t, &d, now, cat, op)
			if d.Answer.Fault == policy.NoFault {
				f := judge(d.Answer)
				said = append(said, received{d.ReceivedAt, d.Answer, op, f.Stage == policy.Door})
			}
		}
		end := now.AddDate(0, 1, 0)
		for h, ok := p.NextWebhook(end); ok; h, ok = p.NextWebhook(end) {
			said = append(said, received{h.At, h.Answer, op, false})
		}
		ledger := p.Ledger(end)
		for i := range said {
			checkSaid(t, &said[i], judge(said[i].answer), ledger, sends)
		}
		if again := p.Ledger(end); len(again) != len(ledger) {
			t.Fatal("the ledger changed by being looked at")
		}
	})
}

func checkSaid(t *rapid.T, s *received, f policy.Fact, ledger []emulation.Execution, sends map[string]int) {
	executed := 0
	for _, x := range ledger {
		if x.OrderID == s.answer.OrderID && (s.answer.RequestID == "" || x.RequestID == s.answer.RequestID) && x.Operation == s.op {
			if x.At.After(s.at) && f.Effect == policy.Executed {
				continue
			}
			executed++
		}
	}
	switch {
	case f.Effect == policy.Executed && executed == 0:
		t.Fatalf("at %s: executed, it says, and the ledger has nothing of it by then:\n%+v\n%+v", s.at, s.answer, ledger)
	case f.Effect == policy.NotExecuted && !s.door && executed > 0: // an order's fate is one
		t.Fatalf("at %s: not executed, it says:\n%+v\n%+v", s.at, s.answer, ledger)
	case f.Effect == policy.NotExecuted && s.door && executed > 0 && sends[s.answer.OrderID] == 1:
		t.Fatalf("at %s: the only sending was refused at the door, and executed:\n%+v\n%+v", s.at, s.answer, ledger)
	}
}

// checkDelivery holds a delivery to its own rules.
func checkDelivery(t *rapid.T, d *emulation.CallResult, at time.Time, cat *providers.Catalog, op policy.Operation) {
	if d.ReceivedAt.Before(at) {
		t.Fatalf("received before it was sent: %+v", d)
	}
	switch d.Answer.Fault {
	case policy.NoFault:
		read := policy.Answer{}
		if err := cat.Decode(op, d.Answer.Phase, d.Body, &read); err != nil {
			t.Fatalf("%s does not decode: %v", d.Body, err)
		}
	case policy.Unreadable:
		if cat.Decode(op, d.Answer.Phase, d.Body, &policy.Answer{}) == nil {
			t.Fatalf("%s decodes", d.Body)
		}
	case policy.NotSent, policy.Timeout, policy.Reset:
		if d.Body != nil || d.Fault == emulation.NoFault {
			t.Fatalf("%+v", d)
		}
	}
	patient := d.Within(at.Add(time.Second))
	if patient.ReceivedAt.After(at.Add(time.Second)) || d.ReceivedAt.After(at.Add(time.Second)) && patient.Answer.Fault != policy.Timeout {
		t.Fatalf("a client that waits a second hears %+v", patient)
	}
}
