package ruleset

import (
	"slices"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Catalog returns the catalogue by which the answers to a payment are read. Of the payment, the provider
// and the merchant count.
func (e *Engine) Catalog(p *policy.Payment) (*providers.Catalog, error) {
	cat, err := e.Catalogs.Get(p.Provider)
	if err != nil {
		return nil, err
	}
	if at := e.Rules.Deployment(p.Merchant, p.Provider); at != "" {
		if d, ok := cat.Deployment(at); ok { // else the rules were refused
			return d, nil
		}
	}
	return cat, nil
}

// CatalogsOf returns every catalogue by which the answers of a provider to the payments of some merchants are read: the
// provider's own first, and then those of its deployments that a merchant has chosen.
func (e *Engine) CatalogsOf(provider string, merchants []string) []*providers.Catalog {
	var all []*providers.Catalog
	if cat, err := e.Catalogs.Get(provider); err == nil {
		all = append(all, cat)
	}
	for _, m := range merchants {
		if e.Rules.Deployment(m, provider) == "" {
			continue // there may be a great many
		}
		if cat, err := e.Catalog(&policy.Payment{Provider: provider, Merchant: m}); err == nil && !slices.Contains(all, cat) {
			all = append(all, cat)
		}
	}
	return all
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
