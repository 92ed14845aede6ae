// Package redact takes secrets, card numbers and what is private out of bodies, headers and forms, by the names of their
// fields and by what looks like a card number. What a recording holds has gone through it.
package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// Mark stands in place of a text that is taken out; a number becomes 0.
const Mark = "…redacted…"

// Redactor takes secrets out of bodies. It is for one goroutine.
type Redactor struct {
	names    *nameSet
	keepText int
	key      [32]byte // of the hashes: without it a hash of a card number could be tried out
	parser   fastjson.ParserPool
}

// New returns a redactor. Redact and keep are names of fields to redact and to keep besides the usual; keepText is how many
// bytes a body may have that is neither JSON nor a form, and is written nevertheless.
func New(redact, keep []string, keepText int) *Redactor {
	r := &Redactor{names: newNameSet(redact, keep), keepText: keepText}
	_, _ = rand.Read(r.key[:]) // never fails
	return r
}

// Known are the values of a payment that stay as they are, whatever they look like.
type Known struct {
	IDs     []string
	Amounts []int64
}

func (k *Known) text(s string) bool {
	for _, id := range k.IDs {
		if id == s && s != "" {
			return true
		}
	}
	return false
}

// number compares without decimals, since a provider counts in units of its own.
func (k *Known) number(raw string) bool {
	if k.text(raw) {
		return true
	}
	plain := strings.TrimRight(strings.Replace(raw, ".", "", 1), "0")
	for _, a := range k.Amounts {
		if a > 0 && plain == strings.TrimRight(strconv.FormatInt(a, 10), "0") {
			return true
		}
	}
	return false
}

// Object redacts a body that is a JSON object, or a JSON string that holds one; ok is false
// for any other.
func (r *Redactor) Object(body []byte, k *Known) (out []byte, ok bool) {
	p := r.parser.Get()
	defer r.parser.Put(p)
	v, err := p.ParseBytes(body)
	if err != nil {
		return nil, false
	}
	switch v.Type() {
	case fastjson.TypeObject:
	case fastjson.TypeString:
		if !bytes.HasPrefix(bytes.TrimSpace(v.GetStringBytes()), []byte("{")) {
			return nil, false
		}
	default:
		return nil, false
	}
	return r.value(nil, v, k, false, 0), true
}

// Other redacts any other body, into JSON.
func (r *Redactor) Other(body []byte, k *Known) []byte {
	p := r.parser.Get()
	defer r.parser.Put(p)
	if v, err := p.ParseBytes(body); err == nil && v.Type() != fastjson.TypeNull {
		return r.value(nil, v, k, false, 0)
	}
	text := string(body)
	if !strings.ContainsAny(text, "{}\"'();,:") { // else it is broken JSON, or words
		if form, ok := r.form(text, k, 0); ok {
			return recorded.AppendString(nil, form)
		}
	}
	if len(body) <= r.keepText {
		return recorded.AppendString(nil, r.text(text, k, 0))
	}
	h := hmac.New(sha256.New, r.key[:])
	h.Write(body)
	return recorded.AppendString(nil, fmt.Sprintf("%s %d bytes, %x", Mark, len(body), h.Sum(nil)[:8]))
}

// maxNested bounds JSON in strings in JSON.
const maxNested = 6

// value appends a value. Everything below a secret name is secret.
func (r *Redactor) value(dst []byte, v *fastjson.Value, k *Known, secret bool, nested int) []byte {
	switch v.Type() {
	case fastjson.TypeObject:
		dst = append(dst, '{')
		first := true
		v.GetObject().Visit(func(key []byte, x *fastjson.Value) {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(recorded.AppendString(dst, maskCards(string(key))), ':')
			dst = r.value(dst, x, k, secret || r.names.has(string(key)), nested)
		})
		return append(dst, '}')
	case fastjson.TypeArray:
		dst = append(dst, '[')
		for i, x := range v.GetArray() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = r.value(dst, x, k, secret, nested)
		}
		return append(dst, ']')
	case fastjson.TypeString:
		s := string(v.GetStringBytes())
		switch {
		case s == "":
		case secret:
			s = Mark
		default:
			s = r.text(s, k, nested)
		}
		return recorded.AppendString(dst, s)
	case fastjson.TypeNumber:
		return r.number(dst, string(v.MarshalTo(nil)), k, secret)
	case fastjson.TypeTrue, fastjson.TypeFalse, fastjson.TypeNull:
	}
	return v.MarshalTo(dst)
}

