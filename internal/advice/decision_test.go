package advice

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A decision is written as encoding/json writes it, whatever stands in its texts.
func TestDecisionsAreWrittenAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string {
			return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "plain", `a "b" \c`, "<&>", "line\nbreak", "\xff\xfe", "\u2028", "hết hạn", "\x7f"})).Draw(t, name)
		}
		d := Decision{
			Action: rapid.SampledFrom(policy.All[policy.Action]()).Draw(t, "action"), By: flow.Via(rapid.SampledFrom([]string{"", "query", "webhook"}).Draw(t, "by")),
			Rule: text("rule"), Source: text("source"), Reason: text("reason"), Effect: rapid.SampledFrom(policy.All[policy.Effect]()).Draw(t, "effect"),
			Class: rapid.SampledFrom(policy.All[policy.Class]()).Draw(t, "class"), Final: rapid.SampledFrom(policy.All[policy.Finality]()).Draw(t, "final"),
			DelayMS: rapid.Int64().Draw(t, "delay"), Limit: text("limit"), SetAside: text("set aside"),
		}
		if rapid.Bool().Draw(t, "waits") {
			name := text("schedule")
			d.Schedule = &name
		}
		if rapid.Bool().Draw(t, "stopped") {
			d.Interlock = &Interlock{rapid.SampledFrom(policy.All[policy.Action]()).Draw(t, "wanted"), flow.Property(text("property"))}
		}
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(d); err != nil {
			t.Fatal(err)
		}
		if got := string(d.AppendJSON([]byte("before"))) + "\n"; got != "before"+want.String() {
			t.Fatalf("written is\n%s\nand encoding/json writes\n%s", got, want.String())
		}
	})
}
