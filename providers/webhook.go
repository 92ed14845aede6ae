package providers

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // some providers still sign with it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"
)

// WebhookShape is how a provider signs its webhooks and what it takes for an
// acknowledgement, as the [webhook] block says it. It is read-only.
type WebhookShape struct {
	signature locator // inHeader, or a field of the body
	timestamp locator // where the time stands that is signed with the body; empty: none
	signed    string  // one of the words below
	template  string  // of signedText
	blank     string  // what an empty part of the template is written as
	suffix    string  // after the fields
	algorithm string
	encoding  string

	settings map[string]string
	field    string        // a body that has it as a string is signed as nested says
	nested   *WebhookShape // nil: there is one way only

	status int         // acknowledges
	reply  []condition // and this has to stand in the reply
}

const (
	signedBody          = "body"
	signedTimestampBody = "timestamp.body"
	signedFields        = "fields"          // k=v&k=v of the body's fields in the order of the alphabet, without the signature
	signedFilled        = "nonempty_fields" // the same, without the empty ones
	signedText          = "text"            // the template

	algorithmHMAC = "hmac-sha256"
	algorithmHash = "sha256" // of the signed text followed by the secret
	algorithmSHA1 = "sha1"   // of the signed text, in whose suffix the secret stands; weak, where a provider still uses it
	algorithmRSA  = "rsa-sha256"

	encodingHex       = "hex"
	encodingBase64    = "base64"
	encodingURLBase64 = "urlencoded-base64"
)

// With returns the shape with what a template may need from the merchant's settings: MoMo's accessKey,
// the path of the URL that PayKKa was given.
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

// Sign returns the headers and the body of a signed webhook that is sent at a time. The secret of
// rsa-sha256 is a private key in PEM. A body that is no JSON object cannot hold a signature and is an
// error that wraps [ErrUnreadable].
func (w *WebhookShape) Sign(secret string, at time.Time, body []byte) (headers map[string]string, signed []byte, err error) {
	headers = map[string]string{}
	if w.timestamp.name != "" {
		headers[w.timestamp.name] = strconv.FormatInt(at.UnixMilli(), 10)
	}
	for _, m := range signedPart.FindAllStringSubmatch(w.template, -1) {
		if m[1] == "header" && headers[m[2]] == "" {
			headers[m[2]] = strconv.FormatInt(at.UnixNano(), 36) // a nonce
		}
	}
	text, err := w.text(func(name string) string { return headers[name] }, secret, body)
	if err != nil {
		return nil, nil, err
	}
	sum, err := w.sum(secret, text)
	if err != nil {
		return nil, nil, err
	}
	if w.signature.part == inHeader {
		headers[w.signature.name] = sum
		return headers, body, nil
	}
	v, release, err := parseObject(body)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	var arena fastjson.Arena
	v.Set(w.signature.path[0], arena.NewString(sum))
	return headers, v.MarshalTo(nil), nil
}

// Verify reports whether a webhook bears the signature that the secret makes. The secret of rsa-sha256
// is the provider's public key, in PEM or as bare base64. Verify says nothing of the webhook's age.
func (w *WebhookShape) Verify(secret string, header func(name string) string, body []byte) bool {
	got := ""
	if w.nested != nil || w.signature.part != inHeader {
		v, release, err := parseObject(body)
		if err != nil {
			return false
		}
		defer release()
		if w.nested != nil && v.Get(w.field) != nil {
			other := *w.nested
			other.settings = w.settings
			return other.Verify(secret, header, body)
		}
		got = w.signature.path.text(v)
	}
	if w.signature.part == inHeader {
		got = header(w.signature.name)
	}
	text, err := w.text(header, secret, body)
	if err != nil || got == "" {
		return false
	}
	if w.algorithm == algorithmRSA {
		return w.verifyRSA(secret, text, got)
	}
	if publicKey(secret) {
		return false // everyone knows it: it must not serve as the secret of another algorithm
	}
	want, err := w.sum(secret, text)
	return err == nil && hmac.Equal([]byte(got), []byte(want))
}

