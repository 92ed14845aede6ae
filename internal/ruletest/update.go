package ruletest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Edit is a change to a test file. It replaces an expected value by the result.
type Edit struct {
	Pos      policy.Position
	Old, New string // as TOML, arrays on one line

	from, to int
	text     string // the new text in the file, with the comments and the layout of the old one
}

// String shows the change: FILE:LINE:COLUMN: old -> new.
func (e Edit) String() string { return fmt.Sprintf("%s: %s -> %s", e.Pos, e.Old, e.New) }

// Edits returns the changes that make failed tests pass, by file. A failure without a value in
// the file, such as a missing line of a script, has none.
func Edits(results []Result) map[string][]Edit {
	all := map[string][]Edit{}
	for i := range results {
		r := &results[i]
		for k := range r.Failures {
			f := &r.Failures[k]
			from, to, ok := f.value.Range()
			if f.write == "" || !ok {
				continue
			}
			raw := string(r.Case.suite.doc.Data()[from:to])
			e := Edit{Pos: f.value.Pos(), Old: raw, New: f.write, from: from, to: to, text: f.write}
			if f.list != nil {
				items, _ := f.value.Items()
				if e.text, ok = f.list.rewrite(raw, from, items); !ok {
					continue
				}
				e.Old = onOneLine(items)
			}
			same := func(x Edit) bool { return x.from == from }
			if list := all[r.Case.File]; !slices.ContainsFunc(list, same) { // several cases may share one place
				all[r.Case.File] = append(list, e)
			}
		}
	}
	return all
}

// onOneLine writes an array of strings without its layout.
func onOneLine(items []source.Value) string {
	texts := make([]string, len(items))
	for i, v := range items {
		texts[i], _ = v.Scalar()
	}
	return quoteAll(texts)
}

// Apply applies edits to a file. Everything else stays unchanged, also comments and layout.
func Apply(file File, edits []Edit) []byte {
	data := string(file.Data)
	mark := ""
	if strings.HasPrefix(data, "\ufeff") {
		mark, data = data[:len("\ufeff")], data[len("\ufeff"):]
	}
	sorted := slices.Clone(edits)
	slices.SortFunc(sorted, func(a, b Edit) int { return b.from - a.from })
	for _, e := range sorted {
		data = data[:e.from] + e.text + data[e.to:]
	}
	return []byte(mark + data)
}
