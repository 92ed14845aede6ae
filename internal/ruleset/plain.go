package ruleset

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// reading evaluates a condition by walking it as it was parsed, one operand after another. It shares
// nothing with the compiled form but the values of the variables and the arithmetic, so the two
// can be held against each other.
type reading struct {
	s     *policy.Situation
	fired int
	zone  *time.Location

	patterns map[string]*regexp.Regexp // compiled once; nil: each time
}

// pattern is a pattern of the rules, which the loader has compiled before.
func (r *reading) pattern(text string) *regexp.Regexp {
	p := r.patterns[text]
	if p == nil {
		p = regexp.MustCompile(text)
		if r.patterns != nil {
			r.patterns[text] = p
		}
	}
	return p
}

// holds reports whether a condition holds. A form that is not of the language is an error.
func (r *reading) holds(n ast.Node) (held bool, err error) {
	defer func() {
		if failed := recover(); failed != nil {
			held, err = false, fmt.Errorf("%v", failed)
		}
	}()
	return r.truth(n), nil
}

func (r *reading) truth(n ast.Node) bool   { return r.value(n).(bool) }
func (r *reading) text(n ast.Node) string  { return r.value(n).(string) }
func (r *reading) number(n ast.Node) int64 { return r.value(n).(int64) }

// value is a bool, a string or an int64; durations are nanoseconds.
func (r *reading) value(n ast.Node) any {
	if d, ok := condition.FixedDuration(n); ok {
		return int64(d)
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return int64(n.Value)
	case *ast.StringNode:
		return n.Value
	case *ast.IdentifierNode:
		return r.variable(n.Value)
	case *ast.UnaryNode:
		switch n.Operator {
		case "!", "not":
			return !r.truth(n.Node)
		case "-":
			return subtract(0, r.number(n.Node))
		}
		return r.number(n.Node)
	case *ast.ConditionalNode:
		if r.truth(n.Cond) {
			return r.value(n.Exp1)
		}
		return r.value(n.Exp2)
	case *ast.MemberNode:
		return r.s.Payment.Tags[r.text(n.Property)]
	case *ast.SliceNode:
		return r.slice(n)
	case *ast.BuiltinNode:
		return r.call(n.Name, n.Arguments)
	case *ast.CallNode:
		return r.call(n.Callee.(*ast.IdentifierNode).Value, n.Arguments)
	case *ast.BinaryNode:
		return r.binary(n)
	}
	panic(fmt.Sprintf("%T is not part of the language", n))
}

// variable is what a name stands for in the situation.
func (r *reading) variable(name string) any {
	v, known := condition.Named(name)
	if !known {
		panic("unknown name " + name)
	}
	switch variables[name].kind {
	case text:
		return condition.Text(v, r.s)
	case word:
		return variables[name].words[condition.Word(v, r.s, r.zone)]
	case boolean:
		return condition.Word(v, r.s, r.zone) == 1
	case number, duration:
		return condition.Number(v, r.s, r.fired, r.zone)
	default:
		panic(name + " has no value by itself")
	}
}

// slice counts bytes, from the end where an index is below zero; what lies outside is left out.
func (r *reading) slice(n *ast.SliceNode) string {
	text := r.text(n.Node)
	length := int64(len(text))
	from, to := int64(0), length
	if n.From != nil {
		from = r.number(n.From)
	}
	if n.To != nil {
		to = r.number(n.To)
	}
	if from < 0 {
		from = max(from+length, 0)
	}
	if to < 0 {
		to = max(to+length, 0)
	}
	if from >= length || from >= to {
		return ""
	}
	return text[from:min(to, length)]
}

// call works out the functions; duration has a fixed text and was worked out before.
func (r *reading) call(name string, args []ast.Node) any {
	if id, ok := args[0].(*ast.IdentifierNode); ok && name == "len" && id.Value == condition.Tags.String() {
		return int64(len(r.s.Payment.Tags))
	}
	first, second := r.text(args[0]), ""
	if len(args) > 1 {
		second = r.text(args[1])
	}
	switch name {
	case "len":
		return int64(utf8.RuneCountInString(first))
	case "upper":
		return strings.ToUpper(first)
	case "lower":
		return strings.ToLower(first)
	case "trim":
		if len(args) > 1 {
			return strings.Trim(first, second)
		}
		return strings.TrimSpace(first)
	case "hasPrefix":
		return strings.HasPrefix(first, second)
	case "hasSuffix":
		return strings.HasSuffix(first, second)
	}
	panic(name + "() is not part of the language")
}

func (r *reading) binary(n *ast.BinaryNode) any {
	switch n.Operator {
	case "&&", "and":
		return r.truth(n.Left) && r.truth(n.Right)
	case "||", "or":
		return r.truth(n.Left) || r.truth(n.Right)
	case "in":
		return r.member(n)
	case "??":
		return r.text(n.Left)
	case "matches":
		return r.pattern(r.text(n.Right)).MatchString(r.text(n.Left))
	case "contains":
		return strings.Contains(r.text(n.Left), r.text(n.Right))
	case "startsWith":
		return strings.HasPrefix(r.text(n.Left), r.text(n.Right))
	case "endsWith":
		return strings.HasSuffix(r.text(n.Left), r.text(n.Right))
	case "+":
		if left, isText := r.value(n.Left).(string); isText {
			return left + r.text(n.Right)
		}
		return add(r.number(n.Left), r.number(n.Right))
	case "-":
		return subtract(r.number(n.Left), r.number(n.Right))
	case "*":
		return multiply(r.number(n.Left), r.number(n.Right))
	}
	return r.compare(n.Operator, r.value(n.Left), r.value(n.Right))
}

func (r *reading) member(n *ast.BinaryNode) bool {
	list, isList := n.Right.(*ast.ArrayNode)
	if !isList {
		_, found := r.s.Payment.Tags[r.text(n.Left)]
		return found
	}
	x := r.value(n.Left)
	for _, item := range list.Nodes {
		if r.value(item) == x {
			return true
		}
	}
	return false
}

// compare knows two values of one type. Truth values have no order, and the loader lets none be asked for.
func (r *reading) compare(relation string, x, y any) bool {
	order := 0
	switch x := x.(type) {
	case bool:
		if x != y.(bool) {
			order = 1
		}
	case string:
		order = strings.Compare(x, y.(string))
	case int64:
		switch y := y.(int64); {
		case x < y:
			order = -1
		case x > y:
			order = 1
		}
	}
	switch relation {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	panic(relation + " is not part of the language")
}
