package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, dir: dir, key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	a.write("ca.pem", "CERTIFICATE", a.sign(a.cert, key))
	return a
}

func (a *authority) sign(c *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	a.t.Helper()
	text, err := x509.CreateCertificate(rand.Reader, c, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return text
}

func (a *authority) write(name, kind string, text []byte) string {
	a.t.Helper()
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: text}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// pair makes a certificate for a name, and its key.
func (a *authority) pair(name string, usage x509.ExtKeyUsage) (cert, key string) {
	a.t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	text, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	return a.write(name+".pem", "CERTIFICATE", a.sign(c, k)), a.write(name+".key", "EC PRIVATE KEY", text)
}

// client shows a certificate; without a name it has none.
func (a *authority) client(name string) *http.Client {
	a.t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	text, err := os.ReadFile(filepath.Join(a.dir, "ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(text) {
		a.t.Fatal(err)
	}
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if name != "" {
		cert, key := a.pair(name, x509.ExtKeyUsageClientAuth)
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			a.t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
}

// ask asks for a decision of a merchant, and returns the status.
func ask(t *testing.T, c *http.Client, url, token, merchant string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url+"/v1/decide", strings.NewReader(fmt.Sprintf(`{"provider":"momo","merchant":%q,"operation":"pay","code":41}`, merchant)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// A certificate opens its merchants, and no other's: neither does one that the authority signed for another name, nor none.
func TestServeKnowsCertificates(t *testing.T) {
	dir := t.TempDir()
	a := newAuthority(t, dir)
	file := filepath.Join(dir, "access.toml")
	if err := os.WriteFile(file, []byte(`
[[caller]]
name = "shop"
certificate = ["dns:shop.example"]
merchants = ["shop"]
may = ["decide"]
[[caller]]
name = "other"
certificate = ["dns:other.example"]
token_sha256 = "`+fmt.Sprintf("%x", sha256.Sum256([]byte("the-token-of-other")))+`"
merchants = ["other"]
may = ["decide"]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cert, key := a.pair("server.example", x509.ExtKeyUsageServerAuth)
	if code, _, errs := command("serve", "--access", file, "--listen", "127.0.0.1:0"); code != exitCouldNot || !strings.Contains(errs, "only count with --tls-client-ca") {
		t.Errorf("certificates without an authority: %d %s", code, errs)
	}
	url, _, _, stop := startServe(t, "--access", file, "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", filepath.Join(dir, "ca.pem"))
	url = strings.Replace(url, "http:", "https:", 1)
	shop, other, none, stranger := a.client("shop.example"), a.client("other.example"), a.client(""), a.client("stranger.example")
	for name, c := range map[string]struct {
		client          *http.Client
		token, merchant string
		want            int
	}{
		"its merchant": {shop, "", "shop", 200}, "another": {shop, "", "other", 403}, "no merchant": {shop, "", "", 403}, "another's token": {shop, "the-token-of-other", "other", 401},
		"with its token": {other, "the-token-of-other", "other", 200}, "without its token": {other, "", "other", 401}, "a name that is not listed": {stranger, "", "shop", 401}, "no certificate": {none, "the-token-of-other", "other", 0},
	} {
		if got := ask(t, c.client, url, c.token, c.merchant); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if code := stop(); code != exitHolds {
		t.Errorf("it ends with %d", code)
	}
}

// The callers are read anew when their file changes; one with a mistake leaves the old ones, and says so.
func TestServeReadsCallersAnew(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "access.toml")
	write := func(token, may string) {
		t.Helper()
		testkit.Write(t, dir, map[string]string{"access.toml": fmt.Sprintf("[[caller]]\nname = \"shop\"\ntoken = %q\nmerchants = [\"shop\"]\nmay = %q\n", token, may)})
	}
	write("the-first-of-tokens", "decide")
	url, _, stderr, stop := startServe(t, "--access", file, "--watch")
	status := func(token string, want int) {
		t.Helper()
		if got := ask(t, http.DefaultClient, url, token, "shop"); got != want {
			t.Errorf("%q: %d, want %d", token, got, want)
		}
	}
	status("the-first-of-tokens", 200)
	status("", 401)
	write("the-second-of-tokens", "decid")
	waitFor(t, stderr, `the callers have mistakes; the old ones stay.*access.toml:5:7: .*did you mean`)
	status("the-first-of-tokens", 200)
	status("the-second-of-tokens", 401)
	write("the-second-of-tokens", "decide")
	waitFor(t, stderr, `callers read anew`)
	status("the-first-of-tokens", 401)
	status("the-second-of-tokens", 200)
	if code := stop(); code != exitHolds {
		t.Errorf("it ends with %d", code)
	}
	if strings.Contains(stderr.String(), "-of-tokens") {
		t.Error("the log holds a token")
	}
}

// The metrics name no merchant: who reads them may not know who the others are.
func TestMetricsNameNoMerchant(t *testing.T) {
	url, _, _, stop := startServe(t, "--journal", filepath.Join(t.TempDir(), "flows.db"), "--decision-log", t.TempDir())
	postTo(t, url+"/v1/flows?wait_ms=0", "application/json", fmt.Sprintf(
		`{"caller":"%d-0123456789abcdef","provider":"momo","merchant":"a-quiet-shop","operation":"pay","payment_key":"k","order_id":"o","amount":50000,"currency":"VND"}`, time.Now().Unix()))
	if got := ask(t, http.DefaultClient, url, "", "a-quiet-shop"); got != http.StatusOK {
		t.Error(got)
	}
	answer, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), "recourse_flows") || strings.Contains(string(text), "a-quiet-shop") {
		t.Errorf("%v\n%s", err, text)
	}
	stop()
}
