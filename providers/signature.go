package providers

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // some providers still sign with it
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/valyala/fastjson"
)

// How a notice's fields are written.
const (
	bodyJSON  = "json"
	bodyForm  = "form"
	bodyXML   = "xml"
	bodyQuery = "query" // a form in the query string of the URL
)

const (
	signedBody          = "body"
	signedTimestampBody = "timestamp.body"
	signedFields        = "fields"          // k=v&k=v of the body's fields in the order of their names, without the signature
	signedFilled        = "nonempty_fields" // the same, without the empty ones
	signedText          = "text"            // the template

	algorithmHMAC       = "hmac-sha256"
	algorithmHMACSHA512 = "hmac-sha512"
	algorithmHMACSHA1   = "hmac-sha1" // weak, where a provider still uses it
	algorithmHash       = "sha256"    // of the signed text followed by the secret
	algorithmSHA1       = "sha1"      // of the signed text, in which the secret stands; weak
	algorithmMD5        = "md5"       // likewise
	algorithmRSA        = "rsa-sha256"

	encodingHex       = "hex"
	encodingBase64    = "base64"
	encodingURLBase64 = "urlencoded-base64" // base64, and that escaped for a URL
	encodingBase64URL = "base64url"         // base64 with - and _, with or without padding
)

// verify returns nil if one of the secrets makes the signature.
func (w *WebhookShape) verify(q *HTTPRequest, secrets []string) error {
	got := []string{w.value(q, w.signature)}
	if w.signature.part == inHeader {
		got = w.parts(q, w.signature.name)
	}
	got = slices.DeleteFunc(got, func(s string) bool { return s == "" })
	if len(got) == 0 {
		return fmt.Errorf("it has no signature at %s", w.signature)
	}
	for _, secret := range secrets {
		text, err := w.text(q, secret)
		if err != nil {
			return err
		}
		signed := func(s string) bool { return w.signs(secret, text, s) }
		if slices.ContainsFunc(got, signed) {
			return nil
		}
	}
	return errUnsigned
}

// signs reports whether a secret makes a signature of a text. An empty secret makes none, for anyone
// has it; nor does a public key, unless it verifies.
func (w *WebhookShape) signs(secret, text, got string) bool {
	sum, ok := w.decode(got)
	switch {
	case !ok || strings.TrimSpace(secret) == "":
		return false
	case w.algorithm == algorithmRSA:
		return verifyRSA(secret, text, sum)
	case publicKey(secret):
		return false // everyone knows it: it must not serve as the secret of another algorithm
	}
	want, err := w.sum(secret, text)
	return err == nil && hmac.Equal(sum, want)
}

// text is what the signature is made of.
func (w *WebhookShape) text(q *HTTPRequest, secret string) (string, error) {
	switch w.signed {
	case signedTimestampBody:
		return w.header(q, w.timestamp.name) + "." + string(q.Body), nil
	case signedFields, signedFilled:
		text, err := w.fields(q)
		return text + strings.ReplaceAll(w.suffix, "{secret}", secret), err
	case signedText:
		return w.filled(q, secret)
	default: // signedBody
		return string(q.Body), nil
	}
}

