package providers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"
)

// WebhookShape is how a provider signs its webhooks and what it takes for an
// acknowledgement, as the [webhook] block says it. It is read-only.
type WebhookShape struct {
	when      locator         // what a webhook has that is signed in this way; the base shape has none
	others    []*WebhookShape // further ways, each with a when
	signature locator         // inHeader, or a field of the body
	timestamp locator         // where the time stands that is signed with the body; empty: none
	nonce     locator         // where the text stands that no two webhooks share; empty: none
	seconds   bool            // the timestamp counts seconds, else milliseconds
	tolerance time.Duration   // that the timestamp may be off; 0: not documented

	signed    string   // one of the words below
	template  string   // of signedText
	blank     string   // what an empty part of the template is written as
	suffix    string   // after the fields
	omit      []string // fields that are not signed, the signature's own besides
	written   string   // how the fields are written: bodyJSON, bodyXML, bodyForm, or bodyQuery
	escaped   bool     // names and values of the fields are signed as a form escapes them
	separator string   // between the parts of one header
	algorithm string
	encoding  string
	settings  map[string]string

	status          int         // acknowledges
	reply           []condition // and this has to stand in the reply
	acknowledgement string      // a reply's body that does
	source          string      // FILE:LINE of the algorithm, or of the block
}

// With returns the shape with what a template may need from the merchant's settings, such as MoMo's
// accessKey. The settings method and path take the place of the request's own: behind a proxy they are
// not those that the provider signed.
func (w *WebhookShape) With(settings map[string]string) *WebhookShape {
	with := *w
	with.settings = maps.Clone(w.settings)
	if with.settings == nil {
		with.settings = map[string]string{}
	}
	maps.Copy(with.settings, settings)
	return &with
}

// Webhook returns the shape of the provider's webhooks. ok is false where the catalogue
// does not say it.
func (c *Catalog) Webhook() (shape *WebhookShape, ok bool) { return c.webhook, c.webhook != nil }

// Sign returns the headers and the body of a signed webhook that is sent at a time, by POST to the path
// in the settings. Where the provider's notices are query strings, the body is one. The secret of rsa-sha256 is a private key in PEM. A body that is no JSON object
// cannot hold a signature and is an error that wraps [ErrUnreadable].
func (w *WebhookShape) Sign(secret string, at time.Time, body []byte) (headers map[string]string, signed []byte, err error) {
	h := &writtenHeaders{w: w, values: map[string]string{}}
	if w.timestamp.name != "" {
		h.set(w.timestamp.name, w.stamp(at))
	}
	for _, m := range signedPart().FindAllStringSubmatch(w.template, -1) {
		if m[1] == "header" && h.get(m[2]) == "" {
			h.set(m[2], strconv.FormatInt(at.UnixNano(), 36)) // a nonce
		}
	}
	if w.nonce.name != "" && h.get(w.nonce.name) == "" {
		h.set(w.nonce.name, strconv.FormatInt(at.UnixNano(), 36))
	}
	q := &HTTPRequest{Method: "POST", Header: h.get, Body: body}
	if w.written == bodyQuery {
		q.Method, q.RawQuery = "GET", string(body)
	}
	text, err := w.text(q, secret)
	if err != nil {
		return nil, nil, err
	}
	sum, err := w.sum(secret, text)
	if err != nil {
		return nil, nil, err
	}
	written := w.encode(sum)
	if w.signature.part == inHeader {
		h.set(w.signature.name, written)
		return h.whole(), body, nil
	}
	signed, err = w.withField(body, w.signature.path[0], written)
	return h.whole(), signed, err
}

// withField adds the signature to a body.
func (w *WebhookShape) withField(body []byte, name, value string) ([]byte, error) {
	if w.isForm() {
		return fmt.Appendf(slices.Clip(body), "&%s=%s", escape(name), escape(value)), nil
	}
	v, release, err := w.object(body)
	if err != nil {
		return nil, err
	}
	defer release()
	var arena fastjson.Arena
	v.Set(name, arena.NewString(value))
	if w.written == bodyXML {
		return xmlOf(v), nil
	}
	return v.MarshalTo(nil), nil
}

// Verify reports whether a webhook bears the signature that the secret makes. The secret of rsa-sha256
// is the provider's public key, in PEM or as bare base64. Verify says nothing of the webhook's age; see
// [WebhookShape.Check].
func (w *WebhookShape) Verify(secret string, header func(name string) string, body []byte) bool {
	q := &HTTPRequest{Method: "POST", Header: header, Body: body, RawQuery: string(body)}
	return w.of(q).verify(q, []string{secret}) == nil
}

// Check returns nil if a webhook bears the signature that one of the secrets makes, and if its
// timestamp, where the provider signs one, is near to a time. How near: the tolerance, or where that is
// 0 the catalogue's; where the catalogue has none either, any age will do. Several secrets are those of
// several shapes, or an old and a new one.
func (w *WebhookShape) Check(q *HTTPRequest, at time.Time, tolerance time.Duration, secrets ...string) error {
	s := w.of(q)
	if err := s.verify(q, secrets); err != nil {
		return err
	}
	if tolerance == 0 {
		tolerance = s.tolerance
	}
	if tolerance == 0 || s.timestamp.name == "" {
		return nil
	}
	sent, err := s.sentAt(q)
	if err != nil {
		return err
	}
	if off := at.Sub(sent); off > tolerance || off < -tolerance {
		return fmt.Errorf("its timestamp %s is %s off; at most %s are accepted", sent.UTC().Format(time.RFC3339), off.Abs().Round(time.Second), tolerance)
	}
	return nil
}

