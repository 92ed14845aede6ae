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

// The checker of certificates refuses by its own world what the search once called proved: a certificate of such rules cannot be closed.
func TestKindsHaveNoCertificate(t *testing.T) {
	files, err := filepath.Glob("../adversary/testdata/kinds/*.txtar")
	if err != nil || len(files) < 100 {
		t.Fatal(len(files), err)
	}
	refused, held := 0, 0
	for _, file := range files {
		archive, err := testkit.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, words := strings.TrimSuffix(filepath.Base(file), ".txtar"), strings.Fields(line(string(archive.Comment), "verify: "))
		if words[0] != "mini" && testkit.Size(0, 0, 1) == 0 {
			continue // over a provider's whole catalogue
		}
		unsafe := line(string(archive.Comment), "expect: ") == "refused"
		e, err := ruleset.Open(testkit.Dir(t, archive.Map()))
		if err != nil {
			continue // refused when loaded
		}
		p := policy.Payment{Provider: words[0], Merchant: strings.TrimPrefix(words[2], "-"), Amount: 120_000}
		if err := p.Operation.UnmarshalText([]byte(words[1])); err != nil {
			t.Fatal(err)
		}
		cat, err := e.Catalog(&p)
		if err != nil {
			t.Fatal(name, err)
		}
		p.Currency = cat.Currency
		_, err = closeOf(t, e, p, false, 3000)
		switch {
		case unsafe && err == nil:
			t.Errorf("%s: the certificate holds", name)
		case unsafe:
			refused++
		case err == nil:
			held++
		}
	}
	t.Logf("%d refused, %d safe ones hold", refused, held)
	if refused < 15 || held < 15 {
		t.Error("a checker that refuses everything, or nothing, finds nothing")
	}
}

// line is the rest of the line that begins so.
func line(comment, begins string) string {
	_, rest, _ := strings.Cut("\n"+comment, "\n"+begins)
	rest, _, _ = strings.Cut(rest, "\n")
	return rest
}
