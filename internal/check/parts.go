package check

import (
	"context"
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/rules"
)

// parts reports pieces of conditions without effect: a part that is always true or always
// false where it counts, and an item of a list that never counts.
func (c *checker) parts(ctx context.Context) error {
	found := make([][]Finding, len(c.rules))
	each(len(c.rules), func(i int) {
		r := c.rules[i]
		if ctx.Err() != nil || r.cond.Err != nil || len(r.cond.Region) == 0 {
			return
		}
		found[i] = c.partsOf(r)
	})
	for _, f := range found {
		c.report.Findings = append(c.report.Findings, f...)
	}
	return ctx.Err()
}

// partsOf reports the pieces of one rule's condition.
func (c *checker) partsOf(r *checkedRule) []Finding {
	whole := c.e.Condition(r.Rule)
	if whole == nil {
		return nil
	}
	p := partChecker{checker: c, r: r, tree: &whole}
	p.collectParts(p.tree)
	apart := p.apart()
	if apart && !slices.ContainsFunc(p.leaves, func(n *ast.Node) bool { _, is := listOf(*n); return is }) {
		return nil
	}
	tree, err := condition.Parse(r.When) // the engine's own is not to be written to
	if err != nil {
		return nil
	}
	p.tree, p.leaves = &tree, nil
	p.collectParts(p.tree)
	if !apart {
		p.constants()
	}
	if slices.ContainsFunc(r.seen, func(f outcome) bool { return f.state == live }) {
		p.items()
	}
	return p.found
}

// listOf returns the list of a part that asks whether a variable is one of several items.
func listOf(n ast.Node) (*ast.ArrayNode, bool) {
	in, ok := n.(*ast.BinaryNode)
	if !ok || in.Operator != "in" {
		return nil, false
	}
	list, isList := in.Right.(*ast.ArrayNode)
	_, isName := in.Left.(*ast.IdentifierNode)
	return list, isList && isName && len(list.Nodes) > 1
}

// partChecker changes one piece of a condition at a time and finds out whether that matters.
type partChecker struct {
	*checker
	r      *checkedRule
	tree   *ast.Node
	leaves []*ast.Node
	found  []Finding
}

// collectParts collects the parts of a condition that and, or, not and ?: join.
func (p *partChecker) collectParts(n *ast.Node) {
	_, operands := condition.Operands(*n)
	switch x := (*n).(type) {
	case *ast.ConditionalNode:
		operands = []*ast.Node{&x.Cond, &x.Exp1, &x.Exp2}
	case *ast.BoolNode:
		return // a literal true or false was written on purpose
	}
	for _, operand := range operands {
		p.collectParts(operand)
	}
	if len(operands) == 0 {
		p.leaves = append(p.leaves, n)
	}
}

// with returns where the condition would hold with another node in place of a part.
func (p *partChecker) with(slot *ast.Node, n ast.Node) (region.Region, bool) {
	was := *slot
	*slot = n
	cond := p.s.Compile(*p.tree, p.r.ID)
	*slot = was
	return cond.Region, cond.Err == nil
}

// change returns where two regions differ.
func (p *partChecker) change(r, s region.Region) (region.Region, bool) {
	a, err1 := p.s.Algebra.Minus(r, s)
	b, err2 := p.s.Algebra.Minus(s, r)
	return append(slices.Clip(a), b...), err1 == nil && err2 == nil
}

func (p *partChecker) constants() {
	whole := p.r.cond.Region
	for _, leaf := range p.leaves {
		at := p.r.place((*leaf).Location().From)
		always := ""
		for _, v := range []bool{true, false} {
			r, ok := p.with(leaf, &ast.BoolNode{Value: v})
			if !ok {
				continue
			}
			if diff, ok := p.change(whole, r); ok && len(diff) == 0 {
				always = fmt.Sprintf("always %t", v)
				break
			}
		}
		if always == "" {
			continue
		}
		f := Finding{Kind: Constant, Severity: p.severityFor(p.r.file, Warning), Place: at}
		f.Message = fmt.Sprintf("`%s` is %s where it counts: rule %s is the same without it", *leaf, always, quote(p.r.ID))
		if byItself, d := p.byItself(*leaf); byItself != "" {
			f.Kind = OutOfRange
			f.Message = fmt.Sprintf("`%s` is always %s: %s is %s", *leaf, byItself, p.s.Name(d), p.s.Range(d))
		}
		p.found = append(p.found, f)
	}
}

// apart reports whether the condition joins its parts by and alone, each part limits one variable, and no two the same one. Then
// each part counts.
func (p *partChecker) apart() bool {
	if len(p.r.cond.Region) != 1 || len(p.r.cond.Region[0]) != len(p.leaves) {
		return false
	}
	parts := conjuncts(*p.tree, nil)
	limited := map[region.Dim]bool{}
	for _, part := range parts {
		if op, operands := condition.Operands(part); op == condition.Not {
			part = *operands[0]
		}
		_, conditional := part.(*ast.ConditionalNode)
		if op, _ := condition.Operands(part); op != condition.Leaf || conditional {
			return false
		}
		cond := p.s.Compile(part, p.r.ID)
		if cond.Err != nil || len(cond.Region) != 1 || len(cond.Region[0]) != 1 {
			return false
		}
		limited[cond.Region[0][0].Dim] = true
	}
	return len(parts) == len(p.leaves) && len(limited) == len(parts)
}

