package providers

import (
	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// Read is [Catalog.Decode], and returns beside it what the shopper has to do next: a page to
// pay on, an app to open, a code to scan. The action is zero where the body or the catalogue
// names none. The body is parsed once.
func (c *Catalog) Read(op policy.Operation, ph policy.Phase, body []byte, a *policy.Answer) (policy.ShopperAction, error) {
	v, release, err := parse(body)
	if err != nil {
		a.Phase, a.Fault = ph, policy.Unreadable
		return policy.ShopperAction{}, err
	}
	defer release()
	if v.Type() == fastjson.TypeString { // a raw body within a JSON string
		return c.Read(op, ph, v.GetStringBytes(), a)
	}
	if err := c.DecodeValue(op, ph, v, a); err != nil {
		return policy.ShopperAction{}, err
	}
	return c.shopper(op, ph, v), nil
}

func (c *Catalog) shopper(op policy.Operation, ph policy.Phase, v *fastjson.Value) policy.ShopperAction {
	d := &c.decoders[op][ph]
	if d.text(v, fieldNotAbout) != "" {
		return policy.ShopperAction{} // the body is about another operation
	}
	return policy.ShopperAction{
		PayURL:      d.text(v, fieldPayURL),
		Deeplink:    d.text(v, fieldDeeplink),
		QRCode:      d.text(v, fieldQRCode),
		RedirectURL: d.text(v, fieldRedirectURL),
		Token:       d.text(v, fieldToken),
	}
}
