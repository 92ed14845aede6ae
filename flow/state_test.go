package flow_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A person who looks at an escalation sees how it began and how it stands; what lies
// between is dropped, so that a state stays small.
func TestEvidenceIsBounded(t *testing.T) {
	s := flow.State{Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 120000, Currency: "VND"}}
	give := func(e flow.Event) {
		t.Helper()
		var err error
		if s, _, err = flow.Step(defaults, s, e); err != nil {
			t.Fatal(err)
		}
	}
	at := func(n int) flow.Moment { return flow.Moment{At: dawn.Add(time.Duration(n) * time.Second), Jitter: 0.5} }
	give(flow.Start{Moment: at(0), OrderID: "o-1", RequestID: "r-1"})
	for n := range 40 {
		a := policy.Answer{Code: "7002", OrderID: "o-1", Message: fmt.Sprint(n), Verified: true}
		give(flow.Received{Moment: at(n), Answer: a})
	}
	var kept string
	for _, e := range s.Evidence {
		kept += e.Answer.Message + " "
	}
	if want := "0 1 2 3 28 29 30 31 32 33 34 35 36 37 38 39 "; kept != want {
		t.Errorf("of 40 answers these are kept: %s; want %s", kept, want)
	}
}

// An error of Step names what did not fit.
func TestMisfit(t *testing.T) {
	_, commands, err := flow.Step(defaults, flow.State{}, flow.Due{})
	misfit, ok := err.(*flow.MisfitError)
	if !ok || misfit.Stage != flow.New || commands != nil {
		t.Fatalf("got %v and %v", commands, err)
	}
	if misfit.Event != "Due" {
		t.Errorf("the error names the event %q", misfit.Event)
	}
}

// A contract that names no timeout has one nevertheless: every call has a deadline.
func TestEveryCallHasADeadline(t *testing.T) {
	d := &decider{wish: policy.QueryStatus}
	d.terms = policy.Terms{
		Contract: policy.Contract{QueryBy: byOrder},
		Limits:   policy.Limits{MaxAttempts: 1, MaxQueries: 1, MaxElapsed: time.Hour},
	}
	var s flow.State
	deadline := func(e flow.Event) (at time.Time) {
		t.Helper()
		next, commands, err := flow.Step(d, s, e)
		if err != nil {
			t.Fatal(err)
		}
		s = next
		for _, c := range commands {
			switch c := c.(type) {
			case flow.Send:
				at = c.Deadline
			case flow.Ask:
				at = c.Deadline
			}
		}
		return at
	}
	m := flow.Moment{At: dawn}
	if got := deadline(flow.Start{Moment: m, OrderID: "o-1", RequestID: "r-1"}); !got.Equal(dawn.Add(30 * time.Second)) {
		t.Errorf("the send is listened to until %s", got)
	}
	deadline(flow.Answered{Moment: m, Answer: policy.Answer{Fault: policy.Timeout}})
	if got := deadline(flow.Due{Moment: m}); !got.Equal(dawn.Add(30 * time.Second)) {
		t.Errorf("the query is listened to until %s", got)
	}
}

// A driver leaves room behind a state's slices. Two steps from one state, and an advice, are
// each other's and the driver's business only if they share it.
func TestStepsFromOneStateDoNotMeet(t *testing.T) {
	s := flow.State{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 120000, Currency: "VND"},
		Ledger:  make([]flow.Identity, 0, 8), Evidence: make([]flow.Evidence, 0, 8),
		Fired: make(policy.Counts, 0, 8), Waits: make(policy.Counts, 0, 8),
	}
	at := flow.Moment{At: dawn, Jitter: 0.5}
	step := func(s flow.State, e flow.Event) flow.State {
		next, _, err := flow.Step(defaults, s, e)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	s = step(s, flow.Start{Moment: at, OrderID: "o-1", RequestID: "r-1"})
	said := func(code string) flow.Answered {
		return flow.Answered{Moment: at, Answer: policy.Answer{Code: code, OrderID: "o-1", RequestID: "r-1"}}
	}
	asJSON := func(s flow.State) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	before := s
	s = step(s, said("0"))
	paid := asJSON(s)
	refused := step(before, said("1006"))
	other := asJSON(refused)
	closed := said("10").Answer
	new(flow.Adviser).Advise(defaults, &before, &closed, at)
	flow.Sent(defaults, before, at, "o-2", "r-2", "")
	flow.Asked(defaults, before, at)
	if got := asJSON(s); got != paid || s.Outcome != policy.Succeeded {
		t.Errorf("advanced: %s\nand later:  %s", paid, got)
	}
	if got := asJSON(refused); got != other || refused.Outcome == policy.Succeeded {
		t.Errorf("stepped: %s\nand later: %s", other, got)
	}
}

// A process whose clock is a little behind continues a flow: to the rules no time has gone by, and not less than none.
func TestNoTimeIsLessThanNone(t *testing.T) {
	d := &elapsedDecider{decider: decider{wish: policy.QueryStatus}}
	d.terms = policy.Terms{
		Contract: policy.Contract{QueryBy: byOrder},
		Limits:   policy.Limits{MaxAttempts: 1, MaxQueries: 1, MaxElapsed: time.Hour},
	}
	s, _, err := flow.Step(d, flow.State{}, flow.Start{Moment: flow.Moment{At: dawn}, OrderID: "o-1", RequestID: "r-1"})
	if err == nil {
		_, _, err = flow.Step(d, s, flow.Answered{Moment: flow.Moment{At: dawn.Add(-time.Second)}, Answer: policy.Answer{Fault: policy.Timeout}})
	}
	if err != nil {
		t.Fatal(err)
	}
	if d.asked != 1 || d.elapsed != 0 {
		t.Errorf("the rules were asked %d times, last after %s", d.asked, d.elapsed)
	}
}

// elapsedDecider keeps what the rules see of the time.
type elapsedDecider struct {
	decider

	asked   int
	elapsed time.Duration
}

func (d *elapsedDecider) Decide(s *policy.Situation) policy.Decision {
	d.asked, d.elapsed = d.asked+1, s.Elapsed
	return d.decider.Decide(s)
}
