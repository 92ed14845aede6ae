package redact

import (
	"strings"
	"unicode/utf8"
)

// A card number has from 13 to 19 digits; people write it in groups.
const (
	minCard = 13
	maxCard = 19
	maxGap  = 3 // characters between two groups, as in " - "
)

// group is a run of digits in a text.
type group struct{ from, to int }

func (g group) len() int { return g.to - g.from }

// maskCards replaces what looks like a card number: digits, whole or in groups, that pass
// the Luhn check. A longer run of digits may hold one and is replaced as well.
func maskCards(s string) string {
	groups := digitGroups(s)
	if len(groups) == 0 {
		return s
	}
	var b strings.Builder
	done := 0
	for i := range groups {
		n := cardAt(s, groups[i:])
		if n == 0 {
			continue
		}
		if from := groups[i].from; from >= done { // else two that may be one overlap
			b.WriteString(s[done:from])
			b.WriteString(Mark)
		}
		done = max(done, groups[i+n-1].to)
	}
	b.WriteString(s[done:])
	return b.String()
}

// cardAt returns how many of the first groups make a card number; 0: none.
func cardAt(s string, groups []group) int {
	if groups[0].len() > maxCard {
		return 1
	}
	var digits []byte
	found := 0
	for n, g := range groups {
		if n > 0 && !gap(s[groups[n-1].to:g.from]) || len(digits)+g.len() > maxCard {
			break
		}
		digits = append(digits, s[g.from:g.to]...)
		if len(digits) >= minCard && luhn(digits) {
			found = n + 1 // the longest counts: it covers the shorter ones
		}
	}
	return found
}

func digitGroups(s string) []group {
	var all []group
	total := 0
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			continue
		}
		from := i
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		all = append(all, group{from, i})
		total += i - from
	}
	if total < minCard {
		return nil
	}
	return all
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// gap reports whether a text is what stands between the groups of one number.
func gap(s string) bool {
	n := utf8.RuneCountInString(s)
	return n <= maxGap && strings.Trim(s, " \t-._+\u00a0\u2009\u202f\u2010\u2011\u2013") == ""
}

func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
