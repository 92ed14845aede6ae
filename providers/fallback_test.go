package providers_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

const declines = `
name       = "declines"
operations = ["pay", "refund"]

[[status]]
status = "FAILED"
class  = "issuer_declined"
facts  = [{ operation = "*", phase = ["send", "query"], effect = "not_executed", stage = "result", basis = "documented" }]

[[status]]
status     = "FAILED"
sub_status = "late"
class      = "issuer_declined"
facts      = [{ operation = "*", phase = ["send", "query"], effect = "not_executed", stage = "result", basis = "documented" }]

[[status]]
status = "PAID"
class  = "success"
facts  = [{ operation = "*", phase = ["send", "query"], effect = "executed", stage = "result" }]

[[code]]
code  = "murky"
class = "provider_error"
facts = [{ operation = "*", phase = ["send", "query"], effect = "unknown", stage = "result" }]

[[fallback]]
status = "FAILED"
class  = "issuer_declined"
facts  = [{ operation = ["pay"], phase = ["send", "query"], effect = "not_executed", stage = "result", basis = "documented", because = "their page on declines" }]

[[fallback]]
status     = "FAILED"
sub_status = "late"
class      = "channel_error"
facts      = [{ operation = ["pay"], phase = ["send", "query"], effect = "unknown", stage = "result" }]
`

func TestFallbacksStandForCodesThatNoRowLists(t *testing.T) {
	c, err := with(t, "declines.toml", declines).Get("declines")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		op     policy.Operation
		a      policy.Answer
		effect policy.Effect
		class  policy.Class
	}{
		{"an unlisted code", policy.Pay, policy.Answer{Status: "FAILED", Code: "new"}, policy.NotExecuted, policy.IssuerDeclined},
		{"an unlisted sub-code", policy.Pay, policy.Answer{Status: "FAILED", Code: "murky", SubCode: "new"}, policy.NotExecuted, policy.IssuerDeclined},
		{"a listed code keeps its own row", policy.Pay, policy.Answer{Status: "FAILED", Code: "murky"}, policy.Unknown, policy.ProviderError},
		{"the sub-status's own fallback", policy.Pay, policy.Answer{Status: "FAILED", SubStatus: "late", Code: "new"}, policy.Unknown, policy.ChannelError},
		{"another operation", policy.Refund, policy.Answer{Status: "FAILED", Code: "new"}, policy.Unknown, policy.Unrecognized},
		{"a phase that it does not list", policy.Pay, policy.Answer{Phase: policy.Webhook, Status: "FAILED", Code: "new"}, policy.Unknown, policy.IssuerDeclined},
		{"beside a success it says nothing", policy.Pay, policy.Answer{Status: "PAID", Code: "new"}, policy.Executed, policy.Success},
		{"an unlisted status", policy.Pay, policy.Answer{Status: "GONE", Code: "new"}, policy.Unknown, policy.Unrecognized},
		{"no status at all", policy.Pay, policy.Answer{Code: "new"}, policy.Unknown, policy.Unrecognized},
		{"a server's error", policy.Pay, policy.Answer{HTTPStatus: 502, Status: "FAILED", Code: "new"}, policy.Unknown, policy.IssuerDeclined},
	} {
		if f := c.Judge(&policy.Payment{Operation: tt.op}, &tt.a); f.Effect != tt.effect || f.Class != tt.class {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
	if c.HasCode("*") || c.HasCode("") || len(c.Fallbacks) != 2 || len(c.Codes) != 1 {
		t.Error("a fallback is listed as a code")
	}
	if why := strings.Join(c.Because(&policy.Payment{Operation: policy.Pay}, &policy.Answer{Status: "FAILED", Code: "new"}), "\n"); !strings.Contains(why, "any other code: their page on declines") {
		t.Errorf("it is not said why: %s", why)
	}
}

// A failure whose reason is only supposed to be harmless is no more than inferred.
func TestAnInferredFallbackMakesTheFailureInferred(t *testing.T) {
	c, err := with(t, "declines.toml", strings.Replace(declines, `basis = "documented", because`, `because`, 1)).Get("declines")
	if err != nil {
		t.Fatal(err)
	}
	if f := c.Judge(&policy.Payment{Operation: policy.Pay}, &policy.Answer{Status: "FAILED", Code: "new"}); f.Effect != policy.NotExecuted || f.Basis != policy.Inferred {
		t.Errorf("%+v", f)
	}
	if f := c.Judge(&policy.Payment{Operation: policy.Pay}, &policy.Answer{Status: "FAILED"}); f.Basis != policy.Documented {
		t.Errorf("without a code: %+v", f)
	}
}

func TestMistakesInFallbacks(t *testing.T) {
	const facts = `facts = [{ operation = ["pay"], phase = ["send"], effect = "unknown", stage = "result" }]`
	const status = "[[status]]\nstatus = \"S\"\n" + facts + "\n"
	for lines, want := range map[string]string{
		"[[fallback]]\n" + facts:                                                                     `a [[fallback]] needs status = "…"`,
		status + "[[fallback]]\nstatus = \"T\"\n" + facts:                                            `status "T" has no [[status]] row`,
		status + "[[fallback]]\nstatus = \"S\"\nsub_status = \"x\"\n" + facts:                        `status "S" has no [[status]] row with sub_status "x"`,
		status + strings.Repeat("[[fallback]]\nstatus = \"S\"\n"+facts+"\n", 2):                      `the fallback of status "S" stands already at f.toml:6`,
		status + "[[fallback]]\nstatus = \"S\"\n" + strings.Replace(facts, "unknown", "executed", 1): `a reason proves no execution`,
	} {
		if said := add(t, lines+"\n"); !strings.Contains(said, want) {
			t.Errorf("%s\nsaid %s\nwant %s", lines, said, want)
		}
	}
}