// signedPart is a place in the template of a signed text.
var signedPart = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{(header|field|setting):([^{}]+)\}|\{(body|method|path|secret)\}`)
})

// filled is the template with its places filled. A field that is read stands once, or says the same
// each time.
func (w *WebhookShape) filled(q *HTTPRequest, secret string) (string, error) {
	field, release, err := w.fieldReader(q)
	if err != nil {
		return "", err
	}
	defer release()
	return signedPart().ReplaceAllStringFunc(w.template, func(place string) string {
		m := signedPart().FindStringSubmatch(place)
		value := ""
		switch m[1] + m[3] {
		case "body":
			value = string(q.Body)
		case "secret":
			return secret
		case "method":
			value = w.setting("method", q.Method)
		case "path":
			value = w.setting("path", q.Path)
		case "header":
			value = w.header(q, m[2])
		case "field":
			value = field(m[2])
		case "setting":
			value = w.settings[m[2]]
		}
		if value == "" {
			return w.blank
		}
		return value
	}), nil
}

func (w *WebhookShape) setting(name, otherwise string) string {
	if s, ok := w.settings[name]; ok {
		return s
	}
	return otherwise
}

// fieldReader reads the fields of a body that stand in the template, where any do.
func (w *WebhookShape) fieldReader(q *HTTPRequest) (field func(name string) string, release func(), err error) {
	var read keys
	for _, m := range signedPart().FindAllStringSubmatch(w.template, -1) {
		if m[1] == "field" {
			read.add(splitPath(m[2]))
		}
	}
	if len(read.below) == 0 {
		return func(string) string { return "" }, func() {}, nil
	}
	if w.isForm() {
		fields, err := formFields(w.form(q))
		return func(name string) string { return fieldOf(fields, name) }, func() {}, err
	}
	v, release, err := w.object(q.Body)
	if err != nil {
		return nil, nil, err
	}
	if err := read.check(v); err != nil {
		release()
		return nil, nil, err
	}
	return func(name string) string { return splitPath(name).text(v) }, release, nil
}

// A signedField is a field of a body as it is signed.
type signedField struct{ name, value string }

// fields is every field of the body but the signature. All of them are signed, so none may stand
// twice with different values, or twice but for case.
func (w *WebhookShape) fields(q *HTTPRequest) (string, error) {
	read, from := w.objectFields, q.Body
	if w.isForm() {
		read, from = formFields, w.form(q)
	}
	all, err := read(from)
	if err != nil {
		return "", err
	}
	slices.SortFunc(all, func(a, b signedField) int { return strings.Compare(a.name, b.name) })
	var pairs []string
	for _, f := range slices.Compact(all) {
		own := w.signature.part == inBody && f.name == w.signature.path[0]
		if own || slices.Contains(w.omit, f.name) || f.value == "" && w.signed == signedFilled {
			continue
		}
		if w.escaped {
			f = signedField{escape(f.name), escape(f.value)}
		}
		pairs = append(pairs, f.name+"="+f.value)
	}
	return strings.Join(pairs, "&"), nil
}

// isForm reports whether the fields stand in a form, and not in an object.
func (w *WebhookShape) isForm() bool { return w.written == bodyForm || w.written == bodyQuery }

// object reads a body whose fields stand in an object.
func (w *WebhookShape) object(body []byte) (*fastjson.Value, func(), error) {
	if w.written == bodyXML {
		return parseXML(string(body), nil)
	}
	return parseObject(body)
}

func (w *WebhookShape) objectFields(body []byte) ([]signedField, error) {
	v, release, err := w.object(body)
	if err != nil {
		return nil, err
	}
	defer release()
	first := map[string]signedField{} // by the name without case; a body may have very many
	o := v.GetObject()
	fields := make([]signedField, 0, o.Len())
	o.Visit(func(key []byte, v *fastjson.Value) {
		f := signedField{string(key), string(v.MarshalTo(nil))}
		folded := strings.ToLower(f.name)
		if old, twice := first[folded]; twice && old != f {
			err = twiceError(f.name)
		}
		first[folded] = f
		switch v.Type() {
		case fastjson.TypeString:
			f.value = string(v.GetStringBytes())
		case fastjson.TypeNull:
			f.value = ""
		case fastjson.TypeObject:
			if w.written == bodyXML {
				err = fmt.Errorf("%w: %.40q holds elements or attributes, which no signature is made of", ErrUnreadable, key)
			}
		case fastjson.TypeArray, fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		}
		fields = append(fields, f)
	})
	return fields, err
}

// form is the text of a notice that is a form.
func (w *WebhookShape) form(q *HTTPRequest) []byte {
	if w.written == bodyQuery {
		return []byte(q.RawQuery)
	}
	return q.Body
}

// formFields reads a form, or a query string. As in JSON, no name may stand twice with different
// values, or twice but for case.
func formFields(body []byte) ([]signedField, error) {
	fields, err := splitForm(string(body))
	if err != nil {
		return nil, err
	}
	first := map[string]signedField{}
	for _, f := range fields {
		folded := strings.ToLower(f.name)
		if old, twice := first[folded]; twice && old != f {
			return nil, twiceError(f.name)
		}
		first[folded] = f
	}
	return fields, nil
}

func twiceError(name string) error {
	return fmt.Errorf("%w: the key %q stands twice with different values, or twice but for case", ErrUnreadable, name)
}

func fieldOf(fields []signedField, name string) string {
	if i := slices.IndexFunc(fields, func(f signedField) bool { return f.name == name }); i >= 0 {
		return fields[i].value
	}
	return ""
}

func escape(s string) string { return url.QueryEscape(s) }

func (w *WebhookShape) sum(secret, text string) ([]byte, error) {
	keyed := func(h func() hash.Hash) []byte {
		mac := hmac.New(h, []byte(secret))
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	switch w.algorithm {
	case algorithmHash:
		plain := sha256.Sum256([]byte(text + secret))
		return plain[:], nil
	case algorithmSHA1:
		plain := sha1.Sum([]byte(text)) //nolint:gosec // the provider's choice
		return plain[:], nil
	case algorithmMD5:
		plain := md5.Sum([]byte(text)) //nolint:gosec // the provider's choice
		return plain[:], nil
	case algorithmRSA:
		return signRSA(secret, text)
	case algorithmHMACSHA1:
		return keyed(sha1.New), nil
	case algorithmHMACSHA512:
		return keyed(sha512.New), nil
	default:
		return keyed(sha256.New), nil
	}
}

// encode writes a signature as the provider does.
func (w *WebhookShape) encode(sum []byte) string {
	switch w.encoding {
	case encodingBase64:
		return base64.StdEncoding.EncodeToString(sum)
	case encodingURLBase64:
		return url.QueryEscape(base64.StdEncoding.EncodeToString(sum))
	case encodingBase64URL:
		return base64.RawURLEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

// decode reads what encode writes; hex in either case, base64url with or without padding.
func (w *WebhookShape) decode(text string) (sum []byte, ok bool) {
	var err error
	switch w.encoding {
	case encodingURLBase64:
		if strings.Contains(text, "%") {
			if text, err = url.QueryUnescape(text); err != nil {
				return nil, false
			}
		}
		sum, err = base64.StdEncoding.DecodeString(text)
	case encodingBase64:
		sum, err = base64.StdEncoding.DecodeString(text)
	case encodingBase64URL:
		sum, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	default:
		sum, err = hex.DecodeString(text)
	}
	return sum, err == nil
}
