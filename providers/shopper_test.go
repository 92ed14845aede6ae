package providers_test

import (
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

func TestShopper(t *testing.T) {
	link := policy.ShopperAction{PayURL: "https://p", Deeplink: "momo://p", QRCode: "https://q"}
	for _, tt := range []struct {
		name, provider string
		op             policy.Operation
		phase          policy.Phase
		body           string
		want           policy.ShopperAction
	}{
		{"MoMo's link", "momo", checkout, send, `{"resultCode":0,"payUrl":"https://p","deeplink":"momo://p","qrCodeUrl":"https://q"}`, link},
		{"as a JSON string", "momo", checkout, send, `"{\"payUrl\":\"https://p\",\"deeplink\":\"momo://p\",\"qrCodeUrl\":\"https://q\"}"`, link},
		{"a refusal has none", "momo", checkout, send, `{"resultCode":41,"payUrl":null}`, policy.ShopperAction{}},
		{"a notice has none", "momo", checkout, webhook, `{"resultCode":0,"payUrl":"https://p"}`, policy.ShopperAction{}},
		{"nothing to scan for a refund", "momo", refund, send, `{"resultCode":0,"payUrl":"https://p"}`, policy.ShopperAction{}},
		{"SHOPLINE's session", "shopline", checkout, send, `{"sessionId":"s","sessionUrl":"https://s"}`, policy.ShopperAction{PayURL: "https://s"}},
		{"and its query", "shopline", checkout, query, `{"sessionId":"s","sessionUrl":"https://s"}`, policy.ShopperAction{PayURL: "https://s"}},
		{"no document tells PayKKa's", "paykka", checkout, send, `{"data":{"session_url":"https://s"}}`, policy.ShopperAction{}},
		{"a page of a proxy", "momo", checkout, send, `<html></html>`, policy.ShopperAction{}},
		{"a list", "momo", checkout, send, `["payUrl"]`, policy.ShopperAction{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := shopperOf(catalog(t, tt.provider), tt.op, tt.phase, tt.body); got != tt.want {
				t.Errorf("%s\nsays %+v\nwant %+v", tt.body, got, tt.want)
			}
		})
	}
}

// Each key of a decode block fills its own field, through JSON in strings too, and in
// the operations and phases of its block alone.
func TestShopperKeys(t *testing.T) {
	for key, want := range map[string]policy.ShopperAction{
		"pay_url": {PayURL: "u"}, "deeplink": {Deeplink: "u"}, "qr_code": {QRCode: "u"},
		"redirect_url": {RedirectURL: "u"}, "token": {Token: "u"},
	} {
		t.Run(key, func(t *testing.T) {
			cs := with(t, "acme.toml", fmt.Sprintf("name = \"acme\"\noperations = [\"pay\", \"bind\"]\n"+
				"[[decode]]\noperation = \"pay\"\nphase = \"send\"\n%s = [\"a\", \"next.url\"]\nnot_about = \"other\"\n", key))
			c, _ := cs.Get("acme")
			for _, body := range []string{`{"a":"u"}`, `{"a":"","next":{"url":"u"}}`, `{"next":"{\"url\":\"u\"}"}`} {
				if got := shopperOf(c, pay, send, body); got != want {
					t.Errorf("%s says %+v, want %+v", body, got, want)
				}
				if got := shopperOf(c, pay, query, body); !got.IsZero() {
					t.Errorf("a query says %+v", got)
				}
				if got := shopperOf(c, bind, send, body); !got.IsZero() {
					t.Errorf("a binding says %+v", got)
				}
			}
			if got := shopperOf(c, pay, send, `{"a":"u","other":1}`); !got.IsZero() {
				t.Errorf("a body about something else says %+v", got)
			}
		})
	}
	want := `f.toml:4:1: unknown key "payurl"; did you mean "pay_url"?`
	if said := add(t, "[[decode]]\npayurl = \"u\"\n"); said != want {
		t.Errorf("said %s, want %s", said, want)
	}
}

func shopperOf(c *providers.Catalog, op policy.Operation, ph policy.Phase, body string) policy.ShopperAction {
	var a policy.Answer
	s, _ := c.Read(op, ph, &policy.Message{Body: []byte(body)}, &a)
	return s
}
