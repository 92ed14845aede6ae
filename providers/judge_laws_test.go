package providers_test

import (
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// A fault is an answer too, whatever else came with it.
func TestFaultsHaveFixedFacts(t *testing.T) {
	fault := func(ph policy.Phase, f policy.Fault) policy.Answer { return policy.Answer{Phase: ph, Fault: f} }
	paid := policy.Answer{Phase: send, Code: "0", Fault: policy.Timeout}
	judge(t, "momo", []said{
		{"not sent: certain that nothing left", pay, fault(send, policy.NotSent), notExecuted, policy.NetworkError, policy.Auto},
		{"a query that was not sent says nothing", pay, fault(query, policy.NotSent), unknown, policy.NetworkError, policy.Auto},
		{"no answer in time", pay, fault(send, policy.Timeout), unknown, policy.NetworkError, policy.Auto},
		{"no answer to a query", refund, fault(query, policy.Timeout), unknown, policy.NetworkError, policy.Auto},
		{"the connection broke", payout, fault(send, policy.Reset), unknown, policy.NetworkError, policy.Auto},
		{"a code beside a fault is not looked at", pay, paid, unknown, policy.NetworkError, policy.Auto},
		{"a body that cannot be read", pay, fault(send, policy.Unreadable), unknown, policy.Unrecognized, policy.Auto},
		{"a gateway's error page", pay, over(502, fault(send, policy.Unreadable)), unknown, policy.ProviderError, policy.Auto},
		{"a gateway that throttles", pay, over(429, fault(send, policy.Unreadable)), unknown, policy.RateLimited, policy.Auto},
		{"a page where a webhook should be", pay, fault(webhook, policy.Unreadable), unknown, policy.Unrecognized, policy.Auto},
	})
}

func TestUnlistedAnswersAreUnknown(t *testing.T) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			for _, op := range policy.Operations() {
				for _, ph := range policy.Phases() {
					judge(t, name, []said{
						{"nothing at all", op, policy.Answer{Phase: ph}, unknown, policy.Unrecognized, policy.Auto},
						{"a code", op, code(ph, "31337"), unknown, policy.Unrecognized, policy.Auto},
						{"a code and HTTP 400", op, over(400, code(ph, "31337")), unknown, policy.Unrecognized, policy.Auto},
						{"a code and HTTP 429", op, over(429, code(ph, "31337")), unknown, policy.RateLimited, policy.Auto},
						{"a code and HTTP 500", op, over(500, code(ph, "31337")), unknown, policy.ProviderError, policy.Auto},
						{"a status", op, status(ph, "TRANSMOGRIFIED", ""), unknown, policy.Unrecognized, policy.Auto},
						{"a sub-status", op, status(ph, "SUCCEEDED", "NEARLY"), unknown, policy.Unrecognized, policy.Auto},
						{"a code under an unlisted sub-code", op,
							policy.Answer{Phase: ph, Code: "31337", SubCode: "-31337"}, unknown, policy.Unrecognized, policy.Auto},
					})
				}
			}
		})
	}
}

// An unlisted status outranks a code that would prove something by itself.
func TestStatusOutranksCode(t *testing.T) {
	judge(t, "opi", []said{
		{"a good envelope around a failure", payout, beside(query, "FAILED", "10000"), notExecuted, policy.ChannelError, policy.Auto},
		{"the other good envelope", payout, beside(query, "FAILED", "1000"), notExecuted, policy.ChannelError, policy.Auto},
		{"a good envelope around a success", payout, beside(query, "COMPLETED", "10000"), executed, policy.Success, policy.Auto},
		{"a refusal at the door beside a success", payout, beside(send, "COMPLETED", "21002"), executed, policy.Success, policy.Auto},
		{"a refusal at the door beside a pending one", payout, beside(send, "PENDING", "21002"), pending, policy.Processing, policy.Auto},
		{"a refusal at the door beside a new status", payout, beside(send, "RECALLED", "21002"), unknown, policy.Unrecognized, policy.Auto},
	})
	judge(t, "shopline", []said{
		{"a decline beside a new sub-status", pay, policy.Answer{Phase: query, Status: "SUCCEEDED", SubStatus: "VAULTED", Code: "4454"},
			unknown, policy.Unrecognized, policy.Auto},
	})
}

