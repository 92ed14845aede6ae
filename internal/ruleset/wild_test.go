package ruleset_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/draw"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// single makes an engine of one rule, and one that always holds behind it.
func single(cats *providers.Catalogs, when string) (*ruleset.Engine, *rules.Rule, error) {
	r := &rules.Rule{ID: "it", When: when, Then: policy.Escalate, Pos: source.Pos{File: "baseline.toml", Line: 1}}
	f := &rules.File{Name: "baseline.toml", Schedules: map[string]*policy.Schedule{}}
	f.Rules = []*rules.Rule{r, {ID: "rest", When: "true", Then: policy.QueryStatus, Pos: source.Pos{File: "baseline.toml", Line: 2}}}
	e, err := ruleset.New(cats, &rules.Set{Baseline: f, Providers: map[string]*rules.File{}, Merchants: map[string]*rules.File{}})
	return e, r, err
}

// extreme draws a situation with values at the ends of what they can be.
func extreme(r draw.Rand, s *policy.Situation) {
	ends := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 62, -1 << 62, 1 << 32}
	strange := []string{"", "4", "40", "é", "\xff\xfe", "gold", "日本", "GOLD", "x", "\x00"}
	p, a := s.Payment, s.Answer
	p.Amount, s.Attempt, s.Queries = draw.One(r, ends...), int(draw.One(r, ends...)), int(draw.One(r, ends...))
	s.Elapsed, a.RetryAfter = time.Duration(draw.One(r, ends...)), time.Duration(draw.One(r, ends...))
	s.Fired = policy.Counts{{Name: "it", N: int(draw.One(r, ends...))}}
	a.HTTPStatus = int(draw.One(r, ends...))
	a.Code, a.SubCode, a.Status, a.Message = draw.One(r, strange...), draw.One(r, strange...), draw.One(r, strange...), draw.One(r, strange...)
	p.Currency = draw.One(r, strange...)
	p.Tags = draw.One(r, nil, map[string]string{}, map[string]string{"tier": draw.One(r, strange...)}, map[string]string{"x": "", "a tier": "gold", "40": "4"})
}

// Whatever the loader takes comes to true or false in every situation, and to the same one for
// the engine, its explanation, its leaves, its partial evaluation and the plain evaluation.
func TestAcceptedConditionsNeverFail(t *testing.T) {
	cats, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	r, accepted, held := draw.From(seed), 0, 0
	size := testkit.Size(500, 5_000, 100_000)
	for range size {
		when := draw.Wild(r, 1+r.IntN(5))
		e, rule, err := single(cats, when)
		if err != nil {
			continue
		}
		accepted++
		leaves, err := ruleset.LeavesOf(rule)
		if err != nil {
			t.Fatalf("seed %d: %s\nits parts cannot stand by themselves: %v", seed, when, err)
		}
		situations := draw.Of(e)
		for range 12 {
			s := situations.One(r)
			if r.IntN(2) == 0 {
				extreme(r, &s)
			}
			want := plainly(when, &s, s.Fired.Of("it"))
			if want {
				held++
			}
			if got := evaluated(e, rule, leaves, &s); got != (verdict{want, want, want, true}) {
				t.Fatalf("seed %d: %s\nthe plain evaluation says %t, the engine %+v\n%+v\n%+v\n%+v\n%s", seed, when, want, got, *s.Payment, *s.Answer, s, failures(e.Explain(&s)))
			}
		}
	}
	if accepted < size/8 || held < accepted {
		t.Errorf("of %d texts %d are taken, and hold in %d situations: too few to tell", size, accepted, held)
	}
	t.Logf("%d of %d accepted, held in %d of %d situations", accepted, size, held, 12*accepted)
}

// verdict is what the ways to evaluate a condition say.
type verdict struct {
	decided, explained, leaves bool
	possible                   bool // the decision is among those that partial evaluation leaves
}

func evaluated(e *ruleset.Engine, rule *rules.Rule, l *ruleset.Leaves, s *policy.Situation) verdict {
	d := e.Decide(s)
	v := verdict{decided: d.Rule == "it"}
	if d.Rule == "" {
		return v // a failure
	}
	if x := e.Explain(s).Rules[0]; failures(ruleset.Trace{Rules: []ruleset.Considered{x}}) == "" {
		v.explained = x.Held
	} else {
		v.explained = !v.decided
	}
	held := make([]bool, len(l.List))
	l.Hold(e, s, held)
	node, _ := condition.Parse(rule.When)
	v.leaves = condition.Split(node).Eval(func(t *condition.Tree) condition.Truth { return condition.TruthOf(held[t.Index]) }) == condition.Yes
	if e.Holds(rule, s) != v.decided {
		v.leaves = !v.decided
	}
	for _, p := range e.Possible(s, nil) {
		v.possible = v.possible || p == d
	}
	return v
}

// failures lists the parts of a trace that could not be evaluated.
func failures(x ruleset.Trace) (all string) {
	var parts func(p ruleset.Part)
	parts = func(p ruleset.Part) {
		if p.Err != "" {
			all += fmt.Sprintf("%s: %s\n", p.Text, p.Err)
		}
		for _, sub := range p.Parts {
			parts(sub)
		}
	}
	for _, r := range x.Rules {
		parts(r.Condition)
	}
	return all
}
