package condition

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Op says how the parts of a tree are joined.
type Op int8

// The ways to join parts.
const (
	Leaf Op = iota // one comparison, or any other node without and, or, not at its top
	And
	Or
	Not
)

// Tree is a condition taken apart at its ands, ors and nots. The operands of one operator are
// in one list: "a && b && c" is an And of three parts. A tree is not written to after it was
// split, so it may be shared.
type Tree struct {
	Op    Op
	Parts []*Tree  // in their source order: of Not one, of a leaf none
	Node  ast.Node // the source of this part; nil in a tree made by Replace
	Text  string   // of a leaf, as it is written
	Index int      // of a leaf: its place among the leaves, in source order
}

// Operands is what a node joins, and how: the only place that reads the operators of the rules'
// language. The pointers lead into the node, so that an operand can be replaced in place. A leaf
// has no operands.
func Operands(n ast.Node) (Op, []*ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and":
			return And, []*ast.Node{&n.Left, &n.Right}
		case "||", "or":
			return Or, []*ast.Node{&n.Left, &n.Right}
		}
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return Not, []*ast.Node{&n.Node}
		}
	}
	return Leaf, nil
}

// Split takes a condition apart.
func Split(n ast.Node) *Tree {
	leaves := 0
	return split(n, &leaves)
}

func split(n ast.Node, leaves *int) *Tree {
	op, operands := Operands(n)
	t := &Tree{Op: op, Node: n}
	if op == Leaf {
		t.Text, t.Index = n.String(), *leaves
		*leaves++
		return t
	}
	for _, operand := range operands {
		part := split(*operand, leaves)
		if part.Op == op && op != Not {
			t.Parts = append(t.Parts, part.Parts...)
		} else {
			t.Parts = append(t.Parts, part)
		}
	}
	return t
}

// Leaves lists the leaves in source order.
func (t *Tree) Leaves() []*Tree {
	var all []*Tree
	t.Visit(func(part *Tree) {
		if part.Op == Leaf {
			all = append(all, part)
		}
	})
	return all
}

// Visit calls a function for every part of a tree: the tree itself first, then its parts in
// source order.
func (t *Tree) Visit(visit func(*Tree)) {
	visit(t)
	for _, part := range t.Parts {
		part.Visit(visit)
	}
}

// Eval is what a tree comes to when each leaf comes to what the function says. Leaves that
// cannot change the result are not asked for.
func (t *Tree) Eval(leaf func(*Tree) Truth) Truth {
	switch t.Op {
	case And:
		all := Yes
		for _, part := range t.Parts {
			if all = min(all, part.Eval(leaf)); all == No {
				break
			}
		}
		return all
	case Or:
		some := No
		for _, part := range t.Parts {
			if some = max(some, part.Eval(leaf)); some == Yes {
				break
			}
		}
		return some
	case Not:
		return t.Parts[0].Eval(leaf).Not()
	default:
		return leaf(t)
	}
}

// Replace returns a tree with one part in the place of another; nil leaves the part out. It
// returns nil when nothing is left.
func (t *Tree) Replace(old, replacement *Tree) *Tree {
	if t == old {
		return replacement
	}
	next := &Tree{Op: t.Op, Text: t.Text, Index: t.Index}
	if t.Op == Leaf {
		next.Node = t.Node
		return next
	}
	for _, part := range t.Parts {
		if part = part.Replace(old, replacement); part != nil {
			next.Parts = append(next.Parts, part)
		}
	}
	if len(next.Parts) == 0 {
		return nil
	}
	return next
}

// String writes a tree as a condition.
func (t *Tree) String() string {
	if t.Op == Leaf {
		return t.Text
	}
	if t.Op != Not && len(t.Parts) == 1 {
		return t.Parts[0].String()
	}
	texts := make([]string, len(t.Parts))
	for i, part := range t.Parts {
		texts[i] = part.operand()
	}
	switch t.Op {
	case Not:
		return "!" + texts[0]
	case Or:
		return strings.Join(texts, " || ")
	default:
		return strings.Join(texts, " && ")
	}
}

// operand writes a part of another part. A comparison is put in parentheses because ! binds
// closer than "in" and "==".
func (t *Tree) operand() string {
	if _, isName := t.Node.(*ast.IdentifierNode); isName && t.Op == Leaf {
		return t.Text
	}
	return "(" + t.String() + ")"
}

// Truth is what a condition comes to when only some values are known.
type Truth int8

// No < Maybe < Yes, so that "and" is the least and "or" the greatest.
const (
	No Truth = iota - 1
	Maybe
	Yes
)

// TruthOf is Yes or No.
func TruthOf(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// Not is the opposite; that of Maybe is Maybe.
func (t Truth) Not() Truth { return -t }
