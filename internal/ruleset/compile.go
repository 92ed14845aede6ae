package ruleset

import (
	"errors"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/rules"
)

// compiled is a rule whose condition is understood.
type compiled struct {
	rule *rules.Rule
	*understood
}

// understood is a condition. Rules with the same text share it.
type understood struct {
	tree *condition.Tree // of the whole condition
	vars condition.Mentioned
	node node // of the whole, as it is tried

	fits  func() []fit // which of a candidate's values can let it hold
	shown func() piece // its parts, for explanations
}

// comparison is a numeric variable against a fixed number.
type comparison struct {
	variable condition.Variable
	op       string
	value    int64
}

// compile understands a rule. Mistakes are noted in c.errs, and nil is returned.
func compile(c *checker) *compiled {
	r := c.rule
	before := len(c.errs.Mistakes)
	node, err := condition.Parse(r.When)
	if err != nil {
		c.exprError(err)
		return nil
	}
	if !c.trusted {
		ast.Walk(&node, c)
		if len(c.errs.Mistakes) > before {
			return nil
		}
		if _, err := program(r.When); err != nil {
			c.exprError(err)
			return nil
		}
		if c.total(node); len(c.errs.Mistakes) > before {
			return nil
		}
		if c.amount != nil && !c.currency {
			c.errs.Warn(r.WhenAt(c.amount.Location().From), "rule %q compares amount without currency: 1000 is not the same money everywhere", r.ID)
		}
	}
	u, err := understand(node)
	if err != nil {
		c.errs.Add(r.WhenAt(0), "rule %q: %s", r.ID, err)
		return nil
	}
	return &compiled{rule: r, understood: u}
}

// understand prepares a condition that has no mistakes.
func understand(n ast.Node) (*understood, error) {
	var l lowerer
	u := &understood{tree: condition.Split(n), vars: condition.Mentions(n), node: l.lower(n)}
	u.fits = sync.OnceValue(func() []fit { return fitsOf(u) })
	u.shown = sync.OnceValue(func() piece { return pieceOf(u.tree) })
	return u, l.failed
}

// exprError notes an error of expr at its place in the file.
func (c *checker) exprError(err error) {
	var at *file.Error
	if errors.As(err, &at) {
		c.errs.Add(c.rule.WhenAt(at.From), "%s", firstLine(at.Message))
		return
	}
	c.errs.Add(c.rule.WhenAt(0), "%s", firstLine(err.Error()))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func onlyConstants(vars condition.Mentioned) bool {
	for v := range vars {
		if v != "provider" && v != "merchant" {
			return false
		}
	}
	return true
}

// plainLeaf reports whether a part compares one variable with fixed values.
func plainLeaf(leaf *condition.Tree, vars condition.Mentioned) bool {
	if _, ok := simpleComparison(leaf.Node); ok {
		return true
	}
	if len(vars) != 1 {
		return false
	}
	for name, texts := range vars {
		v := variables[name]
		if v.kind != text && v.kind != word && v.kind != boolean {
			return false
		}
		for _, value := range domain(v, texts) {
			if holds(leaf, only(name, value)) == condition.Maybe {
				return false
			}
		}
	}
	return true
}

// domain lists the values of an indexed variable that a condition can tell apart.
func domain(v variable, texts map[string]bool) []any {
	var all []any
	switch {
	case v.kind == boolean:
		return []any{false, true}
	case v.kind == word:
		for _, w := range v.words {
			all = append(all, w)
		}
		return all
	}
	for t := range texts {
		all = append(all, t)
	}
	return append(all, other{})
}

func only(name string, value any) known {
	return func(n string) any {
		if n == name {
			return value
		}
		return nil
	}
}

var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

// simpleComparison recognises "fired < 3" and "elapsed > duration(\"1h\")".
func simpleComparison(n ast.Node) (comparison, bool) {
	b, ok := n.(*ast.BinaryNode)
	if !ok || mirrored[b.Operator] == "" {
		return comparison{}, false
	}
	if cmp, ok := compareTo(b.Left, b.Operator, b.Right); ok {
		return cmp, true
	}
	return compareTo(b.Right, mirrored[b.Operator], b.Left)
}

func compareTo(side ast.Node, op string, fixed ast.Node) (comparison, bool) {
	id, ok := side.(*ast.IdentifierNode)
	if !ok {
		return comparison{}, false
	}
	of, _ := condition.Named(id.Value)
	switch variables[id.Value].kind {
	case number:
		if i, ok := fixed.(*ast.IntegerNode); ok {
			return comparison{of, op, int64(i.Value)}, true
		}
	case duration:
		if d, ok := condition.FixedDuration(fixed); ok {
			return comparison{of, op, int64(d)}, true
		}
	default:
	}
	return comparison{}, false
}
