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
	v := b.view()
	t := Trace{Decision: b.decide(s), Fact: s.Fact, Rules: make([]Considered, 0, len(v.layers))}
	decided := false
	f := onlyRule(s, b.zone, "")
	for _, en := range v.layers {
		f.ids[0] = en.rule.ID
		c := Considered{
			ID: en.rule.ID, Source: en.rule.Source(), When: en.rule.When, Then: en.rule.Then,
			Candidate: !en.excluded && en.candidate(s, b.zone), Condition: tried(en.shown(), &f),
		}
		c.Condition.try(&en.node, &f)
		c.Held = c.Candidate && c.Condition.Held
		c.Decided = c.Held && !decided
		decided = decided || c.Held || c.Candidate && c.Condition.Err != ""
		t.Rules = append(t.Rules, c)
	}
	return t
}

// piece is a part of a condition as an explanation has it.
type piece struct {
	text  string
	alone bool // it can be shown by itself
	node  node
	parts []piece
}

func pieceOf(t *condition.Tree) piece {
	var l lowerer
	s := piece{node: l.lower(t.Node), parts: make([]piece, len(t.Parts))}
	s.text, s.alone = condition.Written(t.Node)
	s.alone = s.alone && l.failed == nil
	for i, part := range t.Parts {
		s.parts[i] = pieceOf(part)
	}
	return s
}

// tried is a part and its parts in a situation.
func tried(s piece, f *frame) Part {
	p := Part{Text: s.text}
	if s.alone {
		p.try(&s.node, f)
	} else {
		p.Err = "cannot be shown by itself"
	}
	if len(s.parts) > 0 {
		p.Parts = make([]Part, len(s.parts))
	}
	for i := range s.parts {
		p.Parts[i] = tried(s.parts[i], f)
	}
	return p
}

func (p *Part) try(n *node, f *frame) {
	f.err = nil
	p.Held, p.Err = n.holds(f), ""
	if f.err != nil {
		p.Held, p.Err = false, firstLine(f.err.Error())
	}
}
