package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/rules"
)

// duplicates reports names that look alike among layers that apply together: rule ids, which
// the variable fired counts by, and keys of tags.
func (c *checker) duplicates(ctx context.Context) error {
	below := map[string][]named{}
	for _, p := range append([]string{""}, c.providers...) {
		for _, f := range c.e.Rules.Layers(p, "") {
			below[p] = append(below[p], c.namesOf(f)...)
		}
	}
	seen := map[*rules.File]bool{}
	for _, r := range c.rules {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if seen[r.file] {
			continue
		}
		seen[r.file] = true
		own := c.namesOf(r.file)
		for i, n := range own {
			c.lookAlike(n, own[:i])
		}
		for p, others := range below {
			if r.file.Merchant != "" || r.file.Provider == p && r.file.Provider != "" {
				for _, n := range own {
					c.lookAlike(n, others)
				}
			}
		}
	}
	return nil
}

// named is a rule's id or a tag's key, and its place.
type named struct {
	what, name, folded string
	rule               *checkedRule
	offset             int // in runes, in the rule's condition
}

func (c *checker) namesOf(f *rules.File) []named {
	var all []named
	for _, r := range f.Rules {
		a := c.of[r]
		if a == nil {
			continue
		}
		all = append(all, named{"rule", r.ID, fold(r.ID), a, 0})
		keys := tagKeys{}
		if n := c.e.Condition(r); n != nil {
			ast.Walk(&n, keys)
		}
		for key, at := range keys {
			all = append(all, named{"tag", key, fold(key), a, at})
		}
	}
	return all
}

// tagKeys maps each tag key of a condition to the offset of its first use.
type tagKeys map[string]int

// Visit is called for every node.
func (k tagKeys) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		of, isName := n.Node.(*ast.IdentifierNode)
		if key, isText := n.Property.(*ast.StringNode); isName && isText && of.Value == "tags" {
			k.add(key)
		}
	case *ast.BinaryNode:
		of, isName := n.Right.(*ast.IdentifierNode)
		if key, isText := n.Left.(*ast.StringNode); isName && isText && n.Operator == "in" && of.Value == "tags" {
			k.add(key)
		}
	}
}

func (k tagKeys) add(key *ast.StringNode) {
	if _, known := k[key.Value]; !known {
		k[key.Value] = key.Location().From
	}
}

func (c *checker) lookAlike(n named, others []named) {
	for _, o := range others {
		if o.what != n.what || o.name == n.name || !alike(n, o) {
			continue
		}
		at := n.rule.place(n.offset)
		if n.what == "rule" {
			at = n.rule.related()
		}
		c.report.add(Finding{
			Kind: NearDuplicate, Severity: c.severityFor(n.rule.file, Warning), Place: at, Related: []Place{o.rule.related()},
			Message: fmt.Sprintf("%s %s looks like %s of %s; is one of them misspelt?", n.what, quote(n.name), quote(o.name), o.rule.Source()),
		})
	}
}

func fold(s string) string {
	return strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(s))
}

// alike reports whether two names differ only by case and separators, or by one letter of a
// long name. Names that differ by a digit are numbered on purpose and do not count.
func alike(a, b named) bool {
	if a.folded == b.folded {
		return true
	}
	const long = 8
	x, y := []rune(a.folded), []rune(b.folded)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) < long || len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	j := i
	if len(x) == len(y) {
		j++
	}
	if !slices.Equal(x[min(j, len(x)):], y[i+1:]) {
		return false
	}
	return !digit(y[i]) && (len(x) != len(y) || !digit(x[i]))
}

func digit(r rune) bool { return '0' <= r && r <= '9' }
