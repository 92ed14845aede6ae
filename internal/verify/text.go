package verify

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// short writes a duration without its zeros: "26h", "1h30m".
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

// Write prints a violation for people: what is broken, by which rule, the story step by step,
// and what would mend it.
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

// WriteStory prints the story alone, a step a line with what the rules made of it below.
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

// happens says what a move is, in plain words.
func (m *model) happens(n *node, mv move) string {
	request := func() string {
		if int(mv.id) < len(n.s.Ledger) {
			return "request " + strings.TrimPrefix(n.s.Ledger[mv.id].RequestID, "request-")
		}
		return "the request"
	}
	switch mv.kind {
	case moveStart:
		return "the payment begins"
	case moveStartAgain:
		if mv.variant == namesOrder {
			return "the shopper tries again: a second flow of the payment key, under the same order"
		}
		return "the shopper tries again: a second flow of the payment key, under a new order"
	case moveNotSent:
		return "the connection is refused: nothing left"
	case moveAnswer:
		if a := &m.heard[policy.Send][mv.class].answer; a.Fault != policy.NoFault {
			return silence(a.Fault) + " (" + request() + " may have arrived, and may yet)"
		}
		return m.said("the provider answers", policy.Send, mv) + m.about(n, mv)
	case moveLateAnswer:
		return m.said("late, the reply to "+request()+" comes:", policy.Send, mv) + m.about(n, mv)
	case moveQueryAnswer:
		if a := &m.heard[policy.Query][mv.class].answer; a.Fault != policy.NoFault {
			return "the query fails: " + a.Fault.String()
		}
		return m.said("the query says", policy.Query, mv) + m.about(n, mv)
	case moveLateQueryAnswer:
		return m.said("late, the reply to an earlier query comes:", policy.Query, mv) + m.about(n, mv)
	case moveWebhook:
		return m.said("a verified webhook says", policy.Webhook, mv) + m.about(n, mv)
	case moveUnverified:
		return "a webhook comes that nobody verified"
	case moveDue:
		if mv.variant == 1 {
			return "the wait is over, and nobody mints a new order id"
		}
		return "the wait is over"
	case moveResume:
		return "the process dies, and another takes over"
	case moveWithdraw:
		return "the payment is withdrawn"
	case moveResolve:
		return fmt.Sprintf("somebody who looked says of %s: %s", request(), policy.Effect(mv.variant))
	case moveTime:
		return "time passes"
	}
	return ""
}

func silence(f policy.Fault) string {
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

func (m *model) said(who string, ph policy.Phase, mv move) string {
	h := &m.heard[ph][mv.class]
	text := fmt.Sprintf("%s %s (%s, %s)", who, flow.DescribeAnswer(&h.answer), h.fact.Effect, h.fact.Class)
	if mv.variant&otherAmount != 0 {
		text += " with another amount"
	}
	return text
}

func (m *model) about(n *node, mv move) string {
	switch mv.variant &^ otherAmount {
	case namesOther:
		return ", about somebody else's payment"
	case namesBoth:
		if len(n.ids) > 1 {
			return ", about " + strings.Replace(n.s.Ledger[mv.id].RequestID, "-", " ", 1)
		}
	case namesOrder:
		if len(n.ids) > 1 {
			return ", about " + strings.Replace(n.s.Ledger[mv.id].OrderID, "-", " ", 1)
		}
	}
	return ""
}
