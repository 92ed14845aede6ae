package ruleset

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
)

// valueType is what a part of a condition comes to, in every situation.
type valueType int8

const (
	noType valueType = iota // refused already
	truthType
	numberType
	textType
	durationType // durations
	tagsType     // tags
)

var typeNames = [...]string{noType: "nothing", truthType: "true or false", numberType: "a number", textType: "a text", durationType: "a duration", tagsType: "the tags"}

var typeOfKind = map[kind]valueType{text: textType, word: textType, boolean: truthType, number: numberType, duration: durationType, table: tagsType}

// total refuses what could fail when the condition is evaluated. What it lets through has one
// type in every part and comes to a value of it in every situation: expr compiles more than
// that, and a part that fails would leave its rule without a decision.
func (c *checker) total(n ast.Node) { c.typed(n, truthType) }

// typed is the type of a node; one that is none of the wanted ones is a mistake.
func (c *checker) typed(n ast.Node, want ...valueType) valueType {
	got := c.typeOf(n)
	if got == noType || slices.Contains(want, got) {
		return got
	}
	if got == tagsType {
		c.fail(n, `tags can only be asked for one tag, as in tags.tier == "gold" or "tier" in tags`)
		return noType
	}
	c.fail(n, "this is %s; here %s is needed", typeNames[got], typeNames[want[0]])
	return noType
}

func (c *checker) typeOf(n ast.Node) valueType {
	switch n := n.(type) {
	case *ast.BoolNode:
		return truthType
	case *ast.IntegerNode:
		return numberType
	case *ast.StringNode:
		return textType
	case *ast.IdentifierNode:
		return typeOfKind[variables[n.Value].kind]
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.operation(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.MemberNode:
		return c.memberOf(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.BuiltinNode:
		return c.builtin(n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.builtin(callee.Value, n.Arguments)
		}
		c.fail(n, "values have no methods in the rules' language; the functions are len, lower, upper, trim, hasPrefix, hasSuffix, duration")
		return noType
	}
	c.refuse(n)
	return noType
}

// refuse names what stands in the place of a form that is not part of the language.
func (c *checker) refuse(n ast.Node) {
	switch n := n.(type) {
	case *ast.NilNode:
		c.fail(n, `nothing is ever nil in the rules' language; an absent text or tag is ""`)
	case *ast.FloatNode:
		c.fail(n, "numbers are whole in the rules' language, and amounts count minor units: write %d, not %v", int64(n.Value), n.Value)
	case *ast.ChainNode:
		c.fail(n, `?. is not part of the rules' language; write tags.tier, or tags.tier ?? "": an absent tag is ""`)
	case *ast.ArrayNode:
		c.fail(n, `a list can only stand right of in, as in code in ["a", "b"]`)
	default:
		c.fail(n, "this form is not part of the rules' language")
	}
}

func (c *checker) unary(n *ast.UnaryNode) valueType {
	if n.Operator == "!" || n.Operator == "not" {
		return c.typed(n.Node, truthType)
	}
	return c.typed(n.Node, numberType)
}

func (c *checker) conditional(n *ast.ConditionalNode) valueType {
	c.typed(n.Cond, truthType)
	then := c.typed(n.Exp1, truthType, numberType, textType, durationType)
	if then == noType {
		c.typed(n.Exp2, truthType, numberType, textType, durationType)
		return noType
	}
	return c.typed(n.Exp2, then)
}

func (c *checker) operation(n *ast.BinaryNode) valueType {
	switch n.Operator {
	case "&&", "and", "||", "or":
		c.typed(n.Left, truthType)
		c.typed(n.Right, truthType)
		return truthType
	case "==", "!=":
		c.alike(n, truthType, numberType, textType, durationType)
		return truthType
	case "<", "<=", ">", ">=":
		c.alike(n, numberType, textType, durationType)
		return truthType
	case "+":
		return c.alike(n, numberType, durationType, textType)
	case "-":
		return c.alike(n, numberType, durationType)
	case "*":
		return c.times(n)
	case "in":
		return c.membership(n)
	case "matches", "contains", "startsWith", "endsWith":
		c.typed(n.Left, textType)
		c.typed(n.Right, textType)
		return truthType
	case "??":
		return c.instead(n)
	}
	c.fail(n, "%s is not part of the rules' language", n.Operator)
	return noType
}

// alike is two operands of the same type, one of the wanted ones.
func (c *checker) alike(n *ast.BinaryNode, want ...valueType) valueType {
	left := c.typed(n.Left, want...)
	if left == noType {
		c.typed(n.Right, want...)
		return noType
	}
	return c.typed(n.Right, left)
}

// times is a product: of numberType, or of a number and a duration.
func (c *checker) times(n *ast.BinaryNode) valueType {
	left, right := c.typed(n.Left, numberType, durationType), c.typed(n.Right, numberType, durationType)
	switch {
	case left == noType || right == noType:
		return noType
	case left == durationType && right == durationType:
		c.fail(n, "two durations have no product")
		return noType
	}
	return max(left, right)
}

// membership is "x in [a, b]", whose items are fixed, or "x in tags".
func (c *checker) membership(n *ast.BinaryNode) valueType {
	list, isList := n.Right.(*ast.ArrayNode)
	if !isList {
		c.typed(n.Right, tagsType)
		c.typed(n.Left, textType)
		return truthType
	}
	left := c.typed(n.Left, truthType, numberType, textType, durationType)
	for _, item := range list.Nodes {
		if left == noType {
			left = c.typed(item, truthType, numberType, textType, durationType)
			continue
		}
		c.typed(item, left)
	}
	return truthType
}

// instead is "x ?? y". In expr it tries for nil, which no tag is, so anything but the empty
// text would never come to be.
func (c *checker) instead(n *ast.BinaryNode) valueType {
	if _, ok := condition.TagOf(n); ok {
		return textType
	}
	if key, ok := condition.TagOf(n.Left); ok {
		c.fail(n, `an absent tag is "", so what stands behind ?? is never used; write %q in tags ? tags[%q] : …`, key, key)
		return noType
	}
	c.fail(n, `?? is for tags only, as in tags.tier ?? "": everything else is always there`)
	return noType
}

// memberOf is tags.tier or tags["tier"].
func (c *checker) memberOf(n *ast.MemberNode) valueType {
	if of, ok := n.Node.(*ast.IdentifierNode); !ok || of.Value != condition.Tags.String() {
		c.fail(n, `only tags have members, as in tags.tier; of a text there are slices, as in code[0:2]`)
		return noType
	}
	if n.Optional {
		c.fail(n, `?. is not part of the rules' language; write tags.tier, or tags.tier ?? "": an absent tag is ""`)
		return noType
	}
	c.typed(n.Property, textType)
	return textType
}

func (c *checker) slice(n *ast.SliceNode) valueType {
	got := c.typed(n.Node, textType)
	for _, index := range []ast.Node{n.From, n.To} {
		if index != nil {
			c.typed(index, numberType)
		}
	}
	return got
}

func (c *checker) builtin(name string, args []ast.Node) valueType {
	if name == "duration" {
		return durationType // of a fixed text, which was tried
	}
	for i, arg := range args {
		if name == "len" && i == 0 {
			c.typed(arg, textType, tagsType)
			continue
		}
		c.typed(arg, textType)
	}
	switch name {
	case "len":
		return numberType
	case "hasPrefix", "hasSuffix":
		return truthType
	default:
		return textType
	}
}
