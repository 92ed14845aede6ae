package space

import (
	"math"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// Condition is where a condition holds.
type Condition struct {
	Region region.Region
	Err    error // region.ErrTooComplex, and then Region says nothing
	Opaque bool  // some part of it cannot be seen into
}

// Of returns where a rule's condition holds, whatever provider and merchant.
func (s *Space) Of(e *ruleset.Engine, r *rules.Rule) *Condition {
	key := cacheKey{r.When, r.ID}
	if c := s.cache[key]; c != nil {
		return c
	}
	c := s.Compile(e.Condition(r), r.ID)
	s.cache[key] = c
	return c
}

// Compile returns where a condition of a rule holds.
func (s *Space) Compile(n ast.Node, rule string) *Condition {
	b := builder{s, rule, map[part]region.Region{}}
	r, err := b.where(n, true)
	c := &Condition{Region: r, Err: err}
	exact, _ := s.Exact(r)
	c.Opaque = !exact
	return c
}

// builder turns one condition into regions.
type builder struct {
	s    *Space
	rule string
	done map[part]region.Region
}

// part is a node, and how it is wanted. The nodes of a == b and a ? b : c are asked for both
// ways; without a memory one in another would take twice as long for each.
type part struct {
	node ast.Node
	want bool
}

// where is where a node is true, or where it is false.
func (b builder) where(n ast.Node, want bool) (region.Region, error) {
	return b.tree(condition.Split(n), want)
}

// tree is where a tree is true, or where it is false.
func (b builder) tree(t *condition.Tree, want bool) (region.Region, error) {
	switch t.Op {
	case condition.And, condition.Or:
		return b.join(t.Parts, want, t.Op == condition.And)
	case condition.Not:
		return b.tree(t.Parts[0], !want)
	case condition.Leaf:
	}
	key := part{t.Node, want}
	if known, ok := b.done[key]; ok {
		return known, nil
	}
	r, err := b.whole(t, want)
	if err == nil {
		b.done[key] = r
	}
	return r, err
}

// whole is where a part without and, or, not at its top is true, or where it is false.
func (b builder) whole(t *condition.Tree, want bool) (region.Region, error) {
	switch n := t.Node.(type) {
	case *ast.BinaryNode:
		if equality := n.Operator == "==" || n.Operator == "!="; equality && isTruth(n.Left) && isTruth(n.Right) {
			return b.alike(n, want == (n.Operator == "=="))
		}
	case *ast.ConditionalNode:
		yes, err := b.both(n.Cond, true, n.Exp1, want)
		if err != nil {
			return nil, err
		}
		no, err := b.both(n.Cond, false, n.Exp2, want)
		if err != nil {
			return nil, err
		}
		return b.s.Algebra.Or(yes, no)
	}
	return b.leaf(t.Node, want)
}

// join is where all parts (or, with and false, any of the parts) are as wanted.
func (b builder) join(parts []*condition.Tree, want, and bool) (region.Region, error) {
	if len(parts) == 1 {
		return b.tree(parts[0], want)
	}
	left, last := parts[:len(parts)-1], parts[len(parts)-1]
	if want == and {
		return b.joinLast(left, want, and, last, want)
	}
	// The parts on the left decide it, or they leave it to the last one.
	first, err := b.join(left, want, and)
	if err != nil {
		return nil, err
	}
	second, err := b.tree(last, want)
	if err != nil {
		return nil, err
	}
	return b.s.Algebra.Or(first, second)
}

// joinLast is where the joined parts on the left are one way and the last part is another.
func (b builder) joinLast(left []*condition.Tree, wantLeft, and bool, last *condition.Tree, want bool) (region.Region, error) {
	x, err := b.join(left, wantLeft, and)
	if err != nil || len(x) == 0 {
		return nil, err
	}
	y, err := b.tree(last, want)
	if err != nil {
		return nil, err
	}
	return b.s.Algebra.And(x, y)
}

// both is where two nodes are as wanted.
func (b builder) both(l ast.Node, left bool, r ast.Node, right bool) (region.Region, error) {
	return b.joinLast([]*condition.Tree{condition.Split(l)}, left, true, condition.Split(r), right)
}

// isTruth reports whether a node is plainly a condition.
func isTruth(n ast.Node) bool {
	if op, _ := condition.Operands(n); op != condition.Leaf {
		return true
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		return true
	case *ast.IdentifierNode:
		return n.Value == "in_doubt"
	case *ast.BinaryNode:
		_, compares := mirrored[n.Operator]
		return compares || slices.Contains([]string{"in", "matches", "contains", "startsWith", "endsWith"}, n.Operator)
	}
	return false
}

// alike is where two conditions come to the same, or where they do not.
func (b builder) alike(n *ast.BinaryNode, same bool) (region.Region, error) {
	yes, err := b.both(n.Left, true, n.Right, same)
	if err != nil {
		return nil, err
	}
	no, err := b.both(n.Left, false, n.Right, !same)
	if err != nil {
		return nil, err
	}
	return b.s.Algebra.Or(yes, no)
}

// leaf is where a part without and, or, not is as wanted.
func (b builder) leaf(n ast.Node, want bool) (region.Region, error) {
	d, set, ok := b.comparison(n)
	if ok {
		if !want {
			set = b.s.without(d, set)
		}
		return b.s.slab(d, set), nil
	}
	if v, ok := constant(n).(bool); ok {
		if v == want {
			return region.All(), nil
		}
		return nil, nil
	}
	if r, ok := b.oneText(n, want); ok {
		return r, nil
	}
	return b.unseen(n, want), nil
}

// unseen counts a part as true and as false.
func (b builder) unseen(n ast.Node, want bool) region.Region {
	return region.Region{region.Box{}.With(b.s.opaque(n, b.rule), doubt(want))}
}

// slab is everything within some values of one dimension.
func (s *Space) slab(d region.Dim, set region.Set) region.Region {
	switch {
	case set.Empty():
		return nil
	case s.without(d, set).Empty():
		return region.All()
	}
	return region.Region{{{Dim: d, Set: set}}}
}

// without is the rest of a dimension.
func (s *Space) without(d region.Dim, set region.Set) region.Set {
	return region.Without(s.Full(d), set)
}

// comparison recognises one dimension against fixed values; set is where it is true.
func (b builder) comparison(n ast.Node) (d region.Dim, set region.Set, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if n.Value == "in_doubt" {
			return InDoubt, doubt(true), true
		}
	case *ast.BinaryNode:
		if n.Operator == "in" {
			return b.member(n)
		}
		if mirror, compares := mirrored[n.Operator]; compares {
			if d, set, ok = b.against(n.Left, n.Operator, n.Right); ok {
				return d, set, true
			}
			return b.against(n.Right, mirror, n.Left)
		}
	}
	return 0, nil, false
}

