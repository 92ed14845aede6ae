package recording

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

// redacted stands in place of a text that is not recorded; a number becomes 0.
const redacted = "…redacted…"

// redactor takes secrets out of bodies. It is for one goroutine.
type redactor struct {
	names    *nameSet
	keepText int
	key      [32]byte // of the hashes: without it a hash of a card number could be tried out
	parser   fastjson.ParserPool
}

func newRedactor(o *Options) *redactor {
	r := &redactor{names: newNameSet(o.Redact, o.Keep), keepText: o.KeepText}
	_, _ = rand.Read(r.key[:]) // never fails
	return r
}

// known are the values of a payment that stay as they are, whatever they look like.
type known struct {
	ids     []string
	amounts []int64
}

func (k *known) text(s string) bool {
	for _, id := range k.ids {
		if id == s && s != "" {
			return true
		}
	}
	return false
}

// number compares without decimals, since a provider counts in units of its own.
func (k *known) number(raw string) bool {
	if k.text(raw) {
		return true
	}
	plain := strings.TrimRight(strings.Replace(raw, ".", "", 1), "0")
	for _, a := range k.amounts {
		if a > 0 && plain == strings.TrimRight(strconv.FormatInt(a, 10), "0") {
			return true
		}
	}
	return false
}

// object redacts a body that is a JSON object, or a JSON string that holds one; ok is false
// for any other.
func (r *redactor) object(body []byte, k *known) (out []byte, ok bool) {
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

// other redacts any other body, into JSON.
func (r *redactor) other(body []byte, k *known) []byte {
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
	return recorded.AppendString(nil, fmt.Sprintf("%s %d bytes, %x", redacted, len(body), h.Sum(nil)[:8]))
}

// maxNested bounds JSON in strings in JSON.
const maxNested = 6

// value appends a value. Everything below a secret name is secret.
func (r *redactor) value(dst []byte, v *fastjson.Value, k *known, secret bool, nested int) []byte {
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
			s = redacted
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

func (r *redactor) number(dst []byte, raw string, k *known, secret bool) []byte {
	switch {
	case secret, !k.number(raw) && maskCards(raw) != raw:
		return append(dst, '0')
	case !json.Valid([]byte(raw)):
		return recorded.AppendString(dst, raw) // the parser takes more for a number than JSON does
	}
	return append(dst, raw...)
}

// text redacts a string that may be JSON, a form, a URL, or words.
func (r *redactor) text(s string, k *known, nested int) string {
	if k.text(s) {
		return s
	}
	trimmed := strings.TrimSpace(s)
	switch {
	case trimmed == "":
		return s
	case strings.HasPrefix(trimmed, "<"), strings.HasPrefix(trimmed, "eyJ"):
		return redacted // a page, or JSON in base64: it has fields that are not read here
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
func (r *redactor) inner(s string, k *known, nested int) (out string, ok bool) {
	p := r.parser.Get()
	defer r.parser.Put(p)
	v, err := p.Parse(s)
	switch {
	case err == nil && nested < maxNested:
		return string(r.value(nil, v, k, false, nested+1)), true
	case err == nil, strings.HasPrefix(s, `{"`), strings.HasPrefix(s, `[{`), strings.HasPrefix(s, `["`):
		return redacted, true // cut off, or too deep
	}
	return "", false
}

// word redacts the fields of a word that is a form or a URL.
func (r *redactor) word(s string, k *known, nested int) string {
	if k.text(s) {
		return s
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		authority, _, _ := strings.Cut(rest, "/")
		if user, _, ok := strings.Cut(authority, "@"); ok {
			s = scheme + "://" + redacted + strings.TrimPrefix(rest, user)
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
func (r *redactor) percent(s string) string {
	if plain := unescaped(s); plain != s && maskCards(plain) != plain {
		return redacted
	}
	return s
}

// form redacts name=value&name=value by name; ok is false for any other text.
func (r *redactor) form(s string, k *known, nested int) (out string, ok bool) {
	if !strings.Contains(s, "=") || strings.ContainsAny(s, " \t\r\n<>") || nested > maxNested {
		return "", false
	}
	parts := strings.Split(s, "&")
	for i, part := range parts {
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, value := unescaped(rawName), unescaped(rawValue)
		if maskCards(name) != name {
			rawName = redacted
		}
		switch {
		case value == "":
		case r.names.has(name):
			rawValue = redacted
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

// query redacts a query string.
func (r *redactor) query(s string, k *known) string {
	if form, ok := r.form(s, k, 0); ok || s == "" {
		return form
	}
	return redacted
}

// headers redacts headers in place.
func (r *redactor) headers(all map[string]string, k *known) {
	for name, text := range all {
		switch masked := r.text(text, k, 0); {
		case r.names.has(name):
			all[name] = redacted
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

// answer redacts the texts of an answer that was decoded elsewhere.
func (r *redactor) answer(a *policy.Answer, k *known) {
	for _, s := range []*string{&a.Code, &a.SubCode, &a.Status, &a.SubStatus, &a.Message} {
		*s = r.text(*s, k, 0)
	}
}
