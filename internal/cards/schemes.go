package cards

import "strings"

// scheme is the beginnings, by their first four digits, that schemes give to card numbers, and how long those are.
type scheme struct{ from, to, least, most int }

// From the schemes' published ranges (ISO/IEC 7812), the narrower ones within the wider left out.
var schemes = []scheme{
	{4000, 4999, 13, 19},                       // Visa
	{5100, 5599, 16, 16}, {2221, 2720, 16, 16}, // Mastercard
	{3400, 3499, 15, 15}, {3700, 3799, 15, 15}, // American Express
	{3000, 3059, 14, 19}, {3095, 3095, 14, 19}, // Diners
	{3600, 3699, 14, 19}, {3800, 3999, 14, 19}, // Diners
	{3528, 3589, 16, 19},                       // JCB
	{5000, 5099, 13, 19}, {5600, 5899, 13, 19}, // Maestro
	{6000, 6999, 13, 19}, {8100, 8299, 16, 19}, // Discover, UnionPay, RuPay, Maestro
	{2200, 2204, 16, 19}, {9704, 9704, 16, 19}, // Mir, Napas
	{9792, 9792, 16, 16}, // Troy
}

// Replace writes another text in place of each number that a scheme may have given to a card: digits, whole or in groups with a space or
// a hyphen between them, with a scheme's beginning and length, that pass the Luhn check. [Mask] takes more for a card number: it
// is for texts, while names are compared, and a name that is cut is none.
func Replace(s string, by func(digits []byte) string) string {
	groups := digitGroups(s)
	var b strings.Builder
	done := 0
	for i := 0; i < len(groups); {
		n, digits := schemeAt(s, groups[i:])
		if n == 0 {
			i++
			continue
		}
		b.WriteString(s[done:groups[i].from])
		b.WriteString(by(digits))
		done = groups[i+n-1].to
		i += n
	}
	b.WriteString(s[done:])
	return b.String()
}

// schemeAt returns how many of the first groups make a scheme's number, and its digits; 0: none.
func schemeAt(s string, groups []group) (found int, number []byte) {
	var digits []byte
	for n, g := range groups {
		if n > 0 {
			if between := s[groups[n-1].to:g.from]; between != " " && between != "-" {
				break
			}
		}
		if digits = append(digits, g.digits...); len(digits) > maxCard {
			break
		}
		if isOfScheme(digits) && luhn(digits) {
			found, number = n+1, digits[:len(digits):len(digits)]
		}
	}
	return found, number
}

func isOfScheme(digits []byte) bool {
	if len(digits) < minCard {
		return false
	}
	first := 0
	for _, d := range digits[:4] {
		first = first*10 + int(d)
	}
	for _, s := range schemes {
		if s.from <= first && first <= s.to && s.least <= len(digits) && len(digits) <= s.most {
			return true
		}
	}
	return false
}
