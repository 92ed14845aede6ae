package ruletest

import (
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/source"
)

// list is what an update writes in the place of the items of an array.
type list struct {
	items []string              // as TOML
	fits  func(old, i int) bool // the old item may stay where items[i] should stand
}

// part is a piece of an array's text between its brackets. The texts of all parts, in their order, are the whole.
type part struct {
	kind partKind
	text string
	item int // of a value: its number in the array, or -1 for a new one
}

type partKind int

const (
	value partKind = iota
	comma
	comment
	blank   // spaces and tabs
	newline // LF or CR LF
)

// rewrite returns an array's text with other items. It replaces, adds and removes items; comments, the order of lines and the layout
// stay. ok is false if the places of the items are not known.
func (l *list) rewrite(raw string, from int, old []source.Value) (text string, ok bool) {
	parts, ok := partsOf(raw, from, old)
	if !ok {
		return "", false
	}
	for _, e := range l.edits(len(old)) {
		switch {
		case e.old >= 0 && e.new >= 0:
			parts[indexOf(parts, e.old)].text = l.items[e.new]
		case e.old >= 0:
			parts = remove(parts, indexOf(parts, e.old))
		default:
			parts = l.insert(parts, e, len(old))
		}
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return "[" + b.String() + "]", true
}

// partsOf cuts an array's text into its parts.
func partsOf(raw string, from int, items []source.Value) ([]part, bool) {
	var all []part
	next := 0
	for i := 1; i < len(raw)-1; {
		if next < len(items) {
			a, b, ok := items[next].Range()
			if !ok || a-from < i || b-from > len(raw)-1 {
				return nil, false
			}
			if a-from == i {
				all = append(all, part{value, raw[i : b-from], next})
				i, next = b-from, next+1
				continue
			}
		}
		p := part{kind: blank, item: -1}
		n := 1
		switch rest := raw[i : len(raw)-1]; {
		case rest[0] == ',':
			p.kind = comma
		case rest[0] == '#':
			p.kind = comment
			if n = strings.IndexAny(rest, "\r\n"); n < 0 {
				return nil, false // the closing bracket would belong to the comment
			}
		case rest[0] == '\n':
			p.kind = newline
		case strings.HasPrefix(rest, "\r\n"):
			p.kind, n = newline, 2
		case rest[0] != ' ' && rest[0] != '\t':
			return nil, false
		default:
			if n = len(rest) - len(strings.TrimLeft(rest, " \t")); n == 0 {
				n = 1
			}
		}
		p.text = raw[i : i+n]
		all = append(all, p)
		i += n
	}
	return all, next == len(items)
}

func indexOf(parts []part, item int) int {
	return slices.IndexFunc(parts, func(p part) bool { return p.kind == value && p.item == item })
}

// itemEdit replaces an item, or removes it (new below 0), or adds one before another (old below 0).
type itemEdit struct {
	old, new int
	before   int // of an added item: the old item that it comes before; the number of old items stands for the end
}

// edits aligns the new items with the old ones, so that most of them stay as they are. Where both differ, items are replaced
// one by one. At the end the last are paired, because the last event of a flow is its end.
func (l *list) edits(n int) []itemEdit {
	var all []itemEdit
	i, j := 0, 0
	gap := func(toOld, toNew int) {
		paired := min(toOld-i, toNew-j)
		atEnd := toOld == n && toNew == len(l.items)
		if atEnd {
			for ; toNew-j > paired; j++ {
				all = append(all, itemEdit{-1, j, i})
			}
			for ; toOld-i > paired; i++ {
				all = append(all, itemEdit{old: i, new: -1})
			}
		}
		for ; paired > 0; paired, i, j = paired-1, i+1, j+1 {
			all = append(all, itemEdit{old: i, new: j})
		}
		for ; i < toOld; i++ {
			all = append(all, itemEdit{old: i, new: -1})
		}
		for ; j < toNew; j++ {
			all = append(all, itemEdit{-1, j, i})
		}
	}
	for _, k := range l.kept(n) {
		gap(k[0], k[1])
		i, j = i+1, j+1
	}
	gap(n, len(l.items))
	return all
}

// mostCompared bounds the table of kept: beyond it items are replaced one by one.
const mostCompared = 4_000_000

// kept returns pairs of an old and a new item that fit, in order, as many as possible.
func (l *list) kept(n int) [][2]int {
	m := len(l.items)
	if n*m > mostCompared {
		return nil
	}
	longest := make([][]int32, n+1) // longest[i][j]: of the items from i and from j on
	for i := range longest {
		longest[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			if l.fits(i, j) {
				longest[i][j] = max(longest[i][j], longest[i+1][j+1]+1)
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case l.fits(i, j) && longest[i][j] == longest[i+1][j+1]+1:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// remove takes out a value with its comma, and the line if nothing else stands on it.
func remove(parts []part, at int) []part {
	gone := map[int]bool{at: true}
	if c, ok := nextComma(parts, at); ok {
		gone[c] = true
		if c+1 < len(parts) && parts[c+1].kind == blank && !ends(parts, c+2) {
			gone[c+1] = true
		}
	} else {
		for c := at - 1; c >= 0 && parts[c].kind != value; c-- {
			if parts[c].kind == comma {
				gone[c] = true
				for b := c + 1; b < at && parts[b].kind == blank; b++ {
					gone[b] = true
				}
				break
			}
		}
	}
	from, to := lineOf(parts, at)
	whole := from > 0 && to < len(parts) // the line is the array's own
	for i := from; i < to; i++ {
		whole = whole && (gone[i] || parts[i].kind == blank)
	}
	var left []part
	for i, p := range parts {
		if !gone[i] && !(whole && i >= from && i <= to) {
			left = append(left, p)
		}
	}
	return left
}

// ends reports whether a line ends at a part, or only a comment comes before its end.
func ends(parts []part, i int) bool {
	return i >= len(parts) || parts[i].kind == newline || parts[i].kind == comment
}

// nextComma returns the comma of a value.
func nextComma(parts []part, at int) (int, bool) {
	for i := at + 1; i < len(parts) && parts[i].kind != value; i++ {
		if parts[i].kind == comma {
			return i, true
		}
	}
	return 0, false
}

// lineOf returns the first part of a part's line, and the part after its last one.
func lineOf(parts []part, at int) (from, to int) {
	from, to = at, at
	for from > 0 && parts[from-1].kind != newline {
		from--
	}
	for to < len(parts) && parts[to].kind != newline {
		to++
	}
	return from, to
}

// insert adds an item, on a line of its own where its neighbour has one.
func (l *list) insert(parts []part, e itemEdit, n int) []part {
	added, between := part{value, l.items[e.new], -1}, []part{{kind: blank, text: " "}}
	var at int
	if e.before < n {
		at = indexOf(parts, e.before)
	} else if at = lastValue(parts); at < 0 {
		return slices.Insert(parts, 0, added) // an empty array
	}
	from, _ := lineOf(parts, at)
	own := from > 0
	for i := from; i < at; i++ {
		own = own && parts[i].kind == blank
	}
	if own {
		between = append([]part{parts[from-1]}, parts[from:at]...)
	}
	if e.before < n {
		return slices.Insert(parts, at, append([]part{added, {kind: comma, text: ","}}, between...)...)
	}
	return appendAfter(parts, at, added, between, own)
}

func lastValue(parts []part) int {
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i].kind == value {
			return i
		}
	}
	return -1
}

// appendAfter adds a value after the last one: after its line, with its comment, if the value has a line of its own.
func appendAfter(parts []part, at int, added part, between []part, own bool) []part {
	more := append([]part{{kind: comma, text: ","}}, append(slices.Clone(between), added)...)
	_, to := lineOf(parts, at)
	c, has := nextComma(parts, at)
	if !own || to == len(parts) || has && c > to {
		return slices.Insert(parts, at+1, more...)
	}
	if !has {
		return slices.Insert(slices.Insert(parts, to, more[1:]...), at+1, more[0])
	}
	return slices.Insert(parts, to, append(more[1:], more[0])...)
}
