package providers_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

// SHOPLINE writes hundredths whatever the currency has; the answer holds minor units.
func TestAmountsInHundredths(t *testing.T) {
	tests := []struct {
		name, value, currency string
		want                  int64
	}{
		{"Taiwan dollars", `120050`, "TWD", 120050},
		{"as a string", `"120050"`, "TWD", 120050},
		{"as a number with decimals", `120050.00`, "TWD", 120050},
		{"rupiah", `1200000`, "IDR", 1200000},
		{"dong have no hundredths", `12000000`, "VND", 120000},
		{"a broken dong is not compared", `12000050`, "VND", policy.OddAmount},
		{"dinars have thousandths", `1250`, "KWD", 12500},
		{"half a hundredth of a dinar", `1250.5`, "KWD", 12505},
		{"half a hundredth of a dollar", `1250.5`, "TWD", policy.OddAmount},
		{"less than a dong", `50`, "VND", policy.OddAmount},
		{"an exponent is not read", `1e5`, "TWD", policy.OddAmount},
		{"a negative amount is not read", `-5`, "TWD", policy.OddAmount},
		{"nor one with commas", `"1,200"`, "TWD", policy.OddAmount},
		{"nor words", `"free"`, "TWD", policy.OddAmount},
		{"nor more than fits", `92233720368547758070`, "TWD", policy.OddAmount},
		{"nor more than fits once it is scaled", `9223372036854775800`, "KWD", policy.OddAmount},
		{"nearly the largest", `9223372036854775799`, "TWD", 9223372036854775799},
		{"null", `null`, "TWD", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"status":"SUCCEEDED","amount":{"value":%s,"currency":%q}}`, tt.value, tt.currency)
			var a policy.Answer
			if err := catalog(t, "shopline").Decode(pay, query, []byte(body), &a); err != nil {
				t.Fatal(err)
			}
			if a.Amount != tt.want || a.Currency != tt.currency {
				t.Errorf("%s reads as %d %s, want %d", body, a.Amount, a.Currency, tt.want)
			}
		})
	}
}

// MoMo writes whole units, and names no currency: it is the catalogue's.
func TestAmountsInWholeUnits(t *testing.T) {
	for value, want := range map[string]int64{
		`120000`: 120000, `"120000"`: 120000, `120000.0`: 120000, `120000.5`: policy.OddAmount, `0`: policy.OddAmount, `"007"`: 7,
	} {
		var a policy.Answer
		if err := catalog(t, "momo").Decode(pay, send, []byte(`{"amount":`+value+`}`), &a); err != nil || a.Amount != want {
			t.Errorf("%s reads as %d (%v), want %d", value, a.Amount, err, want)
		}
	}
}

// OPI writes hundredths and names no currency: it is the one that the caller knows.
func TestAmountsInACurrencyThatIsNotSaid(t *testing.T) {
	tests := []struct {
		name  string
		known string
		want  int64
	}{
		{"the caller knows ringgit", "MYR", 12000000},
		{"rupiah are whole, as Indonesia's pages have them", "IDR", 1200000000},
		{"the caller knows dong", "VND", 120000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := policy.Answer{Currency: tt.known}
			if err := catalog(t, "opi").Decode(payout, query, []byte(`{"code":10000,"data":{"amount":12000000}}`), &a); err != nil {
				t.Fatal(err)
			}
			if a.Amount != tt.want || a.Currency != tt.known {
				t.Errorf("reads as %d %s, want %d", a.Amount, a.Currency, tt.want)
			}
		})
	}
}

// PayKKa writes minor units.
func TestAmountsInMinorUnits(t *testing.T) {
	for currency, want := range map[string]int64{"USD": 100, "VND": 100, "kwd": 100, "CLF": 100} {
		a := policy.Answer{}
		body := fmt.Sprintf(`{"ret_code":"000000","data":{"amount":100,"currency":%q}}`, currency)
		if err := catalog(t, "paykka").Decode(pay, query, []byte(body), &a); err != nil || a.Amount != want || a.Currency != strings.ToUpper(currency) {
			t.Errorf("%s reads as %d %s (%v), want %d", body, a.Amount, a.Currency, err, want)
		}
	}
}

// An amount in a currency that ISO 4217 does not list cannot be compared, whichever side names it.
func TestAmountsInNoCurrency(t *testing.T) {
	for _, tt := range []struct{ provider, known, body string }{
		{"shopline", "TWD", `{"tradeOrderId":"t","status":"SUCCEEDED","amount":{"value":100,"currency":"TWX"}}`},
		{"paykka", "", `{"data":{"trans_id":"r","status":"SUCCESS","amount":100,"currency":"EURO"}}`},
		{"momo", "VNDD", `{"orderId":"o","amount":100,"resultCode":0}`},
	} {
		a := policy.Answer{Currency: tt.known}
		if err := catalog(t, tt.provider).Decode(pay, query, []byte(tt.body), &a); err != nil || !strings.Contains(a.SetAside, "no currency of ISO 4217") || a.Code+a.Status != "" {
			t.Errorf("%s gives %+v (%v); want it set aside", tt.body, a, err)
		}
	}
}

func TestHundredthsAreMinorUnitsOverThePowerOfTen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"TWD", "IDR", "USD", "VND", "JPY", "KWD"}).Draw(t, "currency")
		hundredths := rapid.Int64Range(1, 1e15).Draw(t, "hundredths")
		want := map[int]int64{0: hundredths / 100, 2: hundredths, 3: hundredths * 10}[decimalsOf(currency)]
		if decimalsOf(currency) == 0 && hundredths%100 != 0 {
			want = policy.OddAmount
		}
		var a policy.Answer
		body := fmt.Sprintf(`{"amount":{"value":%d,"currency":%q}}`, hundredths, currency)
		if err := catalog(t, "shopline").Decode(refund, send, []byte(body), &a); err != nil || a.Amount != want {
			t.Fatalf("%s reads as %d (%v), want %d", body, a.Amount, err, want)
		}
	})
}

func decimalsOf(currency string) int {
	n, _ := policy.Decimals(currency)
	return n
}
