//go:build !race

package verify

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// Rules that were once called proved, and are not safe, have no certificate either: the checker's own model refuses them, whatever the
// search says.
func TestHostileRulesHaveNoCertificate(t *testing.T) {
	files, err := filepath.Glob("../adversary/testdata/kinds/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no kinds", err)
	}
	looked := 0
	for _, file := range files {
		archive, err := testkit.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		comment := string(archive.Comment)
		_, line, _ := strings.Cut(comment, "verify: ")
		words := strings.Fields(line)
		p := policy.Payment{Provider: words[0], Merchant: strings.TrimPrefix(words[2], "-"), Amount: 120_000, Currency: "VND"}
		if err := p.Operation.UnmarshalText([]byte(words[1])); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(comment, "expect: refused") || testkit.Size(0, 1, 2) < 2 && p.Provider != "opi" || testkit.Short() && looked == 8 {
			continue // the larger catalogues are for the slow tier
		}
		e, err := ruleset.Open(testkit.Dir(t, archive.Map()))
		if err != nil {
			continue // refused when it is loaded
		}
		looked++
		_, refused := closeOf(t, e, p, false, mostCertified)
		if p.Capture = policy.Manual; refused == nil {
			_, refused = closeOf(t, e, p, false, mostCertified)
		}
		if refused == nil || tooLarge(refused) {
			t.Errorf("%s: %v; want a property that breaks", filepath.Base(file), refused)
		}
	}
	if looked < 8 {
		t.Errorf("only %d sets were looked at", looked)
	}
}
