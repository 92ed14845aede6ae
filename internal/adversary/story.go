package adversary

import (
	"fmt"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// story writes a finding, event by event.
func (f *finding) story(e *ruleset.Engine) string {
	var b strings.Builder
	p := &f.payment
	fmt.Fprintf(&b, "%s: %s %s\n", f.property, f.why, f.rule)
	fmt.Fprintf(&b, "  %s %s, merchant %q, %d %q, capture %s, tags %v\n", p.Provider, p.Operation, p.Merchant, p.Amount, p.Currency, p.Capture, p.Tags)
	d, err := e.For(p)
	if err != nil {
		return b.String() + err.Error()
	}
	start, n := flow.When(f.events[0]).At, 0
	f.replay(d, func(ev flow.Event, _ *flow.State, commands []flow.Command) {
		n++
		fmt.Fprintf(&b, "  %2d %8s  %s\n", n, flow.When(ev).At.Sub(start).Round(time.Millisecond), happens(ev))
		for _, c := range commands {
			if does := does(c); does != "" {
				fmt.Fprintf(&b, "               -> %s\n", does)
			}
		}
	})
	return b.String()
}

func happens(e flow.Event) string {
	switch e := e.(type) {
	case flow.Start:
		return fmt.Sprintf("the payment begins, order %s, request %s, after %d earlier requests", e.OrderID, e.RequestID, len(e.Earlier))
	case flow.Answered:
		if e.Attempt != 0 {
			return fmt.Sprintf("late answer to send %d: %s", e.Attempt, answer(&e.Answer))
		}
		return "answer: " + answer(&e.Answer)
	case flow.Queried:
		if e.Query != 0 {
			return fmt.Sprintf("late answer to query %d: %s", e.Query, answer(&e.Answer))
		}
		return "query's answer: " + answer(&e.Answer)
	case flow.Received:
		if !e.Answer.Verified {
			return "webhook, not verified: " + answer(&e.Answer)
		}
		return "webhook: " + answer(&e.Answer)
	case flow.Due:
		return fmt.Sprintf("the wait is over (request %s, order %s)", e.RequestID, e.OrderID)
	case flow.Resumed:
		return "another process takes over"
	case flow.Resolved:
		return fmt.Sprintf("a person says that identity %d is %s", e.Identity, e.Effect)
	case flow.Withdrawn:
		return "the caller withdraws the payment"
	}
	return "?"
}

// answer lists the fields of an answer that are set.
func answer(a *policy.Answer) string {
	var b strings.Builder
	for _, f := range [...]struct{ name, value string }{
		{"fault", a.Fault.String()}, {"code", a.Code}, {"sub_code", a.SubCode}, {"status", a.Status}, {"sub_status", a.SubStatus},
		{"order", a.OrderID}, {"request", a.RequestID}, {"provider", a.ProviderID}, {"currency", a.Currency}, {"message", a.Message},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, " %s=%q", f.name, f.value)
		}
	}
	if a.HTTPStatus != 0 {
		fmt.Fprintf(&b, " http=%d", a.HTTPStatus)
	}
	if a.Amount != 0 {
		fmt.Fprintf(&b, " amount=%d", a.Amount)
	}
	if a.RetryAfter != 0 {
		fmt.Fprintf(&b, " retry_after=%s", a.RetryAfter)
	}
	if b.Len() == 0 {
		return "nothing in it"
	}
	return b.String()[1:]
}

func does(c flow.Command) string {
	switch c := c.(type) {
	case flow.Decided:
		s := fmt.Sprintf("%s, %s, in doubt %t: %s wants %s", c.Fact.Effect, c.Fact.Class, c.InDoubt, c.Decision.Source, c.Decision.Action)
		if c.Verdict.Property != "" {
			s += fmt.Sprintf(", which %s forbids: %s", c.Verdict.Property, c.Verdict.Action)
		}
		if c.Verdict.Limit != "" {
			s += fmt.Sprintf(" (%s: %s)", c.Verdict.Limit, c.Verdict.Action)
		}
		return s
	case flow.Send:
		return fmt.Sprintf("sends %s %s, attempt %d", c.Identity.OrderID, c.Identity.RequestID, c.Attempt)
	case flow.Ask:
		return fmt.Sprintf("asks by %s", c.By)
	case flow.Finish:
		return fmt.Sprintf("ends %s: %s", c.Outcome, c.Reason)
	case flow.Record, flow.Wait, flow.Alert:
	}
	return ""
}
