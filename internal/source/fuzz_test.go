package source

import (
	"errors"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/policy"
)

// Values come from one library and places from another. Whatever both read, they
// must agree about: a key or a string without a place would be reported at a wrong
// one.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a = 1\nb = \"x\"\nc = [1, 'y', {d = 2, e.f = true}]\n\"q k\" = 1.5\n'l k' = 2026-01-02\nm = [[1], [2]]\n",
		"[[r]]\nid = 1\n[r.s]\nx = 1\n[[r.u]]\nz = 1\n[[r.u]]\nz = 2\n[[r]]\nid = 2\n[[r.u]]\nz = 3\n",
		"a = \"\"\"\r\nx\\\r\n\\u00e9y\"\"\"\r\nb = '''\nfoo\n'bar''''\n",
		"a = { b = 1,\n  c = \"\\e\\x41\",\n}\nt = 10:20\nd = 2026-01-02 03:04\n",
		"a = 0x1_0\nb = inf\nc = 1e5\n[a.b]\n[\"é\".'漢']\n", "a = = 1", "a = \"\\ud800\"", "[a\n", "\"\" = {x = 1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse("f.toml", data)
		var list policy.Mistakes
		switch {
		case err == nil:
			walk(t, d, "", d.root)
			agreed(t, d)
		case !errors.As(err, &list):
			t.Fatalf("the error is %T (%v), want policy.Mistakes", err, err)
		case len(list) == 0 || list[0].File != "f.toml" || list[0].Msg == "":
			t.Fatalf("the error says nothing: %q", err)
		}
	})
}

// walk asks for the place of everything in a value.
func walk(t *testing.T, d *Doc, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			at := join(path, key)
			if _, ok := d.keys[at]; !ok {
				t.Fatalf("the key %q has no place in\n%s", at, d.data)
			}
			walk(t, d, at, item)
		}
	case []map[string]any:
		for i, item := range v {
			walk(t, d, join(path, strconv.Itoa(i)), item)
		}
	case []any:
		if at := d.vals[path]; d.data[at.from] != '[' || d.data[at.to-1] != ']' {
			t.Fatalf("the array at %q is taken to be %q in\n%s", path, d.data[at.from:at.to], d.data)
		}
		for i, item := range v {
			walk(t, d, join(path, strconv.Itoa(i)), item)
		}
	case string:
		at, ok := d.vals[path]
		if !ok {
			t.Fatalf("the string at %q has no place in\n%s", path, d.data)
		}
		text := Text{Value: v, doc: d, span: at}
		for i := -1; i < utf8.RuneCountInString(v)+2; i++ {
			if p := text.At(i); p.Line < 1 || p.Column < 1 {
				t.Fatalf("rune %d of %q stands at %v in\n%s", i, v, p, d.data)
			}
		}
	}
}
