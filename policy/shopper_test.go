package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

func TestShopperAction(t *testing.T) {
	if !(policy.ShopperAction{}).IsZero() {
		t.Error("nothing to do is not zero")
	}
	for _, tt := range []struct {
		action policy.ShopperAction
		json   string
	}{
		{policy.ShopperAction{}, `{}`},
		{policy.ShopperAction{PayURL: "u"}, `{"pay_url":"u"}`},
		{policy.ShopperAction{Deeplink: "u"}, `{"deeplink":"u"}`},
		{policy.ShopperAction{QRCode: "u"}, `{"qr_code":"u"}`},
		{policy.ShopperAction{RedirectURL: "u"}, `{"redirect_url":"u"}`},
		{policy.ShopperAction{Token: "u"}, `{"token":"u"}`},
	} {
		if got, err := json.Marshal(tt.action); err != nil || string(got) != tt.json {
			t.Errorf("%+v is written %s (%v), want %s", tt.action, got, err, tt.json)
		}
		if tt.action.IsZero() != (tt.json == "{}") {
			t.Errorf("%+v: IsZero is %v", tt.action, tt.action.IsZero())
		}
	}
}
