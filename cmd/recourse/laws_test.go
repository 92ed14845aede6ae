package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

var defaultRules = sync.OnceValues(func() (*ruleset.Engine, error) { return ruleset.Open("") })

// defaults is the engine with the embedded rules.
func defaults(t testing.TB) *ruleset.Engine {
	t.Helper()
	e, err := defaultRules()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fields is a line of `decide` before it is JSON.
type fields map[string]any

// with returns a copy that has more fields.
func (f fields) with(more fields) fields {
	both := maps.Clone(f)
	maps.Copy(both, more)
	return both
}

func (f fields) line(t testing.TB) []byte {
	t.Helper()
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// decided asks as `decide` does; a line that is not answered fails the test.
func decided(t testing.TB, line []byte) *advice.Advice {
	t.Helper()
	q, err := advice.Read(line)
	if err != nil {
		t.Fatalf("%s: %s", line, err)
	}
	a, err := advice.Ask(defaults(t), q)
	if err != nil {
		t.Fatalf("%s: %s", line, err)
	}
	return a
}

// brokenLaw says what no decision may do, whatever was asked; empty when it is sound.
func brokenLaw(q *advice.Question, a *advice.Advice) string {
	d := a.Decision()
	inDoubt := a.Situation.InDoubt
	newIdentity := d.Action == policy.RetryNewRequest || d.Action == policy.RetryNewOrder
	switch {
	case q.InDoubt && !inDoubt:
		return "the doubt of earlier identities is lost"
	case !d.Effect.Settled() && !inDoubt:
		return "an answer that settles nothing leaves no doubt"
	case (newIdentity || d.Action == policy.MarkFailed) && (d.Effect != policy.NotExecuted || inDoubt):
		return d.Action.String() + " while money may have moved"
	case d.Action == policy.MarkSucceeded && d.Effect != policy.Executed:
		return "mark_succeeded without proof"
	case d.Action == policy.MarkSucceeded && (d.Class == policy.Mismatch || d.Class == policy.Disputed):
		return "mark_succeeded of what a person has to look at"
	case d.Effect == policy.Executed && d.Action.Sends():
		return d.Action.String() + " after an execution"
	case q.Phase == policy.Webhook && !q.Verified && d.Effect.Settled():
		return "an unverified webhook proves something"
	case d.DelayMS < 0:
		return "a wait of less than nothing"
	case d.Interlock != nil && d.Interlock.Wanted == d.Action:
		return "the interlock forbids what is done"
	}
	return brokenShape(&d)
}

// documented are the keys that every decided line has.
var documented = strings.Fields("action rule source reason effect class final schedule delay_ms interlock")

func brokenShape(d *advice.Decision) string {
	raw, err := json.Marshal(d)
	if err != nil {
		return err.Error()
	}
	var line map[string]json.RawMessage
	if err := json.Unmarshal(raw, &line); err != nil {
		return err.Error()
	}
	for _, key := range documented {
		if _, ok := line[key]; !ok {
			return "no " + key + " in " + string(raw)
		}
	}
	for key := range line {
		if !slices.Contains(documented, key) && key != "by" && key != "limit" && key != "set_aside" {
			return key + " is not documented: " + string(raw)
		}
	}
	return ""
}