// Acknowledged reports whether an HTTP response takes the webhook off the provider's hands.
func (w *WebhookShape) Acknowledged(status int, body []byte) bool {
	if status != w.status {
		return false
	}
	if len(w.reply) == 0 {
		return true
	}
	v, release, err := parseObject(body)
	if err != nil {
		return false
	}
	defer release()
	return fulfilled(w.reply, v)
}

// text is what the signature is made of.
func (w *WebhookShape) text(header func(string) string, secret string, body []byte) (string, error) {
	switch w.signed {
	case signedTimestampBody:
		return header(w.timestamp.name) + "." + string(body), nil
	case signedFields, signedFilled:
		text, err := w.fields(body)
		return text + strings.ReplaceAll(w.suffix, "{secret}", secret), err
	case signedText:
		return w.filled(header, body)
	default: // signedBody
		return string(body), nil
	}
}

// signedPart is a place in the template of a signed text.
var signedPart = regexp.MustCompile(`\{(header|field|setting):([^{}]+)\}|\{body\}`)

// filled is the template with its places filled. A field that is read stands once, or says the same
// each time.
func (w *WebhookShape) filled(header func(string) string, body []byte) (string, error) {
	var read keys
	for _, m := range signedPart.FindAllStringSubmatch(w.template, -1) {
		if m[1] == "field" {
			read.add(path{m[2]})
		}
	}
	var v *fastjson.Value
	if len(read.below) > 0 {
		parsed, release, err := parseObject(body)
		if err != nil {
			return "", err
		}
		defer release()
		if err := read.check(parsed); err != nil {
			return "", err
		}
		v = parsed
	}
	return signedPart.ReplaceAllStringFunc(w.template, func(place string) string {
		m := signedPart.FindStringSubmatch(place)
		value := string(body)
		switch m[1] {
		case "header":
			value = header(m[2])
		case "field":
			value = path{m[2]}.text(v)
		case "setting":
			value = w.settings[m[2]]
		}
		if value == "" {
			return w.blank
		}
		return value
	}), nil
}

// fields is every field of the body but the signature. All of them are signed, so none may stand
// twice with different values, or twice but for case.
func (w *WebhookShape) fields(body []byte) (string, error) {
	v, release, err := parseObject(body)
	if err != nil {
		return "", err
	}
	defer release()
	var signed keys
	o := v.GetObject()
	o.Visit(func(name []byte, _ *fastjson.Value) { signed.add(path{string(name)}) })
	if err := signed.check(v); err != nil {
		return "", err
	}
	pairs := make([]string, 0, o.Len())
	o.Visit(func(key []byte, v *fastjson.Value) {
		name, value := string(key), string(v.MarshalTo(nil))
		switch {
		case w.signature.part == inBody && name == w.signature.path[0]:
			return
		case v.Type() == fastjson.TypeString:
			value = string(v.GetStringBytes())
		case v.Type() == fastjson.TypeNull:
			value = ""
		}
		if value != "" || w.signed != signedFilled {
			pairs = append(pairs, name+"="+value)
		}
	})
	slices.Sort(pairs)
	return strings.Join(slices.Compact(pairs), "&"), nil
}

func (w *WebhookShape) sum(secret, text string) (string, error) {
	var sum []byte
	switch w.algorithm {
	case algorithmHash:
		plain := sha256.Sum256([]byte(text + secret))
		sum = plain[:]
	case algorithmSHA1:
		plain := sha1.Sum([]byte(text)) //nolint:gosec // the provider's choice
		sum = plain[:]
	case algorithmRSA:
		signed, err := signRSA(secret, text)
		if err != nil {
			return "", err
		}
		sum = signed
	default:
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(text))
		sum = mac.Sum(nil)
	}
	switch w.encoding {
	case encodingBase64:
		return base64.StdEncoding.EncodeToString(sum), nil
	case encodingURLBase64:
		return url.QueryEscape(base64.StdEncoding.EncodeToString(sum)), nil
	}
	return hex.EncodeToString(sum), nil
}
