package ruleset

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// truth is what a condition comes to when only some variables are known.
type truth int8

const (
	no truth = iota - 1
	maybe
	yes
)

func (t truth) not() truth { return -t }

func and(a, b truth) truth { return min(a, b) }

func or(a, b truth) truth { return max(a, b) }

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// other stands for every text that no rule mentions.
type other struct{}

// known gives the value of a variable: a string, a bool, other{}, or nil if unknown.
type known func(name string) any

// holds evaluates a condition as far as the known variables allow.
func holds(n ast.Node, k known) truth {
	switch n := n.(type) {
	case *ast.BoolNode:
		return truthOf(n.Value)
	case *ast.IdentifierNode:
		if b, ok := k(n.Value).(bool); ok {
			return truthOf(b)
		}
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return holds(n.Node, k).not()
		}
	case *ast.ConditionalNode:
		switch holds(n.Cond, k) {
		case yes:
			return holds(n.Exp1, k)
		case no:
			return holds(n.Exp2, k)
		default:
		}
		if a, b := holds(n.Exp1, k), holds(n.Exp2, k); a == b {
			return a
		}
	case *ast.BinaryNode:
		return binaryHolds(n, k)
	}
	return maybe
}

func binaryHolds(n *ast.BinaryNode, k known) truth {
	switch n.Operator {
	case "&&", "and":
		return and(holds(n.Left, k), holds(n.Right, k))
	case "||", "or":
		return or(holds(n.Left, k), holds(n.Right, k))
	case "==":
		return equal(n.Left, n.Right, k)
	case "!=":
		return equal(n.Left, n.Right, k).not()
	case "in":
		list, ok := n.Right.(*ast.ArrayNode)
		if !ok {
			return maybe
		}
		found := no
		for _, item := range list.Nodes {
			found = or(found, equal(n.Left, item, k))
		}
		return found
	}
	left, lok := scalar(n.Left, k).(string)
	right, rok := scalar(n.Right, k).(string)
	if !lok || !rok {
		return maybe
	}
	switch n.Operator {
	case "startsWith":
		return truthOf(strings.HasPrefix(left, right))
	case "endsWith":
		return truthOf(strings.HasSuffix(left, right))
	case "contains":
		return truthOf(strings.Contains(left, right))
	}
	return maybe
}

func equal(a, b ast.Node, k known) truth {
	x, y := scalar(a, k), scalar(b, k)
	_, xOther := x.(other)
	_, yOther := y.(other)
	switch {
	case x == nil || y == nil || (xOther && yOther):
		return maybe
	case xOther || yOther:
		// A text that no rule mentions differs from every text in a rule.
		return no
	}
	return truthOf(x == y)
}

func scalar(n ast.Node, k known) any {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.IdentifierNode:
		return k(n.Value)
	}
	return nil
}

// mentioned collects the variables that a condition looks at, and the texts that it
// compares each with.
type mentioned map[string]map[string]bool

func mentions(n ast.Node) mentioned {
	m := mentioned{}
	ast.Walk(&n, m)
	return m
}

// Visit is called for every node.
func (m mentioned) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		m.texts(n.Value)
	case *ast.BinaryNode:
		m.pair(n.Left, n.Right)
		m.pair(n.Right, n.Left)
	}
}

func (m mentioned) texts(name string) map[string]bool {
	if m[name] == nil {
		m[name] = map[string]bool{}
	}
	return m[name]
}

func (m mentioned) pair(side, other ast.Node) {
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
