package advice_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// bodyCase is one body as a provider sends it, the payment that it is read for, and the right
// reading. The bodies were made here, in the shapes that providers' pages and integrations show.
type bodyCase struct {
	Name     string
	Question json.RawMessage
	Effect   []string
	Action   []string
	Decode   map[string]any // fields of the answer
	Why      string
}

// Each of these bodies stands for a kind: an answer that names another order or amount, or that cannot
// be compared, must not prove anything, and a genuine one must prove what it says.
func TestBodiesAreReadRightly(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../../providers/testdata/bodies.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	n := 0
	for ; lines.Scan(); n++ {
		var c bodyCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		t.Run(c.Name, func(t *testing.T) { c.check(t, e) })
	}
	if n < 50 {
		t.Errorf("only %d bodies were read", n)
	}
}

func (c *bodyCase) check(t *testing.T, e *ruleset.Engine) {
	q, err := advice.Read(c.Question)
	if err != nil {
		t.Fatal(err)
	}
	a, err := advice.Ask(e, q)
	if err != nil {
		t.Fatal(err)
	}
	d := a.Decision()
	if !slices.Contains(c.Effect, d.Effect.String()) || !slices.Contains(c.Action, d.Action.String()) {
		t.Errorf("%s, %s; want one of %v and one of %v: %s\n%+v", d.Effect, d.Action, c.Effect, c.Action, c.Why, *a.Situation.Answer)
	}
	got := map[string]any{}
	text, err := json.Marshal(a.Situation.Answer)
	if err == nil {
		err = json.Unmarshal(text, &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range c.Decode {
		have := got[field]
		if have == nil {
			have = ""
		}
		if have != want {
			t.Errorf("%s is %v, want %v", field, have, want)
		}
	}
	if d.Effect == policy.Unknown && a.Situation.Answer.Fault == policy.NoFault && a.Situation.Answer.SetAside == "" && d.Class == policy.Success {
		t.Error("a success that proves nothing does not say why")
	}
}
