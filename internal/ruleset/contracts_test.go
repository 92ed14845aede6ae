package ruleset_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// tiny is a catalogue with sends alone.
const tiny = `name = "tiny"
operations = ["pay"]
currency = "VND"
[contract.pay]
replay = "executed_again"
[[decode]]
code = "code"
[[code]]
code = "0"
class = "success"
facts = [{ operation = "pay", phase = "send", effect = "executed", stage = "result" }]
`

// A merchant's contract may not promise what the catalogue under it denies.
func TestContractsThatTheCatalogueDenies(t *testing.T) {
	const merchant = "merchants/acme.toml"
	tests := []struct {
		name string
		file string
		text string
		want string // of the line; empty: it is taken
	}{
		{"a window of nothing", merchant, "[merchant]\nproviders = [\"vnpay\"]\n[contract]\ndedupe_window = \"48h\"\n", merchant + ":4:17: vnpay checkout: dedupe_window says for how long a repeat is recognised"},
		{"a window over the catalogue's list", merchant, "[merchant]\nproviders = [\"momo\"]\n[contract]\ndedupe_window = \"48h\"\n", ""},
		{"a line that one provider can keep", merchant, "[contract]\ndedupe_window = \"48h\"\n", ""},
		{"a first result of nothing", merchant, "[merchant]\nproviders = [\"shopline\"]\n[contract.refund]\nreplay = \"first_result\"\n", merchant + ":4:10: shopline refund: replay says"},
		{"with the key, it is of something", merchant, "[merchant]\nproviders = [\"shopline\"]\n[contract]\nidempotent_key = true\n[contract.refund]\nreplay = \"first_result\"\n", ""},
		{"an absence that nothing is asked for", merchant, "[merchant]\nproviders = [\"opi\"]\n[contract.refund]\nnot_found_after = \"1h\"\n", merchant + ":4:19: opi refund: not_found_after says what"},
		{"one that something is asked for", merchant, "[merchant]\nproviders = [\"opi\"]\n[contract.payout]\nnot_found_after = \"1h\"\n", ""},
		{"a webhook that no row reads", merchant, "[merchant]\nproviders = [\"momo\"]\n[contract.refund]\nwebhook = true\n", merchant + ":4:11: momo refund: webhook says"},
		{"a refused repeat whose row denies the payment", merchant, "[merchant]\nproviders = [\"momo\"]\n[contract.refund]\nreplay_codes = [\"11\"]\n", merchant + ":4:16: momo refund: replay_codes says"},
		{"a longer arrival than the window", merchant, "[merchant]\nproviders = [\"momo\"]\n[contract]\ndedupe_window = \"25s\"\narrival_grace = \"1s\"\n", merchant + ":4:17: momo checkout: dedupe_window is not longer"},
		{"dedupe over a second execution", "providers/tiny.toml", tiny, ":4:10: tiny pay: the line at |dedupe = [\"request_id\"]\n"},
		{"a query that no row answers", "providers/tiny.toml", tiny, ":4:12: tiny pay: query_by says that there is a query|query_by = [\"order_id\"]\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{tt.file: tt.text}
			if strings.HasPrefix(tt.file, "providers/") {
				files[merchant] = "[merchant]\nproviders = [\"tiny\"]\n[contract]\n" + tt.want[strings.Index(tt.want, "|")+1:]
				tt.want = merchant + tt.want[:strings.Index(tt.want, "|")]
			}
			_, err := ruleset.Open(testkit.Dir(t, files))
			said := ""
			if err != nil {
				said = err.Error()
			}
			if tt.want == "" && said != "" || !strings.Contains(said, tt.want) || strings.Contains(said, "\n") {
				t.Errorf("said\n%s\nwant\n%s", said, tt.want)
			}
		})
	}
}

// The embedded rules, as a user's folder, are taken too: their contracts are not looked at when they are opened.
func TestShippedContractsAgreeWithTheCatalogues(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range e.Rules.Files() {
		files[f.Path] = string(f.Text)
	}
	if _, err := ruleset.Open(testkit.Dir(t, files)); err != nil {
		t.Error(err)
	}
}
