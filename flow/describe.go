package flow

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// Describe puts a command into a line for people.
func Describe(c Command) string {
	switch c := c.(type) {
	case Record:
		return "record"
	case Send:
		return fmt.Sprintf("send %d as order %s, request %s", c.Attempt, c.Identity.OrderID, c.Identity.RequestID)
	case Ask:
		return fmt.Sprintf("query %d by %s", c.Query, c.By)
	case Wait:
		if c.Via == ByWebhook {
			return "wait for the webhook"
		}
		return "wait, then " + c.Action.String()
	case Finish:
		return fmt.Sprintf("end: %s (%s)", c.Outcome, c.Reason)
	case Alert:
		return "alert: " + c.Reason
	case Decided:
		return c.describe()
	}
	return fmt.Sprintf("%T", c)
}

// DescribeAnswer says what an answer said: "timeout", "7000", "FAILED -10000 (HTTP 500)".
func DescribeAnswer(a *policy.Answer) string {
	if a.Fault != policy.NoFault {
		return a.Fault.String()
	}
	said := strings.Join(strings.Fields(strings.Join([]string{a.Status, a.SubStatus, a.Code, a.SubCode}, " ")), " ")
	said = cmp.Or(said, "nothing that is known")
	if a.HTTPStatus != 0 && a.HTTPStatus != 200 {
		said += fmt.Sprintf(" (HTTP %d)", a.HTTPStatus)
	}
	return said
}

// describe says which answer came, what it was taken for, and what will be done.
func (d *Decided) describe() string {
	answer := "there was no answer"
	if d.Answer != nil {
		answer = fmt.Sprintf("%s answered %s", d.Phase, DescribeAnswer(d.Answer))
	}
	if d.Due {
		answer = "the action that it waited for is not allowed any more"
	}
	rule := ""
	if d.Decision.Rule != "" {
		rule = fmt.Sprintf(" (%s, %s)", d.Decision.Rule, d.Decision.Source)
	}
	return answer + ": " + DescribeVerdict(d) + rule
}

// DescribeVerdict says what was made of an answer, and what will be done: "unknown,
// network_error, in doubt: query_status in 2s".
func DescribeVerdict(d *Decided) string {
	doubt := ""
	if d.InDoubt {
		doubt = ", in doubt"
	}
	text := fmt.Sprintf("%s, %s%s: %s", d.Fact.Effect, d.Fact.Class, doubt, d.Verdict.Action)
	switch {
	case d.Verdict.Via == ByWebhook:
		text += " by waiting for the webhook"
	case d.Verdict.Delay > 0:
		text += " in " + d.Verdict.Delay.String()
	}
	if d.Verdict.Property != "" {
		text += fmt.Sprintf(" (the rules wanted %s, which %s forbids)", d.Decision.Action, d.Verdict.Property)
	}
	if d.Verdict.Limit != "" {
		text += fmt.Sprintf(" (%s)", d.Verdict.spent())
	}
	return text
}

func (v *Verdict) spent() string {
	if v.Limit == withdrawn {
		return withdrawn
	}
	return v.Limit + " is spent"
}
