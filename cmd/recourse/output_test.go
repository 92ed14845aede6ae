package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/diff"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// A report that is printed item by item is, to the byte, what one encoder would print.
func TestJSONIsThatOfAnEncoder(t *testing.T) {
	same := func(t interface{ Fatalf(string, ...any) }, what any) {
		var want, got bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(what); err != nil {
			t.Fatalf("%v", err)
		}
		if err := printJSON(&got, what); err != nil || got.String() != want.String() {
			t.Fatalf("%v\n%s\nan encoder prints\n%s", err, &got, &want)
		}
	}
	type inner struct {
		A []int `json:"a"`
	}
	type all struct {
		V     int             `json:"v"`
		Text  string          `json:"text,omitempty"`
		Bytes []byte          `json:"bytes,omitempty"`
		When  time.Time       `json:"when,omitempty"`
		Raw   json.RawMessage `json:"raw,omitempty"`
		Map   map[string]int  `json:"map,omitempty"`
		Ptr   *inner          `json:"ptr,omitempty"`
		List  []inner         `json:"list"`
		Lists [][]string      `json:"lists,omitempty"`
		On    bool            `json:"on,omitempty"`
		Words []policy.Action `json:"words,omitempty"`
	}
	same(t, &all{})
	same(t, all{V: 1, Text: "<&>", Bytes: []byte{1}, When: time.Unix(0, 0), Raw: json.RawMessage(`{"x":[1]}`), Map: map[string]int{"a": 1}, Ptr: &inner{}, List: []inner{{}, {A: []int{1}}}, Lists: [][]string{nil, {"a"}}, On: true, Words: []policy.Action{policy.RetrySame}})
	same(t, struct{ inner }{inner{A: []int{1}}})
	same(t, []string{"a"})
	same(t, &diff.Report{})
	same(t, &verify.Report{})
	rapid.Check(t, func(r *rapid.T) {
		report := diff.Report{Complete: true, Terms: rapid.Make[[]diff.Term]().Draw(r, "terms"), Unknown: rapid.Make[[]string]().Draw(r, "unknown")}
		report.Changes = make([]diff.Change, rapid.IntRange(0, 3).Draw(r, "changes"))
		same(r, &report)
	})
}
