package ruletest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// Edit is a change to a test file: what came out in the place of what was expected.
type Edit struct {
	Pos      policy.Position
	Old, New string // as they stand in the file

	from, to int
}

// String shows the change: FILE:LINE:COLUMN: old -> new.
func (e Edit) String() string { return fmt.Sprintf("%s: %s -> %s", e.Pos, e.Old, e.New) }

// Edits are the changes after which tests that failed would pass, by the file that they
// change. What no file says, such as a script that has no answer, is not among them.
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
			e := Edit{Pos: f.value.Pos(), Old: string(r.Case.suite.doc.Data()[from:to]), New: f.write, from: from, to: to}
			same := func(x Edit) bool { return x.from == from }
			if list := all[r.Case.File]; !slices.ContainsFunc(list, same) { // several cases may share one place
				all[r.Case.File] = append(list, e)
			}
		}
	}
	return all
}

// Apply makes changes to a file that was read. Everything else stays as it is, comments and
// layout included.
func Apply(file File, edits []Edit) []byte {
	data := string(file.Data)
	mark := ""
	if strings.HasPrefix(data, "\ufeff") {
		mark, data = data[:len("\ufeff")], data[len("\ufeff"):]
	}
	sorted := slices.Clone(edits)
	slices.SortFunc(sorted, func(a, b Edit) int { return b.from - a.from })
	for _, e := range sorted {
		data = data[:e.from] + e.New + data[e.to:]
	}
	return []byte(mark + data)
}
