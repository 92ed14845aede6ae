package access

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func fine(bool) error { return nil }

func listOf(t *testing.T, text string) *List {
	t.Helper()
	l, err := parse("access.toml", []byte(text), fine)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// All mistakes of a file are one error, each with its place and what is allowed. None repeats a token.
func TestMistakesOfTheFile(t *testing.T) {
	const secret = "a-secret-of-programs"
	for _, c := range []struct{ text, want string }{
		{"", "access.toml:1:1: there is no [[caller]], so that every call would be refused"},
		{"[[caler]]\nname = \"a\"\n", `access.toml:1:3: unknown key "caler"; did you mean "caller"?`},
		{"[[caller]]\n", strings.Join([]string{
			"access.toml:1:3: name is missing; the log names the caller by it",
			"access.toml:1:3: may is missing; it lists some of decide, flows, webhooks, look, settle, metrics",
			`access.toml:1:3: merchants is missing; it lists names, "" for payments without a merchant, or "*" alone for all`,
			"access.toml:1:3: the caller has neither token_sha256, nor token, nor certificate; it must have one",
		}, "\n")},
		{"[[caller]]\nname = \"a\"\ntoken = \"short-secret\"\nmerchants = [\"x\", \"x\", \"a*\", \" y\", \"z\\n\"]\nmay = [\"flow\", \"metrics\"]\n", strings.Join([]string{
			"access.toml:3:9: a token has at least 16 characters",
			`access.toml:4:19: "x" is there twice`,
			`access.toml:4:24: "a*": names are compared byte for byte; "*" alone stands for all merchants`,
			`access.toml:4:30: " y" begins or ends with a space, or holds what a merchant's name cannot`,
			`access.toml:4:36: "z\n" begins or ends with a space, or holds what a merchant's name cannot`,
			`access.toml:5:7: the metrics are of all merchants, so that metrics needs merchants = ["*"]`,
			`access.toml:5:8: "flow" is nothing that a caller may do; did you mean "flows"?`,
		}, "\n")},
		{"[[caller]]\nname = \"a\"\ntoken = \"" + secret + "\"\ntoken_sha256 = \"00\"\nmerchants = [\"*\", \"x\"]\nmay = \"decide\"\ncertificate = [\"shop.example\", \"uri:not a uri\", \"dns:\"]\nmerchant = \"x\"\n", strings.Join([]string{
			"access.toml:3:1: a caller has token_sha256 or token, not both",
			`access.toml:5:13: "*" stands for all merchants; it must be alone`,
			`access.toml:7:16: "shop.example": a name of a certificate is dns:NAME, uri:URI, or cn:NAME of one that has no alternative names`,
			`access.toml:7:32: "uri:not a uri" is no URI as certificates have them, such as uri:spiffe://example.org/shop`,
			`access.toml:7:49: "dns:" names nothing`,
			`access.toml:8:1: unknown key "merchant"; did you mean "merchants"?`,
		}, "\n")},
		{"[[caller]]\nname = \"a\"\ntoken_sha256 = \"zz\"\nmerchants = []\nmay = \"decide\"\n[[caller]]\nname = \"a\"\ntoken_sha256 = \"" + fmt.Sprintf("%x", sha256.Sum256(nil)) + "\"\nmerchants = \"x\"\nmay = \"decide\"\n", strings.Join([]string{
			"access.toml:3:16: token_sha256 must be the SHA-256 of the token, 64 hexadecimal digits",
			"access.toml:4:13: merchants names none",
			`access.toml:7:8: there are two callers "a"`,
			"access.toml:8:16: token_sha256 is the digest of an empty text",
		}, "\n")},
		{"[[caller]]\nname = \"a\"\ntoken = \"" + secret + "\"\nmerchants = \"x\"\nmay = \"decide\"\n[[caller]]\nname = \"b\"\ntoken_sha256 = \"" + fmt.Sprintf("%X", sha256.Sum256([]byte(secret))) + "\"\nmerchants = \"y\"\nmay = \"decide\"\n", `access.toml:6:3: callers "a" and "b" have the same token`},
		{"[[caller]]\nname = \"a\"\ncertificate = \"dns:a\"\nmerchants = \"x\"\nmay = \"decide\"\n[[caller]]\nname = \"b\"\ncertificate = \"dns:A\"\nmerchants = \"y\"\nmay = \"decide\"\n", `access.toml:8:15: "dns:a" is the certificate of caller "a" already`},
	} {
		_, err := parse("access.toml", []byte(c.text), fine)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\n is\n%v\nwant\n%s", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds the token: %v", err)
		}
	}
}

// A file that others can write is refused, and one that they can read where a token stands in it.
func TestPermissionsOfTheFile(t *testing.T) {
	if !permissioned {
		return
	}
	plain := "[[caller]]\nname = \"a\"\ntoken = \"a-secret-of-programs\"\nmerchants = \"x\"\nmay = \"decide\"\n"
	hashed := strings.Replace(plain, `token = "a-secret-of-programs"`, fmt.Sprintf(`token_sha256 = "%x"`, sha256.Sum256([]byte("a-secret-of-programs"))), 1)
	for _, c := range []struct {
		text string
		mode os.FileMode
		says string
	}{
		{plain, 0o600, ""}, {plain, 0o400, ""}, {plain, 0o640, "can read it"}, {plain, 0o604, "can read it"}, {plain, 0o620, "can write it"},
		{hashed, 0o644, ""}, {hashed, 0o664, "can write it"}, {hashed, 0o602, "can write it"},
	} {
		file := filepath.Join(t.TempDir(), "access.toml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Read(file)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%04o: %v, want %q", c.mode, err, c.says)
		}
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("a folder is read")
	}
}

