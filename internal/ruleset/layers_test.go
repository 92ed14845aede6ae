package ruleset

import (
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// layered has a rule in every layer for a few codes of MoMo, so that the rule that
// decides tells which layer won.
func layered(t testing.TB) *Engine {
	return opened(t, alone(t, map[string]string{
		"baseline.toml": "[schedule.poll]\ninitial_interval = \"2s\"\n" +
			rule("base-40", `code == "40"`, "escalate") + rule("base-41", `code == "41"`, "query_status") +
			rule("base-1001", `code == "1001"`, "mark_failed") + rule("base-any", `effect != "executed"`, "query_status"),
		"momo.toml": rule("momo-40", `code == "40"`, "query_status") + rule("momo-41", `code == "41"`, "escalate"),
		"opi.toml":  rule("opi-any", `effect == "unknown"`, "escalate"),
		"merchants/acme.toml": "disable = [\"base-1001\", \"momo-41\"]\n[schedule.poll]\nintervals = [\"1m\", \"9m\"]\n" +
			rule("acme-40", `code == "40"`, "escalate"),
		"merchants/tests.toml":      "",
		"merchants/tests.test.toml": "this is no TOML, and no rules",
		"baseline.test.toml":        "[[test]]\nthis is neither",
	}))
}

func TestLayers(t *testing.T) {
	e := layered(t)
	tests := []struct {
		name, provider, merchant, code string
		want                           string
	}{
		{"the merchant's layer comes first", "momo", "acme", "40", "acme-40"},
		{"then the provider's", "momo", "", "40", "momo-40"},
		{"then the baseline", "paykka", "", "40", "base-40"},
		{"a merchant's layer stands before every provider's", "opi", "acme", "40", "acme-40"},
		{"a provider's layer is not another provider's", "opi", "", "40", "opi-any"},
		{"within a layer the first rule wins", "momo", "", "1000", "base-any"},
		{"a merchant without a file gets the other two", "momo", "nobody", "40", "momo-40"},
		{"no merchant gets the other two", "momo", "", "41", "momo-41"},
		{"an empty file changes nothing", "momo", "tests", "41", "momo-41"},
		{"a rule of the provider's that is disabled", "momo", "acme", "41", "base-41"},
		{"a rule of the baseline that is disabled", "momo", "acme", "1001", "base-any"},
		{"it is disabled for this merchant only", "momo", "tests", "1001", "base-1001"},
		{"an unknown provider has the baseline", "nopay", "", "41", "base-41"},
		{"an unknown provider's payments are the merchant's too", "nopay", "acme", "40", "acme-40"},
		{"no rule holds", "momo", "", "0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := e.Decide(judged(e, paying(tt.provider, tt.merchant), policy.Answer{Code: tt.code}))
			if got.Rule != tt.want {
				t.Errorf("%s decides, want %q", oneLine(got), tt.want)
			}
		})
	}
	for _, m := range e.Rules.MerchantNames() {
		if strings.Contains(m, "test.") {
			t.Errorf("%s is read as a merchant's rules", m)
		}
	}
}

// Rules of one name in two layers are two rules, tried one after the other and counted
// together.
func TestOneNameInTwoLayers(t *testing.T) {
	e := opened(t, alone(t, map[string]string{
		"baseline.toml":       rule("again", `fired < 4`, "query_status"),
		"merchants/acme.toml": rule("again", `fired < 2`, "escalate"),
	}))
	tests := []struct {
		fired int
		want  policy.Action
		file  string
	}{
		{0, policy.Escalate, "acme.toml"}, {1, policy.Escalate, "acme.toml"},
		{2, policy.QueryStatus, "baseline.toml"}, {3, policy.QueryStatus, "baseline.toml"},
	}
	for _, tt := range tests {
		s := judged(e, paying("momo", "acme"), policy.Answer{Fault: policy.Timeout})
		s.Fired = policy.Counts{{Name: "again", N: tt.fired}}
		if got := e.Decide(s); got.Action != tt.want || !strings.Contains(got.Source, tt.file) {
			t.Errorf("after %d times: %s, want %s by %s", tt.fired, oneLine(got), tt.want, tt.file)
		}
	}
}

// Without a rule the engine asks as long as money may move, and else calls a person.
func TestNoRuleHolds(t *testing.T) {
	e := opened(t, alone(t, map[string]string{"baseline.toml": "[schedule.poll]\ninitial_interval = \"7s\"\n"}))
	for _, effect := range policy.All[policy.Effect]() {
		for _, inDoubt := range []bool{false, true} {
			s := judged(e, paying("momo", ""), policy.Answer{})
			s.Fact.Effect, s.InDoubt = effect, inDoubt
			want := policy.QueryStatus
			if !inDoubt && effect.Settled() {
				want = policy.Escalate
			}
			got := e.Decide(s)
			if got.Action != want || got.Rule != "" || got.Reason == "" {
				t.Errorf("%s, in doubt %t: %s, want %s with a reason", effect, inDoubt, oneLine(got), want)
			}
			if want == policy.QueryStatus && (got.Schedule == nil || got.Schedule.Delay(0) != 7*time.Second) {
				t.Errorf("%s, in doubt %t: %s, want the schedule poll", effect, inDoubt, oneLine(got))
			}
		}
	}
}

