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

// none is the expectation of nothing: no rule, no schedule, no limit.
const none = "none"

// expected reads expectations, and refuses those that nothing can meet. A test without
// interlock expects that the interlock corrects nothing.
func (r *reader) expected(f fields, layers rules.Layers) []expected {
	var all []expected
	for _, key := range expectKeys {
		v, ok := f[key]
		if !ok {
			continue
		}
		all = append(all, expected{key: key, want: r.expectation(f, key, v, layers), value: v, given: true})
	}
	if _, said := f["interlock"]; !said {
		all = append(all, expected{key: "interlock", want: none})
	}
	return all
}

// expectation reads the expected value of one key as text.
func (r *reader) expectation(f fields, key string, v source.Value, layers rules.Layers) string {
	if b, isBool := v.Any().(bool); isBool && key == "in_doubt" {
		return fmt.Sprint(b)
	}
	want := r.text(f, key)
	if key == "in_doubt" {
		r.fail(v.Pos(), "in_doubt must be true or false")
		return want
	}
	return r.possible(key, want, v, layers)
}

// possible refuses a value that a decision never has, and returns the others in the form that
// got has.
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
		r.oneOf(pos, key, want, string(flow.S1), string(flow.S2), string(flow.S3), "S6", none)
	case "limit":
		r.oneOf(pos, key, want, "max_attempts", "max_queries", "max_elapsed", "withdrawn", none)
	case "reason":
		if want == "" {
			r.fail(pos, "reason is empty, and every reason has that in it; write a part of it, or leave it out")
		}
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
	if layers == nil || id == none || contains(ids, id) { // nil: the payment is not known, and that was reported
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

// got returns what was decided, in the form of an expectation.
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

// meets reports whether the result is the expected one. Of a reason a part is enough.
func (x *expected) meets(got string) bool {
	if x.key == "reason" {
		return strings.Contains(got, x.want)
	}
	return got == x.want
}
