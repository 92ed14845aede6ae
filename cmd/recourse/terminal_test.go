package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// What recorded traffic says is shown, and commands no terminal: a shopper or a provider wrote parts of it.
func TestReportsShowPlainTexts(t *testing.T) {
	const hostile = `\u001b[2J\u0007\u202eevil\nDOES NOT HOLD\u2028\u009b`
	var b strings.Builder
	for i, says := range []string{`"fault":"timeout"`, `"code":"` + hostile + `","message":"` + hostile + `","http_status":200`, `"code":"0","http_status":200`} {
		fmt.Fprintf(&b, `{"v":1,"flow":"f%d%s","at":"2026-01-02T03:0%d:00Z","phase":"send","provider":"momo","operation":"pay","merchant":"m%s","payment_key":"k%d%s","order_id":"o%d%s","request_id":"r","amount":1000,"currency":"VND","latency_ms":900,%s}`+"\n",
			i, hostile, i, hostile, i, hostile, i, hostile, says)
		fmt.Fprintf(&b, `{"v":1,"flow":"f%d%s","at":"2026-01-02T03:0%d:30Z","phase":"end","merchant":"m%s","outcome":"failed"}`+"\n", i, hostile, i, hostile)
	}
	fmt.Fprintf(&b, `{"v":1,"flow":"g","at":"2026-01-02T03:09:00Z","phase":"%s","merchant":"m"}`+"\n", hostile)
	recording := filepath.Join(testkit.Dir(t, map[string]string{
		"a.jsonl": b.String(),
		"a.har":   `{"log":{"creator":{"name":"` + hostile + `","version":"1"},"entries":[{"request":{"method":"` + hostile + `","url":"http://x/` + hostile + `"}}]}}`,
	}), "a.jsonl")
	for _, args := range [][]string{
		{"simulate", recording},
		{"simulate", "--by", "merchant", "--against", "embedded", "--regions", recording},
		{"simulate", "--by", "merchant", "--outage", "momo:pay:1m", recording},
		{"simulate", "--flow", "f0\x1b[2J\a\u202eevil\nDOES NOT HOLD\u2028\u009b", recording},
		{"audit", recording},
		{"import", strings.TrimSuffix(recording, "jsonl") + "har", "-o", filepath.Join(t.TempDir(), "x.jsonl")},
	} {
		_, out, errs := command(args...)
		if bad := strings.IndexFunc(out+errs, func(r rune) bool { return r != '\n' && r != ' ' && !unicode.IsPrint(r) }); bad >= 0 {
			t.Errorf("%q shows %q", args, (out + errs)[max(0, bad-60):min(len(out+errs), bad+30)])
		}
		if strings.Contains(out, "\nDOES NOT HOLD\n") || len(out+errs) < 100 {
			t.Errorf("%q: %s%s", args, out, errs)
		}
	}
}
