package ruleset

import (
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// builtins are the functions that a condition may call. Everything that could make
// the same inputs give another answer tomorrow is off, now() first of all.
var builtins = []string{"len", "lower", "upper", "trim", "hasPrefix", "hasSuffix", "duration"}

// checker finds the mistakes of one condition that expr lets pass, each at its place.
type checker struct {
	rule     *rules.Rule
	catalogs []namedCatalog // whose codes and statuses may be named
	known    []string       // providers that exist
	uses     []string       // those that the merchant's file lists; empty: all
	errs     *source.List
	trusted  bool // an embedded rule, which the tests check

	amount   ast.Node // where amount is compared
	currency bool     // whether currency is looked at
}

func (c *checker) fail(n ast.Node, format string, args ...any) {
	c.errs.Add(c.rule.WhenAt(n.Location().From), format, args...)
}

// Visit is called for every node, children first.
func (c *checker) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		c.identifier(n)
	case *ast.BinaryNode:
		c.binary(n)
	case *ast.BuiltinNode:
		c.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			c.call(n, callee.Value, n.Arguments)
		}
	case *ast.VariableDeclaratorNode:
		c.fail(n, "let is not part of the rules' language; write the condition out")
	case *ast.PredicateNode, *ast.PointerNode, *ast.SequenceNode:
		c.fail(n, "this form is not part of the rules' language")
	}
}

func (c *checker) identifier(n *ast.IdentifierNode) {
	if _, ok := variables[n.Value]; ok {
		c.currency = c.currency || n.Value == "currency"
		return
	}
	for _, b := range builtins {
		if n.Value == b {
			return
		}
	}
	known := make([]string, 0, len(variables))
	for v := range variables {
		known = append(known, v)
	}
	c.fail(n, "unknown name %q%s", n.Value, source.Suggest(n.Value, known))
}

func (c *checker) call(n ast.Node, name string, args []ast.Node) {
	for _, b := range builtins {
		if name != b {
			continue
		}
		if name == "duration" {
			c.durationArgument(n, args)
		}
		return
	}
	c.fail(n, "%s() is not part of the rules' language%s", name, source.Suggest(name, append([]string(nil), builtins...)))
}

func (c *checker) durationArgument(n ast.Node, args []ast.Node) {
	if len(args) != 1 {
		return // expr says so
	}
	s, ok := args[0].(*ast.StringNode)
	if !ok {
		c.fail(n, `duration() needs a fixed text such as "15m"`)
		return
	}
	if _, err := time.ParseDuration(s.Value); err != nil {
		c.fail(s, `%q is no duration (write "90s", "15m", "24h")`, s.Value)
	}
}

func (c *checker) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "==", "!=", "<", "<=", ">", ">=":
		c.compare(n, n.Left, n.Right)
		c.compare(n, n.Right, n.Left)
	case "in":
		c.member(n)
	case "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			c.fail(n.Right, "matches needs a fixed pattern")
		}
	case "/", "%", "**", "^":
		c.fail(n, "%s is not part of the rules' language", n.Operator)
	case "..":
		c.fail(n, "ranges are not part of the rules' language; write hour >= 9 && hour < 17")
	}
}

// compare looks at a variable and what it is compared with.
func (c *checker) compare(n *ast.BinaryNode, side, other ast.Node) {
	id, ok := side.(*ast.IdentifierNode)
	if !ok {
		return
	}
	v, ok := variables[id.Value]
	if !ok {
		return
	}
	equality := n.Operator == "==" || n.Operator == "!="
	switch {
	case v.kind == word && !equality:
		c.fail(n, "%s is a word and has no order; compare it with == or in", id.Value)
		return
	case id.Value == "amount":
		c.amount = n
	case v.kind == duration && !isDuration(other):
		c.fail(other, `%s is a duration; compare it with duration("15m")`, id.Value)
	}
	switch other := other.(type) {
	case *ast.StringNode:
		if equality {
			c.value(id.Value, v, other)
		}
	case *ast.NilNode:
		c.fail(other, "%s is never nil; an absent text is \"\"", id.Value)
	case *ast.FloatNode:
		if v.kind == number && equality {
			c.fail(other, "%s is a whole number and never equals %v", id.Value, other.Value)
		}
	}
}