func TestServerErrorsProveNothingButARefusalAtTheDoor(t *testing.T) {
	judge(t, "momo", []said{
		{"a stored decline, HTTP 200", pay, over(200, code(send, "1001")), notExecuted, policy.InsufficientFunds, policy.Auto},
		{"a stored decline, HTTP 400", pay, over(400, code(send, "1001")), notExecuted, policy.InsufficientFunds, policy.Auto},
		{"a stored decline, HTTP 500", pay, over(500, code(send, "1001")), unknown, policy.InsufficientFunds, policy.Auto},
		{"a stored decline, HTTP 499", pay, over(499, code(send, "1001")), notExecuted, policy.InsufficientFunds, policy.Auto},
		{"a refusal at the door, HTTP 503", checkout, over(503, code(send, "10")), notExecuted, policy.Maintenance, policy.Auto},
		{"wrong credentials, HTTP 500", refund, over(500, code(send, "13")), notExecuted, policy.Credentials, policy.Auto},
		{"a success, HTTP 500", pay, over(500, code(send, "0")), executed, policy.Success, policy.Auto},
	})
	judge(t, "shopline", []said{
		{"a failure by its status, HTTP 500", pay, over(500, beside(query, "FAILED", "4454")), unknown, policy.InsufficientFunds, policy.Auto},
		{"throttled at the door, HTTP 500", pay, over(500, code(send, "1904")), notExecuted, policy.RateLimited, policy.Auto},
	})
}

// eachAnswer visits every code and status that a catalogue lists, for every operation,
// phase and capture mode.
func eachAnswer(t *testing.T, visit func(c *providers.Catalog, p *policy.Payment, a policy.Answer)) {
	t.Helper()
	for _, name := range names {
		c := catalog(t, name)
		for _, op := range policy.Operations() {
			for _, ph := range policy.Phases() {
				for _, mode := range policy.All[policy.CaptureMode]() {
					p := &policy.Payment{Provider: name, Operation: op, Capture: mode}
					for _, r := range c.Codes {
						visit(c, p, code(ph, r.Code))
					}
					for _, r := range c.Statuses {
						visit(c, p, status(ph, r.Status, r.SubStatus))
					}
				}
			}
		}
	}
}

func describe(p *policy.Payment, a policy.Answer) string {
	return fmt.Sprintf("%s %s (capture %s) in a %s: code %q, sub-code %q, status %q/%q, HTTP %d",
		p.Provider, p.Operation, p.Capture, a.Phase, a.Code, a.SubCode, a.Status, a.SubStatus, a.HTTPStatus)
}

// The laws once more, over everything that is listed.
func TestEveryListedAnswerObeysTheLaws(t *testing.T) {
	eachAnswer(t, func(c *providers.Catalog, p *policy.Payment, a policy.Answer) {
		f := c.Judge(p, &a)
		if a.Phase == query && f.Stage == policy.Door && f.Effect != unknown {
			t.Errorf("%s: a refused query proves %s", describe(p, a), f.Effect)
		}
		if f.Class == policy.Authorized && f.Effect == executed && p.Capture == policy.Auto {
			t.Errorf("%s: a hold ends a payment that captures itself", describe(p, a))
		}
		if f.Class == policy.AlreadyDone && f.Effect == executed && p.Operation != cancel && p.Operation != unbind {
			t.Errorf("%s: what was done already proves that we did it", describe(p, a))
		}
		if f.Reach == policy.OneAttempt && f.Effect != pending {
			t.Errorf("%s: one attempt ended, and the payment is %s", describe(p, a), f.Effect)
		}
		broken := over(500, a)
		if g := c.Judge(p, &broken); g.Effect == notExecuted && g.Stage != policy.Door {
			t.Errorf("%s: proves %s past the door", describe(p, broken), g.Effect)
		} else if g.Effect != f.Effect && (f.Effect != notExecuted || g.Effect != unknown) {
			t.Errorf("%s: %s becomes %s", describe(p, broken), f.Effect, g.Effect)
		}
	})
}

