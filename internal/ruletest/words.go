package ruletest

import (
	"errors"
	"strings"
	"unicode"
)

// token is a word of a line and the offset of its first rune.
type token struct {
	text string
	at   int
	body bool // a raw body, which extends to the end of the line
}

var errQuote = errors.New("a quote is not closed")

// split splits a line at blanks. A text in double quotes is one word. A word that begins with
// { or < is a raw body, which extends to the end of the line.
func split(line string) ([]token, error) {
	var words []token
	runes := []rune(line)
	for i := 0; i < len(runes); {
		if unicode.IsSpace(runes[i]) {
			i++
			continue
		}
		if runes[i] == '{' || runes[i] == '<' {
			return append(words, token{strings.TrimSpace(string(runes[i:])), i, true}), nil
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
		words = append(words, token{text: string(runes[from:i]), at: from})
	}
	return words, nil
}

// unquote removes the double quotes around a text.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
