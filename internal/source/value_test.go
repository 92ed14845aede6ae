package source_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/source"
)

const valued = "\ufeff" + `[[each]]
name  = """
several "lines" here"""  # with a comment
cases = [ ["a", 'b'], # one ] or ["
  [5, ["q"], """x""""], true ]
given = { a = [1, 2], "b c" = { d = 'e, f' } , }
`

// Every value knows where it stands, arrays and tables too.
func TestRangesOfValues(t *testing.T) {
	doc, err := source.Parse("x.toml", []byte(strings.Replace(valued, " , }", " }", 1)))
	if err != nil {
		t.Fatal(err)
	}
	var errs source.List
	table := doc.Root().Tables(&errs, "each")[0]
	raw := func(v source.Value) string {
		from, to, ok := v.Range()
		if !ok {
			t.Errorf("%v has no place", v.Any())
			return ""
		}
		return string(doc.Data()[from:to])
	}
	cases, _ := table.Value("cases")
	if got := raw(cases); !strings.HasPrefix(got, `[ ["a"`) || !strings.HasSuffix(got, "true ]") {
		t.Errorf("cases is %s", got)
	}
	rows, ok := cases.Items()
	if !ok || len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, want := range []string{`["a", 'b']`, `[5, ["q"], """x""""]`, "true"} {
		if got := raw(rows[i]); got != want {
			t.Errorf("row %d is %s, want %s", i, got, want)
		}
	}
	cells, _ := rows[1].Items()
	for i, want := range []string{"5", `["q"]`, `"""x""""`} {
		if got := raw(cells[i]); got != want {
			t.Errorf("cell %d is %s, want %s", i, got, want)
		}
	}
	if text, ok := cells[0].Scalar(); !ok || text != "5" || cells[0].Pos().String() != "x.toml:5:4" {
		t.Errorf("a number is read as %q, at %s", text, cells[0].Pos())
	}
	name, _ := table.Value("name")
	if text, ok := name.Text(); !ok || text.At(0).Line != 3 || raw(name) != "\"\"\"\nseveral \"lines\" here\"\"\"" {
		t.Errorf("name is %s at %s", raw(name), text.At(0))
	}
	given, _ := table.Value("given")
	if got := raw(given); got != `{ a = [1, 2], "b c" = { d = 'e, f' } }` {
		t.Errorf("given is %s", got)
	}
	if got := doc.Line(6); !strings.HasPrefix(got, "given") || doc.Line(0) != "" || doc.Line(99) != "" {
		t.Errorf("line 6 is %q", got)
	}
	if _, ok := table.Value("nothing"); ok {
		t.Error("an absent key has a value")
	}
	if _, _, ok := (source.Value{}).Range(); ok || given.As("x").Any() != "x" {
		t.Error("no value has a place, or another text is not taken")
	}
}
