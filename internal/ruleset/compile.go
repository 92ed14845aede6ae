package ruleset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// compiled is a rule whose condition is understood. It is shared by every rule table.
type compiled struct {
	rule *rules.Rule
	tree *condition.Tree // of the whole condition
	vars condition.Mentioned

	// constant conjuncts look at provider and merchant only; a rule table knows both.
	constant []*condition.Tree
	// What the index cannot settle: tests, and the rest as a program.
	tests   allOf
	program *vm.Program // nil: nothing is left
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
	k := &compiled{rule: r, tree: condition.Split(node), vars: condition.Mentions(node)}
	if err := k.split(); err != nil {
		c.errs.Add(r.WhenAt(0), "%s", err)
		return nil
	}
	return k
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

// split sorts the conjuncts of a condition into what the rule table settles, what the
// index settles, and what is left to try.
func (k *compiled) split() error {
	var rest []*condition.Tree
	parts := []*condition.Tree{k.tree}
	if k.tree.Op == condition.And {
		parts = k.tree.Parts
	}
	for _, part := range parts {
		vars := condition.Mentions(part.Node)
		switch {
		case onlyConstants(vars):
			k.constant = append(k.constant, part)
		case settledByIndex(part, vars):
		default:
			if t, ok := native(part); ok {
				k.tests = append(k.tests, t)
				continue
			}
			rest = append(rest, part)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	p, err := program(k.write(rest))
	if err != nil {
		return fmt.Errorf("rule %q: %w", k.rule.ID, err)
	}
	k.program = p
	return nil
}

// write joins conjuncts to a condition. expr does not write every tree back as it
// read it; where it does not, the whole condition stands in.
func (k *compiled) write(parts []*condition.Tree) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		text, ok := condition.Written(part.Node)
		if !ok {
			return k.rule.When
		}
		texts[i] = "(" + text + ")"
	}
	return strings.Join(texts, " && ")
}

// withConstants returns the rule with its conditions on provider and merchant among
// what is tried.
func (k *compiled) withConstants() *compiled {
	tried := *k
	tried.tests = append(allOf(nil), k.tests...)
	for _, part := range k.constant {
		t, ok := native(part)
		if !ok {
			// It compiled as a whole before, so it does again.
			if p, err := program(k.rule.When); err == nil {
				tried.tests, tried.program = nil, p
			}
			return &tried
		}
		tried.tests = append(tried.tests, t)
	}
	return &tried
}

func onlyConstants(vars condition.Mentioned) bool {
	for v := range vars {
		if v != "provider" && v != "merchant" {
			return false
		}
	}
	return true
}

// settledByIndex reports whether a conjunct looks at one indexed variable only, and
// comes to yes or no for each of its values.
func settledByIndex(t *condition.Tree, vars condition.Mentioned) bool {
	if len(vars) != 1 {
		return false
	}
	for name, texts := range vars {
		v := variables[name]
		if v.dim < 0 {
			return false
		}
		for _, value := range domain(v, texts) {
			if holds(t, only(name, value)) == condition.Maybe {
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

// holds tries a comparison.
func (c comparison) holds(s *policy.Situation, fired int, b *ruleTable) bool {
	v := condition.Number(c.variable, s, fired, b.zone)
	switch c.op {
	case "<":
		return v < c.value
	case "<=":
		return v <= c.value
	case ">":
		return v > c.value
	case ">=":
		return v >= c.value
	case "==":
		return v == c.value
	default:
		return v != c.value
	}
}
