package ruletest

import (
	"errors"
	"strings"
	"unicode"
)

// spoken is a word of a line and the rune at which it begins.
type spoken struct {
	text string
	at   int
	body bool // the raw body, to the end of the line
}

var errQuote = errors.New("a quote is not closed")

// split takes a line apart at its blanks. A text in double quotes holds together; a word that
// begins with { or < is a raw body, and goes on to the end.
func split(line string) ([]spoken, error) {
	var words []spoken
	runes := []rune(line)
	for i := 0; i < len(runes); {
		if unicode.IsSpace(runes[i]) {
			i++
			continue
		}
		if runes[i] == '{' || runes[i] == '<' {
			return append(words, spoken{strings.TrimSpace(string(runes[i:])), i, true}), nil
		}
		from, quoted := i, false
		for ; i < len(runes) && (quoted || !unicode.IsSpace(runes[i])); i++ {
			if runes[i] == '"' {
				quoted = !quoted
			}
		}
		if quoted {
			return nil, errQuote
		}
		words = append(words, spoken{text: string(runes[from:i]), at: from})
	}
	return words, nil
}

// unquote takes the quotes off that hold a text together.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
