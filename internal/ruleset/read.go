package ruleset

import (
	"github.com/recourse-pay/recourse/policy"
)

// Read decodes a raw body of a payment's provider into a, whose Phase says what it answers.
// A body that cannot be read is the fault unreadable in a, and an error that says why.
func (e *Engine) Read(p *policy.Payment, body []byte, a *policy.Answer) error {
	cat, err := e.Catalogs.Get(p.Provider)
	if err != nil {
		a.Fault = policy.Unreadable
		return err
	}
	if a.Currency == "" {
		a.Currency = p.Currency
	}
	return cat.Decode(p.Operation, a.Phase, body, a)
}

// Shopper returns what a raw body says that the shopper must do next.
func (e *Engine) Shopper(p *policy.Payment, ph policy.Phase, body []byte) policy.ShopperAction {
	cat, err := e.Catalogs.Get(p.Provider)
	if err != nil {
		return policy.ShopperAction{}
	}
	return cat.Shopper(p.Operation, ph, body)
}
