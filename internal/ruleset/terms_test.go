package ruleset

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

func TestLimitsAreJoinedFieldByField(t *testing.T) {
	e := opened(t, alone(t, map[string]string{
		"baseline.toml": "[limits]\nmax_attempts = 5\nmax_queries = 50\n[limits.payout]\nmax_attempts = 1\n",
		"momo.toml":     "[limits]\nmax_elapsed = \"3h\"\n[limits.refund]\nmax_attempts = 2\nmax_elapsed = \"9h\"\n",
		"merchants/acme.toml": "[limits]\nmax_attempts = 7\n[limits.refund]\nmax_queries = 8\n" +
			"[limits.pay]\nmax_retry_after = \"5m\"\n",
	}))
	const h = time.Hour
	tests := []struct {
		name, provider, merchant string
		operation                policy.Operation
		want                     policy.Limits
	}{
		{"the baseline's, and what nobody says", "opi", "", policy.Pay, policy.Limits{MaxAttempts: 5, MaxQueries: 50, MaxElapsed: 26 * h, MaxRetryAfter: h}},
		{"the baseline's for an operation", "opi", "", policy.Payout, policy.Limits{MaxAttempts: 1, MaxQueries: 50, MaxElapsed: 26 * h, MaxRetryAfter: h}},
		{"the provider's where it has one", "momo", "", policy.Pay, policy.Limits{MaxAttempts: 5, MaxQueries: 50, MaxElapsed: 3 * h, MaxRetryAfter: h}},
		{"the provider's for an operation", "momo", "", policy.Refund, policy.Limits{MaxAttempts: 2, MaxQueries: 50, MaxElapsed: 9 * h, MaxRetryAfter: h}},
		{"the merchant's where it has one", "momo", "acme", policy.Checkout, policy.Limits{MaxAttempts: 7, MaxQueries: 50, MaxElapsed: 3 * h, MaxRetryAfter: h}},
		{"the merchant's general line stands before the provider's for an operation", "momo", "acme", policy.Refund, policy.Limits{MaxAttempts: 7, MaxQueries: 8, MaxElapsed: 9 * h, MaxRetryAfter: h}},
		{"the merchant's for an operation", "opi", "acme", policy.Pay, policy.Limits{MaxAttempts: 7, MaxQueries: 50, MaxElapsed: 26 * h, MaxRetryAfter: 5 * time.Minute}},
		{"a merchant's hold at an unknown provider too", "nopay", "acme", policy.Pay, policy.Limits{MaxAttempts: 7, MaxQueries: 50, MaxElapsed: 26 * h, MaxRetryAfter: 5 * time.Minute}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := policy.Payment{Provider: tt.provider, Merchant: tt.merchant, Operation: tt.operation}
			if got := e.Terms(&p).Limits; got != tt.want {
				t.Errorf("the limits are %+v\nwant           %+v", got, tt.want)
			}
		})
	}
}

// A merchant's integration can differ from what the catalogue takes for granted.
func TestContractLines(t *testing.T) {
	e := opened(t, map[string]string{
		"merchants/keyed.toml": "[contract]\nidempotent_key = true\n",
		"merchants/promised.toml": "[contract]\nidempotent_key = true\ndedupe_window = \"24h\"\nreplay = \"first_result\"\narrival_grace = \"20m\"\n" +
			"[contract.refund]\ntimeout = \"5s\"\nquery_by = [\"order_id\"]\n",
	})
	contract := func(provider, merchant string, op policy.Operation) policy.Contract {
		p := policy.Payment{Provider: provider, Merchant: merchant, Operation: op}
		return e.Terms(&p).Contract
	}
	for _, op := range policy.Operations() {
		plain := catalogue(t, e, "shopline").Contract(op)
		if got := contract("shopline", "", op); !reflect.DeepEqual(got, plain) {
			t.Errorf("%s, no merchant: %+v, want the catalogue's %+v", op, got, plain)
		}
		keyed := plain
		keyed.Dedupe = []policy.Identifier{policy.RequestID} // for how long is not documented
		if got := contract("shopline", "keyed", op); !reflect.DeepEqual(got, keyed) {
			t.Errorf("%s, keyed: %+v, want %+v", op, got, keyed)
		}
		keyed.DedupeWindow, keyed.Replay, keyed.ArrivalGrace = 24*time.Hour, policy.FirstResult, 20*time.Minute
		if op == policy.Refund {
			keyed.Timeout, keyed.QueryBy = 5*time.Second, []policy.Identifier{policy.OrderID}
		}
		if got := contract("shopline", "promised", op); !reflect.DeepEqual(got, keyed) {
			t.Errorf("%s, promised: %+v, want %+v", op, got, keyed)
		}
		if got, want := contract("momo", "keyed", op), catalogue(t, e, "momo").Contract(op); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: MoMo has no such key, and the contract is %+v, want %+v", op, got, want)
		}
		if got := contract("nopay", "keyed", op); !reflect.DeepEqual(got, policy.Contract{}) {
			t.Errorf("%s: nobody knows the provider, and it promises %+v", op, got)
		}
	}
	for merchant, safe := range map[string]bool{"keyed": false, "promised": true} {
		if sent := friday; contractOf(contract("shopline", merchant, policy.Pay)).ReplaySafe(sent, sent.Add(30*time.Minute)) != safe {
			t.Errorf("%s: that a request may be sent again within the hour is not %v", merchant, safe)
		}
	}
}

