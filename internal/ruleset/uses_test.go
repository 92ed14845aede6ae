package ruleset

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

func TestUnknownProviderOfAMerchant(t *testing.T) {
	_, err := opening(folder(t, map[string]string{"merchants/acme.toml": "[merchant]\nproviders = ['opi', 'mmo']\n"}))
	if want := `merchants/acme.toml:2:21: unknown provider "mmo"; did you mean "momo"?`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// What the proof leaves out, the engine refuses before anything is sent.
func TestPaymentAtAProviderThatIsNotUsed(t *testing.T) {
	e := opened(t, map[string]string{"merchants/acme.toml": "[merchant]\nproviders = ['opi']\n"})
	at := func(provider, merchant string) *policy.Payment {
		p := paying(provider, merchant)
		p.Operation = policy.Refund
		return &p
	}
	for _, p := range []*policy.Payment{at("opi", "acme"), at("momo", "other"), at("momo", "")} {
		if err := e.Check(p); err != nil {
			t.Errorf("%s at %s: %v", p.Merchant, p.Provider, err)
		}
	}
	want := `merchant acme does not use provider momo (`
	if err := e.Check(at("momo", "acme")); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "acme.toml:2:14") {
		t.Errorf("the error is %v, want %s", err, want)
	}
	if _, err := e.For(at("momo", "acme")); err == nil {
		t.Error("For gives no error")
	}
}

func TestARuleForAProviderThatIsNotUsedIsDoubtful(t *testing.T) {
	e := opened(t, map[string]string{"merchants/acme.toml": "[merchant]\nproviders = ['opi', 'momo']\n" + rule("ours", `provider in ["opi", "paykka"]`, "escalate")})
	var got []string
	for _, w := range e.Warnings {
		got = append(got, w.Error())
	}
	want := `acme.toml:5:31: rule "ours" names provider "paykka", which the merchant does not use: [merchant] lists opi, momo`
	if len(got) != 1 || !strings.HasSuffix(got[0], want) {
		t.Errorf("the warnings are %q, want %s", got, want)
	}
}
