package ruleset

import (
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Catalog returns the catalogue by which the answers to a payment are read. Of the payment, the provider
// and the merchant count.
func (e *Engine) Catalog(p *policy.Payment) (*providers.Catalog, error) {
	return e.Catalogs.Get(p.Provider)
}

// Read decodes a message of a payment's provider, and says what the shopper must do next.
// One that cannot be read is the fault unreadable in the answer, and an error with the reason. Of
// the headers it leaves those that the catalogue reads.
func (e *Engine) Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error) {
	a := policy.Answer{Phase: ph}
	cat, err := e.Catalog(p)
	if err != nil {
		a.Fault, m.Header = policy.Unreadable, nil
		return a, policy.ShopperAction{}, err
	}
	a.Currency = p.Currency
	m.Header = cat.Headers(p.Operation, ph, m.Header)
	shopper, err := cat.Read(p.Operation, ph, m, &a)
	return a, shopper, err
}
