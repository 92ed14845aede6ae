package emulator

import (
	"time"

	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Plan says what becomes of payments and which faults occur. Read it from a fault file with
// [ReadPlan]. It is read-only and may serve several providers. The zero value is a provider
// where every payment executes at once and no fault occurs.
type Plan struct{ plan emulation.Plan }

// ReadPlan reads a fault file in the form of docs/emulate.md. file is its name in
// mistakes. The error is a [policy.Mistakes].
func ReadPlan(file string, data []byte) (*Plan, error) {
	plan, err := emulation.ReadPlan(file, data)
	if err != nil {
		return nil, err
	}
	return &Plan{plan: *plan}, nil
}

// Options are what a [Provider] is made with. The zero value is a provider without faults.
type Options struct {
	Plan  *Plan     // nil: no faults
	Seed  uint64    // of all randomness
	Start time.Time // from when repeating maintenance counts; zero: from the first call
}

// withDefaults is a copy in which nothing is nil.
func (o *Options) withDefaults() Options {
	var all Options
	if o != nil {
		all = *o
	}
	if all.Plan == nil {
		all.Plan = &Plan{}
	}
	return all
}

// Provider is a payment provider: its payments, its faults and its ledger. What becomes of
// an order follows from the plan, the seed and the order's own calls. Other orders do not
// change it, except by rate limits and by faults that are counted over the provider. It is
// safe for concurrent use.
type Provider struct {
	catalog *providers.Catalog
	core    *emulation.Provider
}

// NewProvider makes the provider of a catalogue. o may be nil.
func NewProvider(catalog *providers.Catalog, o *Options) *Provider {
	all := o.withDefaults()
	return &Provider{catalog: catalog, core: emulation.NewProvider(catalog, &emulation.Options{
		Plan: &all.Plan.plan, Seed: all.Seed, Start: all.Start,
	})}
}

// Execution is one movement of money, or whatever else an operation brings about.
type Execution struct {
	Operation  policy.Operation `json:"operation"`
	OrderID    string           `json:"order_id"`
	RequestID  string           `json:"request_id"`
	ProviderID string           `json:"provider_id"`
	Amount     int64            `json:"amount"` // ISO 4217 minor units; 0: the request named none
	Currency   string           `json:"currency,omitempty"`
	At         time.Time        `json:"at"`
}

// Ledger lists what has executed by a time, in the order of arrival. A payment that was
// charged twice stands in it twice.
func (p *Provider) Ledger(until time.Time) []Execution {
	return executions(p.core.Ledger(until))
}

// Account is a provider's ledger and how it was called.
type Account struct {
	Provider   string         `json:"provider"`
	Calls      int            `json:"calls"`
	Orders     int            `json:"orders"`  // that were named
	Pending    int            `json:"pending"` // transactions that have not ended
	Faults     map[string]int `json:"faults"`  // how often each occurred
	Executions []Execution    `json:"executions"`
}

// Account returns the ledger and the counts at a time.
func (p *Provider) Account(at time.Time) Account {
	a := p.core.Account(at)
	return Account{
		Provider: a.Provider, Calls: a.Calls, Orders: a.Orders, Pending: a.Pending, Faults: a.Faults,
		Executions: executions(a.Executions),
	}
}

func executions(all []emulation.Execution) []Execution {
	list := make([]Execution, len(all))
	for i, x := range all {
		list[i] = Execution(x)
	}
	return list
}
