package providers_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// For every provider, operation and phase, and each answer that its tables list: the same answer without
// its names proves nothing, nor does it with a list, an object or 0 in their place, nor under the event of
// something else. A refusal of our own send may be nameless: the call pairs it.
func TestAnswersWithoutTheirNamesProveNothing(t *testing.T) {
	shown := map[string]int{}
	for _, provider := range names {
		c := catalog(t, provider)
		for _, r := range append(slices.Clone(c.Codes), c.Statuses...) {
			for _, f := range r.Facts {
				if strings.Contains(r.SubStatus, "*") || provider == "shopline" && slices.Contains(nameless, f.Operation) || f.Effect == unknown || f.Phase == send && (f.Stage == policy.Door || r.Status == "" && len(c.Statuses) > 0) {
					continue
				}
				a := policy.Answer{
					Phase: f.Phase, Code: r.Code, Status: r.Status, SubStatus: r.SubStatus,
					OrderID: "o-1", RequestID: "r-1", ProviderID: "7", Amount: 100_000, Currency: "USD",
				}
				whole, _ := c.Body(f.Operation, &a, noon)
				if proved(t, c, f, string(whole)) == unknown {
					continue // this answer has no envelope of its own
				}
				for _, in := range []string{"null", `""`, "0", `[]`, `{"a":1}`, `["o-1"]`, "true"} {
					body := strings.NewReplacer(`"o-1"`, in, `"r-1"`, in, `"7"`, in, `:7,`, ":"+in+",", `:7}`, ":"+in+"}").Replace(string(whole))
					if got := proved(t, c, f, body); got != unknown && body != string(whole) {
						t.Errorf("%s %s %s: %s proves %s", provider, f.Operation, f.Phase, body, got)
					}
				}
				foreign := eventName.ReplaceAllString(string(whole), `"$1":"ticket.status.closed"`)
				if got := proved(t, c, f, foreign); got != unknown && foreign != string(whole) {
					t.Errorf("%s %s %s: %s proves %s", provider, f.Operation, f.Phase, foreign, got)
				}
				shown[provider+" "+f.Phase.String()]++
			}
		}
	}
	for _, provider := range names {
		for _, ph := range policy.Phases() {
			if shown[provider+" "+ph.String()] == 0 {
				t.Errorf("%s: no answer in a %s was tried", provider, ph)
			}
		}
	}
}

var eventName = regexp.MustCompile(`"(type|notify_type|eventName)":"[^"]*"`)

// nameless are the operations of SHOPLINE whose answers name nothing that is known.
var nameless = []policy.Operation{payout, bind, unbind, onboard}

// proved is what a body proves.
func proved(t *testing.T, c *providers.Catalog, f providers.RowFact, body string) policy.Effect {
	t.Helper()
	a := policy.Answer{Currency: "USD"}
	if err := c.Decode(f.Operation, f.Phase, []byte(body), &a); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return c.Judge(&policy.Payment{Operation: f.Operation, Capture: policy.Manual}, &a).Effect
}
