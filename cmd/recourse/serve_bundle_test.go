package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// A service whose rules are a bundle takes the next one in its place; one that is cut off, or of another digest than it is held to, leaves
// the old ones deciding.
func TestServeReloadsABundle(t *testing.T) {
	dir := testkit.Dir(t, map[string]string{"a/momo.toml": fmt.Sprintf(ownRule, "first"), "b/momo.toml": fmt.Sprintf(ownRule, "second")})
	file := filepath.Join(dir, "rules.zip")
	pack := func(from string) string {
		code, out, errs := command("bundle", filepath.Join(dir, from), "-o", file)
		if code != exitHolds {
			t.Fatal(errs)
		}
		return strings.TrimSpace(out)
	}
	decidedBy := func(url string) string {
		_, rest, _ := strings.Cut(postTo(t, url+"/v1/decide", "application/json", `{"provider":"momo","operation":"pay","code":1003}`), `"rule":"`)
		rule, _, _ := strings.Cut(rest, `"`)
		return rule
	}
	digest := pack("a")
	url, _, stderr, stop := startServe(t, "--rules", file, "--watch")
	if rule := decidedBy(url); rule != "first" {
		t.Errorf("%s decided", rule)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor(t, stderr, `the rules have mistakes.*not a bundle, or not a whole one`)
	if rule := decidedBy(url); rule != "first" {
		t.Errorf("after a bundle that is cut off %s decided", rule)
	}
	next := pack("b")
	waitFor(t, stderr, `"rules read anew","digest":"`+next+`"`)
	if rule := decidedBy(url); rule != "second" {
		t.Errorf("%s decided", rule)
	}
	stop()

	pack("a")
	url, _, stderr, stop = startServe(t, "--rules", file, "--watch", "--digest", digest)
	pack("b")
	waitFor(t, stderr, `the rules have mistakes.*--digest: these rules`)
	if rule := decidedBy(url); rule != "first" {
		t.Errorf("%s decided, and its rules have another digest", rule)
	}
	stop()
	if code, _, errs := command("serve", "--listen", "127.0.0.1:0", "--rules", file, "--digest", digest); code != exitCouldNot || !strings.Contains(errs, "--digest: these rules") {
		t.Errorf("serve of another digest ended with %d: %s", code, errs)
	}
}
