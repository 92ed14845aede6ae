package ruleset

import (
	"github.com/recourse-pay/recourse/policy"
)

// Read decodes a message of a payment's provider, and says what the shopper must do next.
// One that cannot be read is the fault unreadable in the answer, and an error with the reason. Of
// the headers it leaves those that the catalogue reads.
func (e *Engine) Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error) {
	a := policy.Answer{Phase: ph}
	cat, err := e.Catalogs.Get(p.Provider)
	if err != nil {
		a.Fault, m.Header = policy.Unreadable, nil
		return a, policy.ShopperAction{}, err
	}
	a.Currency = p.Currency
	m.Header = cat.Headers(p.Operation, ph, m.Header)
	shopper, err := cat.Read(p.Operation, ph, m, &a)
	return a, shopper, err
}
