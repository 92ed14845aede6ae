package providers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/providers"
)

// The signature of a known text, worked out with openssl's dgst.
func TestSignaturesAreWhatTheShapeSays(t *testing.T) {
	shape, ok := catalog(t, "shopline").Webhook()
	if !ok {
		t.Fatal("SHOPLINE's webhooks have no shape")
	}
	headers, body, err := shape.Sign("key", noon, []byte(`{"a":1}`))
	const want = "3ba75a890f8cb054d7f856c5ce54a1cdcfda7d46481843eacad09a64e081fb1e"
	if err != nil || headers["timestamp"] != "1767355200000" || headers["sign"] != want || string(body) != `{"a":1}` {
		t.Errorf("%v %s (%v)", headers, body, err)
	}
}

// What is signed is verified, and whatever is changed on the way is not.
func TestSignedWebhooksVerify(t *testing.T) {
	const secret = "s3cret"
	body := []byte(`{"orderId":"o-1","amount":120000,"message":"a \"quoted\" one","extra":null}`)
	check := func(t *testing.T, shape *providers.WebhookShape, sign, secret string) {
		t.Helper()
		headers, signed, err := shape.Sign(sign, noon, body)
		if err != nil {
			t.Fatal(err)
		}
		get := func(name string) string { return headers[name] }
		if !shape.Verify(secret, get, signed) {
			t.Errorf("what was signed does not verify: %v %s", headers, signed)
		}
		if shape.Verify("other", get, signed) {
			t.Error("another secret verifies")
		}
		if shape.Verify(secret, get, []byte(strings.Replace(string(signed), "120000", "120001", 1))) {
			t.Error("another amount verifies")
		}
		if shape.Verify(secret, func(string) string { return "" }, body) {
			t.Error("no signature verifies")
		}
		for name := range headers {
			changed := func(n string) string {
				if n == name {
					return headers[n] + "0"
				}
				return headers[n]
			}
			if shape.Verify(secret, changed, signed) {
				t.Errorf("another %s verifies", name)
			}
		}
	}
	for _, provider := range names {
		t.Run(provider, func(t *testing.T) {
			shape, _ := catalog(t, provider).Webhook()
			if provider == "paykka" {
				private, public := keyPair(t)
				check(t, shape, private, public)
				return
			}
			check(t, shape, secret, secret)
		})
	}
	for _, lines := range []string{
		"signature = \"header:s\"\n", "signature = \"header:s\"\nsigned = \"fields\"\nencoding = \"base64\"\n", "signature = \"s\"\nsigned = \"fields\"\nalgorithm = \"sha256\"\n",
		"signature = \"header:s#v1\"\ntimestamp = \"header:s#t\"\nsigned = \"timestamp.body\"\nseparator = \";\"\nalgorithm = \"hmac-sha512\"\n",
		"signature = \"s\"\nsigned = \"nonempty_fields\"\nsuffix = \"{secret}\"\nalgorithm = \"md5\"\nencoding = \"base64url\"\n",
		"signature = \"header:s\"\nnonce = \"header:n\"\nsigned = \"text\"\ntext = \"{header:n}{body}\"\nalgorithm = \"hmac-sha1\"\n",
	} {
		check(t, signedBy(t, lines), secret, secret)
	}
}

// What is not JSON is signed and verified likewise.
func TestSignedFormsVerify(t *testing.T) {
	for _, written := range []string{"form", "query"} {
		shape := signedBy(t, "body = \""+written+"\"\nsignature = \"s\"\nsigned = \"fields\"\nescape = \"form\"\nalgorithm = \"hmac-sha512\"\n")
		_, signed, err := shape.Sign("k", noon, []byte("amount=5&note=a+b%26c"))
		q := &providers.HTTPRequest{Body: signed, RawQuery: string(signed)}
		if err != nil || shape.Check(q, noon, 0, "k") != nil {
			t.Errorf("%s: what was signed does not verify: %s (%v)", written, signed, err)
		}
		changed := []byte(strings.Replace(string(signed), "5", "6", 1))
		if shape.Check(&providers.HTTPRequest{Body: changed, RawQuery: string(changed)}, noon, 0, "k") == nil {
			t.Errorf("%s: another amount verifies", written)
		}
	}
}

func TestSignRefusesABodyThatIsNoObject(t *testing.T) {
	shape, _ := catalog(t, "momo").Webhook()
	for _, body := range []string{"", "<html>", "[1]", "7"} {
		if _, _, err := shape.Sign("k", noon, []byte(body)); !errors.Is(err, providers.ErrUnreadable) {
			t.Errorf("%q: %v", body, err)
		}
		if shape.Verify("k", sheet(), []byte(body)) {
			t.Errorf("%q verifies", body)
		}
	}
}

func TestAcknowledgements(t *testing.T) {
	for _, tt := range []struct {
		provider string
		status   int
		body     string
		want     bool
	}{
		{"momo", 204, "", true}, {"momo", 200, "", false}, {"momo", 500, "", false},
		{"shopline", 200, "ok", true}, {"shopline", 204, "", false},
		{"opi", 200, `{"code":10000,"message":"Success"}`, true}, {"opi", 200, `{"code":"10000"}`, true},
		{"opi", 200, `{"code":1}`, false}, {"opi", 200, "ok", false}, {"opi", 500, `{"code":10000}`, false},
		{"paykka", 200, "", false}, {"paykka", 200, `{"ret_code":"000000","ret_msg":"Success"}`, true},
	} {
		shape, _ := catalog(t, tt.provider).Webhook()
		if got := shape.Acknowledged(tt.status, []byte(tt.body)); got != tt.want {
			t.Errorf("%s, %d %s: %v", tt.provider, tt.status, tt.body, got)
		}
	}
}

