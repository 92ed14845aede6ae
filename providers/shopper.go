package providers

import (
	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// Shopper reads from a raw body what the shopper has to do next: a page to pay on, an app
// to open, a code to scan. It is zero where the body or the catalogue does not say, and
// for a body that is no JSON object. A JSON string is read as the raw body that it holds.
func (c *Catalog) Shopper(op policy.Operation, ph policy.Phase, body []byte) policy.ShopperAction {
	p := parsers.Get()
	defer parsers.Put(p)
	v, err := p.ParseBytes(body)
	if err != nil {
		return policy.ShopperAction{}
	}
	if v.Type() == fastjson.TypeString {
		return c.Shopper(op, ph, v.GetStringBytes())
	}
	d := &c.decoders[op][ph]
	if d.text(v, fieldNotAbout, "") != "" {
		return policy.ShopperAction{} // it says nothing of this operation
	}
	return policy.ShopperAction{
		PayURL:      d.text(v, fieldPayURL, ""),
		Deeplink:    d.text(v, fieldDeeplink, ""),
		QRCode:      d.text(v, fieldQRCode, ""),
		RedirectURL: d.text(v, fieldRedirectURL, ""),
		Token:       d.text(v, fieldToken, ""),
	}
}
