package verify

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// short formats a duration without its zeros: "26h", "1h30m".
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Write prints a violation: the property, the rule, the trace step by step, and the proposed fix.
func (v *Violation) Write(w io.Writer) {
	fmt.Fprintf(w, "  %s: %s\n", v.Property, v.Why)
	if v.Source != "" {
		fmt.Fprintf(w, "      rule %q, %s\n", v.Rule, v.Source)
	}
	switch {
	case v.Harm != "":
		fmt.Fprintf(w, "      without the interlock it breaks %s:\n", v.Harm)
	case v.Property == S5:
		fmt.Fprint(w, "      the interlock has to correct it:\n")
	}
	v.WriteStory(w)
	if v.Fix != "" {
		fmt.Fprintf(w, "  try: %s\n", v.Fix)
	}
}

// WriteStory prints the trace alone: one line for each step, and below it the decision of the
// rules.
func (v *Violation) WriteStory(w io.Writer) {
	for i, s := range v.Story {
		fmt.Fprintf(w, "  %3d %6s  %s\n", i+1, s.At, s.Happens)
		if s.Decision != "" {
			fmt.Fprintf(w, "              %s  [%s]\n", s.Decision, strings.TrimSpace(s.Rule+" "+s.Source))
		}
		if len(s.Does) > 0 {
			fmt.Fprintf(w, "              -> %s\n", strings.Join(s.Does, "; "))
		}
	}
	if len(v.Story) > 0 && !v.Replayed {
		fmt.Fprintln(w, "  (it needs other waits than the schedules have, or a condition that cannot be seen into)")
	}
}

// eventText describes a transition in words.
func (m *model) eventText(t *traceStep) string {
	n, tr := t.from, t.transition
	request := func() string {
		if int(tr.id) < len(n.s.Ledger) {
			return "request " + strings.TrimPrefix(n.s.Ledger[tr.id].RequestID, "request-")
		}
		return "the request"
	}
	switch tr.kind {
	case kindStart:
		return "the payment begins"
	case kindSecondFlow:
		if tr.variant == namesOrder {
			return "the shopper tries again: a second flow of the payment key, under the same order"
		}
		return "the shopper tries again: a second flow of the payment key, under a new order"
	case kindNotSent:
		return "the connection is refused: nothing left"
	case kindAnswer:
		if a := answerOf(t.event); a.Fault != policy.NoFault {
			return faultText(a.Fault) + " (" + request() + " may have arrived, and may yet)"
		}
		return m.answerText("the provider answers", t) + m.aboutText(n, tr)
	case kindLateAnswer:
		return m.answerText("late, the reply to "+request()+" comes:", t) + m.aboutText(n, tr)
	case kindQueryAnswer:
		if a := answerOf(t.event); a.Fault != policy.NoFault {
			return "the query fails: " + a.Fault.String()
		}
		return m.answerText("the query says", t) + m.aboutText(n, tr)
	case kindLateQueryAnswer:
		return m.answerText("late, the reply to an earlier query comes:", t) + m.aboutText(n, tr)
	case kindWebhook:
		return m.answerText("a verified webhook says", t) + m.aboutText(n, tr)
	case kindUnverified:
		return "an unverified webhook arrives"
	case kindDue:
		if tr.variant == 1 {
			return "the wait is over, and the caller supplies no new order id"
		}
		return "the wait is over"
	case kindResume:
		return "the process dies, and another takes over"
	case kindWithdraw:
		return "the payment is withdrawn"
	case kindResolve:
		return fmt.Sprintf("an operator resolves %s: %s", request(), policy.Effect(tr.variant&^endsDispute))
	case kindTime:
		return "time passes"
	}
	return ""
}

// faultText describes a fault of a call.
func faultText(f policy.Fault) string {
	switch f {
	case policy.Timeout:
		return "no answer in time"
	case policy.Reset:
		return "the connection breaks after the request left"
	case policy.Unreadable:
		return "the answer cannot be read"
	default:
		return f.String()
	}
}

// answerText describes an answer and what it proves.
func (m *model) answerText(who string, t *traceStep) string {
	a := answerOf(t.event)
	fact := m.decider.judge(&m.payment, a)
	text := fmt.Sprintf("%s %s (%s, %s)", who, flow.DescribeAnswer(a), fact.Effect, fact.Class)
	if t.transition.variant&otherAmount != 0 {
		text += map[int]string{saysAmount: " with another amount", saysCurrency: " in another currency"}[moneySaid(&m.payment)]
	}
	if t.transition.variant&wholeAmount != 0 {
		text += " with the amount asked for"
	}
	return text
}

// aboutText says which payment an answer names, where that is not obvious.
func (m *model) aboutText(n *node, tr transition) string {
	switch tr.variant &^ (otherAmount | wholeAmount) {
	case namesUnknownID:
		return ", by an id of the provider that the flow does not know"
	case namesTarget:
		if m.actsOnTarget() {
			return ", by the id of the payment that it works on"
		}
		return ", about another payment"
	case namesOther, namesStranger, namesZero, namesCrossed, namesSibling:
		return ", about another payment"
	case namesNothing:
		if tr.kind == kindWebhook {
			return ", and names no payment"
		}
	case namesBoth, namesOneOfTwo:
		if len(n.ids) > 1 {
			return ", about " + strings.Replace(n.s.Ledger[tr.id].RequestID, "-", " ", 1)
		}
	case namesOrder:
		if len(n.ids) > 1 {
			return ", about " + strings.Replace(n.s.Ledger[tr.id].OrderID, "-", " ", 1)
		}
	}
	return ""
}
