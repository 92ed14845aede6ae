package ruleset

import (
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/parser"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// expr compiles each of these, and most fail in some situation. The loader refuses them, at
// their place, with what to write.
func TestFormsThatCouldFailAreRefused(t *testing.T) {
	for _, tt := range []struct {
		when   string
		column int
		want   string
	}{
		{`upper(tags?.tier) == "X" || in_doubt`, 13, `write tags.tier, or tags.tier ?? "": an absent tag is ""`},
		{`tags?.tier < "a"`, 7, `write tags.tier`},
		{`tags?.["a tier"] == "a"`, 7, `write tags.tier`},
		{`(tags.tier ?? "gold") == "gold"`, 12, `an absent tag is "", so what stands behind ?? is never used; write "tier" in tags ? tags["tier"] : …`},
		{`(code ?? "40") == "40"`, 7, `?? is for tags only`},
		{`in_doubt ?? true`, 10, `?? is for tags only`},
		{`["4", ""][attempt] == code`, 10, "only tags have members"},
		{`["4", ""][0] == code`, 10, "only tags have members"},
		{`{"a": 1}.a == attempt`, 10, "only tags have members"},
		{`(in_doubt ? tags : tags).tier == ""`, 26, "only tags have members"},
		{`tags == tags`, 1, "tags can only be asked for one tag"},
		{`tags.tier == nil`, 14, `an absent text or tag is ""`},
		{`nil == nil`, 1, "nothing is ever nil"},
		{`(in_doubt ? attempt : nil) == 1`, 23, "nothing is ever nil"},
		{`(in_doubt ? 1 : "a") == 1`, 17, "this is a text; here a number is needed"},
		{`upper(in_doubt ? code : 1) == "A"`, 25, "this is a number; here a text is needed"},
		{`len(in_doubt ? code : 1) == 1`, 23, "this is a number; here a text is needed"},
		{`["a"] == ["a"]`, 1, "a list can only stand right of in"},
		{`code in (in_doubt ? ["40"] : ["41"])`, 36, "in needs a list"},
		{`b"40" == b"40"`, 1, "this form is not part of the rules' language"},
		{`elapsed.Hours() > 1`, 9, "values have no methods"},
		{`elapsed.String() == "1h0m0s"`, 9, "values have no methods"},
		{`elapsed * 2.5 > duration("1h")`, 11, "numbers are whole"},
		{`elapsed * elapsed > elapsed`, 9, "two durations have no product"},
		{`attempt > 2.5`, 11, "amounts count minor units: write 2, not 2.5"},
		{`attempt * 1e3 > 2`, 11, "write 1000, not 1000"},
		{`-elapsed < duration("1h")`, 1, "invalid operation: - (mismatched type time.Duration)"},
		{`elapsed < duration(code)`, 11, "duration() needs a fixed text"},
		{`code matches sub_code`, 14, "matches needs a fixed pattern"},
		{`code matches "("`, 6, "missing closing )"},
		{`attempt / queries > 1`, 9, "/ is not part of the rules' language"},
		{`attempt % queries == 1`, 9, "% is not part of the rules' language"},
		{`attempt ** 999 > 1`, 9, "** is not part of the rules' language"},
		{`attempt in 1..1000000000`, 13, "ranges are not part"},
		{`attempt > 9223372036854775808`, 11, "9223372036854775808 is too large; the largest number is 9223372036854775807"},
		{`$env.code == "40"`, 1, `unknown name "$env"`},
		{`let x = code; x == "40"`, 5, "let is not part"},
		{`(attempt; in_doubt)`, 2, "this form is not part"},
		{`any([1], # > 0)`, 1, "any() is not part"},
		{`in_doubt ? attempt : queries`, 1, "expected bool, but got int"},
		{strings.Repeat("(", 3_000_000), 32769, "the condition has 3000000 characters"},
		{strings.Repeat("(", 30_000), 65, "brackets stand more than 64 deep"},
	} {
		// The text of a basic string in one line: columns are those of the condition, and ten more.
		_, err := opening(folder(t, alone(t, map[string]string{"baseline.toml": "[[rule]]\nid = 'it'\nwhen = '''" + tt.when + "'''\nthen = 'escalate'\n"})))
		m, ok := err.(policy.Mistakes)
		if !ok || m[0].Line != 3 || m[0].Column != tt.column+10 || !strings.Contains(m[0].Msg, tt.want) {
			t.Errorf("%.60s\n\tthe error is %.300v\n\twant column %d: %s", tt.when, err, tt.column+10, tt.want)
		}
	}
}

// Absent tags have one value, wherever a condition is evaluated.
func TestAnAbsentTagIsTheEmptyText(t *testing.T) {
	for when, want := range map[string]bool{
		`tags.tier == ""`: true, `tags["tier"] == ""`: true, `(tags.tier ?? "") == ""`: true, `tags.tier != "gold"`: true,
		`tags.tier < "a"`: true, `len(tags.tier) == 0`: true, `upper(tags.tier) == ""`: true, `tags.tier in ["", "gold"]`: true,
		`"tier" in tags`: false, `tags[tags.tier] == ""`: true, `tags.tier startsWith ""`: true, `len(tags) == 0`: true,
		`("tier" in tags ? tags["tier"] : "gold") == "gold"`: true, `tags.tier[3:5] == ""`: true,
	} {
		e := opened(t, alone(t, map[string]string{"baseline.toml": rule("it", when, "escalate") + rule("rest", "true", "query_status")}))
		for _, tags := range []map[string]string{nil, {}} {
			p := paying("momo", "")
			p.Tags = tags
			s := judged(e, p, policy.Answer{Code: "40"})
			held := e.Decide(s).Rule == "it"
			x := e.Explain(s).Rules[0]
			l, err := LeavesOf(allRules(e.Rules)[0])
			if err != nil {
				t.Fatal(err)
			}
			leaf := make([]bool, len(l.List))
			l.Hold(e, s, leaf)
			if held != want || x.Held != want || x.Condition.Err != "" || len(leaf) == 1 && leaf[0] != want {
				t.Errorf("%s with %v: held %t, explained %t (%s), leaves %t; want %t", when, tags, held, x.Held, x.Condition.Err, leaf, want)
			}
		}
	}
}

// Were a condition to fail all the same, its rule may hold or not: no later rule decides.
func TestAFailureIsNeverSilent(t *testing.T) {
	e := opened(t, alone(t, map[string]string{"baseline.toml": "[schedule.poll]\nintervals = ['7s']\n" +
		rule("fails", `upper(message) == "X" || in_doubt`, "escalate") + rule("next", "true", "mark_failed")}))
	s := judged(e, paying("momo", ""), policy.Answer{Code: "1001"})
	b := e.ruleTable(s.Payment)
	const failing = `["4", ""][len(code)] == code || in_doubt`
	tree, err := parser.Parse(failing)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := expr.Compile(failing, expr.Env(env{}))
	if err != nil {
		t.Fatal(err)
	}
	v := b.view()
	broken := *v.entries[0].compiled
	fails := *broken.understood
	fails.tree, fails.node = condition.Split(tree.Node), node{op: opProgram, more: &operands{program: bad}}
	fails.shown = func() piece { return piece{node: fails.node, alone: true} }
	broken.understood = &fails
	v.entries[0].compiled, v.layers[0].compiled = &broken, &broken
	b.below.layer = newLayer([]*compiled{&broken, v.entries[1].compiled}, "momo")
	d := e.Decide(s)
	if d.Action != policy.QueryStatus || d.Rule != "" || !strings.HasPrefix(d.Reason, `the condition of rule "fails" (`) || d.Schedule == nil || d.Schedule.Name != "poll" {
		t.Errorf("the decision is %s", oneLine(d))
	}
	possible := e.Possible(s, nil)
	if len(possible) < 2 || possible[0] != d {
		t.Errorf("what is possible is %v, and %s is not the first", possible, oneLine(d))
	}
	for _, r := range e.Explain(s).Rules {
		if r.Decided || r.ID == "fails" && (r.Held || r.Condition.Err == "") {
			t.Errorf("explained is %+v", r)
		}
	}
	s.Answer.Code = "" // which is not "4", and in_doubt is false
	if d := e.Decide(s); d.Rule != "next" {
		t.Errorf("without a failure the decision is %s", oneLine(d))
	}
}
