package ruleset

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// What is compiled wrongly is found when the rules are loaded, and named with its place.
func TestSampleFindsWhatIsCompiledWrongly(t *testing.T) {
	files := alone(t, map[string]string{"baseline.toml": rule("first", `code == "40" && attempt < 3 && tags.tier == "gold"`, "escalate") +
		rule("second", `operation == "pay" && amount in [1, 5] && currency == "VND"`, "query_status") + rule("rest", "true", "mark_failed")})
	for _, tt := range []struct {
		name  string
		spoil func(e *Engine, b *ruleTable)
		want  string
	}{
		{"a rule left out of the lists", func(_ *Engine, b *ruleTable) { b.below.general = make([]span, len(b.below.general)) }, "the plain reading says"},
		{"the order of two rules", func(_ *Engine, b *ruleTable) {
			for i := range b.below.items {
				b.below.items[i].rule = 2 - b.below.items[i].rule
			}
		}, "the plain reading says"},
		{"words that are forbidden", func(_ *Engine, b *ruleTable) {
			for i := range b.below.items {
				b.below.items[i].forbidden.rest |= 1 << (atInDoubt + 1)
			}
		}, "the plain reading says"},
		{"another rule's decision", func(_ *Engine, b *ruleTable) { b.below.decisions[2].Action = policy.MarkSucceeded }, `the decision is "mark_succeeded" by rule "rest", and the plain reading says "mark_failed" by rule "rest"`},
		{"a limit", func(_ *Engine, b *ruleTable) {
			for i := range b.below.items {
				if n := b.below.items[i].rest; n != nil {
					n.visit(func(part *node) {
						if part.op == opRange && part.hi == 2 {
							part.hi++
						}
					})
				}
			}
		}, "the plain reading says"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := opened(t, files)
			if err := e.sample(); err != nil {
				t.Fatal(err)
			}
			for _, b := range e.ruleTables {
				tt.spoil(e, b.rest)
			}
			err := e.sample()
			if err == nil || !strings.Contains(err.Error(), "was compiled wrongly") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("found is %v, want %s", err, tt.want)
			}
		})
	}
}

// Every word has a bit of its own, and the room for them is not used up without a notice.
func TestWordsHaveBitsOfTheirOwn(t *testing.T) {
	var seen words
	for name, v := range variables {
		if v.dim < 0 || v.kind != word && v.kind != boolean {
			continue
		}
		n := len(v.words)
		if v.kind == boolean {
			n = 2
		}
		for place := range n {
			bit := wordAt(condition.Variable(v.dim), place)
			if bit == (words{}) || seen.shares(bit) {
				t.Errorf("%s, word %d has no bit of its own", name, place)
			}
			seen = seen.or(bit)
		}
	}
	if seen != anyWord || len(variables["class"].words) != classes || anyWord.class > math.MaxUint32 {
		t.Errorf("the words are %+v, and any word is %+v", seen, anyWord)
	}
}

// A value outside of a closed set is no value of another variable: no rule decides, and nothing panics.
func TestStrangeValuesAreDecidedByNoRule(t *testing.T) {
	var text strings.Builder
	for i := range 40 { // enough for lists by class
		text.WriteString(rule(fmt.Sprint("r", i), fmt.Sprintf("attempt < %d", 100+i), "mark_failed"))
	}
	e := opened(t, alone(t, map[string]string{"baseline.toml": text.String()}))
	for name, spoil := range map[string]func(s *policy.Situation){
		"operation": func(s *policy.Situation) { s.Payment.Operation = operations }, "phase": func(s *policy.Situation) { s.Answer.Phase = phases },
		"class": func(s *policy.Situation) { s.Fact.Class = classes }, "effect": func(s *policy.Situation) { s.Fact.Effect = effects },
		"stage": func(s *policy.Situation) { s.Fact.Stage = stages }, "reach": func(s *policy.Situation) { s.Fact.Reach = reaches },
		"final": func(s *policy.Situation) { s.Fact.Final = finalities }, "fault": func(s *policy.Situation) { s.Answer.Fault = faults },
		"capture": func(s *policy.Situation) { s.Payment.Capture = captures }, "far": func(s *policy.Situation) { s.Fact.Class = 120 },
	} {
		s := judged(e, paying("momo", ""), policy.Answer{Code: "1001"})
		if d := e.Decide(s); d.Rule != "r0" {
			t.Fatalf("as it is: %s", oneLine(d))
		}
		spoil(s)
		if d := e.Decide(s); d.Rule != "" || d.Action != policy.QueryStatus || !strings.Contains(d.Reason, "does not exist") {
			t.Errorf("%s: %s", name, oneLine(d))
		}
	}
}
