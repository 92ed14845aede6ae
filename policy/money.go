package policy

import (
	"fmt"
	"strings"
)

// Exponent returns the number of decimals of an ISO 4217 currency: 2 unless the
// standard says otherwise.
func Exponent(currency string) int {
	switch strings.ToUpper(currency) {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// FormatAmount writes an amount of minor units with its currency: "1,200.50 TWD".
func FormatAmount(minor int64, currency string) string {
	return strings.TrimSpace(formatMinor(minor, currency) + " " + currency)
}

// formatMinor writes an amount of minor units without naming its currency: "1,200.50".
func formatMinor(minor int64, currency string) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	exp := Exponent(currency)
	unit := int64(1)
	for range exp {
		unit *= 10
	}
	whole := fmt.Sprint(minor / unit)
	var grouped strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			grouped.WriteByte(',')
		}
		grouped.WriteRune(r)
	}
	if exp > 0 {
		fmt.Fprintf(&grouped, ".%0*d", exp, minor%unit)
	}
	return sign + grouped.String()
}
