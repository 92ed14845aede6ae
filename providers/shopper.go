package providers

import "github.com/recourse-pay/recourse/policy"

// Read is [Catalog.DecodeMessage], and returns beside it what the shopper has to do next: a page to
// pay on, an app to open, a code to scan. The action is zero where the message or the catalogue
// names none. The body is parsed once.
func (c *Catalog) Read(op policy.Operation, ph policy.Phase, m *policy.Message, a *policy.Answer) (policy.ShopperAction, error) {
	return c.decode(op, ph, m, nil, a)
}

func (d *decoder) shopper(m *message) policy.ShopperAction {
	return policy.ShopperAction{
		PayURL:      d.text(m, fieldPayURL),
		Deeplink:    d.text(m, fieldDeeplink),
		QRCode:      d.text(m, fieldQRCode),
		RedirectURL: d.text(m, fieldRedirectURL),
		Token:       d.text(m, fieldToken),
	}
}
