package ruletest

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// condition is a rule's condition down to its comparisons, in its source form.
type condition struct {
	op    string // &&, || or !; empty: a comparison
	parts []*condition
	node  ast.Node // of a comparison
	text  string   // of a comparison
	at    int      // the rune at which it begins
}

// parse reads a condition; ok is false when a part of it cannot be written back.
func parse(text string) (c *condition, ok bool) {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, false
	}
	ok = true
	return apart(tree.Node, &ok), ok
}

func apart(n ast.Node, ok *bool) *condition {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if op := map[string]string{"&&": "&&", "and": "&&", "||": "||", "or": "||"}[n.Operator]; op != "" {
			c := &condition{op: op}
			for _, side := range []ast.Node{n.Left, n.Right} {
				if part := apart(side, ok); part.op == op {
					c.parts = append(c.parts, part.parts...)
				} else {
					c.parts = append(c.parts, part)
				}
			}
			c.at = c.parts[0].at
			return c
		}
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			part := apart(n.Node, ok)
			return &condition{op: "!", parts: []*condition{part}, at: n.Location().From}
		}
	}
	text, sound := written(n)
	*ok = *ok && sound
	return &condition{node: n, text: text, at: begin(n)}
}

// written is a tree as a text; ok says that it reads back as the same tree.
func written(n ast.Node) (text string, ok bool) {
	text = n.String()
	back, err := parser.Parse(text)
	return text, err == nil && ast.Dump(back.Node) == ast.Dump(n)
}

// begin is the first rune of a tree's source.
func begin(n ast.Node) int {
	first := firstRune(n.Location().From)
	ast.Walk(&n, &first)
	return int(first)
}

type firstRune int

// Visit is called for every node.
func (f *firstRune) Visit(node *ast.Node) { *f = min(*f, firstRune((*node).Location().From)) }

// String writes the condition.
func (c *condition) String() string {
	switch {
	case c.op == "":
		return c.text
	case c.op == "!":
		return "!" + c.parts[0].inside()
	case len(c.parts) == 1:
		return c.parts[0].String()
	}
	texts := make([]string, len(c.parts))
	for i, p := range c.parts {
		texts[i] = p.inside()
	}
	return strings.Join(texts, " "+c.op+" ")
}

// inside is a part as it stands within another. A comparison has to be held together: ! binds
// closer than in and ==.
func (c *condition) inside() string {
	if c.op == "" {
		if _, name := c.node.(*ast.IdentifierNode); name {
			return c.text
		}
	}
	return "(" + c.String() + ")"
}

// with returns the condition with one part in the place of another; nil leaves it out.
func (c *condition) with(old, replacement *condition) *condition {
	if c == old {
		return replacement
	}
	next := *c
	next.parts = nil
	for _, p := range c.parts {
		if p = p.with(old, replacement); p != nil {
			next.parts = append(next.parts, p)
		}
	}
	if c.op != "" && len(next.parts) == 0 {
		return nil
	}
	return &next
}

// all visits every part of a condition, itself first.
func (c *condition) all(visit func(*condition)) {
	visit(c)
	for _, p := range c.parts {
		p.all(visit)
	}
}
