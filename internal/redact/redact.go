// Package redact keeps of an answer what the provider's catalogue reads in it, and cuts everything else. What a
// recording holds has gone through it.
package redact

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Mark stands in place of a text that is not recorded.
const Mark = cards.Marked

// Redactor takes out of answers what no catalogue reads in them. It is safe for concurrent use.
type Redactor struct {
	names    *nameSet
	keepText int
	key      [32]byte // of the hashes: without it a hash of a card number could be tried out
}

// New returns a redactor. Keep names fields that stay besides what a catalogue reads, cut those that go though it
// reads them; keepText is how many bytes a body may have that could not be read, and is written nevertheless.
func New(cut, keep []string, keepText int) *Redactor {
	r := &Redactor{names: newNameSet(cut, keep), keepText: keepText}
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

// amount compares without decimals, since a provider counts in units of its own.
func (k *Known) amount(raw string) bool {
	plain := strings.TrimRight(strings.Replace(raw, ".", "", 1), "0")
	for _, a := range k.Amounts {
		if a > 0 && plain == strings.TrimRight(strconv.FormatInt(a, 10), "0") {
			return true
		}
	}
	return false
}

// Cut is what stays of a message of a payment: what its catalogue reads, and what the user named. ok is
// false where the catalogue does not read the message as the answer a, or reads another one in what is left of it.
// Written is how the provider writes bodies; see [providers.Catalog.Written].
func (r *Redactor) Cut(cat *providers.Catalog, p *policy.Payment, m *policy.Message, a *policy.Answer, k *Known) (rest policy.Message, written string, ok bool) {
	whole, read := policy.Answer{Currency: p.Currency}, policy.Answer{Currency: p.Currency}
	if cat.DecodeMessage(p.Operation, a.Phase, m, &whole) != nil ||
		whole.Code != a.Code || whole.SubCode != a.SubCode || whole.Status != a.Status || whole.SubStatus != a.SubStatus || (whole.SetAside == "") != (a.SetAside == "") {
		return rest, "", false
	}
	text := func(field, value string) string { return r.value(field, value, k) }
	rest, err := cat.Cut(p.Operation, a.Phase, m, r.names.may, text)
	if err != nil || cat.DecodeMessage(p.Operation, a.Phase, &rest, &read) != nil {
		return rest, "", false
	}
	want := r.Written(&whole, k)
	if (read.SetAside == "") != (want.SetAside == "") {
		return rest, "", false
	}
	read.SetAside = want.SetAside // which holds texts of the body
	return rest, cat.Written(p.Operation, a.Phase), read == want
}

// Text is a text for people, such as one that quotes an answer, as it is written.
func (r *Redactor) Text(s string, k *Known) string { return r.words(s, k) }

// Written is an answer with its texts as they are written.
func (r *Redactor) Written(a *policy.Answer, k *Known) policy.Answer {
	w := *a
	for _, f := range [...]struct {
		name string
		text *string
	}{
		{"code", &w.Code}, {"sub_code", &w.SubCode}, {"status", &w.Status}, {"sub_status", &w.SubStatus}, {"message", &w.Message},
		{"order_id", &w.OrderID}, {"request_id", &w.RequestID}, {"provider_id", &w.ProviderID},
	} {
		if *f.text != "" {
			*f.text = r.value(f.name, *f.text, k)
		}
	}
	return w
}

// value is a text or a number as it is written, by the catalogue's word for what it reads there.
func (r *Redactor) value(field, s string, k *Known) string {
	switch field {
	case "", "message":
		return r.words(s, k)
	case "amount":
		if k.amount(s) {
			return s
		}
	}
	switch {
	case k.text(s):
		return s
	case marked(s), cards.Hidden(s):
		return Mark
	}
	return cards.Mask(s)
}

// marked reports whether a text is a page, JSON, or JSON in base64: it has fields that are not read.
func marked(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "<") || strings.HasPrefix(s, "eyJ") || strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[{") || strings.HasPrefix(s, `["`)
}

// Cards replaces what looks like a card number in a text for people, such as an error.
func Cards(s string) string {
	if cards.Hidden(s) {
		return Mark
	}
	return cards.MaskProse(s)
}

// words is a text for people. Card numbers, links, values with a name, and words that look like keys are taken
// out of it.
func (r *Redactor) words(s string, k *Known) string {
	switch {
	case k.text(s):
		return s
	case marked(s), cards.Hidden(s):
		return Mark
	}
	s = cards.MaskProse(s)
	var b strings.Builder
	from := 0
	for i, c := range s {
		if unicode.IsSpace(c) { // what is between the words stays
			b.WriteString(word(s[from:i], k))
			b.WriteRune(c)
			from = i + utf8.RuneLen(c)
		}
	}
	b.WriteString(word(s[from:], k))
	return b.String()
}

// word is a word of a text for people.
func word(s string, k *Known) string {
	if k.text(s) || k.text(strings.Trim(s, `.,;:!?'"()[]`)) {
		return s
	}
	name, _, named := strings.Cut(s, "=")
	switch {
	case strings.Contains(s, "://"), strings.ContainsAny(s, "@{}<>"), looksLikeKey(s):
		return Mark
	case named:
		return name + "=" + Mark
	}
	return s
}

// looksLikeKey reports whether a word is long, and of letters and digits mixed, as keys and tokens are.
func looksLikeKey(s string) bool {
	const long = 16
	letters, digits := 0, 0
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z': // a language without spaces has long words
			letters++
		case c >= '0' && c <= '9':
			digits++
		}
	}
	return letters+digits >= long && letters > 0 && digits > 0
}

// Unreadable redacts a body that could not be read, into JSON.
func (r *Redactor) Unreadable(body []byte, k *Known) []byte {
	if len(body) <= r.keepText {
		return recorded.AppendString(nil, r.words(string(body), k))
	}
	h := hmac.New(sha256.New, r.key[:])
	h.Write(body)
	return recorded.AppendString(nil, fmt.Sprintf("%s %d bytes, %s", Mark, len(body), letters(h.Sum(nil)[:8])))
}

// letters writes a digest without a digit: among digits there can be a card number's.
func letters(digest []byte) string {
	b := make([]byte, 0, 2*len(digest))
	for _, c := range digest {
		b = append(b, 'a'+c>>4, 'a'+c&15)
	}
	return string(b)
}
