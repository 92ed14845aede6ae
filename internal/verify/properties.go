package verify

import (
	"fmt"
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// S4 to S6 are properties like the flow's own, which the checker looks after.
const (
	S4 flow.Property = "S4" // every flow ends, within its limits
	S5 flow.Property = "S5" // the rules never have to be corrected
	S6 flow.Property = "S6" // never succeeded when it is disputed or partly paid
)

// violations lists the properties that one transition breaks.
func (m *model) violations(from, next *node, o *outcome) (all []finding) {
	if next.executions() > 1 && from.executions() <= 1 {
		all = append(all, finding{property: flow.S1, why: "two requests are out that may both be executed"})
	}
	if o == nil {
		return all // only time has passed
	}
	if from.foreign && o.marks.has(markSendsNew) {
		all = append(all, finding{property: flow.S1, why: "money moved under its order already"})
	}
	if o.remarks != nil {
		all = append(all, o.findings...)
	}
	if o.marks.has(markFinishes) {
		all = append(all, m.checkOutcome(next)...)
	}
	return all
}

// flowViolations lists the properties that a step of the flow breaks, whatever the provider has said.
func (m *model) flowViolations(from *node, after *flow.State, commands []flow.Command) (all []finding) {
	if m.timeOver(from) && waitsPastTime(from, after, commands) {
		all = append(all, finding{property: S4, why: "the flow's time is over, and it does not end"})
	}
	recorded := false
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Record:
			recorded = true
		case *flow.Send:
			all = append(all, m.checkSend(from, c, recorded)...)
		case *flow.Ask:
			all = append(all, m.checkQuery(c)...)
		case *flow.Finish:
			all = append(all, m.checkLimits(after, commands)...)
		case flow.Decided, *flow.Decided:
			all = append(all, m.checkDecision(decidedIn(c))...)
		case *flow.Wait, flow.Alert:
		default: // what is passed over is proved of flows that never do it
			panic(fmt.Sprintf("verify: %T is no command that it knows", c))
		}
	}
	return all
}

// checkSend holds one send to S1 and to the limits.
func (m *model) checkSend(from *node, c *flow.Send, recorded bool) (all []finding) {
	if !recorded { // after a crash the request would be unknown, and be sent again
		all = append(all, finding{property: flow.S1, why: "sent before it was recorded"})
	}
	if !m.timesRecorded(from, c.Identity) {
		all = append(all, finding{property: flow.S1, why: "when it was sent is not recorded"})
	}
	if c.Attempt > m.terms.Limits.MaxAttempts {
		all = append(all, finding{property: S4, why: "more sends than max_attempts"})
	}
	if from.s.Stage == flow.Waiting && m.timeOver(from) {
		all = append(all, finding{property: S4, why: "sent after the flow's time"})
	}
	return all
}

// checkQuery holds one query to the limits.
func (m *model) checkQuery(c *flow.Ask) (all []finding) {
	if c.Query > m.terms.Limits.MaxQueries {
		all = append(all, finding{property: S4, why: "more queries than max_queries"})
	}
	if c.By == "" { // such a query cannot be sent, and the flow would repeat it for ever
		all = append(all, finding{property: S4, why: "asks where there is nothing to ask by"})
	}
	return all
}

// checkDecision holds one decision to the limits, and the rules to S5.
func (m *model) checkDecision(c *flow.Decided) (all []finding) {
	// The coarse model does not count. There only the decision shows that a spent limit was ignored.
	switch {
	case m.exhausted.sends && c.Verdict.Action.Sends():
		all = append(all, finding{property: S4, why: "more sends than max_attempts"})
	case m.exhausted.queries && c.Verdict.Action == policy.QueryStatus && c.Verdict.Via == flow.ByQuery:
		all = append(all, finding{property: S4, why: "more queries than max_queries"})
	}
	if c.Verdict.Property != "" && !c.Due {
		for _, r := range m.wantedBy(c) {
			all = append(all, finding{
				property: S5, rule: r.Source, id: r.Rule, wanted: c.Decision.Action,
				why: fmt.Sprintf("the rules want %s, which %s forbids", c.Decision.Action, c.Verdict.Property),
			})
		}
	}
	return all
}

// wantedBy returns every rule that can want what was decided.
func (m *model) wantedBy(c *flow.Decided) []*policy.Decision {
	if chosen := m.decider.chosen; chosen != nil && chosen.decision.Source == c.Decision.Source && len(chosen.rules) > 0 {
		return chosen.rules
	}
	return []*policy.Decision{&c.Decision}
}

// timesRecorded reports whether a send left its times in the ledger. They decide later whether the
// request has arrived, and whether it may be repeated.
func (m *model) timesRecorded(from *node, id *flow.Identity) bool {
	if !id.LastSent.Equal(base) || !id.Deadline.Equal(base.Add(m.terms.Contract.CallTimeout())) {
		return false
	}
	if id.Sends == 1 {
		return id.FirstSent.Equal(base)
	}
	last := len(from.s.Ledger) - 1
	return !id.FirstSent.After(from.s.Ledger[last].FirstSent)
}