// A reason beside a status keeps what the status proves, or lowers it to unknown.
func TestReasonsNeverRaise(t *testing.T) {
	for _, name := range names {
		for _, mode := range policy.All[policy.CaptureMode]() {
			t.Run(name+"/"+mode.String(), func(t *testing.T) {
				c := catalog(t, name)
				var raised []string
				eachReasonedStatus(c, func(alone, with policy.Answer, op policy.Operation) {
					p := &policy.Payment{Provider: name, Operation: op, Capture: mode}
					kept, got := c.Judge(p, &alone).Effect, c.Judge(p, &with).Effect
					if got != kept && got != unknown {
						raised = append(raised, fmt.Sprintf("%s: %s alone, %s with the reason", describe(p, with), kept, got))
					}
				})
				if len(raised) > 0 {
					t.Errorf("%d answers are raised by a reason, such as\n%s", len(raised), raised[0])
				}
			})
		}
	}
}

// eachReasonedStatus visits every status of a catalogue beside each of its codes.
func eachReasonedStatus(c *providers.Catalog, visit func(alone, with policy.Answer, op policy.Operation)) {
	reasons := []string{"31337"}
	for _, r := range c.Codes {
		reasons = append(reasons, r.Code)
	}
	for _, r := range c.Statuses {
		for _, op := range policy.Operations() {
			for _, ph := range policy.Phases() {
				alone := status(ph, r.Status, r.SubStatus)
				for _, reason := range reasons {
					inCode, inSubCode := alone, alone
					inCode.Code, inSubCode.SubCode = reason, reason
					visit(alone, inCode, op)
					visit(alone, inSubCode, op)
				}
			}
		}
	}
}

// Authorized ends a binding or a capture as it says; only a payment can be held.
func TestOnlyPaymentsAreHeld(t *testing.T) {
	c, _ := with(t, "f.toml", `
name = "hold"
operations = ["checkout", "pay", "capture", "bind", "onboard"]
[[code]]
code = "A"
class = "authorized"
facts = [{ operation = "*", phase = "send", effect = "executed", stage = "result" }]
`).Get("hold")
	for _, op := range c.Operations {
		want := executed
		if op == pay || op == checkout {
			want = pending
		}
		a := code(send, "A")
		if f := c.Judge(&policy.Payment{Operation: op, Capture: policy.Auto}, &a); f.Effect != want {
			t.Errorf("%s, automatic: %s, want %s", op, f.Effect, want)
		}
		if f := c.Judge(&policy.Payment{Operation: op, Capture: policy.Manual}, &a); f.Effect != executed {
			t.Errorf("%s, manual: %s, want executed", op, f.Effect)
		}
	}
}

// A reason that no status goes with explains and proves nothing.
func TestReasonWithoutItsStatusProvesNothing(t *testing.T) {
	for _, name := range names {
		c := catalog(t, name)
		for _, r := range c.Codes {
			for _, op := range policy.Operations() {
				for _, envelope := range []string{"", "10000"} {
					a := policy.Answer{Phase: query, Code: envelope, SubCode: r.Code}
					if f := c.Judge(&policy.Payment{Operation: op}, &a); f.Effect != unknown {
						t.Errorf("%s: proves %s", describe(&policy.Payment{Provider: name, Operation: op}, a), f.Effect)
					}
				}
			}
		}
	}
}

// The answer to a repeated request speaks of the repetition.
func TestDuplicateRefusalsSettleNothing(t *testing.T) {
	for _, name := range names {
		c := catalog(t, name)
		for _, op := range c.Operations {
			for _, dup := range c.Contract(op).ReplayCodes {
				if !c.HasCode(dup) {
					t.Errorf("%s %s: the replay code %s is not in the catalogue", name, op, dup)
				}
				a := code(send, dup)
				if f := c.Judge(&policy.Payment{Operation: op}, &a); f.Effect.Settled() {
					t.Errorf("%s %s: the duplicate refusal %s proves %s", name, op, dup, f.Effect)
				}
			}
		}
	}
}
