package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/check"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
)

var connectors = []string{"halyard", "quillpay", "tamarack"}

// flaw is a mistake that was put into the table on purpose.
type flaw struct{ row, kind, with string }

func flaws(t *testing.T) []flaw {
	t.Helper()
	f, err := os.Open(shared + "/flaws.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.Comment = '#'
	var all []flaw
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			return all[1:] // without the header
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, flaw{"row-" + rec[0], rec[1], "row-" + rec[2]})
	}
}

// found is the finding of check for each kind of flaw.
var found = map[string]struct {
	kind     check.Kind
	severity check.Severity
	says     string
}{
	"contradiction":  {check.Dead, check.Error, "they contradict each other"},
	"repeated":       {check.Dead, check.Error, "takes every input of it"},
	"behind-default": {check.Dead, check.Error, "takes every input of it"},
	"case":           {check.NearDuplicate, check.Warning, "which looks like"},
	"space":          {check.NearDuplicate, check.Warning, "which looks like"},
	"zero":           {check.NearDuplicate, check.Warning, "which looks like"},
	"joint":          {check.NearDuplicate, check.Warning, "which looks like"},
	"wording":        {check.NearDuplicate, check.Warning, "for the message"},
	"message-only":   {check.NearDuplicate, check.Note, "nothing but that tells it from"},
	"overlap":        {check.Overlap, check.Note, "neither is a special case"},
}

// ruleLines returns the place and the reason of each row's rule, by id.
func ruleLines(e *ruleset.Engine) (at map[string]check.Place, reason map[string]string) {
	at, reason = map[string]check.Place{}, map[string]string{}
	for _, c := range connectors {
		for _, r := range e.Rules.Providers[c].Rules {
			at[r.ID], reason[r.ID] = check.Place{File: r.Pos.File, Line: r.Pos.Line}, r.Reason
		}
	}
	return at, reason
}

func TestCheckFindsEveryContradiction(t *testing.T) {
	dir, _ := converted(t)
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.Run(t.Context(), e, check.Options{})
	if err != nil || report.Holds(false) || !report.Complete {
		t.Fatalf("%v: %d errors, complete: %t", err, report.Errors, report.Complete)
	}
	at, reason := ruleLines(e)
	planted := map[string]bool{}
	for _, f := range flaws(t) {
		want, known := found[f.kind]
		if !known {
			continue // for verify
		}
		i := slices.IndexFunc(report.Findings, func(g check.Finding) bool {
			return g.Rule == f.row && g.Kind == want.kind && g.Severity == want.severity && strings.Contains(g.Message, want.says) &&
				slices.ContainsFunc(g.Related, func(p check.Place) bool { return p.Rule == f.with && p.Line == at[f.with].Line })
		})
		if i < 0 {
			t.Errorf("%s: nothing is said of %s and %s", f.kind, f.row, f.with)
			continue
		}
		g := report.Findings[i]
		planted[f.row+string(g.Kind)] = true
		if g.File != at[f.row].File || g.Line != at[f.row].Line+2 || g.Column == 0 {
			t.Errorf("%s: reported at %s, and the rule stands at %s", f.row, g.Place, at[f.row])
		}
		if line := strings.Replace(f.row, "row-", "table.csv:", 1) + ":"; !strings.HasPrefix(reason[f.row], line) {
			t.Errorf("%s does not lead back to its row: %q", f.row, reason[f.row])
		}
		if g.Witness == nil {
			t.Errorf("%s: no input shows it", f.row)
		}
		if strings.Contains(g.Message, "contradict each other") != (f.kind == "contradiction") {
			t.Errorf("%s (%s): %s", f.row, f.kind, g.Message)
		}
	}
	if len(planted) < 20 {
		t.Errorf("only %d contradictions were planted", len(planted))
	}
	for _, g := range report.Findings {
		dubious := g.Kind == check.Dead || g.Kind == check.NearDuplicate || g.Kind == check.Overlap
		if dubious && strings.HasPrefix(g.Rule, "row-") && !planted[g.Rule+string(g.Kind)] {
			t.Errorf("this flaw was not planted: %s: %s", g.Place, g.Message)
		}
	}
}

