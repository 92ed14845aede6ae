package verify

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// The promises of a proof by what was proved before. Of rules that decide less it is not known what breaks without a promise. Rules that decide
// something else only where the provider breaks its word may need that word.
func TestWhatIsCoveredNeedsItsOwnPromises(t *testing.T) {
	const contract = "[contract]\nquery_by = [\"order_id\"]\nnot_found_after = \"10m\"\narrival_grace = \"1m\"\n"
	rule := func(id, when, then string) string {
		return "[[rule]]\nid = \"" + id + "\"\nwhen = '" + when + "'\nthen = \"" + then + "\"\n"
	}
	again := func(hour string) string {
		return rule("again", `hour < `+hour+` && phase == "query" && effect == "not_executed" && !in_doubt`, "retry_new_request")
	}
	rest := rule("ask", `effect == "unknown" && phase == "send"`, "query_status") + rule("rest", `true`, "escalate")
	k, err := OpenKnown(filepath.Join(t.TempDir(), "known.json"))
	if err != nil {
		t.Fatal(err)
	}
	look := func(text string) (p *Product, listed []string) {
		t.Helper()
		e, err := ruleset.Open(testkit.Dir(t, map[string]string{"merchants/some.toml": contract + text}))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(t.Context(), e, &Options{Providers: []string{"opi"}, Operations: []policy.Operation{policy.Cancel}, Merchants: []string{"some"}, Known: k})
		if err != nil || !r.Holds {
			t.Fatal(err, r)
		}
		for _, a := range r.Products[0].Assumptions {
			if slices.ContainsFunc(kept[:], func(k keptPromise) bool { return k.name == a.Promise }) {
				listed = append(listed, a.Promise+a.Breaks)
			}
		}
		return &r.Products[0], listed
	}
	if _, listed := look(again("5") + rest); !slices.Equal(listed, []string{"not_found_afterS2", "arrival_graceS2"}) {
		t.Fatal("at first: ", listed)
	}
	if p, listed := look(again("6") + rest); !p.Within || !slices.Equal(listed, []string{"not_found_afterS2", "arrival_graceS2"}) {
		t.Errorf("the same decisions: within %t, %v", p.Within, listed)
	}
	if p, listed := look(rest); !p.Within || !slices.Equal(listed, []string{"not_found_after", "arrival_grace"}) {
		t.Errorf("less: within %t, %v", p.Within, listed)
	}

	// As if the search had done without "dedupe", and had asked, without it, what these rules answer in another way.
	for _, covers := range k.stored.Covers {
		c := &covers[0]
		c.Needs.Withdrawn, c.Needs.Asked = []promise{dedupes}, slices.Clone(c.Asked[:1])
		c.Needs.Asked[0].Decide = 0
	}
	if p, listed := look(again("7") + rest); !p.Within || !slices.Equal(listed, []string{"dedupe", "not_found_after", "arrival_grace"}) {
		t.Errorf("something else without it: within %t, %v", p.Within, listed)
	}
}