// signedLeaf is a certificate as a connection shows it: signed, written and read.
func signedLeaf(t *testing.T, c *x509.Certificate, until time.Time) *x509.Certificate {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.NotAfter = big.NewInt(1), until
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	read, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// Who shows what is found as the caller that it is, and what fits two callers as none.
func TestFind(t *testing.T) {
	uri, err := url.Parse("spiffe://example.org/shop")
	if err != nil {
		t.Fatal(err)
	}
	l := listOf(t, `
[[caller]]
name = "token"
token = "the-token-of-a-shop"
merchants = ["shop"]
may = ["decide"]
[[caller]]
name = "both"
token = "the-token-of-another"
certificate = ["dns:another.example"]
merchants = ["another"]
may = ["decide"]
[[caller]]
name = "certificate"
certificate = ["dns:Shop.example", "uri:spiffe://example.org/shop", "cn:shop"]
merchants = ["shop", ""]
may = ["decide", "flows"]
[[caller]]
name = "second"
certificate = ["dns:second.example"]
merchants = ["second"]
may = ["decide"]
`)
	later := time.Now().Add(time.Hour)
	signed := func(c *x509.Certificate) *x509.Certificate { return signedLeaf(t, c, later) }
	leaf := func(names ...string) *x509.Certificate { return signed(&x509.Certificate{DNSNames: names}) }
	shop := pkix.Name{CommonName: "shop"}
	// A user's principal name, of a kind that crypto/x509 does not read.
	principal := []byte("\x30\x13\xa0\x11\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03\xa0\x03\x0c\x01x")
	twice := pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: commonName, Value: "x"}, {Type: commonName, Value: "shop"}}}
	for name, c := range map[string]struct {
		authorization string
		leaf          *x509.Certificate
		want          string
	}{
		"a token":                          {"Bearer the-token-of-a-shop", nil, "token"},
		"a token that is cut off":          {"Bearer the-token-of-a-sho", nil, ""},
		"a token and more":                 {"Bearer the-token-of-a-shop2", nil, ""},
		"an empty one":                     {"Bearer ", nil, ""},
		"the digest in place of the token": {"Bearer " + fmt.Sprintf("%x", sha256.Sum256([]byte("the-token-of-a-shop"))), nil, ""},
		"another scheme":                   {"Basic the-token-of-a-shop", nil, ""},
		"nothing":                          {"", nil, ""},
		"a certificate":                    {"", leaf("SHOP.example"), "certificate"},
		"a URI":                            {"", signed(&x509.Certificate{URIs: []*url.URL{uri}}), "certificate"},
		"a common name":                    {"", signed(&x509.Certificate{Subject: shop}), "certificate"},
		"a common name beside a name":      {"", signed(&x509.Certificate{Subject: shop, DNSNames: []string{"x.example"}}), ""},
		"a common name beside an address":  {"", signed(&x509.Certificate{Subject: shop, EmailAddresses: []string{"a@x.example"}}), ""},
		"a common name beside a name of a kind that is not read": {"", signed(&x509.Certificate{Subject: shop, ExtraExtensions: []pkix.Extension{{Id: alternativeNames, Value: principal}}}), ""},
		"two common names":                   {"", signed(&x509.Certificate{Subject: twice}), ""},
		"a common name as a name":            {"", leaf("shop"), ""},
		"a wildcard":                         {"", leaf("*.example"), ""},
		"names of one caller twice":          {"", signed(&x509.Certificate{DNSNames: []string{"shop.example"}, URIs: []*url.URL{uri}}), "certificate"},
		"names of two callers":               {"", leaf("shop.example", "second.example"), ""},
		"one that is over":                   {"", &x509.Certificate{DNSNames: []string{"shop.example"}, NotAfter: time.Now().Add(-time.Second)}, ""},
		"a token that needs one, without it": {"Bearer the-token-of-another", nil, ""},
		"with it":                            {"Bearer the-token-of-another", leaf("another.example"), "both"},
		"with another one":                   {"Bearer the-token-of-another", leaf("shop.example"), ""},
		"its certificate without the token":  {"", leaf("another.example"), ""},
		"a wrong token beside a certificate": {"Bearer the-token-of-none", leaf("shop.example"), ""},
		"a token beside another certificate": {"Bearer the-token-of-a-shop", leaf("second.example"), "token"},
	} {
		got := ""
		if c := l.Find(c.authorization, c.leaf); c != nil {
			got = c.Name()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	c := l.Find("", leaf("shop.example"))
	if !c.Of("shop") || !c.Of("") || c.Of("Shop") || c.Of("*") || c.OfAll() || !c.May(Flows) || c.May(Flows|Settle) || c.Unknown() {
		t.Errorf("%+v", c)
	}
	if l.Open() || !l.Named() || !l.Certified() || l.Any(Settle) || !l.Any(Flows) {
		t.Error("the list says otherwise of itself")
	}
}

// One token opens everything but what is for people, as it always did.
func TestSimple(t *testing.T) {
	open := Simple("", "the token of people")
	if c := open.Find("Bearer of another", nil); c == nil || !c.Unknown() || !c.May(programs) || c.May(Look) || !c.OfAll() {
		t.Errorf("without a token: %+v", c)
	}
	if c := open.Find("Bearer the token of people", nil); c == nil || c.Unknown() || !c.May(people) || c.May(Decide) {
		t.Errorf("people: %+v", c)
	}
	if closed := Simple("the token of programs", ""); closed.Open() || closed.Find("", nil) != nil || closed.Any(people) {
		t.Error("with a token others are let in")
	}
}
