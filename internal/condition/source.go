package condition

import (
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Written is a node as a text. Ok is false when the text does not read back as the same node,
// which is so only for nodes outside of the rules' language.
func Written(n ast.Node) (text string, ok bool) {
	want := ast.Dump(n)
	for _, text = range []string{n.String(), bracketed(n)} {
		if back, err := parser.Parse(text); err == nil && ast.Dump(back.Node) == want {
			return text, true
		}
	}
	return n.String(), false
}

// bracketed writes a node with brackets around every operand. expr's own texts are easier to
// read, and leave out some that are needed: (a + b)[0:1] becomes a + b[0:1].
func bracketed(n ast.Node) string {
	in := func(n ast.Node) string { return "(" + bracketed(n) + ")" }
	switch n := n.(type) {
	case *ast.UnaryNode:
		return n.Operator + in(n.Node)
	case *ast.BinaryNode:
		return in(n.Left) + " " + n.Operator + " " + operand(n.Right, in)
	case *ast.ConditionalNode:
		if !n.Ternary {
			return "if " + in(n.Cond) + " { " + bracketed(n.Exp1) + " } else { " + bracketed(n.Exp2) + " }"
		}
		return in(n.Cond) + " ? " + in(n.Exp1) + " : " + in(n.Exp2)
	case *ast.MemberNode:
		return in(n.Node) + "[" + bracketed(n.Property) + "]"
	case *ast.SliceNode:
		var from, to string
		if n.From != nil {
			from = in(n.From)
		}
		if n.To != nil {
			to = in(n.To)
		}
		return in(n.Node) + "[" + from + ":" + to + "]"
	case *ast.BuiltinNode:
		return n.Name + "(" + listed(n.Arguments) + ")"
	case *ast.CallNode:
		return bracketed(n.Callee) + "(" + listed(n.Arguments) + ")"
	case *ast.ArrayNode:
		return "[" + listed(n.Nodes) + "]"
	}
	return n.String()
}

// operand writes what stands right of an operator. A list and a pattern stand without brackets.
func operand(n ast.Node, in func(ast.Node) string) string {
	switch n.(type) {
	case *ast.ArrayNode, *ast.StringNode:
		return bracketed(n)
	}
	return in(n)
}

func listed(nodes []ast.Node) string {
	texts := make([]string, len(nodes))
	for i, n := range nodes {
		texts[i] = bracketed(n)
	}
	return strings.Join(texts, ", ")
}

// TagOf reads a node that is one tag: tags.tier, tags["tier"], or either with ?? "" behind it,
// which means the same. A payment without the tag has the empty text there.
func TagOf(n ast.Node) (key string, ok bool) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if absent, isText := n.Right.(*ast.StringNode); n.Operator == "??" && isText && absent.Value == "" {
			return TagOf(n.Left)
		}
	case *ast.MemberNode:
		of, isName := n.Node.(*ast.IdentifierNode)
		name, isText := n.Property.(*ast.StringNode)
		if isName && isText && of.Value == Tags.String() {
			return name.Value, true
		}
	}
	return "", false
}

// Begin is the rune at which the source of a node begins, counted from 0.
func Begin(n ast.Node) int {
	first := firstRune(n.Location().From)
	ast.Walk(&n, &first)
	return int(first)
}

type firstRune int

// Visit is called for every node.
func (f *firstRune) Visit(node *ast.Node) { *f = min(*f, firstRune((*node).Location().From)) }

// FixedDuration reads duration("15m") with a fixed text; ok is false for any other node.
func FixedDuration(n ast.Node) (d time.Duration, ok bool) {
	var args []ast.Node
	switch n := n.(type) {
	case *ast.BuiltinNode:
		if n.Name == "duration" {
			args = n.Arguments
		}
	case *ast.CallNode:
		if callee, isName := n.Callee.(*ast.IdentifierNode); isName && callee.Value == "duration" {
			args = n.Arguments
		}
	}
	if len(args) != 1 {
		return 0, false
	}
	text, ok := args[0].(*ast.StringNode)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(text.Value)
	return d, err == nil
}

// Mentioned has the variables that a condition looks at, and the texts that it compares each
// with. A function that the condition calls by name may be among them.
type Mentioned map[string]map[string]bool

// Mentions collects the variables and texts of a condition.
func Mentions(n ast.Node) Mentioned {
	m := Mentioned{}
	ast.Walk(&n, m)
	return m
}

// Visit is called for every node.
func (m Mentioned) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		m.texts(n.Value)
	case *ast.BinaryNode:
		m.pair(n.Left, n.Right)
		m.pair(n.Right, n.Left)
	}
}

func (m Mentioned) texts(name string) map[string]bool {
	if m[name] == nil {
		m[name] = map[string]bool{}
	}
	return m[name]
}

func (m Mentioned) pair(side, other ast.Node) {
	id, ok := side.(*ast.IdentifierNode)
	if !ok {
		return
	}
	switch o := other.(type) {
	case *ast.StringNode:
		m.texts(id.Value)[o.Value] = true
	case *ast.ArrayNode:
		for _, item := range o.Nodes {
			if s, ok := item.(*ast.StringNode); ok {
				m.texts(id.Value)[s.Value] = true
			}
		}
	}
}
