package executor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// refusing refuses each send; before the first answer it lets the test change the rules.
type refusing struct{ before func() }

// Send implements [executor.Client].
func (c *refusing) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	c.before()
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "1001", OrderID: a.OrderID, RequestID: a.RequestID}}, nil
}

// Query implements [executor.Client].
func (c *refusing) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, errors.New("not asked for")
}

// A flow in progress keeps the rules that it began with when they are replaced, and each decision names its set.
func TestADecisionNamesTheSetOfRulesThatItCameFrom(t *testing.T) {
	bubble(t, func(t *testing.T) { // Do waits a moment for an observer, and not more
		files := func(n int) map[string]string {
			return map[string]string{"merchants/acme.toml": fmt.Sprintf("[[rule]]\nid = \"it\"\nwhen = 'code == \"1001\"'\nthen = \"mark_failed\"\nreason = \"generation %d\"\n", n)}
		}
		dir := testkit.Dir(t, files(0))
		rules, err := engine.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		old := rules.Digest()
		seen := &decisions{}
		x, err := executor.New(rules, &executor.Config{Observers: []executor.Observer{seen}})
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= 2; n++ {
			before := rules.Digest()
			c := &refusing{func() {
				testkit.Write(t, dir, files(n))
				if err := rules.Reload(); err != nil {
					t.Error(err)
				}
			}}
			q := executor.Request{OrderID: fmt.Sprint("o-", n), Payment: policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Amount: 1000, Currency: "VND"}}
			if _, err := x.Do(t.Context(), q, c); err != nil {
				t.Fatal(err)
			}
			if d := seen.last; d.Set != before || d.Decided.Decision.Reason != fmt.Sprint("generation ", n-1) || rules.Digest() == before {
				t.Errorf("flow %d was decided by %s, %q; it began with %s, and now there is %s", n, d.Set, d.Decided.Decision.Reason, before, rules.Digest())
			}
		}
		if rules.Digest() == old {
			t.Error("the digest is the old one")
		}
		if err := x.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// decisions keeps the last decision.
type decisions struct {
	executor.NoopObserver
	last executor.DecisionEvent
}

// Decided implements [executor.Observer].
func (o *decisions) Decided(_ context.Context, e *executor.DecisionEvent) { o.last = *e }
