package stored

import (
	"strings"
	"unicode/utf8"
)

// longestText is how much of a provider's message is kept, in bytes. It is for people, and stands in the row
// as often as there is evidence.
const longestText = 500

// Text is what is kept of a provider's message: its beginning, without card numbers.
func Text(s string) string {
	if len(s) > longestText {
		end := longestText
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	return withoutCards(s)
}

// withoutCards replaces the digits of what may be a card number: 13 to 19 digits with a valid check digit,
// with blanks or hyphens between them. The last four stay.
func withoutCards(s string) string {
	var out []byte // nil: nothing was found
	for i := 0; i < len(s); i++ {
		if !digit(s[i]) || i > 0 && digit(s[i-1]) {
			continue
		}
		var at []int
		for k := i; k < len(s) && (digit(s[k]) || s[k] == ' ' || s[k] == '-'); k++ {
			if digit(s[k]) {
				at = append(at, k)
			}
		}
		for n := min(19, len(at)); n >= 13; n-- {
			if !luhn(s, at[:n]) {
				continue
			}
			if out == nil {
				out = []byte(s)
			}
			for _, k := range at[:n-4] {
				out[k] = '*'
			}
			i = at[n-1]
			break
		}
	}
	if out == nil {
		return s
	}
	return string(out)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// luhn reports whether digits end with the check digit that card numbers have.
func luhn(s string, at []int) bool {
	sum := 0
	for i := range at {
		d := int(s[at[len(at)-1-i]] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0 && strings.Trim(s[at[0]:at[len(at)-1]+1], "0 -") != ""
}
