package providers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
	signed    string  // signedBody, signedTimestampBody or signedFields
	algorithm string  // algorithmHMAC or algorithmHash
	encoding  string  // encodingHex or encodingBase64

	status int         // acknowledges
	reply  []condition // and this has to stand in the reply
}

const (
	signedBody          = "body"
	signedTimestampBody = "timestamp.body"
	signedFields        = "fields" // k=v&k=v of the body's fields in the order of the alphabet, without the signature

	algorithmHMAC = "hmac-sha256"
	algorithmHash = "sha256" // of the signed text followed by the secret

	encodingHex    = "hex"
	encodingBase64 = "base64"
)

// Webhook returns the shape of the provider's webhooks. ok is false where the catalogue
// does not say it.
func (c *Catalog) Webhook() (shape *WebhookShape, ok bool) { return c.webhook, c.webhook != nil }

// Sign returns the headers and the body of a signed webhook that is sent at a time. A
// body that is no JSON object cannot hold a signature and is an error that wraps
// [ErrUnreadable].
func (w *WebhookShape) Sign(secret string, at time.Time, body []byte) (headers map[string]string, signed []byte, err error) {
	headers = map[string]string{}
	stamp := ""
	if w.timestamp.name != "" {
		stamp = strconv.FormatInt(at.UnixMilli(), 10)
		headers[w.timestamp.name] = stamp
	}
	text, err := w.text(stamp, body)
	if err != nil {
		return nil, nil, err
	}
	sum := w.sum(secret, text)
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

// Verify reports whether a webhook bears the signature that the secret makes. It says
// nothing of the webhook's age.
func (w *WebhookShape) Verify(secret string, header func(name string) string, body []byte) bool {
	stamp := ""
	if w.timestamp.name != "" {
		stamp = header(w.timestamp.name)
	}
	got := ""
	if w.signature.part == inHeader {
		got = header(w.signature.name)
	} else if v, release, err := parseObject(body); err == nil {
		got = w.signature.path.text(v)
		release()
	}
	text, err := w.text(stamp, body)
	return err == nil && got != "" && hmac.Equal([]byte(got), []byte(w.sum(secret, text)))
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
func (w *WebhookShape) text(stamp string, body []byte) (string, error) {
	switch w.signed {
	case signedTimestampBody:
		return stamp + "." + string(body), nil
	case signedFields:
		return w.fields(body)
	default: // signedBody
		return string(body), nil
	}
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
		pairs = append(pairs, name+"="+value)
	})
	slices.Sort(pairs)
	return strings.Join(slices.Compact(pairs), "&"), nil
}

func (w *WebhookShape) sum(secret, text string) string {
	var sum []byte
	if w.algorithm == algorithmHash {
		plain := sha256.Sum256([]byte(text + secret))
		sum = plain[:]
	} else {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(text))
		sum = mac.Sum(nil)
	}
	if w.encoding == encodingBase64 {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}