// conjuncts appends the parts that and joins.
func conjuncts(n ast.Node, all []ast.Node) []ast.Node {
	op, operands := condition.Operands(n)
	if op != condition.And {
		return append(all, n)
	}
	for _, operand := range operands {
		all = conjuncts(*operand, all)
	}
	return all
}

// byItself returns the constant value of a part without the rest of its condition, and the
// number that it compares. always is empty when the value is not constant.
func (p *partChecker) byItself(leaf ast.Node) (always string, d region.Dim) {
	var names numbers
	ast.Walk(&leaf, &names)
	if len(names) != 1 {
		return "", 0
	}
	d, ok := p.s.Dim(names[0], p.r.ID)
	if k := p.s.KindOf(d); !ok || k != space.Number && k != space.Duration {
		return "", 0
	}
	switch cond := p.s.Compile(leaf, p.r.ID); {
	case cond.Err != nil:
	case len(cond.Region) == 0:
		return "false", d
	case len(cond.Region) == 1 && len(cond.Region[0]) == 0:
		return "true", d
	}
	return "", 0
}

// numbers collects the variable names in a part.
type numbers []string

// Visit is called for every node.
func (n *numbers) Visit(node *ast.Node) {
	if id, ok := (*node).(*ast.IdentifierNode); ok && id.Value != "duration" && !slices.Contains(*n, id.Value) {
		*n = append(*n, id.Value)
	}
}

// items tries every list without each of its items.
func (p *partChecker) items() {
	for _, leaf := range p.leaves {
		list, is := listOf(*leaf)
		if !is {
			continue
		}
		in := (*leaf).(*ast.BinaryNode)
		for i, item := range list.Nodes {
			fewer := &ast.BinaryNode{Operator: "in", Left: in.Left, Right: &ast.ArrayNode{Nodes: slices.Delete(slices.Clone(list.Nodes), i, i+1)}}
			without, ok := p.with(leaf, fewer)
			if !ok {
				continue
			}
			if later := list.Nodes[i+1:]; slices.ContainsFunc(later, func(n ast.Node) bool { return n.String() == item.String() }) {
				continue // of equal items only the last is reported
			}
			if share, ok := p.change(p.r.cond.Region, without); ok {
				p.item(item, in.Left.String(), p.shareOf(share, in.Left, item))
			}
		}
	}
}

// shareOf returns the part of the rule that an item stands for: the inputs with its value,
// also where another part admits them too. For an item of "not in" it is the change, because
// the item keeps inputs out.
func (p *partChecker) shareOf(change region.Region, name, item ast.Node) region.Region {
	if len(change) == 0 {
		return nil
	}
	only := p.s.Compile(&ast.BinaryNode{Operator: "==", Left: name, Right: item}, p.r.ID)
	share, err := p.s.Algebra.And(p.r.cond.Region, only.Region)
	if only.Err != nil || err != nil || len(share) == 0 {
		return change
	}
	return share
}

// item reports one item whose share of the condition decides nothing.
func (p *partChecker) item(item ast.Node, name string, share region.Region) {
	f := Finding{Kind: PartlyDead, Severity: p.severityFor(p.r.file, Warning), Place: p.r.place(item.Location().From)}
	if len(share) == 0 {
		f.Message = fmt.Sprintf("%s in the list of %s counts for nothing in rule %s", item, name, quote(p.r.ID))
		p.found = append(p.found, f)
		return
	}
	var by []*rules.Rule
	var at outcome
	providers, merchant := p.home(p.r)
	for _, provider := range providers {
		b := p.book(provider, merchant)
		i := slices.IndexFunc(b.Rulings, func(x rulingOf) bool { return x.Rule == p.r.Rule })
		if i < 0 {
			continue
		}
		here := p.s.Settle(share, provider, merchant, p.e)
		left, err := p.without(b, here, i)
		if err != nil || p.occurs(provider, left) != nil {
			return // it counts, or it is too complex to decide
		}
		if p.occurs(provider, here) != nil && by == nil {
			taken := *b
			taken.Rules = slices.Clone(b.Rules)
			taken.Rules[i].Region = here
			by, at = p.coverers(&taken, i), outcome{provider: provider, merchant: merchant}
		}
	}
	if by == nil {
		f.Message = fmt.Sprintf("%s %s never comes to rule %s: no answer of %s is like that", name, item, quote(p.r.ID), several(providers))
	} else {
		f.Message = fmt.Sprintf("rule %s is dead for %s %s: %s", quote(p.r.ID), name, item, coveredBy(by))
		f.Related = places(by)
		f.Witness = p.witness(at.provider, at.merchant, p.s.Settle(share, at.provider, at.merchant, p.e), p.decidedBy(by[0], p.r.Rule))
	}
	p.found = append(p.found, f)
}
