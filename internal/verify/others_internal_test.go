package verify

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// An answer in another currency is one whatever the payment's is.
func TestTheOtherCurrencyIsAnother(t *testing.T) {
	for _, c := range []string{"", "USD", "XTS", "xts", "XXX"} {
		if other := otherCurrency(&policy.Payment{Currency: c}); other == "" || strings.EqualFold(other, c) {
			t.Errorf("beside %q: %q", c, other)
		}
	}
}
