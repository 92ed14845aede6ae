package rules_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

func TestLayersAndTheirRules(t *testing.T) {
	set := flawless(t, alone(t, map[string]string{
		"baseline.toml":       rule("b1") + rule("b2") + rule("b3"),
		"momo.toml":           rule("m1") + rule("m2"),
		"merchants/acme.toml": "disable = ['b2', 'm1']\n" + rule("a1") + rule("b2"),
		"merchants/one.toml":  "disable = 'b3'\n",
		"merchants/idle.toml": "",
	}))
	tests := []struct {
		name, provider, merchant, want string
	}{
		{"all three", "momo", "acme", "a1 b2 m2 b1 b3"}, // b2 is the merchant's own
		{"a merchant at a provider without rules", "opi", "acme", "a1 b2 b1 b3"},
		{"a merchant at an unknown provider", "nopay", "acme", "a1 b2 b1 b3"},
		{"a single rule disabled", "momo", "one", "m1 m2 b1 b2"},
		{"a merchant who says nothing", "momo", "idle", "m1 m2 b1 b2 b3"},
		{"a merchant without a file", "momo", "unknown", "m1 m2 b1 b2 b3"},
		{"no merchant", "momo", "", "m1 m2 b1 b2 b3"},
		{"nothing but the baseline", "nopay", "", "b1 b2 b3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ids(set.Layers(tt.provider, tt.merchant)); got != tt.want {
				t.Errorf("the rules are %s, want %s", got, tt.want)
			}
		})
	}
}

func TestScheduleAndTimezoneOfTheFirstLayerThatHasOne(t *testing.T) {
	ladder := func(name, wait string) string { return "[schedule." + name + "]\nintervals = ['" + wait + "']\n" }
	set := flawless(t, alone(t, map[string]string{
		"baseline.toml":       ladder("poll", "1m") + ladder("base", "2m"),
		"momo.toml":           "timezone = 'Asia/Ho_Chi_Minh'\n" + ladder("poll", "3m") + ladder("momos", "4m"),
		"merchants/acme.toml": "timezone = 'Asia/Taipei'\n" + ladder("poll", "5m") + ladder("momos", "6m"),
	}))
	tests := []struct {
		provider, merchant, schedule string
		want                         time.Duration // 0: there is none
		zone                         string
	}{
		{"opi", "", "poll", time.Minute, "UTC"},
		{"momo", "", "poll", 3 * time.Minute, "Asia/Ho_Chi_Minh"},
		{"momo", "acme", "poll", 5 * time.Minute, "Asia/Taipei"},
		{"momo", "acme", "base", 2 * time.Minute, "Asia/Taipei"},
		{"momo", "", "momos", 4 * time.Minute, "Asia/Ho_Chi_Minh"},
		{"opi", "acme", "momos", 6 * time.Minute, "Asia/Taipei"},
		{"opi", "", "momos", 0, "UTC"},
		{"momo", "acme", "nowhere", 0, "Asia/Taipei"},
	}
	for _, tt := range tests {
		t.Run(tt.provider+" "+tt.merchant+" "+tt.schedule, func(t *testing.T) {
			layers := set.Layers(tt.provider, tt.merchant)
			var got time.Duration
			if s := layers.Schedule(tt.schedule); s != nil {
				got = s.Delay(0)
			}
			if got != tt.want || layers.Timezone().String() != tt.zone {
				t.Errorf("the wait is %s in %s, want %s in %s", got, layers.Timezone(), tt.want, tt.zone)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	set := flawless(t, alone(t, map[string]string{
		"baseline.toml":       "[limits]\nmax_attempts = 5\n[limits.refund]\nmax_attempts = 1\nmax_queries = 11\n",
		"momo.toml":           "[limits]\nmax_queries = 22\n[limits.refund]\nmax_elapsed = '2h'\n",
		"merchants/acme.toml": "[limits.refund]\nmax_attempts = 3\n[limits]\nmax_retry_after = '3m'\nmax_elapsed = '3h'\n",
	}))
	const h = time.Hour
	tests := []struct {
		name, provider, merchant string
		op                       policy.Operation
		want                     policy.Limits
	}{
		{"what no file sets has a default", "opi", "", policy.Pay, policy.Limits{MaxAttempts: 5, MaxQueries: 40, MaxElapsed: 26 * h, MaxRetryAfter: h}},
		{"an operation's own line", "opi", "", policy.Refund, policy.Limits{MaxAttempts: 1, MaxQueries: 11, MaxElapsed: 26 * h, MaxRetryAfter: h}},
		{"a layer's general line before a lower one's for the operation", "momo", "", policy.Refund, policy.Limits{MaxAttempts: 1, MaxQueries: 22, MaxElapsed: 2 * h, MaxRetryAfter: h}},
		{"every layer adds what those above leave open", "momo", "acme", policy.Refund, policy.Limits{MaxAttempts: 3, MaxQueries: 22, MaxElapsed: 3 * h, MaxRetryAfter: 3 * time.Minute}},
		{"an operation's line is for no other", "momo", "acme", policy.Pay, policy.Limits{MaxAttempts: 5, MaxQueries: 22, MaxElapsed: 3 * h, MaxRetryAfter: 3 * time.Minute}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := set.Layers(tt.provider, tt.merchant).Limits(tt.op); got != tt.want {
				t.Errorf("the limits are %+v\nwant           %+v", got, tt.want)
			}
		})
	}
}

func TestContractLines(t *testing.T) {
	set := flawless(t, map[string]string{
		"merchants/acme.toml": `
[contract]
idempotent_key = true
dedupe         = ["order_id"]
dedupe_window  = "2h"
timeout        = "10s"
webhook        = false

[contract.refund]
timeout       = "20s"
arrival_grace = "1m"
replay        = "rejected"
replay_codes  = ["40"]
`,
		"merchants/beta.toml": "[contract]\nwebhook = true\n",
	})
	promised := policy.Contract{
		Dedupe: []policy.Identifier{policy.RequestID}, DedupeWindow: time.Hour, Replay: policy.FirstResult,
		QueryBy: []policy.Identifier{policy.OrderID}, Webhook: true, Timeout: 30 * time.Second, LinkExpiry: time.Hour,
	}
	general := promised
	general.Dedupe, general.DedupeWindow, general.Timeout, general.Webhook = []policy.Identifier{policy.OrderID}, 2*time.Hour, 10*time.Second, false
	refund := general
	refund.Timeout, refund.ArrivalGrace, refund.Replay, refund.ReplayCodes = 20*time.Second, time.Minute, policy.Rejected, []string{"40"}
	tests := []struct {
		name, merchant string
		op             policy.Operation
		want           policy.Contract
		keyed          bool
	}{
		{"no merchant changes nothing", "", policy.Refund, promised, false},
		{"a line for every operation", "acme", policy.Pay, general, true},
		{"a line for one operation over it", "acme", policy.Refund, refund, true},
		{"lines of another merchant", "beta", policy.Refund, promised, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			layers, got := set.Layers("momo", tt.merchant), promised
			layers.ApplyContract(tt.op, &got)
			if !reflect.DeepEqual(got, tt.want) || layers.IdempotentKey() != tt.keyed {
				t.Errorf("the contract is %+v, keyed %t\nwant            %+v, keyed %t", got, layers.IdempotentKey(), tt.want, tt.keyed)
			}
		})
	}
}
