package outage

import (
	"slices"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/breaker"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// begun is one flow of a play, which executes, and whose first send is under way.
func begun(t *testing.T) (p *play, r *run) {
	t.Helper()
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	p = &play{d: e, catalog: e.Catalog, flows: traffic(time.Minute)[1:2], runs: make([]run, 1), guards: map[string]*guards{}, keys: map[string][]int{}, calls: map[int64]int{}}
	p.begin(0)
	p.now = p.flows[0].At
	p.start(0)
	return p, &p.runs[0]
}

// A flow may ask where it was let in to send: the interlock replaced the action since. The probe of the sends is then another's, and the query, which
// was not let in by its own breaker, says nothing about either.
func TestAPermitOfTheOtherKindIsGivenBack(t *testing.T) {
	p, r := begun(t)
	gate := r.g.gate(policy.Pay, false)
	for range breaker.DefaultFailures {
		permit, _ := gate.Allow(p.now)
		permit.Done(breaker.Failure, p.now)
	}
	p.now = p.now.Add(breaker.DefaultOpen)
	if wait := p.allow(r, false); wait > 0 || !r.permit.Valid() {
		t.Fatalf("no probe, in %s", wait)
	}
	if another, _ := gate.Allow(p.now); another.Valid() {
		t.Fatal("two probes at once")
	}
	p.call(0, true, p.now.Add(time.Minute))
	if probe, _ := gate.Allow(p.now); !probe.Valid() {
		t.Error("the probe of the sends is lost: the flow has asked")
	}
	i := slices.IndexFunc(p.queue, func(e event) bool { return e.query })
	if i < 0 || p.queue[i].permit.Valid() {
		t.Errorf("the query counts for the breaker of the sends: %+v", p.queue)
	}
}

// An answer that nothing was decided about, because the flow had ended, says nothing bad about the provider, whatever the answer before it was.
func TestAnAnswerWithoutADecisionIsNoFailure(t *testing.T) {
	p, r := begun(t)
	p.now = p.now.Add(time.Minute)
	a := r.provider.Query(p.now, "o-1", "")
	a.Phase, a.Verified = policy.Webhook, true
	p.step(0, flow.Received{Moment: p.moment(r), Answer: a})
	if r.s.Stage != flow.Ended {
		t.Fatalf("the flow goes on after %+v", a)
	}
	r.class = policy.Maintenance
	p.answered(&event{run: 0, kind: answers, answer: policy.Answer{Phase: policy.Send, Fault: policy.Timeout}})
	if !r.g.gate(policy.Pay, false).Quiet() {
		t.Error("the breaker counts a failure")
	}
}
