// Package scenarios holds one set of payments, with the faults that meet them, which every driver of the machine has to bring
// to the same ends: the executor without a journal and with each journal, and durable/temporal.
//
// The provider is that of internal/emulation. What becomes of an order follows from its id and the seed, not from a clock
// or from other orders. So a driver may use one provider for all payments, or one for each.
//
// What must not enter: a driver. Each runs the scenarios in a test of its own package, and calls [Check].
package scenarios

import (
	"context"
	_ "embed" // the faults, the rules and the outcomes
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

//go:embed faults.toml
var faults []byte

//go:embed rules.toml
var rules []byte

//go:embed outcomes.txt
var outcomes string

// kinds are the payments, by the beginning of their order's id, which the faults name.
var kinds = []string{"calm", "drop", "twice", "answerless", "late", "reset", "error", "refused", "hidden", "webhook", "silent", "mute", "rough"}

// eachKind is how many payments there are of each kind. They differ in what their ids draw.
const eachKind = 4

// patience is how long the client waits for an answer: the timeout of the rules.
const patience = 700 * time.Millisecond

// Rules are those of the scenarios.
func Rules(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := engine.OpenFS(fstest.MapFS{"merchants/shop.toml": {Data: rules}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Payments are the requests.
func Payments() []executor.Request {
	var all []executor.Request
	for _, kind := range kinds {
		for i := range eachKind {
			name := fmt.Sprintf("%s-%d", kind, i+1)
			all = append(all, executor.Request{
				Payment: policy.Payment{Provider: "momo", Merchant: "shop", Operation: policy.Pay, Key: name, Amount: 120_000, Currency: "VND"},
				OrderID: name, RequestID: "r-" + name,
			})
		}
	}
	return all
}

// NewOrder makes the next order of a payment.
func NewOrder(_ context.Context, p *policy.Payment, ledger []flow.Identity) (string, error) {
	return fmt.Sprintf("%s.%d", p.Key, len(ledger)+1), nil
}

// Provider plays the provider, and is its client.
type Provider struct {
	now   func() time.Time
	sleep bool
	stall func(*executor.Attempt) time.Duration // from the decision to send to the moment at which the request leaves, as on a busy machine; nil: 0
	of    *emulation.Provider
}

// NewProvider makes a provider on a clock. sleep: calls take their time.
func NewProvider(t testing.TB, now func() time.Time, sleep bool) *Provider {
	t.Helper()
	plan, err := emulation.ReadPlan("faults.toml", faults)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := Rules(t).Catalogs.Get("momo")
	if err != nil {
		t.Fatal(err)
	}
	return &Provider{now: now, sleep: sleep, of: emulation.NewProvider(catalog, &emulation.Options{Plan: plan, Seed: 17})}
}

// Send implements [executor.Client].
func (p *Provider) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	if p.stall != nil {
		time.Sleep(p.stall(a))
	}
	at := p.now()
	if p.sleep {
		if err := ctx.Err(); err != nil {
			return executor.Reply{}, fmt.Errorf("%w: %w", executor.ErrNotSent, err)
		}
		// The emulator lets a late request arrive some time after the client's patience. The contract counts that time from the
		// deadline, which stood before the row was written: on a busy machine well before now.
		if decided := a.Deadline.Add(-patience); decided.Before(at) {
			at = decided
		}
	}
	return p.call(ctx, at, providers.Request{
		Phase: policy.Send, Operations: []policy.Operation{a.Payment.Operation}, OrderID: a.OrderID, RequestID: a.RequestID,
		Amount: a.Payment.Amount, Currency: a.Payment.Currency,
	})
}

// Query implements [executor.Client].
func (p *Provider) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return p.call(ctx, p.now(), providers.Request{Phase: policy.Query, Operations: []policy.Operation{a.Payment.Operation}, OrderID: a.OrderID})
}

func (p *Provider) call(ctx context.Context, at time.Time, r providers.Request) (executor.Reply, error) {
	d := p.of.Call(at, r).Within(at.Add(patience))
	if p.sleep {
		select {
		case <-time.After(d.ReceivedAt.Sub(p.now())):
		case <-ctx.Done():
			return executor.Reply{}, ctx.Err()
		}
	}
	reply := executor.Reply{HTTPStatus: d.Answer.HTTPStatus, Header: d.Header, Body: d.Body}
	switch d.Answer.Fault {
	case policy.NotSent:
		return executor.Reply{}, fmt.Errorf("%w: the connection was refused", executor.ErrNotSent)
	case policy.Timeout:
		return executor.Reply{}, context.DeadlineExceeded
	case policy.Reset:
		return executor.Reply{}, errors.New("the connection was reset")
	default: // a page that cannot be read is a body
	}
	return reply, nil
}

// Webhooks are those that were sent by now, each once.
func (p *Provider) Webhooks() (all []executor.Webhook) {
	for {
		h, ok := p.of.NextWebhook(p.now())
		if !ok {
			return all
		}
		answer := h.Answer
		all = append(all, executor.Webhook{Provider: "momo", Merchant: "shop", Answer: &answer, Verified: answer.Verified})
	}
}

// Line says how a payment ended, and what it executed.
func (p *Provider) Line(q *executor.Request, o policy.Outcome) string {
	executed := 0
	for _, e := range p.of.Ledger(p.now().Add(time.Hour)) { // what is on its way comes too
		if e.OrderID == q.OrderID || strings.HasPrefix(e.OrderID, q.OrderID+".") {
			executed++
		}
	}
	return fmt.Sprintf("%s %s, executed %d", q.OrderID, o, executed)
}

// Mistaken are the requests of which a flow holds for certain that they did not execute, and which did. That is a mistake also
// where the payment ends well: with one answer less it would have failed.
func (p *Provider) Mistaken(s *flow.State) (all []string) {
	for _, e := range p.of.Ledger(p.now().Add(time.Hour)) {
		for i := range s.Ledger {
			if id := &s.Ledger[i]; id.OrderID == e.OrderID && id.RequestID == e.RequestID && id.Sends > 0 && id.Effect == policy.NotExecuted {
				all = append(all, id.OrderID+" "+id.RequestID)
			}
		}
	}
	return all
}

// Check compares the lines of all payments with the outcomes that every driver has to reach.
func Check(t testing.TB, lines []string) {
	t.Helper()
	want := strings.Split(strings.TrimSpace(outcomes), "\n")
	slices.Sort(lines)
	for i, line := range lines {
		if !slices.Contains(want, line) {
			t.Errorf("another outcome than that of the other drivers: %s", line)
		}
		if i > 0 && line == lines[i-1] {
			t.Errorf("there twice: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("not there: %s", line)
		}
	}
}
