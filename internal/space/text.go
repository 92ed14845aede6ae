package space

import (
	"math"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/rules"
)

// constant is what a node comes to without looking at anything; nil when it looks.
func constant(n ast.Node) any {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return int64(n.Value)
	case *ast.UnaryNode:
		if v, ok := constant(n.Node).(int64); ok && n.Operator == "-" && v != math.MinInt64 {
			return -v
		}
	case *ast.BuiltinNode, *ast.CallNode:
		if d, ok := condition.FixedDuration(n); ok {
			return d
		}
	case *ast.BinaryNode:
		if l, ok := constant(n.Left).(string); ok {
			if r, ok := constant(n.Right).(string); ok {
				switch n.Operator {
				case "==":
					return l == r
				case "!=":
					return l != r
				}
			}
		}
	}
	return nil
}

// looks collects what a node looks at.
type looks struct {
	names []string
}

// Visit is called for every node.
func (l *looks) Visit(n *ast.Node) {
	if id, ok := (*n).(*ast.IdentifierNode); ok && id.Value != "duration" && !slices.Contains(builtins, id.Value) {
		if !slices.Contains(l.names, id.Value) {
			l.names = append(l.names, id.Value)
		}
	}
}

var builtins = []string{"len", "lower", "upper", "trim", "hasPrefix", "hasSuffix"}

// oneText is where a part is as wanted that looks at one text or word only: tried, by the
// engine's own evaluation, with every value that a catalogue or a rule names, and opaque for
// the texts that none does.
func (b builder) oneText(n ast.Node, want bool) (region.Region, bool) {
	var l looks
	ast.Walk(&n, &l)
	if len(l.names) != 1 || l.names[0] == "in_doubt" {
		return nil, false
	}
	d, ok := b.s.byName[l.names[0]]
	if !ok || d >= fixed {
		return nil, false
	}
	kind := b.s.KindOf(d)
	if kind != Text && kind != Word {
		return nil, false
	}
	values := b.s.Words(d)
	if kind == Text {
		values = b.s.Known(d)
	}
	outcomes, err := ruleset.Try(n, l.names[0], values)
	if err != nil {
		return nil, false
	}
	var words region.Words
	var texts []string
	for i, held := range outcomes {
		if held == want {
			words |= 1 << (i & 63)
			texts = append(texts, values[i])
		}
	}
	if kind == Word {
		return b.s.slab(d, words), true
	}
	rest := b.unseen(n, want)
	rest[0] = rest[0].With(d, region.NotIn(values...))
	return append(b.s.slab(d, region.In(texts...)), rest...), true
}

// Known lists the texts of a dimension that a catalogue or a rule names, and the empty one.
func (s *Space) Known(d region.Dim) []string {
	known := s.known[d]
	if _, has := slices.BinarySearch(known, ""); !has {
		known = append([]string{""}, known...)
	}
	return known
}

// mentioned takes the texts that the rules compare with.
func (s *Space) mentioned(e *ruleset.Engine) {
	for _, r := range AllRules(e.Rules) {
		if n := e.Condition(r); n != nil {
			ast.Walk(&n, (*mentions)(s))
		}
	}
}

type mentions Space

// Visit is called for every node.
func (m *mentions) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok {
		return
	}
	m.pair(n.Left, n.Right)
	m.pair(n.Right, n.Left)
}

func (m *mentions) pair(side, other ast.Node) {
	id, ok := side.(*ast.IdentifierNode)
	if !ok {
		return
	}
	d, ok := m.byName[id.Value]
	if !ok || d >= fixed || m.dims[d].kind != Text {
		return
	}
	items := []ast.Node{other}
	if list, ok := other.(*ast.ArrayNode); ok {
		items = list.Nodes
	}
	for _, item := range items {
		if text, ok := item.(*ast.StringNode); ok {
			m.known[d] = append(m.known[d], text.Value)
		}
	}
}

// AllRules lists the rules of every file, in the order of the files' names.
func AllRules(set *rules.Set) []*rules.Rule {
	var all []*rules.Rule
	for _, f := range Files(set) {
		all = append(all, f.Rules...)
	}
	return all
}

// Files lists every file: the baseline, the providers', the merchants'.
func Files(set *rules.Set) []*rules.File {
	var all []*rules.File
	if set.Baseline != nil {
		all = append(all, set.Baseline)
	}
	names := make([]string, 0, len(set.Providers))
	for n := range set.Providers {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		all = append(all, set.Providers[n])
	}
	for _, n := range set.MerchantNames() {
		all = append(all, set.Merchants[n])
	}
	return all
}
