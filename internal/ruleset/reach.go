package ruleset

import (
	"cmp"
	"maps"
	"slices"
)

// possible are the words with which a node can hold, or, with not, can fail to. It may have too
// many, and never too few.
func (n *node) possible(not bool) words {
	not = not != n.not
	switch {
	case n.op == opTrue:
		if not {
			return words{}
		}
	case n.op == opWords:
		every := everyWord(n.of.variable)
		if not {
			return anyWord.less(n.words)
		}
		return anyWord.less(every).or(n.words)
	case n.op == opAll && !not || n.op == opAny && not:
		all := anyWord
		for i := range n.parts {
			all = all.and(n.parts[i].possible(not))
		}
		return all
	case n.op == opAll || n.op == opAny:
		var some words
		for i := range n.parts {
			if part := n.parts[i].possible(not); !part.impossible() {
				some = some.or(part)
			}
		}
		return some
	}
	return anyWord
}

// textsOf are the texts of an accessor with which a node can hold, or, with not, can fail to; finite is
// false where their number has no end. There may be too many, and never too few.
func (n *node) textsOf(a accessor, not bool) (texts map[string]struct{}, finite bool) {
	not = not != n.not
	switch {
	case n.op == opTrue:
		return nil, not
	case n.op == opEqual && !not:
		return map[string]struct{}{n.text: {}}, n.of == a
	case n.op == opListed && !not:
		return n.more.listed, n.more.x.op == textRead && n.more.x.of == a
	case n.op == opAll && !not || n.op == opAny && not:
		for i := range n.parts {
			part, ends := n.parts[i].textsOf(a, not)
			if ends && (!finite || len(part) < len(texts)) {
				texts, finite = part, true
			}
		}
		return texts, finite
	case n.op == opAll || n.op == opAny:
		texts = map[string]struct{}{}
		for i := range n.parts {
			part, ends := n.parts[i].textsOf(a, not)
			if !ends {
				return nil, false
			}
			maps.Copy(texts, part)
		}
		return texts, true
	}
	return nil, false
}

// accessors lists what a node compares with fixed texts, each once, in the order of the variables.
func (n *node) accessors() []accessor {
	found := map[accessor]bool{}
	n.visit(func(part *node) {
		switch {
		case part.op == opEqual:
			found[part.of] = true
		case part.op == opListed && part.more.x.op == textRead:
			found[part.more.x.of] = true
		}
	})
	return slices.SortedFunc(maps.Keys(found), func(a, b accessor) int {
		return cmp.Or(cmp.Compare(a.variable, b.variable), cmp.Compare(a.tag, b.tag))
	})
}

// given is a node in the situations where a text is the one given: what follows from that is left out.
func (n *node) given(a accessor, text string) node {
	switch {
	case n.op == opEqual && n.of == a:
		return truthNode((n.text == text) != n.not)
	case n.op == opListed && n.more.x.op == textRead && n.more.x.of == a:
		_, found := n.more.listed[text]
		return truthNode(found != n.not)
	case n.op != opAll && n.op != opAny:
		return *n
	}
	parts := make([]node, len(n.parts))
	for i := range n.parts {
		parts[i] = n.parts[i].given(a, text)
	}
	left := joined(n.op, parts)
	left.not = left.not != n.not
	return left
}

// visit calls a function for a node and its parts.
func (n *node) visit(f func(*node)) {
	f(n)
	for i := range n.parts {
		n.parts[i].visit(f)
	}
}

// looksAtWeekday reports whether the words of a weekday count.
func (n *node) looksAtWeekday() (looks bool) {
	week := words{rest: 127 << atWeekday}
	n.visit(func(part *node) { looks = looks || part.op == opWords && part.words.shares(week) })
	return looks
}

// rest takes from a node what a look at the words settles; nil: nothing is left.
func (n *node) rest() *node {
	if n.op == opWords {
		return nil
	}
	if n.op != opAll || n.not {
		if n.op == opTrue && !n.not {
			return nil
		}
		return n
	}
	left := make([]node, 0, len(n.parts))
	for i := range n.parts {
		if n.parts[i].op != opWords {
			left = append(left, n.parts[i])
		}
	}
	kept := joined(opAll, left)
	if kept.op == opTrue && !kept.not {
		return nil
	}
	return &kept
}
