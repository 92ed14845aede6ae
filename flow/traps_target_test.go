package flow_test

import (
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

const refundAbsence = `
[contract]
query_by        = ["provider_id"]
not_found_after = "1m"
arrival_grace   = "1m"
`

// The payment that a capture, a cancel or a refund works on has an id of the provider, which is not
// theirs alone.
var targetTraps = []trap{
	{name: "a refund is not asked for by the payment's id",
		rules: refundAbsence,
		lines: `payment shopline refund 120000 TWD merchant=acme
			start o-1 r-1 provider=T-1
			at +30s answer fault=timeout`,
		never: "by provider_id", always: "by webhook"},
	{name: "a refund is asked for by its own id",
		rules: refundAbsence,
		lines: `payment shopline refund 120000 TWD merchant=acme
			start o-1 r-1 provider=T-1
			at +2s answer status=PROCESSING provider=R-1
			due`,
		always: "by provider_id"},
	{name: "of two requests an id that is not found proves nothing",
		rules: refundAbsence,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +1s answer fault=not_sent
			due
			at +2s answer status=PROCESSING provider=T-1
			at +5m webhook unverified status=PROCESSING order=o-1
			due
			at +1s query code=1016`,
		never: "ended failed"},
	{name: "the payment's id does not displace the refund's own",
		rules: refundAbsence,
		lines: `payment shopline refund 120000 TWD merchant=acme
			start o-1 r-1 provider=T-1
			at +2s answer status=PROCESSING provider=R-1
			at +2s webhook verified status=PROCESSING order=o-1 provider=T-1`,
		always: "theirs R-1"},
}

// A second capture of one payment key has the id of the payment that the first had. A refusal that
// names only that payment, or nothing, may be the first one's.
func TestRefusalOfSharedTarget(t *testing.T) {
	first := flow.Identity{
		OrderID: "o-1", RequestID: "r-1", ProviderID: "T-1", Sends: 1, Copies: 1, Effect: policy.NotExecuted,
		FirstSent: dawn, LastSent: dawn, Deadline: dawn.Add(30 * time.Second),
	}
	for name, tt := range map[string]struct {
		earlier []flow.Identity
		answer  policy.Answer
		failed  bool
	}{
		"names the payment":   {[]flow.Identity{first}, policy.Answer{ProviderID: "T-1"}, false},
		"by a request's name": {[]flow.Identity{first}, policy.Answer{RequestID: "T-1"}, false},
		"names nothing":       {[]flow.Identity{first}, policy.Answer{}, false},
		"names the request":   {[]flow.Identity{first}, policy.Answer{RequestID: "r-2"}, true},
		"names the order":     {[]flow.Identity{first}, policy.Answer{OrderID: "o-2", ProviderID: "T-1"}, true},
		"there is no other":   {nil, policy.Answer{ProviderID: "T-1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := &decider{sane: true, wish: policy.QueryStatus, terms: policy.Terms{
				Contract: policy.Contract{QueryBy: []policy.Identifier{policy.ProviderID}, Timeout: 30 * time.Second},
				Limits:   policy.Limits{MaxAttempts: 3, MaxQueries: 3, MaxElapsed: time.Hour},
			}}
			answer := tt.answer
			answer.Code = "failed"
			at := func(s int) flow.Moment { return flow.Moment{At: dawn.Add(time.Hour + time.Duration(s)*time.Second)} }
			s := flow.State{Payment: policy.Payment{Provider: "p", Operation: policy.Capture}}
			for _, e := range []flow.Event{
				flow.Start{Moment: at(0), OrderID: "o-2", RequestID: "r-2", ProviderID: "T-1", Earlier: tt.earlier},
				flow.Answered{Moment: at(30), Answer: policy.Answer{Fault: policy.Timeout}},
				flow.Due{Moment: at(60)},
				flow.Queried{Moment: at(61), Answer: answer},
			} {
				var err error
				if s, _, err = flow.Step(d, s, e); err != nil {
					t.Fatal(err)
				}
			}
			if certain := s.Ledger[len(s.Ledger)-1].Effect == policy.NotExecuted; certain != tt.failed {
				t.Errorf("certain that the second capture does not execute: %v, want %v; %s", certain, tt.failed, s.Outcome)
			}
		})
	}
}

// Every request of a capture, a cancel or a refund has the id of the payment that it works on, also one under
// new identifiers: without it the client could not make it.
func TestEveryRequestHasItsTarget(t *testing.T) {
	for _, op := range []policy.Operation{policy.Capture, policy.Cancel, policy.Refund} {
		for _, again := range []policy.Action{policy.RetrySame, policy.RetryNewRequest, policy.RetryNewOrder} {
			d := &decider{sane: true, wish: again, terms: policy.Terms{
				Contract: policy.Contract{Timeout: 30 * time.Second},
				Limits:   policy.Limits{MaxAttempts: 3, MaxQueries: 3, MaxElapsed: time.Hour},
			}}
			at := func(s int) flow.Moment { return flow.Moment{At: dawn.Add(time.Duration(s) * time.Second)} }
			due := flow.Due{Moment: at(60)}
			if again != policy.RetrySame {
				due.RequestID = "r-2"
			}
			if again == policy.RetryNewOrder {
				due.OrderID = "o-2"
			}
			s := flow.State{Payment: policy.Payment{Provider: "p", Operation: op}}
			sent := 0
			for _, e := range []flow.Event{
				flow.Start{Moment: at(0), OrderID: "o-1", RequestID: "r-1", ProviderID: "T-1"},
				flow.Answered{Moment: at(30), Answer: policy.Answer{Fault: policy.NotSent}}, due,
			} {
				next, commands, err := flow.Step(d, s, e)
				if err != nil {
					t.Fatalf("%s %s: %v", op, again, err)
				}
				s = next
				for _, c := range commands {
					if send, ok := c.(flow.Send); ok {
						if sent++; send.Identity.ProviderID != "T-1" {
							t.Errorf("%s: %s is sent for payment %q, want T-1", op, again, send.Identity.ProviderID)
						}
					}
				}
			}
			if sent != 2 {
				t.Errorf("%s %s: %d sends; %s", op, again, sent, s.Reason)
			}
		}
	}
}