func TestLawsOfWebhooks(t *testing.T) {
	const ok = "acknowledged = 200\n"
	for _, tt := range []struct{ name, doc, want string }{
		{"as it should be", "[webhook]\nsignature = \"header:s\"\n" + ok, ""},
		{"nothing", "[webhook]\n", "f.toml:3:2: a [webhook] needs signature = \"header:NAME\" or the name of a field\nf.toml:3:2: a [webhook] needs acknowledged = 200, the HTTP status that acknowledges it"},
		{"a circle", "[webhook]\nsignature = \"s\"\n" + ok, `f.toml:3:2: a signature that stands in the body cannot be made of the whole body; sign fields`},
		{"a place", "[webhook]\nsignature = \"cookie:s\"\n" + ok, `f.toml:4:13: signature is "cookie:s"; it must be header:NAME, header:NAME#PART or the name of a field`},
		{"a path", "[webhook]\nsignature = \"a.b\"\n" + ok, `f.toml:4:13: signature is "a.b"; it must be header:NAME, header:NAME#PART or the name of a field`},
		{"no timestamp", "[webhook]\nsignature = \"header:s\"\nsigned = \"timestamp.body\"\n" + ok, `f.toml:3:2: timestamp goes with signed = "timestamp.body" or "text"`},
		{"a timestamp in the body", "[webhook]\nsignature = \"header:s\"\nsigned = \"timestamp.body\"\ntimestamp = \"at\"\n" + ok, `f.toml:6:13: the timestamp stands in a header: header:NAME`},
		{"what is signed", "[webhook]\nsignature = \"header:s\"\nsigned = \"all\"\n" + ok, `f.toml:5:10: signed is "all"; it must be one of body, timestamp.body, fields, nonempty_fields, text`},
		{"an algorithm", "[webhook]\nsignature = \"header:s\"\nalgorithm = \"md4\"\n" + ok, `f.toml:5:13: algorithm is "md4"; it must be one of hmac-sha256, hmac-sha512, hmac-sha1, sha256, sha1, md5, rsa-sha256`},
		{"no secret", "[webhook]\nsignature = \"header:s\"\nalgorithm = \"md5\"\n" + ok, `f.toml:5:13: md5 has no secret of its own: {secret} must stand in the suffix or the text`},
		{"a part without a name", "[webhook]\nsignature = \"header:s#\"\n" + ok, `f.toml:4:13: signature is "header:s#"; it must be header:NAME, header:NAME#PART or the name of a field`},
		{"a timestamp that is not signed", "[webhook]\nsignature = \"header:s\"\nsigned = \"text\"\ntext = \"{body}\"\ntimestamp = \"header:t\"\n" + ok, `f.toml:7:13: the text has no {header:t}, so anyone could write another timestamp`},
		{"a nonce that is not signed", "[webhook]\nsignature = \"header:s\"\nnonce = \"header:n\"\n" + ok, `f.toml:5:9: the nonce is not in the text that is signed, so anyone could write another`},
		{"a tolerance of nothing", "[webhook]\nsignature = \"header:s\"\ntolerance = \"5m\"\n" + ok, `f.toml:5:1: tolerance goes with timestamp`},
		{"what is left out of nothing", "[webhook]\nsignature = \"header:s\"\nomit = [\"x\"]\n" + ok, `f.toml:5:1: omit goes with signed = "fields" or "nonempty_fields"`},
		{"a reply without its text", "[webhook]\nsignature = \"header:s\"\nreply = { code = \"1\" }\n" + ok, `f.toml:3:2: acknowledgement must be the body of a reply in which stands what reply says`},
		{"a reply with another text", "[webhook]\nsignature = \"header:s\"\nreply = { code = \"1\" }\nacknowledgement = '{\"code\":2}'\n" + ok, `f.toml:6:19: acknowledgement must be the body of a reply in which stands what reply says`},
		{"another way, of nothing", "[webhook]\nsignature = \"header:s\"\n" + ok + "[[webhook.other]]\nsignature = \"header:s\"\n" + ok, `f.toml:6:3: a [[webhook.other]] needs when = "header:NAME" or a field, which webhooks that are signed so have`},
		{"an encoding", "[webhook]\nsignature = \"header:s\"\nencoding = \"hax\"\n" + ok, `f.toml:5:12: encoding is "hax"; it must be one of hex, base64, urlencoded-base64, base64url`},
		{"a status", "[webhook]\nsignature = \"header:s\"\nacknowledged = 20\n", `f.toml:5:16: acknowledged is 20; it must be at least 200`},
		{"a misspelt key", "[webhook]\nsignature = \"header:s\"\nreplay = {}\n" + ok, `f.toml:5:1: unknown key "replay"; did you mean "reply"?`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if said := add(t, tt.doc); said != tt.want {
				t.Errorf("said\n%s\nwant\n%s", said, tt.want)
			}
		})
	}
}
