package engine

import (
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Trace is everything that was looked at for one decision.
type Trace struct {
	Decision policy.Decision
	Fact     policy.Fact
	Rules    []Considered // every rule of the layers, in their order
}

// Considered is one rule and how it came out.
type Considered struct {
	ID        string        `json:"id"`
	Source    string        `json:"source"` // FILE:LINE
	When      string        `json:"when"`
	Then      policy.Action `json:"then"`
	Candidate bool          `json:"candidate"` // the index let it through
	Held      bool          `json:"held"`
	Decided   bool          `json:"decided"` // it is the first that held
	Condition Part          `json:"condition"`
}

// Part is a piece of a condition and whether it held. Its parts are the operands of
// &&, || and !.
type Part struct {
	Text  string `json:"text"`
	Held  bool   `json:"held"`
	Err   string `json:"error,omitempty"` // of a part that could not be evaluated by itself
	Parts []Part `json:"parts,omitempty"`
}

// Explain decides like Decide and returns the whole trace: every rule, whether the
// index let it through, and which parts of its condition held.
func (e *Engine) Explain(s *policy.Situation) Trace {
	t := e.rules.Now().Explain(s)
	out := Trace{Decision: t.Decision, Fact: t.Fact, Rules: make([]Considered, len(t.Rules))}
	for i := range t.Rules {
		r := &t.Rules[i]
		out.Rules[i] = Considered{r.ID, r.Source, r.When, r.Then, r.Candidate, r.Held, r.Decided, part(&r.Condition)}
	}
	return out
}

func part(p *ruleset.Part) Part {
	out := Part{Text: p.Text, Held: p.Held, Err: p.Err}
	for i := range p.Parts {
		out.Parts = append(out.Parts, part(&p.Parts[i]))
	}
	return out
}
