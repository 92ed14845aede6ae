package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/internal/recorded"
)

// Hider takes card numbers out of the names of a line. A mapping may take a card number for a name, and names are compared: so each number
// becomes a name of its own, the same in the whole import. Whoever has the recording cannot try out numbers, for the key is gone.
type Hider struct {
	key  [32]byte
	hits int
}

// NewHider returns one with a key of its own.
func NewHider() *Hider {
	h := &Hider{}
	_, _ = rand.Read(h.key[:]) // never fails
	return h
}

// Hide replaces the card numbers in all texts of a line. It reports whether there was one.
func (h *Hider) Hide(l *recorded.Line) bool {
	before := h.hits
	p, a := &l.Payment, &l.Answer
	for _, s := range []*string{
		&l.Flow, &p.Merchant, &p.Key, &p.Currency, &l.OrderID, &l.RequestID, &l.ProviderID, &l.Query,
		&a.Code, &a.SubCode, &a.Status, &a.SubStatus, &a.Message,
	} {
		*s = h.text(*s)
	}
	for i := range l.Executions {
		x := &l.Executions[i]
		x.OrderID, x.RequestID = h.text(x.OrderID), h.text(x.RequestID)
	}
	for name, value := range l.Header {
		l.Header[name] = h.text(value)
	}
	if len(l.Body) > 0 {
		l.Body = h.json(nil, l.Body)
	}
	return h.hits > before
}

func (h *Hider) text(s string) string {
	return cards.Replace(s, func(digits []byte) string {
		h.hits++
		m := hmac.New(sha256.New, h.key[:])
		m.Write(digits)
		return "card-" + letters(m.Sum(nil)[:10])
	})
}

// json appends JSON in which the card numbers are replaced: those in texts, in JSON within texts, and numbers, which become texts.
func (h *Hider) json(dst, raw []byte) []byte {
	for len(raw) > 0 {
		n := 1
		switch c := raw[0]; {
		case c == '"':
			n = textLength(raw)
			dst = h.quoted(dst, raw[:n])
		case '0' <= c && c <= '9':
			if n = bytes.IndexFunc(raw, func(c rune) bool { return !strings.ContainsRune("0123456789.eE+-", c) }); n < 0 {
				n = len(raw)
			}
			if name := h.text(string(raw[:n])); name != string(raw[:n]) {
				dst = recorded.AppendString(dst, name)
			} else {
				dst = append(dst, raw[:n]...)
			}
		default:
			dst = append(dst, c)
		}
		raw = raw[n:]
	}
	return dst
}

// quoted appends a JSON string.
func (h *Hider) quoted(dst, raw []byte) []byte {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return append(dst, raw...)
	}
	var is string
	if inner := strings.TrimSpace(text); (strings.HasPrefix(inner, "{") || strings.HasPrefix(inner, "[")) && fastjson.Validate(inner) == nil {
		is = string(h.json(nil, []byte(text)))
	} else {
		is = h.text(text)
	}
	if is == text {
		return append(dst, raw...)
	}
	return recorded.AppendString(dst, is)
}

// textLength is how long the JSON string is with which some JSON begins.
func textLength(raw []byte) int {
	for i := 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}
