package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// expectKeys are what can be expected of a decision.
var expectKeys = []string{
	"action", "rule", "schedule", "delay", "by", "reason", "effect", "class", "final", "in_doubt", "interlock", "wants", "limit",
}

// none is how nothing is expected: no rule, no schedule, no limit.
const none = "none"

// expected reads expectations, and refuses those that nothing could meet. A test that does
// not speak of the interlock expects that it has nothing to correct.
func (r *reader) expected(f fields, layers rules.Layers) []expected {
	var all []expected
	for _, key := range expectKeys {
		v, ok := f[key]
		if !ok {
			continue
		}
		want := ""
		if b, isBool := v.Any().(bool); isBool && key == "in_doubt" {
			want = fmt.Sprint(b)
		} else if want = r.text(f, key); key != "in_doubt" {
			want = r.possible(key, want, v, layers)
		} else {
			r.fail(v.Pos(), "in_doubt must be true or false")
		}
		all = append(all, expected{key: key, want: want, value: v, given: true})
	}
	if _, said := f["interlock"]; !said {
		all = append(all, expected{key: "interlock", want: none})
	}
	return all
}

// possible refuses what cannot come out, and writes the rest as it would come out.
func (r *reader) possible(key, want string, v source.Value, layers rules.Layers) string {
	pos := v.Pos()
	switch key {
	case "action", "wants":
		r.wordAt(pos, want, new(policy.Action))
	case "effect":
		r.wordAt(pos, want, new(policy.Effect))
	case "class":
		r.wordAt(pos, want, new(policy.Class))
	case "final":
		r.wordAt(pos, want, new(policy.Finality))
	case "rule":
		r.ruleExists(pos, want, layers)
	case "schedule":
		if names := layers.ScheduleNames(); layers != nil && want != none && !contains(names, want) {
			r.unknown(pos, "schedule", want, append(names, none))
		}
	case "by":
		r.oneOf(pos, key, want, string(flow.ByQuery), string(flow.ByWebhook), none)
	case "interlock":
		r.oneOf(pos, key, want, string(flow.S1), string(flow.S2), string(flow.S3), none)
	case "limit":
		r.oneOf(pos, key, want, "max_attempts", "max_queries", "max_elapsed", "withdrawn", none)
	case "delay":
		d, err := time.ParseDuration(want)
		if err != nil {
			r.fail(pos, `delay must be a duration such as "90s", "24h"`)
		}
		return d.String()
	}
	return want
}

func (r *reader) oneOf(pos source.Pos, key, got string, known ...string) {
	if !contains(known, got) {
		r.unknown(pos, key, got, known)
	}
}

// ruleExists refuses a rule that is not tried for a payment.
func (r *reader) ruleExists(pos source.Pos, id string, layers rules.Layers) {
	ids := ruleIDs(layers)
	if layers == nil || id == none || contains(ids, id) { // nil: whose rules they are is not known
		return
	}
	for _, f := range layers {
		for _, d := range f.Disable {
			if d.ID == id {
				r.fail(pos, "rule %q is disabled at %s, so it decides nothing here", id, d.Pos)
				return
			}
		}
	}
	r.unknown(pos, "rule", id, append(slices.Clone(ids), none))
}

// got is what came out, in the words of an expectation.
func got(key string, a *advice.Advice) string {
	d, v := &a.Decided.Decision, &a.Decided.Verdict
	switch key {
	case "action":
		return v.Action.String()
	case "wants":
		return d.Action.String()
	case "rule":
		return or(d.Rule)
	case "schedule":
		return or(v.Schedule)
	case "delay":
		return v.Delay.String()
	case "by":
		return or(string(v.Via))
	case "reason":
		return d.Reason
	case "effect":
		return a.Decided.Fact.Effect.String()
	case "class":
		return a.Decided.Fact.Class.String()
	case "final":
		return a.Decided.Fact.Final.String()
	case "in_doubt":
		return fmt.Sprint(a.Situation.InDoubt)
	case "interlock":
		return or(string(v.Property))
	default:
		return or(v.Limit)
	}
}

func or(s string) string {
	if s == "" {
		return none
	}
	return s
}

// meets reports whether what came out is what was expected.
func (x *expected) meets(got string) bool {
	if x.key == "reason" {
		return strings.Contains(got, x.want)
	}
	return got == x.want
}