var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

// variable is the dimension that a node names.
func (b builder) variable(n ast.Node) (region.Dim, bool) {
	if key, ok := condition.TagOf(n); ok {
		return b.s.tag(key), true
	}
	id, ok := n.(*ast.IdentifierNode)
	switch {
	case !ok:
		return 0, false
	case id.Value == "fired":
		return b.s.fired(b.rule), true
	}
	d, ok := b.s.byName[id.Value]
	return d, ok && d < fixed
}

func (b builder) against(side ast.Node, op string, other ast.Node) (d region.Dim, set region.Set, ok bool) {
	if d, ok = b.variable(side); !ok {
		return 0, nil, false
	}
	value := constant(other)
	switch b.s.KindOf(d) {
	case Number, Duration:
		set = numbers(b.s.KindOf(d), op, value)
	case Text, Word:
		if set = b.s.value(d, value); set != nil && op == "!=" {
			set = b.s.without(d, set)
		} else if op != "==" {
			set = nil // an order of texts
		}
	case Opaque:
	}
	if set == nil {
		return 0, nil, false
	}
	if ints, isInts := set.(region.Ints); isInts {
		set = region.Both(ints, b.s.Full(d))
	}
	return d, set, true
}

// value is the set of one value of a dimension; nil when it is of another kind.
func (s *Space) value(d region.Dim, v any) region.Set {
	switch v := v.(type) {
	case string:
		switch s.KindOf(d) {
		case Text:
			return region.In(v)
		case Word:
			if d == InDoubt {
				return nil
			}
			if i := slices.Index(s.Words(d), v); i >= 0 {
				return region.Words(1) << i
			}
			return region.Words(0)
		default:
		}
	case bool:
		if d == InDoubt {
			return doubt(v)
		}
	}
	return nil
}

// member is "x in [a, b]".
func (b builder) member(n *ast.BinaryNode) (d region.Dim, set region.Set, ok bool) {
	list, isList := n.Right.(*ast.ArrayNode)
	if d, ok = b.variable(n.Left); !ok || !isList {
		return 0, nil, false
	}
	for _, item := range list.Nodes {
		_, one, ok := b.against(n.Left, "==", item)
		if !ok {
			return 0, nil, false
		}
		if set == nil {
			set = one
		} else {
			set = region.Join(set, one)
		}
	}
	if set == nil {
		set = region.Without(b.s.Full(d), b.s.Full(d))
	}
	return d, set, true
}

// numbers is where "x op value" holds; nil when that is not known.
func numbers(k Kind, op string, value any) region.Set {
	x, ok := value.(int64)
	if k == Duration {
		var d time.Duration
		d, ok = value.(time.Duration)
		x = int64(d)
	}
	switch {
	case !ok:
		return nil
	case op == "<":
		return below(x)
	case op == "<=":
		return region.Range(math.MinInt64, x)
	case op == ">":
		return above(x)
	case op == ">=":
		return region.Range(x, math.MaxInt64)
	case op == "==":
		return region.Range(x, x)
	}
	return region.Without(region.Range(math.MinInt64, math.MaxInt64), region.Range(x, x))
}

func below(v int64) region.Ints {
	if v == math.MinInt64 {
		return region.Ints{}
	}
	return region.Range(math.MinInt64, v-1)
}

func above(v int64) region.Ints {
	if v == math.MaxInt64 {
		return region.Ints{}
	}
	return region.Range(v+1, math.MaxInt64)
}

// learn takes the texts that a catalogue tells apart.
func (s *Space) learn(codes, statuses []*providers.Row) {
	for _, r := range codes {
		s.known[Code] = append(s.known[Code], r.Code)
		s.known[SubCode] = append(s.known[SubCode], r.Code)
	}
	for _, r := range statuses {
		s.known[Status] = append(s.known[Status], r.Status)
		s.known[SubStatus] = append(s.known[SubStatus], r.SubStatus)
	}
}
