package ruleset

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

func TestDefaultsCompile(t *testing.T) {
	if e := open(t, ""); len(e.Warnings) > 0 {
		t.Error(e.Warnings)
	}
}

// everywhere visits every provider, merchant, operation and phase that there is.
func everywhere(e *Engine, visit func(p policy.Payment, ph policy.Phase)) {
	for _, provider := range e.Catalogs.Names() {
		for _, merchant := range append(e.Rules.MerchantNames(), "", "nobody") {
			for _, op := range policy.Operations() {
				for _, capture := range policy.All[policy.CaptureMode]() {
					for _, ph := range policy.Phases() {
						visit(policy.Payment{
							Provider: provider, Merchant: merchant, Operation: op, Amount: 5_000_000, Currency: "PHP", Capture: capture,
						}, ph)
					}
				}
			}
		}
	}
}

// Every code and every status that a provider is known to give has a decision, by a
// rule, and none that would break a promise.
func TestEveryListedAnswerHasARule(t *testing.T) {
	e := open(t, "")
	seen := 0
	everywhere(e, func(p policy.Payment, ph policy.Phase) {
		cat, _ := e.Catalogs.Get(p.Provider)
		for _, row := range append(append(cat.Codes[:0:0], cat.Codes...), cat.Statuses...) {
			for _, http := range []int{200, 503, 0}[:testkit.Size(2, 3, 3)] {
				seen++
				a := policy.Answer{Phase: ph, Code: row.Code, Status: row.Status, SubStatus: row.SubStatus, HTTPStatus: http}
				ruled(t, e, judged(e, p, a))
			}
		}
	})
	t.Logf("%d answers", seen)
}

func TestEveryFaultHasARule(t *testing.T) {
	e := open(t, "")
	everywhere(e, func(p policy.Payment, ph policy.Phase) {
		for _, fault := range policy.All[policy.Fault]() {
			d := ruled(t, e, judged(e, p, policy.Answer{Phase: ph, Fault: fault}))
			if want := policy.QueryStatus; (fault != policy.NotSent || ph != policy.Send) && d.Action != want {
				t.Errorf("%s at %s: %s, want %s", fault, ph, oneLine(d), want)
			}
		}
	})
}

// An answer that was never seen before is asked about, whatever its HTTP status says.
func TestAnswersThatNobodyListedAreAskedAbout(t *testing.T) {
	e := open(t, "")
	answers := []policy.Answer{
		{}, {Code: "unseen"}, {SubCode: "unseen"}, {Code: "unseen", SubCode: "unseen"}, {Status: "UNSEEN"},
		{Status: "UNSEEN", SubStatus: "UNSEEN"}, {SubStatus: "UNSEEN"}, {Message: "failed"},
	}
	everywhere(e, func(p policy.Payment, ph policy.Phase) {
		for _, a := range answers {
			for _, http := range []int{0, 200, 302, 400, 404, 429, 500, 503, 599} {
				a.Phase, a.HTTPStatus = ph, http
				if d := ruled(t, e, judged(e, p, a)); d.Action != policy.QueryStatus {
					t.Errorf("%s, %s, %+v: %s, want query_status", p.Provider, p.Operation, a, oneLine(d))
				}
			}
		}
	})
}

// ruled decides, in doubt and not, and refuses a decision without a rule.
func ruled(t *testing.T, e *Engine, s *policy.Situation) policy.Decision {
	t.Helper()
	for _, s.InDoubt = range []bool{true, false} {
		d := e.Decide(s)
		if d.Rule == "" || d.Source == "" || d.Reason == "" {
			t.Errorf("%s\nin doubt %t: no rule, source or reason: %s", shown(s), s.InDoubt, oneLine(d))
		}
		if d.Action.Sends() && s.Fact.Effect == policy.Executed {
			t.Errorf("%s\nit is executed already: %s", shown(s), oneLine(d))
		}
		safe(t, s, d)
	}
	return e.Decide(s)
}

// safe refuses a decision that breaks S1, S2 or S3 as far as one situation shows.
func safe(t testkit.Failer, s *policy.Situation, d policy.Decision) {
	t.Helper()
	impossible := s.Fact.Effect == policy.NotExecuted && !s.InDoubt // money did not move and cannot
	switch d.Action {
	case policy.RetryNewRequest, policy.RetryNewOrder:
		if !impossible {
			t.Fatalf("%s\nS1: a second execution is possible: %s", shown(s), oneLine(d))
		}
	case policy.MarkFailed:
		if !impossible {
			t.Fatalf("%s\nS2: money may have moved: %s", shown(s), oneLine(d))
		}
	case policy.MarkSucceeded:
		if s.Fact.Effect != policy.Executed {
			t.Fatalf("%s\nS3: nobody proved it: %s", shown(s), oneLine(d))
		}
	case policy.RetrySame, policy.QueryStatus, policy.Escalate: // for the flow to judge
	}
	if (d.Action == policy.QueryStatus || d.Action.Sends()) && d.Schedule == nil {
		t.Fatalf("%s\nat once, again and again: %s", shown(s), oneLine(d))
	}
}

// The facts need not be the catalogues': whatever an answer is taken for, the default
// rules want nothing that breaks a promise, and they always know what they want.
func TestDefaultsAreSafeForEveryFact(t *testing.T) {
	e := open(t, "")
	s := policy.Situation{Payment: &policy.Payment{Amount: 5_000_000, Currency: "PHP"}, Answer: &policy.Answer{}, At: friday}
	worn := firedAll(e, 9)
	visit := func() {
		for _, s.Fact.Effect = range policy.All[policy.Effect]() {
			for _, s.Fact.Class = range policy.All[policy.Class]() {
				for _, s.InDoubt = range []bool{false, true} {
					for _, s.Fired = range []policy.Counts{nil, worn} {
						d := e.Decide(&s)
						if d.Rule == "" {
							t.Fatalf("%s\nno rule: %s", shown(&s), oneLine(d))
						}
						safe(t, &s, d)
					}
				}
			}
		}
	}
	for _, s.Payment.Provider = range e.Catalogs.Names() {
		for _, s.Payment.Merchant = range append(e.Rules.MerchantNames(), "") {
			for _, s.Payment.Operation = range policy.Operations() {
				for _, s.Answer.Phase = range policy.Phases() {
					for _, s.Answer.Fault = range append(policy.All[policy.Fault](), policy.NoFault) {
						visit()
					}
				}
			}
		}
	}
}

func firedAll(e *Engine, n int) policy.Counts {
	var counts policy.Counts
	for _, r := range allRules(e.Rules) {
		counts = append(counts, policy.Count{Name: r.ID, N: n})
	}
	return counts
}

func TestDefaultsAreSafeForRandomSituations(t *testing.T) {
	e := open(t, "")
	from := drawnFrom(e)
	rapid.Check(t, func(t *rapid.T) {
		for range 50 {
			s := from.situation(t)
			d := e.Decide(s)
			if d.Rule == "" {
				t.Fatalf("%s\nno rule: %s", shown(s), oneLine(d))
			}
			safe(t, s, d)
		}
	})
}
