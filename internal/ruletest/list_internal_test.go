package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/source"
)

// rewritten updates an array to the named items, and returns its text and its items as they are read again.
func rewritten(t interface {
	Fatalf(format string, args ...any)
}, array string, want []string) (text string, items []string) {
	read := func(array string) (source.Value, []string) {
		doc, err := source.Parse("f.toml", []byte("k = "+array+" # after it\nj = 1\n"))
		if err != nil {
			t.Fatalf("%v\n%s", err, array)
		}
		v, _ := doc.Root().Value("k")
		all, _ := v.Items()
		texts := []string{}
		for _, x := range all {
			s, _ := x.Scalar()
			texts = append(texts, s)
		}
		return v, texts
	}
	v, old := read(array)
	from, _, _ := v.Range()
	values, _ := v.Items()
	l := list{quotedAll(want), func(k, i int) bool { return old[k] == want[i] }}
	text, ok := l.rewrite(array, from, values)
	if !ok {
		t.Fatalf("not rewritten: %s", array)
	}
	_, items = read(text)
	return text, items
}

func TestListsKeepCommentsAndLayout(t *testing.T) {
	for name, tt := range map[string]struct{ old, want, items string }{
		"one line":                     {`["a", "b"]`, `["a", "c", "b"]`, "a c b"},
		"one is replaced":              {`[ "a" , 'b', "c" ]`, `[ "a" , "x", "c" ]`, "a x c"},
		"the first goes":               {`["a", "b", "c"]`, `["b", "c"]`, "b c"},
		"the last goes":                {`["a", "b"]`, `["a"]`, "a"},
		"a comma after the last":       {`["a", "b", ]`, `["a", "b", "c", ]`, "a b c"},
		"into an empty one":            {`[ ]`, `["a" ]`, "a"},
		"into one with a comment only": {"[ # none\n]", "[\"a\" # none\n]", "a"},
		"the end is paired with the end": {
			"[\n  \"a\",   # first\n  \"z\",   # never\n]", "[\n  \"a\",   # first\n  \"b\",\n  \"c\",   # never\n]", "a b c",
		},
		"more at the end": {
			"[\n\t# why\n\t\"a\",   # first\n]", "[\n\t# why\n\t\"a\",   # first\n\t\"b\",\n\t\"c\",\n]", "a b c",
		},
		"more at the end, without a comma there": {
			"[\r\n  \"a\" # first\r\n]", "[\r\n  \"a\", # first\r\n  \"b\"\r\n]", "a b",
		},
		"the bracket beside the last":  {"[\n  \"a\"]", "[\n  \"a\",\n  \"b\"]", "a b"},
		"a line goes, its comment not": {"[\n  \"a\", # one\n  \"b\",\n  \"c\", # three\n]", "[\n  \"a\", # one\n   # three\n]", "a"},
		"a comma on its own line":      {"[\n  \"a\"\n  , # of a\n  \"b\"\n]", "[\n  \"a\"\n  , # of a\n  \"x\",\n  \"b\"\n]", "a x b"},
	} {
		t.Run(name, func(t *testing.T) {
			want := strings.Fields(tt.items)
			got, items := rewritten(t, tt.old, want)
			if got != tt.want || !slices.Equal(items, want) {
				t.Errorf("written\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

// Whatever stands between the items, an update writes the new ones, and keeps each comment in its order.
func TestListsKeepEveryComment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		gap := func(name string) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{" ", "\t", "\n", "\r\n", "# é, \"x\" ]\n", "# 'y' [\r\n"}), 0, 3).Draw(t, name), "")
		}
		old := rapid.SliceOfN(item, 0, 6).Draw(t, "old")
		var b strings.Builder
		b.WriteString("[" + gap("first"))
		for i, x := range old {
			b.WriteString(fmt.Sprintf("%q", x) + gap("before the comma"))
			if i < len(old)-1 || rapid.Bool().Draw(t, "a comma after the last") {
				b.WriteString("," + gap("after the comma"))
			}
		}
		b.WriteString("]")
		want := rapid.SliceOfN(item, 1, 6).Draw(t, "want")
		got, items := rewritten(t, b.String(), want)
		if !slices.Equal(items, want) || strings.Join(comments(got), "\n") != strings.Join(comments(b.String()), "\n") {
			t.Fatalf("from\n%s\nto %q\nis\n%s", b.String(), want, got)
		}
	})
}

func comments(text string) (all []string) {
	for line := range strings.Lines(text) {
		if _, comment, ok := strings.Cut(line, "#"); ok {
			all = append(all, strings.TrimSpace(comment))
		}
	}
	return all
}

// What is written as TOML is read as it was.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\x00-\x7f"'\\\n]*`)).Draw(t, "text")
		doc, err := source.Parse("f.toml", []byte("k = "+quote(text)+"\n"))
		if err != nil {
			t.Fatalf("%q is written %s: %v", text, quote(text), err)
		}
		v, _ := doc.Root().Value("k")
		if got, _ := v.Scalar(); got != strings.ToValidUTF8(text, "\ufffd") {
			t.Fatalf("%q is written %s and read as %q", text, quote(text), got)
		}
	})
}
