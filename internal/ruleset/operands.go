package ruleset

import (
	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
)

// typeOf is the type of a part of a condition that the loader has let through.
func typeOf(n ast.Node) valueType {
	switch n := n.(type) {
	case *ast.BoolNode:
		return truthType
	case *ast.IntegerNode:
		return numberType
	case *ast.StringNode, *ast.MemberNode, *ast.SliceNode:
		return textType
	case *ast.IdentifierNode:
		return typeOfKind[variables[n.Value].kind]
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return truthType
		}
		return typeOf(n.Node)
	case *ast.ConditionalNode:
		return typeOf(n.Exp1)
	case *ast.BuiltinNode:
		return typeOfCall(n.Name)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return typeOfCall(callee.Value)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-":
			return typeOf(n.Left)
		case "*":
			return max(typeOf(n.Left), typeOf(n.Right))
		case "??":
			return textType
		}
		return truthType
	}
	return noType
}

func typeOfCall(name string) valueType {
	switch name {
	case "len":
		return numberType
	case "duration":
		return durationType
	case "hasPrefix", "hasSuffix":
		return truthType
	}
	return textType
}

// text lowers a text. Those that are made anew, as by upper or +, are left to expr.
func (l *lowerer) text(n ast.Node) (*textual, bool) {
	if typeOf(n) != textType {
		return nil, false
	}
	if key, ok := condition.TagOf(n); ok {
		return readOf(accessor{condition.Tags, key}), true
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return &textual{fixed: n.Value}, true
	case *ast.IdentifierNode:
		v, _ := condition.Named(n.Value)
		if variables[n.Value].kind == word {
			return &textual{op: textWord, of: accessor{variable: v}, words: variables[n.Value].words}, true
		}
		return readOf(accessor{variable: v}), true
	case *ast.MemberNode:
		key, ok := l.text(n.Property)
		if ok && key.op == textFixed {
			return readOf(accessor{condition.Tags, key.fixed}), true
		}
		return &textual{op: textTag, x: key}, ok
	case *ast.SliceNode:
		return l.slice(n)
	case *ast.ConditionalNode:
		cond := l.lower(n.Cond)
		x, xok := l.text(n.Exp1)
		y, yok := l.text(n.Exp2)
		switch cond.settled() {
		case condition.Yes:
			return x, xok
		case condition.No:
			return y, yok
		default:
			return &textual{op: textIf, cond: &cond, x: x, y: y}, xok && yok
		}
	}
	return nil, false
}

func readOf(a accessor) *textual { return &textual{op: textRead, of: a} }

func (l *lowerer) slice(n *ast.SliceNode) (*textual, bool) {
	text, ok := l.text(n.Node)
	if !ok {
		return nil, false
	}
	t := &textual{op: textSlice, x: text}
	for _, end := range []struct {
		n  ast.Node
		to **numeric
	}{{n.From, &t.from}, {n.To, &t.to}} {
		if end.n == nil {
			continue
		}
		if *end.to, ok = l.number(end.n); !ok {
			return nil, false
		}
	}
	return t, true
}

// number lowers a number or a duration, in nanoseconds.
func (l *lowerer) number(n ast.Node) (*numeric, bool) {
	if t := typeOf(n); t != numberType && t != durationType {
		return nil, false
	}
	if d, ok := condition.FixedDuration(n); ok {
		return fixedNumber(int64(d)), true
	}
	switch n := n.(type) {
	case *ast.IntegerNode:
		return fixedNumber(int64(n.Value)), true
	case *ast.IdentifierNode:
		v, _ := condition.Named(n.Value)
		return &numeric{op: numberVariable, variable: v}, true
	case *ast.UnaryNode:
		x, ok := l.number(n.Node)
		if n.Operator == "-" && ok {
			return calculated(numberDifference, fixedNumber(0), x), true
		}
		return x, ok
	case *ast.BinaryNode:
		x, xok := l.number(n.Left)
		y, yok := l.number(n.Right)
		op, known := map[string]arithmeticOp{"+": numberSum, "-": numberDifference, "*": numberProduct}[n.Operator]
		if !xok || !yok || !known {
			return nil, false
		}
		return calculated(op, x, y), true
	case *ast.ConditionalNode:
		cond := l.lower(n.Cond)
		x, xok := l.number(n.Exp1)
		y, yok := l.number(n.Exp2)
		switch cond.settled() {
		case condition.Yes:
			return x, xok
		case condition.No:
			return y, yok
		default:
			return &numeric{op: numberIf, cond: &cond, x: x, y: y}, xok && yok
		}
	case *ast.BuiltinNode:
		return l.length(n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return l.length(callee.Value, n.Arguments)
		}
	}
	return nil, false
}

func fixedNumber(n int64) *numeric { return &numeric{fixed: n} }

// calculated works out at once what is fixed: duration("1h") * 2 is a number.
func calculated(op arithmeticOp, x, y *numeric) *numeric {
	n := &numeric{op: op, x: x, y: y}
	if x.op == numberFixed && y.op == numberFixed {
		return fixedNumber(n.value(&frame{}))
	}
	return n
}

// length counts characters, or tags.
func (l *lowerer) length(name string, args []ast.Node) (*numeric, bool) {
	if name != "len" || len(args) != 1 {
		return nil, false
	}
	if typeOf(args[0]) == tagsType {
		return &numeric{op: numberTags}, true
	}
	text, ok := l.text(args[0])
	return &numeric{op: numberLength, text: text}, ok
}
