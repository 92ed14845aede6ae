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
	w := l.webhookShape(t)
	if nested, ok := t.Table(l.errs, "nested"); ok && t.Has("nested") {
		w.field, w.nested = nested.String(l.errs, "field"), l.webhookShape(nested)
		if w.field == "" {
			l.errs.Add(nested.KeyPos("field"), `[webhook.nested] needs field = "…", which bodies that are signed so have`)
		}
		nested.Done(l.errs)
	}
	t.Done(l.errs)
	l.c.webhook = w
}

func (l *loader) webhookShape(t source.Table) *WebhookShape {
	w := &WebhookShape{}
	w.signature = l.signedPlace(t, "signature")
	w.timestamp = l.signedPlace(t, "timestamp")
	w.signed = l.oneOf(t, "signed", signedBody, signedTimestampBody, signedFields, signedFilled, signedText)
	w.algorithm = l.oneOf(t, "algorithm", algorithmHMAC, algorithmHash, algorithmSHA1, algorithmRSA)
	w.encoding = l.oneOf(t, "encoding", encodingHex, encodingBase64, encodingURLBase64)
	w.template, w.blank, w.suffix = t.String(l.errs, "text"), t.String(l.errs, "empty"), t.String(l.errs, "suffix")
	w.reply = l.conditions(t, "reply")
	w.status = t.Count(l.errs, "acknowledged", 200)
	switch {
	case !t.Has("signature"):
		l.errs.Add(t.KeyPos("signature"), `a [webhook] needs signature = "header:NAME" or the name of a field`)
	case w.signature.part == inBody && (w.signed == signedBody || w.signed == signedTimestampBody):
		l.errs.Add(t.ValuePos("signed"), "a signature that stands in the body cannot be made of the whole body; sign fields")
	}
	if (w.signed == signedText) != (w.template != "") {
		l.errs.Add(t.KeyPos("text"), `text goes with signed = "text"`)
	}
	if w.algorithm == algorithmRSA && w.encoding == encodingHex {
		l.errs.Add(t.ValuePos("encoding"), "rsa-sha256 is written in base64 or urlencoded-base64")
	}
	if w.signed == signedTimestampBody && !t.Has("timestamp") || t.Has("timestamp") && w.signed != signedTimestampBody && w.signed != signedText {
		l.errs.Add(t.KeyPos("timestamp"), `timestamp goes with signed = "timestamp.body" or "text"`)
	}
	if t.Has("timestamp") && w.timestamp.part != inHeader {
		l.errs.Add(t.ValuePos("timestamp"), "the timestamp stands in a header: header:NAME")
	}
	if !t.Has("acknowledged") {
		l.errs.Add(t.KeyPos("acknowledged"), "a [webhook] needs acknowledged = 200, the HTTP status that acknowledges it")
	}
	return w
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