func contractOf(c policy.Contract) *policy.Contract { return &c }

// A provider that is known from a file only, and a file that takes a default's place.
func TestFolder(t *testing.T) {
	e := opened(t, map[string]string{
		"providers/fifth.toml": `
name       = "fifth"
operations = ["pay"]
[contract]
query_by = ["order_id"]
[[code]]
code = "F-1"
facts = [{ operation = "*", phase = ["send"], effect = "not_executed", class = "maintenance", stage = "door" }, { operation = "*", phase = ["query"], effect = "unknown", stage = "door" }]
`,
		"providers/momo.toml": `
name = "momo"
[[code]]
code  = "9999"
class = "success"
facts = [{ operation = "*", phase = ["send"], effect = "executed", stage = "result" }]
`,
		"fifth.toml":          rule("fifth-door", `code == "F-1"`, "retry_new_order"),
		"momo.toml":           rule("momo-lost", `code in ["9999", "40"]`, "escalate"),
		"merchants/acme.toml": rule("acme-fifth", `provider == "fifth" && operation == "pay" && code == "F-1"`, "mark_failed"),
	})
	tests := []struct {
		name, provider, merchant, code, want string
	}{
		{"a rule names the new provider's code", "fifth", "", "F-1", "fifth-door"},
		{"a merchant names the new provider", "fifth", "acme", "F-1", "acme-fifth"},
		{"elsewhere it does not", "opi", "acme", "F-1", "in-doubt"},
		{"the new provider has the default baseline", "fifth", "", "F-2", "in-doubt"},
		{"a new code of a provider that is built in", "momo", "", "9999", "momo-lost"},
		{"the old codes are still there", "momo", "", "0", "executed"},
		{"the file stands in the default's place", "momo", "", "41", "in-doubt"}, // not momo-in-flight
		{"what the folder lacks is a default", "opi", "", "21007", "in-doubt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := judged(e, paying(tt.provider, tt.merchant), policy.Answer{Code: tt.code})
			if got := e.Decide(s); got.Rule != tt.want {
				t.Errorf("%s, want rule %q", oneLine(got), tt.want)
			}
		})
	}
	if _, err := Open(""); err != nil {
		t.Errorf("the defaults are no longer what they were: %v", err)
	}
}

func TestCheck(t *testing.T) {
	e := open(t, "")
	good := paying("momo", "")
	if err := e.Check(&good); err != nil {
		t.Error(err)
	}
	var offered *NotOfferedError
	away := policy.Payment{Provider: "momo", Operation: policy.Onboard}
	if err := e.Check(&away); !errors.As(err, &offered) || offered.Operation != policy.Onboard || len(offered.Offered) == 0 {
		t.Errorf("MoMo offers no onboarding: %v", err)
	}
	var unknown *providers.UnknownProviderError
	nowhere := paying("nopay", "")
	if err := e.Check(&nowhere); !errors.As(err, &unknown) || unknown.Name != "nopay" {
		t.Errorf("nobody knows nopay: %v", err)
	}
	if got := e.Judge(&nowhere, &policy.Answer{Code: "0", HTTPStatus: 200}); got != (policy.Fact{}) {
		t.Errorf("an answer of nobody known proves %+v", got)
	}
}
