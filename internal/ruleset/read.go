package ruleset

import (
	"github.com/recourse-pay/recourse/policy"
)

// Read decodes a raw body of a payment's provider, and says what the shopper must do next.
// A body that cannot be read is the fault unreadable in the answer, and an error with the reason.
func (e *Engine) Read(p *policy.Payment, ph policy.Phase, body []byte) (policy.Answer, policy.ShopperAction, error) {
	a := policy.Answer{Phase: ph}
	cat, err := e.Catalogs.Get(p.Provider)
	if err != nil {
		a.Fault = policy.Unreadable
		return a, policy.ShopperAction{}, err
	}
	a.Currency = p.Currency
	shopper, err := cat.Read(p.Operation, ph, body, &a)
	return a, shopper, err
}
