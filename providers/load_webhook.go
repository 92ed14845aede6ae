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
	for _, sub := range t.Tables(l.errs, "other") {
		other := l.webhookShape(sub)
		if other.when = l.signedPlace(sub, "when"); !sub.Has("when") {
			l.errs.Add(sub.KeyPos("when"), `a [[webhook.other]] needs when = "header:NAME" or a field, which webhooks that are signed so have`)
		}
		sub.Done(l.errs)
		w.others = append(w.others, other)
	}
	t.Done(l.errs)
	l.c.webhook = w
}

func (l *loader) webhookShape(t source.Table) *WebhookShape {
	w := &WebhookShape{source: l.sourceAt(t.KeyPos("algorithm"))}
	w.signature, w.timestamp, w.nonce = l.signedPlace(t, "signature"), l.signedPlace(t, "timestamp"), l.signedPlace(t, "nonce")
	w.signed = l.oneOf(t, "signed", signedBody, signedTimestampBody, signedFields, signedFilled, signedText)
	w.algorithm = l.oneOf(t, "algorithm", algorithmHMAC, algorithmHMACSHA512, algorithmHMACSHA1, algorithmHash, algorithmSHA1, algorithmMD5, algorithmRSA)
	w.encoding = l.oneOf(t, "encoding", encodingHex, encodingBase64, encodingURLBase64, encodingBase64URL)
	w.written = l.oneOf(t, "body", bodyJSON, bodyXML, bodyForm, bodyQuery)
	w.escaped = l.oneOf(t, "escape", "none", "form") == "form"
	w.separator = l.oneOf(t, "separator", ",", ";", "&")
	w.seconds = l.oneOf(t, "timestamp_unit", "milliseconds", "seconds") == "seconds"
	w.tolerance = t.Duration(l.errs, "tolerance")
	w.template, w.blank, w.suffix = t.String(l.errs, "text"), t.String(l.errs, "empty"), t.String(l.errs, "suffix")
	w.omit = t.Strings(l.errs, "omit")
	w.reply = l.conditions(t, "reply")
	w.acknowledgement = t.String(l.errs, "acknowledgement")
	w.status = t.Count(l.errs, "acknowledged", 200)
	l.webhookLaws(t, w)
	l.acknowledgementLaws(t, w)
	return w
}

// webhookLaws refuses what no signature can be.
func (l *loader) webhookLaws(t source.Table, w *WebhookShape) {
	fields := w.signed == signedFields || w.signed == signedFilled
	switch {
	case !t.Has("signature"):
		l.errs.Add(t.KeyPos("signature"), `a [webhook] needs signature = "header:NAME" or the name of a field`)
	case w.signature.part == inBody && (w.signed == signedBody || w.signed == signedTimestampBody || strings.Contains(w.template, "{body}")):
		l.errs.Add(t.ValuePos("signed"), "a signature that stands in the body cannot be made of the whole body; sign fields")
	}
	if (w.signed == signedText) != (w.template != "") {
		l.errs.Add(t.KeyPos("text"), `text goes with signed = "text"`)
	}
	if w.algorithm == algorithmRSA && w.encoding == encodingHex {
		l.errs.Add(t.ValuePos("encoding"), "rsa-sha256 is written in base64, urlencoded-base64 or base64url")
	}
	if (w.algorithm == algorithmSHA1 || w.algorithm == algorithmMD5) && !strings.Contains(w.template+w.suffix, "{secret}") {
		l.errs.Add(t.ValuePos("algorithm"), `%s has no secret of its own: {secret} must stand in the suffix or the text`, w.algorithm)
	}
	for _, key := range []string{"suffix", "omit", "escape"} {
		if t.Has(key) && !fields {
			l.errs.Add(t.KeyPos(key), `%s goes with signed = "fields" or "nonempty_fields"`, key)
		}
	}
	l.freshnessLaws(t, w)
}

// freshnessLaws refuses a timestamp or a nonce that whoever copies a webhook could change.
func (l *loader) freshnessLaws(t source.Table, w *WebhookShape) {
	stamped := t.Has("timestamp")
	if w.signed == signedTimestampBody && !stamped || stamped && w.signed != signedTimestampBody && w.signed != signedText {
		l.errs.Add(t.KeyPos("timestamp"), `timestamp goes with signed = "timestamp.body" or "text"`)
	}
	if stamped && w.timestamp.part != inHeader {
		l.errs.Add(t.ValuePos("timestamp"), "the timestamp stands in a header: header:NAME")
	}
	if stamped && w.signed == signedText && !w.inTemplate(w.timestamp) {
		l.errs.Add(t.ValuePos("timestamp"), "the text has no {header:%s}, so anyone could write another timestamp", w.timestamp.name)
	}
	if t.Has("nonce") && !(w.signed == signedText && w.inTemplate(w.nonce)) {
		l.errs.Add(t.ValuePos("nonce"), "the nonce is not in the text that is signed, so anyone could write another")
	}
	for _, key := range []string{"tolerance", "timestamp_unit"} {
		if t.Has(key) && !stamped {
			l.errs.Add(t.KeyPos(key), "%s goes with timestamp", key)
		}
	}
}

// inTemplate reports whether a value is a part of the signed text.
func (w *WebhookShape) inTemplate(at locator) bool {
	if at.part == inHeader {
		return strings.Contains(w.template, "{header:"+at.name+"}")
	}
	return strings.Contains(w.template, "{body}") || strings.Contains(w.template, "{field:"+strings.Join(at.path, ".")+"}")
}

// acknowledgementLaws refuses a block that does not say how to answer.
func (l *loader) acknowledgementLaws(t source.Table, w *WebhookShape) {
	if !t.Has("acknowledged") {
		l.errs.Add(t.KeyPos("acknowledged"), "a [webhook] needs acknowledged = 200, the HTTP status that acknowledges it")
	}
	if w.status == 204 && t.Has("acknowledgement") {
		l.errs.Add(t.ValuePos("acknowledgement"), "a reply with status 204 has no body")
	}
	if len(w.reply) > 0 && !w.acknowledged(w.status, []byte(w.acknowledgement)) {
		at := t.KeyPos("acknowledgement")
		if t.Has("acknowledgement") {
			at = t.ValuePos("acknowledgement")
		}
		l.errs.Add(at, "acknowledgement must be the body of a reply in which stands what reply says")
	}
}

// signedPlace reads "header:NAME", "header:NAME#PART" or the name of a field of the body.
func (l *loader) signedPlace(t source.Table, key string) locator {
	if !t.Has(key) {
		return locator{}
	}
	text := t.String(l.errs, key)
	prefix, name, prefixed := strings.Cut(text, ":")
	header, part, parted := strings.Cut(name, "#")
	switch {
	case prefixed && (prefix != "header" || header == "" || parted && part == ""), !prefixed && (text == "" || strings.Contains(text, ".")):
		l.errs.Add(t.ValuePos(key), "%s is %q; it must be header:NAME, header:NAME#PART or the name of a field", key, text)
		return locator{part: inHeader}
	case prefixed:
		return locator{part: inHeader, name: name}
	}
	return locator{path: path{text}}
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
