package ruleset

import (
	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// Trace is everything that was looked at for one decision.
type Trace struct {
	Decision policy.Decision
	Fact     policy.Fact
	Rules    []Considered // every rule of the layers, in their order
}

// Considered is one rule and what became of it.
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
	b := e.ruleTable(s.Payment)
	t := Trace{Decision: b.decide(s), Fact: s.Fact}
	decided := false
	for _, en := range b.layers {
		vars := makeEnv(s, s.Fired.Of(en.rule.ID), b.zone)
		c := Considered{
			ID: en.rule.ID, Source: en.rule.Source(), When: en.rule.When, Then: en.rule.Then,
			Candidate: en.entry >= 0 && b.candidate(en.entry, s), Condition: explain(en.tree, vars),
		}
		c.Condition.evaluate(en.rule.When, vars)
		c.Held = c.Candidate && c.Condition.Held
		c.Decided = c.Held && !decided
		decided = decided || c.Held || c.Candidate && c.Condition.Err != ""
		t.Rules = append(t.Rules, c)
	}
	return t
}

// explain evaluates a condition and every part of it.
func explain(t *condition.Tree, vars env) Part {
	text, ok := condition.Written(t.Node)
	p := Part{Text: text}
	if ok {
		p.evaluate(text, vars)
	} else {
		p.Err = "cannot be shown by itself"
	}
	for _, part := range t.Parts {
		p.Parts = append(p.Parts, explain(part, vars))
	}
	return p
}

func (p *Part) evaluate(text string, vars env) {
	p.Held, p.Err = false, ""
	compiled, err := program(text)
	if err == nil {
		p.Held, err = run(compiled, vars)
	}
	if err != nil {
		p.Err = firstLine(err.Error())
	}
}
