package providers

import (
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/source"
)

// webhook reads the [webhook] block. A later file's replaces it as a whole: half of one
// signature and half of another would be neither.
func (l *loader) webhook(root source.Table) {
	if !root.Has("webhook") {
		return
	}
	t, ok := root.Table(l.errs, "webhook")
	if !ok {
		return
	}
	w := &WebhookShape{}
	w.signature = l.signedPlace(t, "signature")
	w.timestamp = l.signedPlace(t, "timestamp")
	w.signed = l.oneOf(t, "signed", signedBody, signedTimestampBody, signedFields)
	w.algorithm = l.oneOf(t, "algorithm", algorithmHMAC, algorithmHash)
	w.encoding = l.oneOf(t, "encoding", encodingHex, encodingBase64)
	w.reply = l.conditions(t, "reply")
	w.status = t.Count(l.errs, "acknowledged", 200)
	switch {
	case !t.Has("signature"):
		l.errs.Add(t.KeyPos("signature"), `a [webhook] needs signature = "header:NAME" or the name of a field`)
	case w.signature.part == inBody && w.signed != signedFields:
		l.errs.Add(t.ValuePos("signed"), "a signature that stands in the body cannot be made of the whole body; sign fields")
	}
	if w.signed == signedTimestampBody != t.Has("timestamp") {
		l.errs.Add(t.KeyPos("timestamp"), `timestamp goes with signed = "timestamp.body"`)
	}
	if t.Has("timestamp") && w.timestamp.part != inHeader {
		l.errs.Add(t.ValuePos("timestamp"), "the timestamp stands in a header: header:NAME")
	}
	if !t.Has("acknowledged") {
		l.errs.Add(t.KeyPos("acknowledged"), "a [webhook] needs acknowledged = 200, the HTTP status that acknowledges it")
	}
	t.Done(l.errs)
	l.c.webhook = w
}

// signedPlace reads "header:NAME" or the name of a field of the body.
func (l *loader) signedPlace(t source.Table, key string) locator {
	text := t.String(l.errs, key)
	prefix, name, prefixed := strings.Cut(text, ":")
	switch {
	case !t.Has(key):
	case prefixed && (prefix != "header" || name == ""), !prefixed && (text == "" || strings.Contains(text, ".")):
		l.errs.Add(t.ValuePos(key), "%s is %q; it must be header:NAME or the name of a field", key, text)
		return locator{part: inHeader}
	case prefixed:
		return locator{part: inHeader, name: name}
	default:
		return locator{path: path{text}}
	}
	return locator{path: path{""}}
}

// oneOf reads one of a few words; the first is meant when the key is absent.
func (l *loader) oneOf(t source.Table, key string, words ...string) string {
	if !t.Has(key) {
		return words[0]
	}
	word := t.String(l.errs, key)
	if !slices.Contains(words, word) {
		l.errs.Add(t.ValuePos(key), "%s is %q; it must be one of %s", key, word, strings.Join(words, ", "))
	}
	return word
}
