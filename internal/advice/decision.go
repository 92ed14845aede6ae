package advice

import (
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Decision is one line that `recourse decide` writes.
type Decision struct {
	Action    policy.Action   `json:"action"`       // after the interlock
	By        flow.Via        `json:"by,omitempty"` // how a status is found out: query, or webhook where there is no query
	Rule      string          `json:"rule"`         // empty: no rule held
	Source    string          `json:"source"`
	Reason    string          `json:"reason"`
	Effect    policy.Effect   `json:"effect"`
	Class     policy.Class    `json:"class"`
	Final     policy.Finality `json:"final"`
	Schedule  *string         `json:"schedule"`
	DelayMS   int64           `json:"delay_ms"` // before jitter
	Interlock *Interlock      `json:"interlock"`
	Limit     string          `json:"limit,omitempty"`     // the limit that is spent
	SetAside  string          `json:"set_aside,omitempty"` // why the body is no evidence
}

// Interlock says which property the rules would have broken, and by what.
type Interlock struct {
	Wanted   policy.Action `json:"wanted"`
	Property flow.Property `json:"property"`
}

// Decision is the advice as a line of `recourse decide`.
func (a *Advice) Decision() Decision {
	d, v := &a.Decided, &a.Decided.Verdict
	out := Decision{
		Action: v.Action, By: v.Via, Rule: d.Decision.Rule, Source: d.Decision.Source, Reason: d.Decision.Reason,
		Effect: d.Fact.Effect, Class: d.Fact.Class, Final: d.Fact.Final, DelayMS: v.Delay.Milliseconds(), Limit: v.Limit,
		SetAside: a.Situation.Answer.SetAside,
	}
	if v.Schedule != "" {
		out.Schedule = &v.Schedule
	}
	if v.Property != "" {
		out.Interlock = &Interlock{Wanted: d.Decision.Action, Property: v.Property}
	}
	return out
}
