package ruleset

import (
	"maps"
	"regexp"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
)

// lowerer turns a condition into nodes.
type lowerer struct {
	patterns map[string]*regexp.Regexp
	failed   error // of a program: the loader has compiled the whole, so it is a fault of this code
}

// lower turns a part of a condition into a node. Parts that have no node run as programs.
func (l *lowerer) lower(n ast.Node) node {
	if lowered, ok := l.truth(n); ok {
		return lowered
	}
	compiled, err := leafProgram(n)
	if err != nil && l.failed == nil {
		l.failed = err
	}
	return node{op: opProgram, more: &operands{program: compiled}}
}

func truthNode(held bool) node { return node{op: opTrue, not: !held} }

func (n node) opposite() node {
	n.not = !n.not
	return n
}

// settled says what a node comes to in every situation, where that is known.
func (n *node) settled() condition.Truth {
	if n.op == opTrue {
		return condition.TruthOf(!n.not)
	}
	return condition.Maybe
}

// truth lowers a part that is true or false. Ok is false where some text in it is made anew.
func (l *lowerer) truth(n ast.Node) (lowered node, ok bool) {
	if op, operands := condition.Operands(n); op != condition.Leaf {
		parts := make([]node, 0, len(operands))
		for _, part := range operands {
			parts = append(parts, l.lower(*part))
		}
		switch op {
		case condition.And:
			return joined(opAll, parts), true
		case condition.Or:
			return joined(opAny, parts), true
		default:
			return parts[0].opposite(), true
		}
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		return truthNode(n.Value), true
	case *ast.IdentifierNode:
		return node{op: opWords, of: accessor{variable: condition.InDoubt}, words: wordAt(condition.InDoubt, 1)}, n.Value == condition.InDoubt.String()
	case *ast.ConditionalNode:
		return l.choice(n), true
	case *ast.BuiltinNode:
		return l.call(n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, isName := n.Callee.(*ast.IdentifierNode); isName {
			return l.call(callee.Value, n.Arguments)
		}
	case *ast.BinaryNode:
		return l.binary(n)
	}
	return node{}, false
}

// joined is all or any of some parts. A part that always comes to the same is left out, or settles
// the whole; parts that are joined in the same way are taken apart.
func joined(op opcode, parts []node) node {
	neutral := condition.TruthOf(op == opAll)
	all := make([]node, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		switch s := p.settled(); {
		case s == neutral:
		case s != condition.Maybe:
			return *p
		case p.op == op && !p.not:
			all = append(all, p.parts...)
		case op == opAny && p.op == opWords && !p.not && len(all) > 0 && mergeable(&all[len(all)-1], p):
			all[len(all)-1].words = all[len(all)-1].words.or(p.words)
		default:
			all = append(all, *p)
		}
	}
	switch len(all) {
	case 0:
		return truthNode(op == opAll)
	case 1:
		return all[0]
	}
	return node{op: op, parts: all}
}

// mergeable reports whether two nodes are words of one variable.
func mergeable(a, b *node) bool {
	return a.op == opWords && !a.not && a.of == b.of
}

// choice lowers "x ? y : z". Where x is settled, the other branch is left out.
func (l *lowerer) choice(n *ast.ConditionalNode) node {
	cond, then, otherwise := l.lower(n.Cond), l.lower(n.Exp1), l.lower(n.Exp2)
	switch cond.settled() {
	case condition.Yes:
		return then
	case condition.No:
		return otherwise
	default:
		return node{op: opIf, parts: []node{cond, then, otherwise}}
	}
}

func (l *lowerer) call(name string, args []ast.Node) (node, bool) {
	if len(args) != 2 {
		return node{}, false
	}
	switch name {
	case "hasPrefix":
		return l.texts(opPrefix, args[0], args[1])
	case "hasSuffix":
		return l.texts(opSuffix, args[0], args[1])
	}
	return node{}, false
}

func (l *lowerer) binary(n *ast.BinaryNode) (node, bool) {
	switch n.Operator {
	case "==", "!=", "<", "<=", ">", ">=":
		return l.comparison(n)
	case "in":
		return l.member(n)
	case "startsWith":
		return l.texts(opPrefix, n.Left, n.Right)
	case "endsWith":
		return l.texts(opSuffix, n.Left, n.Right)
	case "contains":
		return l.texts(opContains, n.Left, n.Right)
	case "matches":
		return l.matches(n)
	}
	return node{}, false
}

// fold settles a node whose operands are all fixed.
func fold(n node, fixed bool) node {
	if fixed {
		return truthNode(n.holds(&frame{}))
	}
	return n
}

func (l *lowerer) texts(op opcode, left, right ast.Node) (node, bool) {
	x, xok := l.text(left)
	y, yok := l.text(right)
	if !xok || !yok {
		return node{}, false
	}
	return fold(node{op: op, more: &operands{x: x, y: y}}, x.op == textFixed && y.op == textFixed), true
}

// matches lowers a pattern, which is compiled once for all copies of a condition.
func (l *lowerer) matches(n *ast.BinaryNode) (node, bool) {
	x, xok := l.text(n.Left)
	pattern, yok := n.Right.(*ast.StringNode)
	if !xok || !yok {
		return node{}, false
	}
	compiled := l.patterns[pattern.Value]
	if compiled == nil {
		var err error
		if compiled, err = regexp.Compile(pattern.Value); err != nil {
			return node{}, false
		}
		if l.patterns == nil {
			l.patterns = map[string]*regexp.Regexp{}
		}
		l.patterns[pattern.Value] = compiled
	}
	return fold(node{op: opMatches, more: &operands{x: x, pattern: compiled}}, x.op == textFixed), true
}

func (l *lowerer) comparison(n *ast.BinaryNode) (node, bool) {
	if lowered, ok := l.wordComparison(n); ok {
		return lowered, true
	}
	if x, ok := l.text(n.Left); ok {
		y, ok := l.text(n.Right)
		if !ok {
			return node{}, false
		}
		return l.compareTexts(n.Operator, x, y), true
	}
	if x, ok := l.number(n.Left); ok {
		y, ok := l.number(n.Right)
		if !ok {
			return node{}, false
		}
		return compareNumbers(n.Operator, x, y), true
	}
	if n.Operator != "==" && n.Operator != "!=" || typeOf(n.Left) != truthType {
		return node{}, false
	}
	return same(l.lower(n.Left), l.lower(n.Right), n.Operator == "!="), true
}

// same holds when two nodes come to the same.
func same(x, y node, not bool) node {
	if y.settled() == condition.Maybe {
		x, y = y, x
	}
	switch y.settled() {
	case condition.Yes:
		x.not = x.not != not
		return x
	case condition.No:
		x.not = x.not == not
		return x
	default:
		return node{op: opSame, not: not, parts: []node{x, y}}
	}
}

// wordComparison is a variable of words against one of them, or against a list.
func (l *lowerer) wordComparison(n *ast.BinaryNode) (node, bool) {
	id, isName := n.Left.(*ast.IdentifierNode)
	fixed := n.Right
	if _, isText := n.Left.(*ast.StringNode); isText && n.Operator != "in" {
		id, isName = n.Right.(*ast.IdentifierNode)
		fixed = n.Left
	}
	if !isName || variables[id.Value].kind != word || n.Operator != "==" && n.Operator != "!=" && n.Operator != "in" {
		return node{}, false
	}
	v, _ := condition.Named(id.Value)
	items := []ast.Node{fixed}
	if list, isList := fixed.(*ast.ArrayNode); isList {
		items = list.Nodes
	}
	lowered := node{op: opWords, of: accessor{variable: v}, not: n.Operator == "!="}
	for _, item := range items {
		text, isText := item.(*ast.StringNode)
		if !isText {
			return node{}, false
		}
		if place := slices.Index(variables[id.Value].words, text.Value); place >= 0 {
			lowered.words = lowered.words.or(wordAt(v, place))
		}
	}
	if lowered.words == (words{}) {
		return truthNode(lowered.not), true
	}
	return lowered, true
}

// compareTexts puts a fixed text to the right.
func (l *lowerer) compareTexts(relation string, x, y *textual) node {
	if x.op == textFixed {
		x, y, relation = y, x, mirrored[relation]
	}
	if x.op == textRead && y.op == textFixed && (relation == "==" || relation == "!=") {
		return node{op: opEqual, of: x.of, text: y.fixed, not: relation == "!="}
	}
	return fold(node{op: opTexts, more: &operands{relation: relation, x: x, y: y}}, x.op == textFixed && y.op == textFixed)
}

// compareNumbers makes a range of a variable and a fixed number: every relation to one is a range, or
// the opposite of one.
func compareNumbers(relation string, x, y *numeric) node {
	if x.op == numberFixed {
		x, y, relation = y, x, mirrored[relation]
	}
	if x.op == numberVariable && y.op == numberFixed {
		lo, hi, not, ok := between(relation, y.fixed)
		if !ok {
			return truthNode(false)
		}
		return node{op: opRange, of: accessor{variable: x.variable}, lo: lo, hi: hi, not: not}
	}
	return fold(node{op: opOrder, more: &operands{relation: relation, n: x, m: y}}, x.op == numberFixed && y.op == numberFixed)
}

// member is "x in [a, b]" and "x in tags".
func (l *lowerer) member(n *ast.BinaryNode) (node, bool) {
	list, isList := n.Right.(*ast.ArrayNode)
	if !isList {
		x, ok := l.text(n.Left)
		return node{op: opHasTag, more: &operands{x: x}}, ok
	}
	if lowered, ok := l.wordComparison(n); ok {
		return lowered, true
	}
	if len(list.Nodes) == 0 {
		return truthNode(false), true
	}
	if x, ok := l.text(n.Left); ok {
		o := &operands{x: x, listed: make(map[string]struct{}, len(list.Nodes))}
		for _, item := range list.Nodes {
			text, isText := item.(*ast.StringNode)
			if !isText {
				return node{}, false
			}
			o.listed[text.Value] = struct{}{}
		}
		if x.op == textRead && len(o.listed) == 1 {
			return node{op: opEqual, of: x.of, text: slices.Collect(maps.Keys(o.listed))[0]}, true
		}
		return fold(node{op: opListed, more: o}, x.op == textFixed), true
	}
	x, ok := l.number(n.Left)
	if !ok {
		return node{}, false
	}
	o := &operands{n: x}
	for _, item := range list.Nodes {
		number, isNumber := item.(*ast.IntegerNode)
		if !isNumber {
			return node{}, false
		}
		o.numbers = append(o.numbers, int64(number.Value))
	}
	return fold(node{op: opNumbers, more: o}, x.op == numberFixed), true
}
