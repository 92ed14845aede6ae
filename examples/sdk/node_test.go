//go:build slow

package sdk_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/providers"
)

// inNode installs Stripe's package, and returns what the script of the test says to an input.
func inNode(t *testing.T) func(in []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "check.mjs"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "node", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func(in []byte, name string, args ...string) []byte {
		cmd := exec.Command(name, args...)
		var errs bytes.Buffer
		cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(in), &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, errs.Bytes())
		}
		return out
	}
	run(nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	return func(in []byte) []byte { return run(in, "node", "check.mjs") }
}

// Stripe's check in Node accepts what the emulator signs, and refuses what was changed; and our check accepts
// what Stripe's helper in Node signs.
func TestStripesCheckInNode(t *testing.T) {
	run := inNode(t)
	all, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	stripe, err := all.Get("stripe")
	if err != nil {
		t.Fatal(err)
	}
	shape, _ := stripe.Webhook()
	const payload = `{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","status":"succeeded","description":"trà & bánh"}}}`
	sign := func(secret string, at time.Time) string {
		headers, _, err := shape.Sign(secret, at, []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return headers["Stripe-Signature"]
	}
	now := time.Now()
	type notice struct {
		Payload string `json:"payload"`
		Header  string `json:"header"`
		Secret  string `json:"secret"`
	}
	notices := []struct {
		what     string
		notice   notice
		accepted bool
	}{
		{"as the emulator signs it", notice{payload, sign("whsec_1", now), "whsec_1"}, true},
		{"with another secret", notice{payload, sign("whsec_2", now), "whsec_1"}, false},
		{"with another payload", notice{strings.Replace(payload, "pi_1", "pi_2", 1), sign("whsec_1", now), "whsec_1"}, false},
		{"an hour old", notice{payload, sign("whsec_1", now.Add(-time.Hour)), "whsec_1"}, false},
		{"without a signature", notice{payload, "", "whsec_1"}, false},
		{"an old and a new secret", notice{payload, sign("whsec_2", now) + ",v1=" + strings.Split(sign("whsec_1", now), "v1=")[1], "whsec_1"}, true},
	}
	var in bytes.Buffer
	for _, n := range notices {
		if err := json.NewEncoder(&in).Encode(n.notice); err != nil {
			t.Fatal(err)
		}
	}
	out := json.NewDecoder(bytes.NewReader(run(in.Bytes())))
	for _, n := range notices {
		var said struct {
			Accepted   bool
			Event, Own string
		}
		if err := out.Decode(&said); err != nil {
			t.Fatal(err)
		}
		if said.Accepted != n.accepted || n.accepted && said.Event != "payment_intent.succeeded" {
			t.Errorf("%s: %+v", n.what, said)
		}
		check := func(header, body, secret string) error {
			return shape.Check(&providers.HTTPRequest{Method: "POST", Body: []byte(body), Header: func(name string) string {
				if name == "Stripe-Signature" {
					return header
				}
				return ""
			}}, time.Now(), 0, secret)
		}
		if err := check(said.Own, n.notice.Payload, n.notice.Secret); err != nil {
			t.Errorf("%s: what Node signs is refused here: %v", n.what, err)
		}
		if check(said.Own, n.notice.Payload+" ", n.notice.Secret) == nil || check(said.Own, n.notice.Payload, "whsec_9") == nil {
			t.Errorf("%s: what Node did not sign is accepted here", n.what)
		}
		if (check(n.notice.Header, n.notice.Payload, n.notice.Secret) == nil) != n.accepted {
			t.Errorf("%s: Node and we differ", n.what)
		}
	}
}