func (r *Redactor) number(dst []byte, raw string, k *Known, secret bool) []byte {
	switch {
	case secret, !k.number(raw) && maskCards(raw) != raw:
		return append(dst, '0')
	case !json.Valid([]byte(raw)):
		return recorded.AppendString(dst, raw) // the parser takes more for a number than JSON does
	}
	return append(dst, raw...)
}

// text redacts a string that may be JSON, a form, a URL, or words.
func (r *Redactor) text(s string, k *Known, nested int) string {
	if k.text(s) {
		return s
	}
	trimmed := strings.TrimSpace(s)
	switch {
	case trimmed == "":
		return s
	case strings.HasPrefix(trimmed, "<"), strings.HasPrefix(trimmed, "eyJ"):
		return Mark // a page, or JSON in base64: it has fields that are not read here
	case strings.ContainsRune(`{["`, rune(trimmed[0])):
		if out, ok := r.inner(trimmed, k, nested); ok {
			return out
		}
	}
	// Word by word, but keeping what is between the words.
	var b strings.Builder
	for rest := s; rest != ""; {
		i := strings.IndexAny(rest, " \t\r\n")
		if i < 0 {
			i = len(rest)
		}
		b.WriteString(r.word(rest[:i], k, nested))
		if i == len(rest) {
			break
		}
		b.WriteByte(rest[i])
		rest = rest[i+1:]
	}
	return maskCards(b.String())
}

// inner redacts JSON in a string. ok is false for text that only begins like JSON.
func (r *Redactor) inner(s string, k *Known, nested int) (out string, ok bool) {
	p := r.parser.Get()
	defer r.parser.Put(p)
	v, err := p.Parse(s)
	switch {
	case err == nil && nested < maxNested:
		return string(r.value(nil, v, k, false, nested+1)), true
	case err == nil, strings.HasPrefix(s, `{"`), strings.HasPrefix(s, `[{`), strings.HasPrefix(s, `["`):
		return Mark, true // cut off, or too deep
	}
	return "", false
}

// word redacts the fields of a word that is a form or a URL.
func (r *Redactor) word(s string, k *Known, nested int) string {
	if k.text(s) {
		return s
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		authority, _, _ := strings.Cut(rest, "/")
		if user, _, ok := strings.Cut(authority, "@"); ok {
			s = scheme + "://" + Mark + strings.TrimPrefix(rest, user)
		}
	}
	if base, query, ok := strings.Cut(s, "?"); ok {
		if form, ok := r.form(query, k, nested); ok {
			return r.percent(base) + "?" + form
		}
	} else if form, ok := r.form(s, k, nested); ok {
		return form
	}
	return r.percent(s)
}

// percent redacts a text that hides a card number in its escapes.
func (r *Redactor) percent(s string) string {
	if plain := unescaped(s); plain != s && maskCards(plain) != plain {
		return Mark
	}
	return s
}

// Form redacts name=value&name=value by name; ok is false for any other text.
func (r *Redactor) Form(s string, k *Known) (out string, ok bool) { return r.form(s, k, 0) }

// form is Form within so many texts.
func (r *Redactor) form(s string, k *Known, nested int) (out string, ok bool) {
	if !strings.Contains(s, "=") || strings.ContainsAny(s, " \t\r\n<>") || nested > maxNested {
		return "", false
	}
	parts := strings.Split(s, "&")
	for i, part := range parts {
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, value := unescaped(rawName), unescaped(rawValue)
		if maskCards(name) != name {
			rawName = Mark
		}
		switch {
		case value == "":
		case r.names.has(name):
			rawValue = Mark
		default:
			if masked := r.text(value, k, nested+1); masked != value {
				rawValue = url.QueryEscape(masked)
			}
		}
		if parts[i] = rawName; rawValue != "" || strings.Contains(part, "=") {
			parts[i] += "=" + rawValue
		}
	}
	return strings.Join(parts, "&"), true
}

// Query redacts a query string.
func (r *Redactor) Query(s string, k *Known) string {
	if form, ok := r.form(s, k, 0); ok || s == "" {
		return form
	}
	return Mark
}

// Headers redacts headers in place.
func (r *Redactor) Headers(all map[string]string, k *Known) {
	for name, text := range all {
		switch masked := r.text(text, k, 0); {
		case r.names.has(name):
			all[name] = Mark
		default:
			all[name] = masked
		}
	}
}

// unescaped is the text as it is where its escapes are broken.
func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// Answer redacts the texts of an answer that was decoded elsewhere.
func (r *Redactor) Answer(a *policy.Answer, k *Known) {
	for _, s := range []*string{&a.Code, &a.SubCode, &a.Status, &a.SubStatus, &a.Message} {
		*s = r.text(*s, k, 0)
	}
}