// timeOver reports whether the flow's time is over when an event arrives.
func (m *model) timeOver(from *node) bool {
	switch {
	case from.s.Stage == flow.New || from.s.Stage == flow.Ended:
		return false
	case m.coarse:
		return m.exhausted.time
	default:
		return m.clock.age(from.started) >= m.terms.Limits.MaxElapsed
	}
}

// waitsPastTime reports whether the flow waits again after an answer, or the end of a wait, that
// came after its time.
func waitsPastTime(from *node, after *flow.State, commands []flow.Command) bool {
	if from.s.Stage == flow.Waiting || after.Stage != flow.Waiting {
		return false
	}
	return slices.ContainsFunc(commands, func(c flow.Command) bool {
		d := decidedIn(c)
		return d != nil && !d.Due
	})
}

// decidedIn returns what was decided, of a command that says so; nil: it is another one. Of the commands of [flow.Adviser.AdvanceByPointers]
// the rules' decisions are pointers, and the others are not.
func decidedIn(c flow.Command) *flow.Decided {
	switch c := c.(type) {
	case *flow.Decided:
		return c
	case flow.Decided:
		return &c
	}
	return nil
}

// checkOutcome holds the outcome of a flow to S2, S3 and S6.
func (m *model) checkOutcome(n *node) []finding {
	switch n.s.Outcome {
	case policy.Failed:
		if why := m.moneyMoved(n); why != "" {
			return []finding{{property: flow.S2, why: why}}
		}
	case policy.Succeeded:
		if !n.paid() {
			return []finding{{property: flow.S3, why: "no execution of this amount is proved"}}
		}
		switch {
		case n.disputed:
			return []finding{{property: S6, why: "the payment is disputed"}}
		case slices.ContainsFunc(n.ids, func(st statements) bool { return st.part && st.executed > 0 }):
			return []finding{{property: S6, why: "another amount was paid, and no answer names this one"}}
		}
	case policy.Open, policy.Escalated:
	}
	return nil
}

// moneyMoved says how money has moved or still can. Empty: it cannot.
func (m *model) moneyMoved(n *node) string {
	if n.foreign {
		return "money moved under its order"
	}
	for i := range n.ids {
		switch st := &n.ids[i]; {
		case st.executed > 0 || st.other > 0:
			return "the provider has executed it"
		case n.unreported(i) > 0:
			return "it may have been executed, or may be yet"
		}
	}
	return ""
}

// paid reports whether this amount, and no other, was executed.
func (n *node) paid() bool {
	right, other := 0, 0
	for i := range n.ids {
		right += int(n.ids[i].executed)
		other += int(n.ids[i].other)
	}
	return right >= 1 && other == 0 && !n.foreign
}

// checkLimits holds a flow that a limit ended to S4: in doubt it must be escalated, else failed.
func (m *model) checkLimits(s *flow.State, commands []flow.Command) []finding {
	for _, c := range commands {
		d := decidedIn(c)
		if d == nil || d.Verdict.Limit == "" {
			continue
		}
		if s.InDoubt() != (s.Outcome == policy.Escalated) && s.Outcome != policy.Succeeded {
			certain := true
			for i := range s.Ledger {
				certain = certain && s.Ledger[i].Effect == policy.NotExecuted
			}
			if certain == (s.Outcome == policy.Escalated) {
				return []finding{{property: S4, why: "its limits ended it otherwise than by what is known"}}
			}
		}
	}
	return nil
}

// bypassInterlock returns the node that the rule's decision leads to without the interlock.
func (m *model) bypassInterlock(next *node, o *outcome) (*node, bool) {
	if o == nil || o.remarks == nil || o.corrected == nil {
		return nil, false
	}
	direct := next.clone()
	direct.bypassed = direct.bypassed || o.corrected.Source == m.unguarded
	switch o.corrected.Action {
	case policy.MarkFailed:
		direct.s.Stage, direct.s.Outcome, direct.s.Next = flow.Ended, policy.Failed, flow.Next{}
	case policy.MarkSucceeded:
		direct.s.Stage, direct.s.Outcome, direct.s.Next = flow.Ended, policy.Succeeded, flow.Next{}
	case policy.RetrySame, policy.RetryNewRequest, policy.RetryNewOrder:
		if direct.s.Attempts >= m.terms.Limits.MaxAttempts {
			return nil, false
		}
		direct.s.Stage, direct.s.Outcome, direct.s.Next = flow.Waiting, policy.Open, flow.Next{Action: o.corrected.Action}
		direct.forced, direct.isForced = o.corrected.Action, true
	case policy.QueryStatus, policy.Escalate:
		return nil, false
	}
	m.canonicalize(&direct)
	return &direct, true
}
