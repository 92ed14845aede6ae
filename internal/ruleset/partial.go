package ruleset

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
)

// other stands for every text that no rule mentions.
type other struct{}

// known gives the value of a variable: a string, a bool, other{}, or nil if unknown.
type known func(name string) any

// holds evaluates a condition as far as the known variables allow.
func holds(t *condition.Tree, k known) condition.Truth {
	return t.Eval(func(leaf *condition.Tree) condition.Truth { return leafHolds(leaf.Node, k) })
}

func leafHolds(n ast.Node, k known) condition.Truth {
	switch n := n.(type) {
	case *ast.BoolNode:
		return condition.TruthOf(n.Value)
	case *ast.IdentifierNode:
		if b, ok := k(n.Value).(bool); ok {
			return condition.TruthOf(b)
		}
	case *ast.ConditionalNode:
		then, otherwise := holds(condition.Split(n.Exp1), k), holds(condition.Split(n.Exp2), k)
		switch holds(condition.Split(n.Cond), k) {
		case condition.Yes:
			return then
		case condition.No:
			return otherwise
		default:
			if then == otherwise {
				return then
			}
		}
	case *ast.BinaryNode:
		return comparisonHolds(n, k)
	}
	return condition.Maybe
}

func comparisonHolds(n *ast.BinaryNode, k known) condition.Truth {
	switch n.Operator {
	case "==":
		return equal(n.Left, n.Right, k)
	case "!=":
		return equal(n.Left, n.Right, k).Not()
	case "in":
		list, ok := n.Right.(*ast.ArrayNode)
		if !ok {
			return condition.Maybe
		}
		found := condition.No
		for _, item := range list.Nodes {
			found = max(found, equal(n.Left, item, k))
		}
		return found
	}
	left, lok := scalar(n.Left, k).(string)
	right, rok := scalar(n.Right, k).(string)
	if !lok || !rok {
		return condition.Maybe
	}
	switch n.Operator {
	case "startsWith":
		return condition.TruthOf(strings.HasPrefix(left, right))
	case "endsWith":
		return condition.TruthOf(strings.HasSuffix(left, right))
	case "contains":
		return condition.TruthOf(strings.Contains(left, right))
	}
	return condition.Maybe
}

func equal(a, b ast.Node, k known) condition.Truth {
	x, y := scalar(a, k), scalar(b, k)
	_, xOther := x.(other)
	_, yOther := y.(other)
	switch {
	case x == nil || y == nil || (xOther && yOther):
		return condition.Maybe
	case xOther || yOther:
		// A text that no rule mentions differs from every text in a rule.
		return condition.No
	}
	return condition.TruthOf(x == y)
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