func isDuration(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		v, known := variables[n.Value]
		return !known || v.kind == duration
	case *ast.IntegerNode, *ast.FloatNode, *ast.StringNode, *ast.BoolNode:
		return false
	}
	return true // expr knows the types of the rest
}

// leftOf says what stands left of an in: a variable, something else that is a text, or,
// taken for a number, anything else.
func leftOf(n ast.Node) (name string, v variable, known bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		v, known = variables[n.Value]
		return n.Value, v, known
	case *ast.StringNode, *ast.MemberNode:
		return "this text", variable{kind: text}, true
	case *ast.BuiltinNode:
		if n.Name != "len" {
			return "this text", variable{kind: text}, true
		}
	}
	return "this number", variable{kind: number}, true
}

// member looks at the items of "x in [...]": expr compiles code in ["40", 41], and
// the 41 would never match.
func (c *checker) member(n *ast.BinaryNode) {
	list, isList := n.Right.(*ast.ArrayNode)
	name, v, known := leftOf(n.Left)
	switch {
	case !known:
		return
	case !isList:
		if b, ok := n.Right.(*ast.BinaryNode); ok && b.Operator == ".." {
			return // refused as a range
		}
		if other, ok := n.Right.(*ast.IdentifierNode); !ok || other.Value != "tags" {
			c.fail(n.Right, "in needs a list such as [\"a\", \"b\"]")
		}
		return
	case name == "amount":
		c.amount = n
	}
	for _, item := range list.Nodes {
		switch item := item.(type) {
		case *ast.StringNode:
			if v.kind != text && v.kind != word {
				c.fail(item, "%s is not a text, so it never equals %q", name, item.Value)
				continue
			}
			c.value(name, v, item)
		case *ast.IntegerNode:
			if v.kind != number {
				c.fail(item, "%s never equals the number %d; write \"%d\"", name, item.Value, item.Value)
			}
		default:
			c.fail(item, "every item of the list must be a fixed value")
		}
	}
}

// value refuses a text that the variable can never have.
func (c *checker) value(name string, v variable, s *ast.StringNode) {
	if v.kind == word {
		for _, w := range v.words {
			if w == s.Value {
				return
			}
		}
		c.fail(s, "unknown %s %q%s", name, s.Value, source.Suggest(s.Value, append([]string(nil), v.words...)))
		return
	}
	ok, where := true, ""
	switch name {
	case "provider":
		ok = contains(c.known, s.Value)
		if ok && len(c.uses) > 0 && !contains(c.uses, s.Value) {
			c.errs.Warn(c.rule.WhenAt(s.Location().From), "rule %q names provider %q, which the merchant does not use: [merchant] lists %s",
				c.rule.ID, s.Value, strings.Join(c.uses, ", "))
		}
		where = source.Suggest(s.Value, append([]string(nil), c.known...))
	case "currency":
		if ok = isCurrency(s.Value); !ok {
			where = ` (write an ISO 4217 code such as "VND")`
		}
	case "code", "sub_code":
		ok = c.anyCatalog(func(cat *providers.Catalog) bool { return cat.HasCode(s.Value) })
		where = c.place()
	case "status":
		ok = c.anyCatalog(func(cat *providers.Catalog) bool { return cat.HasStatus(s.Value) })
		where = c.place()
	case "sub_status":
		ok = c.anyCatalog(func(cat *providers.Catalog) bool { return cat.HasSubStatus(s.Value) })
		where = c.place()
	}
	if !ok && s.Value != "" {
		c.fail(s, "unknown %s %q%s", name, s.Value, where)
	}
}

func (c *checker) place() string {
	if len(c.catalogs) == 1 {
		return ": the catalogue of " + c.catalogs[0].name + " does not have it; add it in providers/" + c.catalogs[0].name + ".toml"
	}
	return ": no provider's catalogue has it"
}

func (c *checker) anyCatalog(has func(*providers.Catalog) bool) bool {
	return slices.ContainsFunc(c.catalogs, func(n namedCatalog) bool {
		cat, err := n.read()
		return err == nil && has(cat)
	})
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