// Nonce returns the text that no two webhooks of the provider share, and how long a copy of the
// webhook would pass [WebhookShape.Check] for its age; 0: for ever. The text is empty where the
// provider has none.
func (w *WebhookShape) Nonce(q *HTTPRequest, tolerance time.Duration) (nonce string, window time.Duration) {
	s := w.of(q)
	if tolerance == 0 {
		tolerance = s.tolerance
	}
	if s.timestamp.name == "" {
		tolerance = 0
	}
	return s.value(q, s.nonce), 2 * tolerance
}

// Acknowledgement returns the HTTP status and the body that take a webhook off the provider's hands.
func (w *WebhookShape) Acknowledgement(q *HTTPRequest) (status int, body string) {
	s := w.of(q)
	return s.status, s.acknowledgement
}

// Acknowledged reports whether an HTTP response takes the webhook off the provider's hands.
func (w *WebhookShape) Acknowledged(status int, body []byte) bool {
	return slices.ContainsFunc(append([]*WebhookShape{w}, w.others...), func(s *WebhookShape) bool {
		return s.acknowledged(status, body)
	})
}

func (w *WebhookShape) acknowledged(status int, body []byte) bool {
	if status != w.status {
		return false
	}
	if len(w.reply) == 0 {
		return true
	}
	v, release, err := w.object(body)
	if err != nil {
		return false
	}
	defer release()
	return fulfilled(w.reply, v)
}

// of is the shape in which a webhook is signed. What it has says which: no signature is tried in two
// ways.
func (w *WebhookShape) of(q *HTTPRequest) *WebhookShape {
	for _, other := range w.others {
		if other.has(q, other.when) {
			with := *other
			with.settings = w.settings
			return &with
		}
	}
	return w
}

// has reports whether something stands at a place of a webhook, be it empty.
func (w *WebhookShape) has(q *HTTPRequest, l locator) bool {
	if l.part == inHeader || w.isForm() {
		return w.value(q, l) != ""
	}
	v, release, err := w.object(q.Body)
	if err != nil {
		return false
	}
	defer release()
	return v.Exists(l.path...)
}

// value is what stands at a place of a webhook; empty: nothing, or what cannot be read.
func (w *WebhookShape) value(q *HTTPRequest, l locator) string {
	switch {
	case l.part == inHeader && l.name != "":
		return w.header(q, l.name)
	case l.part == inHeader || len(l.path) == 0:
		return ""
	case w.isForm():
		fields, err := formFields(w.form(q))
		if err != nil {
			return ""
		}
		return fieldOf(fields, l.path[0])
	}
	v, release, err := w.object(q.Body)
	if err != nil {
		return ""
	}
	defer release()
	if found := v.Get(l.path...); found != nil && found.Type() != fastjson.TypeString {
		return string(found.MarshalTo(nil))
	}
	return l.path.text(v)
}

// String names the place, for a sentence.
func (l locator) String() string {
	if l.part == inHeader {
		return "header " + l.name
	}
	return "field " + strings.Join(l.path, ".")
}

func (w *WebhookShape) stamp(at time.Time) string {
	if w.seconds {
		return strconv.FormatInt(at.Unix(), 10)
	}
	return strconv.FormatInt(at.UnixMilli(), 10)
}

func (w *WebhookShape) sentAt(q *HTTPRequest) (time.Time, error) {
	text := w.value(q, w.timestamp)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("its timestamp %.40q is no whole number", text)
	}
	if w.seconds {
		return time.Unix(n, 0), nil
	}
	return time.UnixMilli(n), nil
}

// Weak lists the algorithms of the signature that are no longer safe, each with FILE:LINE of the
// catalogue.
func (w *WebhookShape) Weak() map[string]string {
	weak := map[string]string{}
	for _, s := range append([]*WebhookShape{w}, w.others...) {
		if slices.Contains([]string{algorithmMD5, algorithmSHA1, algorithmHMACSHA1}, s.algorithm) {
			weak[s.source] = s.algorithm
		}
	}
	return weak
}

// header is a header of a webhook, or with NAME#PART a part of one: t=…,v1=…. A part that stands there
// several times with several values is none; see parts.
func (w *WebhookShape) header(q *HTTPRequest, name string) string {
	all := slices.Compact(slices.Sorted(slices.Values(w.parts(q, name))))
	if len(all) != 1 {
		return ""
	}
	return all[0]
}

// parts are the values of a header, or of a part of it, which may stand there several times.
func (w *WebhookShape) parts(q *HTTPRequest, name string) []string {
	if q.Header == nil {
		return nil
	}
	header, part, parted := strings.Cut(name, "#")
	whole := q.Header(header)
	if !parted {
		return []string{whole}
	}
	var values []string
	for pair := range strings.SplitSeq(whole, w.separator) {
		if key, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && key == part {
			values = append(values, value)
		}
	}
	return values
}

// writtenHeaders are the headers of a webhook that is being signed.
type writtenHeaders struct {
	w      *WebhookShape
	names  []string // of parts, in their order
	values map[string]string
}

func (h *writtenHeaders) set(name, value string) {
	if _, known := h.values[name]; !known {
		h.names = append(h.names, name)
	}
	h.values[name] = value
}

// get is a header or a part of one, and for a header with parts the whole of it.
func (h *writtenHeaders) get(name string) string {
	if v, ok := h.values[name]; ok {
		return v
	}
	return h.whole()[name]
}

// whole joins parts to headers.
func (h *writtenHeaders) whole() map[string]string {
	all := map[string]string{}
	for _, full := range h.names {
		name, part, parted := strings.Cut(full, "#")
		switch {
		case !parted:
			all[name] = h.values[full]
		case all[name] == "":
			all[name] = part + "=" + h.values[full]
		default:
			all[name] += h.w.separator + part + "=" + h.values[full]
		}
	}
	return all
}

var errUnsigned = errors.New("its signature is not one that the secret makes")