func TestSchedules(t *testing.T) {
	e := opened(t, alone(t, map[string]string{
		"baseline.toml": `
[schedule.poll]
initial_interval = "2s"
[schedule.retry]
initial_interval = "3s"
[schedule.named]
intervals = ["4s"]
[[rule]]
id = "named"
when = 'code == "40"'
then = "query_status"
schedule = "named"
` + rule("polls", `code == "41"`, "query_status") + rule("retries", `code == "1000"`, "retry_new_order") +
			rule("same", `code == "1001"`, "retry_same_request") + rule("ends", "true", "mark_failed"),
		"momo.toml":           "[schedule.named]\nintervals = [\"5s\"]\n",
		"merchants/acme.toml": "[schedule.named]\nintervals = [\"6s\"]\n[schedule.retry]\nintervals = [\"7s\"]\n",
		"merchants/beta.toml": "[schedule.poll]\nintervals = [\"8s\"]\n",
	}))
	tests := []struct {
		name, provider, merchant, code string
		want                           time.Duration // 0: at once
	}{
		{"the rule's own", "paykka", "", "40", 4 * time.Second},
		{"of that name, the provider's", "momo", "", "40", 5 * time.Second},
		{"of that name, the merchant's first", "momo", "acme", "40", 6 * time.Second},
		{"a query's without a name is poll", "momo", "", "41", 2 * time.Second},
		{"poll, the merchant's first", "momo", "beta", "41", 8 * time.Second},
		{"a retry's without a name is retry", "momo", "", "1000", 3 * time.Second},
		{"retry, the merchant's first", "momo", "acme", "1000", 7 * time.Second},
		{"the same request again is a retry", "momo", "acme", "1001", 7 * time.Second},
		{"an end is at once", "momo", "acme", "0", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := e.Decide(judged(e, paying(tt.provider, tt.merchant), policy.Answer{Code: tt.code}))
			var wait time.Duration
			if got.Schedule != nil {
				wait = got.Schedule.Delay(0)
			}
			if wait != tt.want {
				t.Errorf("%s, want to wait %s", oneLine(got), tt.want)
			}
		})
	}
	p := paying("momo", "beta")
	if poll := e.Terms(&p).Poll; poll == nil || poll.Delay(0) != 8*time.Second {
		t.Errorf("queries that no rule asked for wait %v, want the merchant's poll", poll)
	}
}

// A decision that is to be carried out again must say when: without a schedule it would
// be at once, forty times.
func TestEveryRepetitionWaits(t *testing.T) {
	own := "[[rule]]\nid = \"mine\"\nwhen = 'in_doubt'\nthen = \"query_status\"\nschedule = \"lost\"\n"
	tests := []struct {
		name  string
		files map[string]string
	}{
		{"the defaults", nil},
		{"a merchant's rule with the schedule of one provider", map[string]string{"merchants/acme.toml": own}},
		{"a baseline without schedules", alone(t, map[string]string{"baseline.toml": rule("asks", "in_doubt", "query_status")})},
		{"a baseline without schedules and rules", alone(t, nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := opening(folder(t, tt.files))
			if err != nil {
				return // refused, which is as good
			}
			for _, provider := range append(e.Catalogs.Names(), "nopay") {
				p := paying(provider, "acme")
				s := judged(e, p, policy.Answer{Fault: policy.Timeout})
				s.InDoubt = true
				if got := e.Decide(s); got.Action == policy.QueryStatus && got.Schedule == nil {
					t.Errorf("%s: %s", provider, oneLine(got))
				}
				if e.Terms(&p).Poll == nil {
					t.Errorf("%s: queries that no rule asked for have no schedule", provider)
				}
			}
		})
	}
}

func TestHourAndWeekdayAreTheMerchants(t *testing.T) {
	e := opened(t, alone(t, map[string]string{
		"baseline.toml":         rule("night", `hour < 6`, "escalate") + rule("weekend", `weekday in ["saturday", "sunday"]`, "escalate"),
		"merchants/saigon.toml": "timezone = \"Asia/Ho_Chi_Minh\"\n",
		"merchants/nyc.toml":    "timezone = \"America/New_York\"\n",
		"merchants/kolkata.toml": "timezone = \"Asia/Kolkata\"\n" +
			rule("late", `hour in [23] || false`, "escalate"), // a program, where the others are comparisons
	}))
	tests := []struct {
		merchant, at, want string
	}{
		{"", "2026-01-02T05:59:59Z", "night"},
		{"", "2026-01-02T06:00:00Z", ""},
		{"nobody", "2026-01-03T12:00:00Z", "weekend"},
		{"saigon", "2026-01-02T22:59:59Z", "night"}, // 05:59:59 on Saturday
		{"saigon", "2026-01-02T17:00:00Z", "night"}, // midnight
		{"saigon", "2026-01-02T16:59:59Z", ""},      // a second before, on Friday
		{"saigon", "2026-01-02T23:00:00Z", "weekend"},
		{"nyc", "2026-01-03T04:59:59Z", ""},      // 23:59:59 on Friday
		{"nyc", "2026-01-03T05:00:00Z", "night"}, // midnight
		{"nyc", "2026-07-03T09:59:59Z", "night"}, // 05:59:59 in summer
		{"nyc", "2026-07-03T10:00:00Z", ""},      // 06:00 in summer
		{"nyc", "2026-01-05T04:30:00Z", "weekend"},
		{"kolkata", "2026-01-02T18:29:59Z", "late"}, // half an hour off
		{"kolkata", "2026-01-02T18:30:00Z", "night"},
	}
	for _, tt := range tests {
		t.Run(tt.merchant+" "+tt.at, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			s := judged(e, paying("momo", tt.merchant), policy.Answer{})
			s.At = at
			if got := e.Decide(s); got.Rule != tt.want {
				t.Errorf("%s, want rule %q", oneLine(got), tt.want)
			}
		})
	}
}
