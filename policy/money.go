package policy

import (
	_ "embed" // of the table of currencies
	"fmt"
	"strings"
)

// Decimals returns how many decimals an ISO 4217 currency has. known is false for a code that
// the standard does not list: amounts in it can be neither converted nor compared. Upper and
// lower case are the same.
func Decimals(currency string) (decimals int, known bool) {
	var code [3]byte
	if len(currency) != len(code) {
		return 0, false
	}
	for i := range code {
		code[i] = currency[i]
		if 'a' <= code[i] && code[i] <= 'z' {
			code[i] -= 'a' - 'A'
		}
	}
	decimals, known = decimalsOf[code]
	return decimals, known
}

// decimalsOf are the decimals of each currency in the table.
var decimalsOf = func() map[[3]byte]int {
	all := map[[3]byte]int{}
	for line := range strings.SplitSeq(currencies, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		for i := 2; i+3 <= len(line); i += 4 { // a digit, then each code after a space
			all[[3]byte([]byte(line[i:i+3]))] = int(line[0] - '0')
		}
	}
	return all
}()

//go:embed currencies.txt
var currencies string

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
	exp, known := Decimals(currency)
	if !known {
		exp = 2 // for the reader's eye only
	}
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
