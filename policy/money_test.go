package policy_test

import (
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

func TestFormatAmount(t *testing.T) {
	tests := []struct {
		name     string
		minor    int64
		currency string
		want     string
	}{
		{"dong have no decimals", 120000, "VND", "120,000 VND"},
		{"three digits need no comma", 999, "VND", "999 VND"},
		{"Taiwan dollars have two", 120050, "TWD", "1,200.50 TWD"},
		{"decimals are padded", 5, "TWD", "0.05 TWD"},
		{"rupiah have two", 1234567890, "IDR", "12,345,678.90 IDR"},
		{"dinars have three", 1234567, "KWD", "1,234.567 KWD"},
		{"less than a dinar", 7, "KWD", "0.007 KWD"},
		{"zero", 0, "VND", "0 VND"},
		{"zero with decimals", 0, "TWD", "0.00 TWD"},
		{"negative", -120050, "TWD", "-1,200.50 TWD"},
		{"negative below one", -5, "TWD", "-0.05 TWD"},
		{"negative, grouped", -1000, "VND", "-1,000 VND"},
		{"the largest", 9223372036854775807, "VND", "9,223,372,036,854,775,807 VND"},
		{"an absent currency has two decimals", 1250, "", "12.50"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := policy.FormatAmount(tt.minor, tt.currency); got != tt.want {
				t.Errorf("FormatAmount(%d, %q) = %q, want %q", tt.minor, tt.currency, got, tt.want)
			}
		})
	}
}

func TestDecimals(t *testing.T) {
	for currency, want := range map[string]int{
		"VND": 0, "vnd": 0, "JPY": 0, "KRW": 0, "CLP": 0, "UYI": 0, "TWD": 2, "IDR": 2, "USD": 2, "usd": 2, "XXX": 2, "ZWG": 2,
		"KWD": 3, "Bhd": 3, "TND": 3, "CLF": 4, "UYW": 4, "uyw": 4,
	} {
		if got, known := policy.Decimals(currency); got != want || !known {
			t.Errorf("Decimals(%q) = %d, %v, want %d", currency, got, known, want)
		}
	}
	for _, currency := range []string{"", "???", "ABC", "US", "USDT", "EURO", " EUR", "DEM", "ITL", "\u0130DR"} {
		if got, known := policy.Decimals(currency); known || got != 0 {
			t.Errorf("Decimals(%q) = %d, %v; ISO 4217 does not list it", currency, got, known)
		}
	}
}
