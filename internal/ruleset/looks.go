package ruleset

import (
	"errors"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// Looks is what the rules of a payment's layers can tell apart. Two situations that differ
// in nothing of it are decided alike.
type Looks struct {
	// Rules are FILE:LINE of each rule that can hold, with the schedule that it waits by, in order.
	Rules []string
	// Waits has the schedule of each rule that can hold, by its FILE:LINE; nil where it waits for nothing.
	Waits map[string]*policy.Schedule
	// At holds every variable that some rule looks at.
	At map[string]bool
	// Texts are the texts that a variable is compared with, sorted; every other text is
	// like any other.
	Texts map[string][]string
	// Whole are the text variables that a condition looks into, as startsWith does: no two of
	// their texts are alike.
	Whole map[string]bool
	// Cuts are the values from which on a comparison of a numeric variable comes out otherwise,
	// sorted. Durations are in nanoseconds. Those of "fired" are in Fired.
	Cuts map[string][]int64
	// Fired has the cuts of each rule's own count, by the rule's id.
	Fired map[string][]int64
	// Opaque are the parts of conditions that cannot be seen into.
	Opaque []Opaque
}

// Opaque is a part of a condition that no analysis sees into, such as one on tags, on the
// message, or on a sum.
type Opaque struct {
	Rule   string
	Source string // FILE:LINE of the rule
	Text   string
}

// Looks says what the rules look at that can hold for a payment's operation.
func (e *Engine) Looks(p *policy.Payment) Looks {
	l := Looks{
		Waits: map[string]*policy.Schedule{}, At: map[string]bool{}, Texts: map[string][]string{}, Whole: map[string]bool{},
		Cuts: map[string][]int64{}, Fired: map[string][]int64{},
	}
	v := e.ruleTable(p).view()
	for i := range v.entries {
		if v.entries[i].fitsOperation(p.Operation) {
			l.rule(&v.entries[i])
		}
	}
	for _, list := range []map[string][]int64{l.Cuts, l.Fired} {
		for k := range list {
			slices.Sort(list[k])
			list[k] = slices.Compact(list[k])
		}
	}
	for k := range l.Texts {
		slices.Sort(l.Texts[k])
		l.Texts[k] = slices.Compact(l.Texts[k])
	}
	return l
}

func (l *Looks) rule(e *entry) {
	source := e.rule.Source()
	l.Waits[source] = e.decision.Schedule
	if e.decision.Schedule != nil {
		source += " " + e.decision.Schedule.Name
	}
	l.Rules = append(l.Rules, source)
	for name, texts := range e.vars {
		if _, known := variables[name]; !known {
			continue
		}
		l.At[name] = true
		for t := range texts {
			l.Texts[name] = append(l.Texts[name], t)
		}
	}
	for _, leaf := range e.tree.Leaves() {
		switch vars := condition.Mentions(leaf.Node); kindOf(leaf, vars) {
		case leafOpaque:
			l.Opaque = append(l.Opaque, Opaque{e.rule.ID, e.rule.Source(), leaf.Text})
		case leafWhole:
			for v := range vars {
				if variables[v].kind == text {
					l.Whole[v] = true
				}
			}
		case leafPlain:
			l.cuts(leaf.Node, e.rule.ID)
		}
	}
}

// cuts notes where a comparison with fixed numbers changes.
func (l *Looks) cuts(leaf ast.Node, rule string) {
	add := func(name string, at ...int64) {
		if name == "fired" {
			l.Fired[rule] = append(l.Fired[rule], at...)
			return
		}
		l.Cuts[name] = append(l.Cuts[name], at...)
	}
	if c, ok := simpleComparison(leaf); ok {
		switch c.op {
		case "<", ">=":
			add(c.variable.String(), c.value)
		case "<=", ">":
			add(c.variable.String(), c.value+1)
		default:
			add(c.variable.String(), c.value, c.value+1)
		}
		return
	}
	if name, list, ok := numberIn(leaf); ok {
		for _, v := range list {
			add(name, v, v+1)
		}
	}
}

// leafKind says how much of a leaf can be seen.
type leafKind int

const (
	leafPlain  leafKind = iota // compares one variable with fixed values
	leafWhole                  // looks into texts that an analysis has at hand
	leafOpaque                 // looks at what an analysis does not have at hand
)

// hidden are the variables whose values no analysis lists.
var hidden = map[string]bool{"message": true, "tags": true}

func kindOf(leaf *condition.Tree, vars condition.Mentioned) leafKind {
	whole := true
	for v := range vars {
		if hidden[v] {
			return leafOpaque
		}
		k := variables[v].kind
		whole = whole && (k == text || k == word || k == boolean)
	}
	if plainLeaf(leaf, vars) {
		return leafPlain
	}
	if _, _, ok := numberIn(leaf.Node); ok {
		return leafPlain
	}
	if whole {
		return leafWhole
	}
	return leafOpaque
}

// numberIn recognises "attempt in [1, 2]".
func numberIn(n ast.Node) (name string, list []int64, ok bool) {
	b, isBinary := n.(*ast.BinaryNode)
	if !isBinary || b.Operator != "in" {
		return "", nil, false
	}
	id, isID := b.Left.(*ast.IdentifierNode)
	items, isList := b.Right.(*ast.ArrayNode)
	if !isID || !isList || variables[id.Value].kind != number {
		return "", nil, false
	}
	for _, item := range items.Nodes {
		i, isInt := item.(*ast.IntegerNode)
		if !isInt {
			return "", nil, false
		}
		list = append(list, int64(i.Value))
	}
	return id.Value, list, true
}

// Possible returns every decision that the rules can come to in a situation when each part
// of a condition that cannot be seen into may hold or not, and so each part that looks at one
// of the open variables, in the order of the rules. It is at least one; it is exactly
// Decide's when nothing is opaque or open. S.Answer.Message and S.Payment.Tags are not
// looked at.
func (e *Engine) Possible(s *policy.Situation, open map[string]bool) []policy.Decision {
	b := e.ruleTable(s.Payment)
	var all []policy.Decision
	entries := b.view().entries
	for i := range entries {
		en := &entries[i]
		if !en.candidate(s, b.zone) {
			continue
		}
		held, err := en.possible(s, b, open)
		if err != nil {
			all = append(all, b.failed(&en.decision, err))
		}
		switch held {
		case condition.Yes:
			return append(all, en.decision)
		case condition.Maybe:
			all = append(all, en.decision)
		case condition.No:
		}
	}
	if s.InDoubt || !s.Fact.Effect.Settled() {
		return append(all, b.none)
	}
	return append(all, b.lost)
}

// possible evaluates a condition whose opaque parts may hold or not. The error is of a part
// that failed, which may hold or not as well.
func (e *entry) possible(s *policy.Situation, b *ruleTable, open map[string]bool) (held condition.Truth, failed error) {
	held = e.tree.Eval(func(leaf *condition.Tree) condition.Truth {
		vars := condition.Mentions(leaf.Node)
		if kindOf(leaf, vars) == leafOpaque {
			return condition.Maybe
		}
		for v := range vars {
			if open[v] {
				return condition.Maybe
			}
		}
		var l lowerer
		lowered, f := l.lower(leaf.Node), onlyRule(s, b.zone, e.rule.ID)
		if l.failed != nil {
			return condition.Maybe
		}
		yes := lowered.holds(&f)
		if f.err != nil {
			failed = f.err
			return condition.Maybe
		}
		return condition.TruthOf(yes)
	})
	return held, failed
}

var errNotWritten = errors.New("the part does not read back as it was written")

func leafProgram(n ast.Node) (*vm.Program, error) {
	text, ok := condition.Written(n)
	if !ok {
		return nil, errNotWritten
	}
	return program(text)
}
