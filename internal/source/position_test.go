package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/source"
)

const places = `# positions count from 1, columns in runes
name = "x"
owner.first.name = 'y'
"quoted key" = 1
'literal key'.sub = 2
list = [ 10, # ten
  "é", "漢", "z" ]
inline = { a = 1, b.c = "d", 'e' = ["f"] }
"é" = { "漢" = "字", z = true }

[table]
  key = true
[table.sub]
key = 1.5

[[row]]
id = 1
facts = [
  { op = "pay" },
  { op = "refund", phase = ["send", "query"] },
]
[[row.step]]
n = 1
[[row.step]]
n = 2
[row.note]
text = "t"
[[row.note.line]]
n = 10

[[row]]
id = 2
[[row.step]]
n = 3
[row.note]
text = "u"
`

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// open parses a document that has to be free of mistakes.
func open(t failer, doc string) source.Table {
	t.Helper()
	d, err := source.Parse("f.toml", []byte(doc))
	if err != nil {
		t.Fatalf("the document does not parse: %v", err)
	}
	return d.Root()
}

// enter walks "row 1 step 0": a number picks a table of an array of tables.
func enter(t *testing.T, at source.Table, path string) source.Table {
	t.Helper()
	var errs source.List
	words := strings.Fields(path)
	for i := 0; i < len(words); i++ {
		key := strings.ReplaceAll(words[i], "_", " ")
		var n int
		if i+1 < len(words) {
			if _, err := fmt.Sscan(words[i+1], &n); err == nil {
				at = at.Tables(&errs, key)[n]
				i++
				continue
			}
		}
		at, _ = at.Table(&errs, key)
	}
	if len(errs.Mistakes) > 0 {
		t.Fatalf("%s: %v", path, errs)
	}
	return at
}

func lineCol(p source.Pos) string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

func TestKeysAndValuesHaveTheirPlaces(t *testing.T) {
	tests := []struct{ in, key, keyAt, valueAt string }{
		{"", "name", "2:1", "2:8"},
		{"", "owner", "3:1", "3:1"}, // a dotted key makes tables on the way
		{"owner", "first", "3:7", "3:7"},
		{"owner first", "name", "3:13", "3:20"},
		{"", "quoted key", "4:1", "4:16"},
		{"literal_key", "sub", "5:15", "5:21"},
		{"", "list", "6:1", "6:8"},
		{"", "inline", "8:1", "8:10"},
		{"inline", "a", "8:12", "8:16"},
		{"inline b", "c", "8:21", "8:25"},
		{"inline", "e", "8:30", "8:36"},
		{"é", "漢", "9:9", "9:15"}, // wide runes count as one column each
		{"é", "z", "9:20", "9:24"},
		{"table", "key", "12:3", "12:9"},
		{"table sub", "key", "14:1", "14:7"},
		{"row 0", "id", "17:1", "17:6"},
		{"row 0 facts 0", "op", "19:5", "19:10"},
		{"row 0 facts 1", "op", "20:5", "20:10"},
		{"row 0 facts 1", "phase", "20:20", "20:28"},
		{"row 0 step 0", "n", "23:1", "23:5"},
		{"row 0 step 1", "n", "25:1", "25:5"},
		{"row 0 note", "text", "27:1", "27:8"},
		{"row 0 note line 0", "n", "29:1", "29:5"},
		{"row 1", "id", "32:1", "32:6"},
		{"row 1 step 0", "n", "34:1", "34:5"},
		{"row 1 note", "text", "36:1", "36:8"},
		{"row 1", "absent", "31:3", "31:3"}, // the table that lacks it
		{"", "absent", "1:0", "1:0"},        // the whole first line
	}
	for _, tt := range tests {
		t.Run(tt.in+"/"+tt.key, func(t *testing.T) {
			table := enter(t, open(t, places), tt.in)
			if got := lineCol(table.KeyPos(tt.key)); got != tt.keyAt {
				t.Errorf("the key stands at %s, want %s", got, tt.keyAt)
			}
			if got := lineCol(table.ValuePos(tt.key)); got != tt.valueAt {
				t.Errorf("the value stands at %s, want %s", got, tt.valueAt)
			}
		})
	}
}

func TestTablesHaveTheirPlaces(t *testing.T) {
	for in, want := range map[string]string{
		"":              "1:0", // no column: the whole line
		"owner":         "3:1",
		"inline":        "8:1",
		"inline b":      "8:19",
		"table":         "11:2",
		"table sub":     "13:2",
		"row 0":         "16:3",
		"row 0 facts 0": "19:3",
		"row 0 facts 1": "20:3",
		"row 0 step 1":  "24:3",
		"row 0 note":    "26:2",
		"row 1":         "31:3",
		"row 1 step 0":  "33:3",
		"row 1 note":    "35:2",
	} {
		if got := lineCol(enter(t, open(t, places), in).Pos()); got != want {
			t.Errorf("%q begins at %s, want %s", in, got, want)
		}
	}
}

// even is a set of words for the tests of arrays.
type even struct{}

func (*even) UnmarshalText(b []byte) error {
	if len(b)%2 != 0 {
		return fmt.Errorf("%q is odd", b)
	}
	return nil
}

func TestItemsOfArraysHaveTheirPlaces(t *testing.T) {
	root := open(t, "words = [\n  \"ab\",\n  \"abc\", # odd\n  \"é\", \"x\",\n]\nmixed = [\"a\", 1, [\"b\"], {c = 1}]\nsole = \"é1!\"\n")
	var errs source.List
	source.Words[even](root, &errs, "words")
	source.Words[even](root, &errs, "sole")
	root.Strings(&errs, "mixed")
	want := `f.toml:3:3: "abc" is odd
f.toml:4:8: "x" is odd
f.toml:6:15: mixed holds an integer; every item must be a string
f.toml:6:18: mixed holds an array; every item must be a string
f.toml:6:25: mixed holds a table; every item must be a string`
	if errs.Mistakes.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", errs.Mistakes, want)
	}
}

// A table after a wrong item stands where it stands.
func TestTablesAfterAWrongItemKeepTheirPlaces(t *testing.T) {
	root := open(t, `f = [1, {x = 1}, "s", {y = 2}]`)
	var errs source.List
	var at []string
	for _, table := range root.Tables(&errs, "f") {
		at = append(at, lineCol(table.Pos()))
	}
	if got := strings.Join(at, " "); got != "1:9 1:23" {
		t.Errorf("the tables stand at %s, want 1:9 1:23", got)
	}
	if len(errs.Mistakes) != 2 {
		t.Errorf("two items are no tables; said was:\n%v", errs)
	}
}

// Some editors begin a file with a byte order mark, which does not show.
func TestByteOrderMarkMovesNothing(t *testing.T) {
	root := open(t, "\ufeffa = 1\n\n[t]\nb = 2\n")
	if got := lineCol(root.KeyPos("a")); got != "1:1" {
		t.Errorf("a stands at %s, want 1:1", got)
	}
	if got := lineCol(enter(t, root, "t").ValuePos("b")); got != "4:5" {
		t.Errorf("the value of b stands at %s, want 4:5", got)
	}
	_, err := source.Parse("f.toml", []byte("\ufeffa = 1\nb = = 2\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "f.toml:2:5: ") {
		t.Errorf("the syntax error is %v, want one at 2:5", err)
	}
}
