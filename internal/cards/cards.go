// Package cards takes card numbers out of texts.
package cards

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A card number has from 13 to 19 digits; people write it in groups.
const (
	minCard = 13
	maxCard = 19
)

// How many characters may stand between two groups of one number.
const (
	narrowGap = 3  // of signs and spaces, as in " - ": of texts by which a payment is judged
	wideGap   = 12 // of anything but digits: of texts for people, in which any sign may be meant
)

// group is a run of digits in a text, in whatever script they are written.
type group struct {
	from, to int
	digits   []byte
}

// Marked stands in place of a card number.
const Marked = "…redacted…"

// Mask takes card numbers out of a text by which a payment is judged: digits, whole or in groups with a sign or a space
// between them, that pass the Luhn check. A longer run of digits may hold one and is replaced as well.
func Mask(s string) string { return mask(s, narrowGap) }

// MaskProse is Mask of a text for people, in which other signs may stand within a number.
func MaskProse(s string) string { return mask(s, wideGap) }

func mask(s string, widest int) string {
	groups := digitGroups(s)
	if len(groups) == 0 {
		return s
	}
	var b strings.Builder
	done := 0
	for i := range groups {
		n := cardAt(s, groups[i:], widest)
		if n == 0 {
			continue
		}
		if from := groups[i].from; from >= done { // else two that may be one overlap
			b.WriteString(s[done:from])
			b.WriteString(Marked)
		}
		done = max(done, groups[i+n-1].to)
	}
	b.WriteString(s[done:])
	return b.String()
}

// Hidden reports whether a text has a card number in its escapes.
func Hidden(s string) bool {
	for range maxEscapes {
		plain := unescaped(s)
		if plain == s {
			return false
		}
		if s = plain; mask(s, wideGap) != s {
			return true
		}
	}
	return true
}

// maxEscapes bounds escapes in escapes.
const maxEscapes = 4

var escapes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|&#x[0-9A-Fa-f]{1,5};|&#[0-9]{1,6};`)
})

// unescaped is a text without the escapes of a URL, of JSON and of a page, also where some are broken.
func unescaped(s string) string {
	if !strings.ContainsAny(s, `%\&`) { // no escape begins otherwise, and a look by the expression costs far more
		return s
	}
	return escapes().ReplaceAllStringFunc(s, func(e string) string {
		digits, base := strings.TrimRight(strings.TrimLeft(e, `%\&#ux`), ";"), 16
		if strings.HasPrefix(e, "&#") && !strings.HasPrefix(e, "&#x") {
			base = 10
		}
		n, err := strconv.ParseInt(digits, base, 32)
		if err != nil {
			return e
		}
		return string(rune(n))
	})
}

// cardAt returns how many of the first groups make a card number; 0: none.
func cardAt(s string, groups []group, widest int) int {
	if len(groups[0].digits) > maxCard {
		return 1
	}
	var digits []byte
	found := 0
	for n, g := range groups {
		if n > 0 && !gap(s[groups[n-1].to:g.from], widest) || len(digits)+len(g.digits) > maxCard {
			break
		}
		digits = append(digits, g.digits...)
		if len(digits) >= minCard && luhn(digits) {
			found = n + 1 // the longest counts: it covers the shorter ones
		}
	}
	return found
}

func digitGroups(s string) []group {
	var all []group
	total, within := 0, false
	for i, c := range s {
		d, is := digit(c)
		if is && !within {
			all = append(all, group{from: i, to: i})
		}
		if within = is; !is {
			continue
		}
		g := &all[len(all)-1]
		g.to, g.digits = i+utf8.RuneLen(c), append(g.digits, d)
		total++
	}
	if total < minCard {
		return nil
	}
	return all
}

// digit is a decimal digit of any script: Unicode has the ten of each in one run that begins with the zero.
func digit(c rune) (d byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return byte(c - '0'), true
	case c < utf8.RuneSelf || !unicode.Is(unicode.Nd, c):
		return 0, false
	}
	for _, r := range unicode.Nd.R16 {
		if uint16(c) >= r.Lo && c <= 0xffff && uint16(c) <= r.Hi {
			return byte((uint16(c) - r.Lo) % 10), true
		}
	}
	for _, r := range unicode.Nd.R32 {
		if uint32(c) >= r.Lo && uint32(c) <= r.Hi {
			return byte((uint32(c) - r.Lo) % 10), true
		}
	}
	return 0, false
}

// gap reports whether a text is what stands between the groups of one number.
func gap(s string, widest int) bool {
	n := 0
	for _, c := range s {
		if n++; n > widest || widest == narrowGap && (unicode.IsLetter(c) || c == ':' || c == ',') {
			return false
		}
	}
	return true
}

func luhn(digits []byte) bool { // 0 to 9
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i])
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
