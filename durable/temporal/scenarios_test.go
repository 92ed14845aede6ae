package temporal

import (
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/scenarios"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
)

// Each payment has a test environment of its own, whose clock is the provider's. A call takes no time there.
func TestScenarios(t *testing.T) {
	rules := scenarios.Rules(t)
	var lines []string
	for _, q := range scenarios.Payments() {
		w := &world{t: t, bank: new(bank), j: journal.NewMemory()}
		p := scenarios.NewProvider(t, func() time.Time { return w.env.Now() }, false)
		var err error
		if w.d, err = New(Options{Rules: []RuleSet{rules}, Clients: map[string]executor.Client{"momo": p}, Journal: w.j, NewOrder: scenarios.NewOrder}); err != nil {
			t.Fatal(err)
		}
		if w.in, err = w.d.Prepare(q); err != nil {
			t.Fatal(err)
		}
		w.id = ID(keyOf(&q.Payment))
		w.renew()
		for i := range 100 { // the provider looks for webhooks to send
			w.env.RegisterDelayedCallback(func() {
				for _, h := range p.Webhooks() {
					if h.Verified && !w.env.IsWorkflowCompleted() {
						w.env.SignalWorkflow(eventSignal, event{Kind: evReceived, Answer: (*stored.Answer)(h.Answer)})
					}
				}
			}, time.Duration(i)*50*time.Millisecond)
		}
		r, err := w.pay()
		if err != nil {
			t.Errorf("%s: %v", q.OrderID, err)
			continue
		}
		lines = append(lines, p.Line(&q, r.Outcome))
		if s, err := r.State(); err != nil || len(p.Mistaken(&s)) > 0 {
			t.Errorf("%s: %v; taken for not executed: %q", q.OrderID, err, p.Mistaken(&s))
		}
	}
	scenarios.Check(t, lines)
}
