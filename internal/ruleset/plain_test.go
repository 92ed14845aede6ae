package ruleset_test

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// plain evaluates a condition by walking it, as the documentation says what each form means.
// It shares nothing with the engine but the parser and the values of the variables, and has no
// way to fail: a form that it does not know is a panic of the test.
type plain struct {
	s     *policy.Situation
	fired int
	zone  *time.Location
}

func plainly(when string, s *policy.Situation, fired int) bool {
	tree, err := parser.Parse(when)
	if err != nil {
		panic(err)
	}
	return plain{s, fired, time.UTC}.truth(tree.Node)
}

func (p plain) truth(n ast.Node) bool       { return p.value(n).(bool) }
func (p plain) text(n ast.Node) string      { return p.value(n).(string) }
func (p plain) number(n ast.Node) int64     { return p.value(n).(int64) }
func (p plain) lacks(n ast.Node) any        { panic(fmt.Sprintf("%T is not part of the language: %s", n, n)) }
func (p plain) tag(key string) string       { return p.s.Payment.Tags[key] }
func (p plain) hasTag(key string) (ok bool) { _, ok = p.s.Payment.Tags[key]; return ok }

func (p plain) value(n ast.Node) any {
	switch n := n.(type) {
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return int64(n.Value)
	case *ast.StringNode:
		return n.Value
	case *ast.IdentifierNode:
		return p.variable(n.Value)
	case *ast.UnaryNode:
		switch n.Operator {
		case "!", "not":
			return !p.truth(n.Node)
		case "-":
			return within(new(big.Int).Neg(big.NewInt(p.number(n.Node))))
		}
		return p.number(n.Node)
	case *ast.ConditionalNode:
		if p.truth(n.Cond) {
			return p.value(n.Exp1)
		}
		return p.value(n.Exp2)
	case *ast.MemberNode:
		return p.tag(p.text(n.Property))
	case *ast.SliceNode:
		return p.slice(n)
	case *ast.BuiltinNode:
		return p.call(n.Name, n.Arguments)
	case *ast.CallNode:
		return p.call(n.Callee.(*ast.IdentifierNode).Value, n.Arguments)
	case *ast.BinaryNode:
		return p.binary(n)
	}
	return p.lacks(n)
}

func (p plain) variable(name string) any {
	v, ok := condition.Named(name)
	switch {
	case !ok:
		panic(name)
	case v == condition.InDoubt:
		return p.s.InDoubt
	case v == condition.Elapsed || v == condition.RetryAfter:
		return time.Duration(condition.Number(v, p.s, 0, p.zone))
	case v >= condition.HTTPStatus:
		return condition.Number(v, p.s, p.fired, p.zone)
	case v >= condition.Code:
		return condition.Text(v, p.s)
	}
	return ruleset.Words(name)[condition.Word(v, p.s, p.zone)]
}

// slice counts bytes, from the end where an index is negative; what lies outside is left out.
func (p plain) slice(n *ast.SliceNode) string {
	text := p.text(n.Node)
	at := func(index ast.Node, otherwise int) int {
		if index == nil {
			return otherwise
		}
		i := big.NewInt(p.number(index))
		if i.Sign() < 0 {
			i.Add(i, big.NewInt(int64(len(text))))
		}
		switch {
		case i.Sign() < 0:
			return 0
		case i.Cmp(big.NewInt(int64(len(text)))) > 0:
			return len(text)
		}
		return int(i.Int64())
	}
	from, to := at(n.From, 0), at(n.To, len(text))
	if from > to {
		return ""
	}
	return text[from:to]
}

func (p plain) call(name string, args []ast.Node) any {
	switch name {
	case "duration":
		d, err := time.ParseDuration(p.text(args[0]))
		if err != nil {
			panic(err)
		}
		return d
	case "len":
		if id, ok := args[0].(*ast.IdentifierNode); ok && id.Value == "tags" {
			return int64(len(p.s.Payment.Tags))
		}
		return int64(utf8.RuneCountInString(p.text(args[0])))
	case "upper":
		return strings.ToUpper(p.text(args[0]))
	case "lower":
		return strings.ToLower(p.text(args[0]))
	case "trim":
		if len(args) == 1 {
			return strings.TrimSpace(p.text(args[0]))
		}
		return strings.Trim(p.text(args[0]), p.text(args[1]))
	case "hasPrefix":
		return strings.HasPrefix(p.text(args[0]), p.text(args[1]))
	case "hasSuffix":
		return strings.HasSuffix(p.text(args[0]), p.text(args[1]))
	}
	panic(name)
}

func (p plain) binary(n *ast.BinaryNode) any {
	switch n.Operator {
	case "&&", "and":
		return p.truth(n.Left) && p.truth(n.Right)
	case "||", "or":
		return p.truth(n.Left) || p.truth(n.Right)
	case "in":
		return p.in(n)
	case "??":
		return p.text(n.Left)
	case "matches":
		return regexp.MustCompile(p.text(n.Right)).MatchString(p.text(n.Left))
	case "contains":
		return strings.Contains(p.text(n.Left), p.text(n.Right))
	case "startsWith":
		return strings.HasPrefix(p.text(n.Left), p.text(n.Right))
	case "endsWith":
		return strings.HasSuffix(p.text(n.Left), p.text(n.Right))
	case "+", "-", "*":
		return p.arithmetic(n)
	}
	return p.compare(n)
}

func (p plain) in(n *ast.BinaryNode) bool {
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		return p.hasTag(p.text(n.Left))
	}
	x := p.value(n.Left)
	for _, item := range list.Nodes {
		if p.value(item) == x {
			return true
		}
	}
	return false
}

func (p plain) compare(n *ast.BinaryNode) bool {
	l, r := p.value(n.Left), p.value(n.Right)
	switch n.Operator {
	case "==":
		return l == r
	case "!=":
		return l != r
	}
	var order int
	switch l := l.(type) {
	case string:
		order = strings.Compare(l, r.(string))
	case int64:
		order = big.NewInt(l).Cmp(big.NewInt(r.(int64)))
	case time.Duration:
		order = big.NewInt(int64(l)).Cmp(big.NewInt(int64(r.(time.Duration))))
	}
	switch n.Operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	panic(n.Operator)
}

// arithmetic stops at the limits of 64 bits.
func (p plain) arithmetic(n *ast.BinaryNode) any {
	l, r := p.value(n.Left), p.value(n.Right)
	if text, ok := l.(string); ok {
		return text + r.(string)
	}
	x, xd := big10(l)
	y, yd := big10(r)
	switch n.Operator {
	case "+":
		x.Add(x, y)
	case "-":
		x.Sub(x, y)
	default:
		x.Mul(x, y)
	}
	if xd || yd {
		return time.Duration(within(x))
	}
	return within(x)
}

func big10(v any) (n *big.Int, isDuration bool) {
	if d, ok := v.(time.Duration); ok {
		return big.NewInt(int64(d)), true
	}
	return big.NewInt(v.(int64)), false
}

func within(n *big.Int) int64 {
	least, greatest := big.NewInt(-1<<63), big.NewInt(1<<63-1)
	switch {
	case n.Cmp(least) < 0:
		return least.Int64()
	case n.Cmp(greatest) > 0:
		return greatest.Int64()
	}
	return n.Int64()
}
