package source_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/source"
)

// Rules hold expressions in strings, and a mistake inside one is shown where its
// rune is written in the file.
func TestTextAt(t *testing.T) {
	tests := []struct {
		name, doc, value string
		at               string // of each rune, and of the closing quote
	}{
		{"basic", `k = "ab"`, "ab", "1:6 1:7 1:8"},
		{"literal", `k = 'a\n'`, `a\n`, "1:6 1:7 1:8 1:9"},
		{"empty", `k = ""`, "", "1:6"},
		{"wide runes are one column each", `k = "é漢x"`, "é漢x", "1:6 1:7 1:8 1:9"},
		{"short escapes", `k = "a\"\\\tb"`, "a\"\\\tb", "1:6 1:7 1:9 1:11 1:13 1:14"},
		{"unicode escapes", `k = "\u00e9x\U0001F600y"`, "éx😀y", "1:6 1:12 1:13 1:23 1:24"},
		{"escapes of TOML 1.1", `k = "\x41\eb"`, "A\x1bb", "1:6 1:10 1:12 1:13"},
		{"multi-line", "k = \"\"\"a\nb\"\"\"", "a\nb", "1:8 1:9 2:1 2:2"},
		{"multi-line, from the next line on", "k = \"\"\"\na\"\"\"", "a", "2:1 2:2"},
		{"multi-line literal", "k = '''\na\\b\n'c'\n'''", "a\\b\n'c'\n", "2:1 2:2 2:3 2:4 3:1 3:2 3:3 3:4 4:1"},
		{"multi-line, nothing in it", `k = """"""`, "", "1:8"},
		{"quotes beside the quotes", `k = """"a"""""`, `"a""`, "1:8 1:9 1:10 1:11 1:12"},
		{"backslash at a line's end", "k = \"\"\"a \\\n\n  b\"\"\"", "a b", "1:8 1:9 3:3 3:4"},
		{"backslash and spaces at a line's end", "k = \"\"\"a\\ \t\n b\"\"\"", "ab", "1:8 2:2 2:3"},
		{"backslash first and last", "k = \"\"\"\\\n a\\\n \"\"\"", "a", "2:2 3:2"},
		{"an escaped backslash at a line's end is none", "k = \"\"\"\\\\\nb\"\"\"", "\\\nb", "1:8 1:10 2:1 2:2"},
		{"carriage returns", "k = \"\"\"\r\na\r\nb\\\r\n  c\"\"\"", "a\r\nbc", "2:1 2:2 2:3 3:1 4:3 4:4"},
		{"after other lines", "# é\nj = 1\n\n  k = 'a'", "a", "4:8 4:9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var errs source.List
			text := open(t, tt.doc).Text(&errs, "k")
			if len(errs.Mistakes) > 0 || text.Value != tt.value {
				t.Fatalf("the value is %q (%v), want %q", text.Value, errs, tt.value)
			}
			var at []string
			for i := range utf8.RuneCountInString(text.Value) + 1 {
				at = append(at, lineCol(text.At(i)))
			}
			if got := strings.Join(at, " "); got != tt.at {
				t.Errorf("the runes of %q stand at\n  %s, want\n  %s", text.Value, got, tt.at)
			}
		})
	}
}

func TestTextWithoutAPlaceOfItsOwn(t *testing.T) {
	var errs source.List
	root := open(t, "a = 1\n\nk = 5")
	if got := lineCol(root.Text(&errs, "k").At(2)); got != "3:1" {
		t.Errorf("a text that is a number stands at %s, want 3:1", got)
	}
	if got := errs.Mistakes.Error(); got != "f.toml:3:5: k is an integer; it must be a string" {
		t.Errorf("said was %q", got)
	}
	if got := lineCol(root.Text(&errs, "none").At(0)); got != "1:0" {
		t.Errorf("a text that is absent stands at %s, want line 1", got)
	}
}

// A piece is a part of a string's raw text, and the runes that it stands for.
type piece struct{ raw, value string }

var (
	plain   = []piece{{"a", "a"}, {"Z", "Z"}, {"é", "é"}, {"漢", "漢"}, {"😀", "😀"}, {"#", "#"}, {"=", "="}}
	escaped = []piece{{`\n`, "\n"}, {`\t`, "\t"}, {`\"`, `"`}, {`\\`, `\`}, {`\u00e9`, "é"}, {`\U0001F600`, "😀"}, {`\x41`, "A"}}
	lines   = []piece{{"\n", "\n"}, {"\r\n", "\r\n"}, {"\\\n  ", ""}, {"\\ \n\n\t", ""}}
	literal = []piece{{`\`, `\`}, {`"`, `"`}}
)

// The twin of At keeps a note of each rune's place while it writes the document.
func TestTextAtFindsEveryRune(t *testing.T) {
	kinds := map[string]struct {
		open, close string
		pieces      []piece
	}{
		"basic":              {`"`, `"`, append(append([]piece{}, plain...), escaped...)},
		"literal":            {`'`, `'`, append(append([]piece{}, plain...), literal...)},
		"multi-line":         {"\"\"\"\n", `"""`, append(append(append([]piece{}, plain...), escaped...), lines...)},
		"multi-line literal": {"'''\n", `'''`, append(append(append([]piece{}, plain...), literal...), lines[:2]...)},
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				doc := "# é\n  k = " + kind.open
				var value string
				var want []string
				swallows := false
				for _, p := range rapid.SliceOfN(rapid.SampledFrom(kind.pieces), 0, 20).Draw(t, "pieces") {
					if swallows && strings.TrimSpace(p.raw) == "" {
						continue // a backslash at a line's end takes every line break after it
					}
					swallows = p.value == ""
					for i := range p.value {
						want = append(want, end(doc+p.raw[:min(i, len(p.raw))]))
					}
					doc, value = doc+p.raw, value+p.value
				}
				want = append(want, end(doc))
				var errs source.List
				text := open(t, doc+kind.close).Text(&errs, "k")
				if text.Value != value {
					t.Fatalf("%q is read as %q, want %q", doc, text.Value, value)
				}
				for i := range want {
					if got := lineCol(text.At(i)); got != want[i] {
						t.Fatalf("rune %d of %q stands at %s, want %s in\n%s", i, value, got, want[i], doc)
					}
				}
			})
		})
	}
}

// end is the place after a text, worked out the slow way.
func end(text string) string {
	before := text[strings.LastIndex(text, "\n")+1:]
	return lineCol(source.Pos{Line: 1 + strings.Count(text, "\n"), Column: 1 + utf8.RuneCountInString(before)})
}