// The figures in docs/foreign-tables.md are those of the table.
func TestDocument(t *testing.T) {
	docs, err := os.ReadFile("../../docs/foreign-tables.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, said := converted(t)
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.Run(t.Context(), e, check.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, f := range flaws(t) {
		kinds[f.kind]++
	}
	for _, want := range []string{
		said,
		fmt.Sprintf("%d rules, 0 merchants with a file, %d providers: %d errors, %d warnings, %d notes", report.Rules, report.Providers, report.Errors, report.Warnings, report.Notes),
		fmt.Sprintf("with %d flaws planted", len(flaws(t))),
		fmt.Sprintf("two decisions | %d |", kinds["contradiction"]),
		fmt.Sprintf("leading zeros | %d |", kinds["case"]+kinds["space"]+kinds["joint"]+kinds["zero"]),
		fmt.Sprintf("%d rows retry where nothing is proved", kinds["in-doubt-retry"]),
		fmt.Sprintf("%d mark\nas failed", kinds["in-doubt-failed"]),
	} {
		if !strings.Contains(string(docs), want) {
			t.Errorf("docs/foreign-tables.md does not say %q", want)
		}
	}
}

func proved(t *testing.T, dir string) *verify.Report {
	t.Helper()
	e, err := ruleset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := verify.Run(t.Context(), e, &verify.Options{Providers: connectors, Merchants: []string{""}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// The proof reports every row that retries or fails in doubt, with a story, and no other row.
func TestVerifyRefusesWhatIsInDoubt(t *testing.T) {
	if testkit.Short() {
		return
	}
	dir, _ := converted(t)
	report := proved(t, dir)
	found := map[string]*verify.Violation{}
	for i := range report.Products {
		for j := range report.Products[i].Violations {
			v := &report.Products[i].Violations[j]
			found[v.Rule] = v
		}
	}
	ends := map[string]struct {
		harm flow.Property
		says string
	}{
		"in-doubt-retry":  {flow.S1, "is charged twice"},
		"in-doubt-failed": {flow.S2, "it was marked failed, and it may have been executed"},
	}
	planted := 0
	for _, f := range flaws(t) {
		want, ofVerify := ends[f.kind]
		if !ofVerify {
			continue
		}
		planted++
		v := found[f.row]
		if v == nil {
			t.Errorf("%s: %s is not refused", f.kind, f.row)
			continue
		}
		delete(found, f.row)
		last := v.Story[len(v.Story)-1].Happens
		if v.Property != verify.S5 || v.Harm != want.harm || !strings.Contains(last, want.says) || !v.Replayed || v.Fix == "" {
			t.Errorf("%s: %s, without the interlock %s, replayed: %t, fix %q; it ends: %s", f.row, v.Property, v.Harm, v.Replayed, v.Fix, last)
		}
		if !slices.ContainsFunc(v.Story, func(s verify.Step) bool { return s.Rule == f.row }) {
			t.Errorf("%s: its story does not name it", f.row)
		}
	}
	for row, v := range found {
		t.Errorf("this flaw was not planted: %s: %s", row, v.Why)
	}
	if report.Holds || planted < 25 {
		t.Errorf("holds: %t, with %d rows in doubt", report.Holds, planted)
	}
}

// The fixes that verify proposes are enough, and so is the careful conversion.
func TestMendedTableHolds(t *testing.T) {
	if testkit.Short() {
		return
	}
	t.Run("as proposed", func(t *testing.T) {
		dir, _ := converted(t)
		for i, p := range proved(t, dir).Products {
			for _, v := range p.Violations {
				if err := mend(v.Fix); err != nil {
					t.Fatalf("product %d: %v", i, err)
				}
			}
		}
		holds(t, dir)
	})
	t.Run("careful", func(t *testing.T) {
		dir, said := converted(t, "-careful")
		holds(t, dir)
		if !strings.Contains(said, "rows on which nothing is proved") {
			t.Error(said)
		}
	})
}

func holds(t *testing.T, dir string) {
	t.Helper()
	if report := proved(t, dir); !report.Holds {
		for _, p := range report.Products {
			for _, v := range p.Violations {
				t.Errorf("%s: %s, try %s", v.Rule, v.Why, v.Fix)
			}
		}
	}
}

// mend applies a fix: "FILE:LINE: write in place of its condition", with the whole condition on
// a line of its own, or "FILE:LINE: write `then = …`".
func mend(fix string) error {
	place, change, _ := strings.Cut(fix, ": ")
	i := strings.LastIndexByte(place, ':')
	var line int
	if i < 0 {
		return fmt.Errorf("cannot read %q", fix)
	}
	if _, err := fmt.Sscan(place[i+1:], &line); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Clean(place[:i]))
	if err != nil {
		return err
	}
	lines := strings.Split(string(data), "\n")
	when, then := &lines[line+1], &lines[line+2] // [[rule]], id, when, then
	if !strings.HasPrefix(*when, "when") || !strings.HasSuffix(*when, "'") || !strings.HasPrefix(*then, "then") {
		return fmt.Errorf("%s: no rule as it was written: %q, %q", place, *when, *then)
	}
	condition, whole := strings.CutPrefix(change, "write in place of its condition\n    ")
	switch {
	case strings.HasPrefix(change, "write `then = "):
		*then = strings.Trim(strings.TrimPrefix(change, "write "), "`")
	case whole && !strings.Contains(condition, "\n"):
		*when = condition
	default:
		return fmt.Errorf("cannot read %q", fix)
	}
	return os.WriteFile(place[:i], []byte(strings.Join(lines, "\n")), 0o600)
}
