package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

// Each of these ended the process, or kept it busy for minutes, when it was parsed without a
// bound.
func TestHostileFilesAreRefused(t *testing.T) {
	const many = 1_000_000
	long := strings.Repeat
	for _, tt := range []struct{ name, text, want string }{
		{"a dotted key of a million parts", long("a.", many) + "a = 1", "1:32: a key has more than 16 parts"},
		{"with blanks", long("a . ", 100) + "a = 1", "1:63: a key has more than 16 parts"},
		{"of quoted parts", long(`"a".'b'.`, 100) + "a = 1", "1:64: a key has more than 16 parts"},
		{"behind a line", "b = 1\n" + long("a.", many) + "a = 1", "2:32: a key has more than 16 parts"},
		{"in a header", "[" + long("a.", many) + "a]", "1:33: a key has more than 16 parts"},
		{"in a header of an array", "\n[[" + long("a.", many) + "a]]", "2:34: a key has more than 16 parts"},
		{"in an inline table", "b = { " + long("a.", many) + "a = 1 }", "1:38: a key has more than 16 parts"},
		{"in a second line of an inline table", "b = { c = 1,\n" + long("a.", many) + "a = 1 }", "2:32: a key has more than 16 parts"},
		{"a million brackets", "a = " + long("[", many), "1:21: brackets stand more than 16 deep"},
		{"a million brackets at the start of a line", long("[", many), "1:3: expected"},
		{"a million braces", long("a={", many), "1:51: brackets stand more than 16 deep"},
		{"brackets and braces", "a = " + long("[{a=", many), "brackets stand more than 16 deep"},
		{"behind a text that looks like a comment", "b = '#'\na = " + long("[", many), "2:21: brackets"},
		{"behind a long text", "b = \"\"\"\n\\\"\"\" [\n\"\"\"\"\"\na = " + long("[", many), "4:21: brackets"},
		{"a long key", long("k", many) + " = 1", "1:1: a key is longer than 256 bytes"},
		{"a long quoted key", `"` + long("k", many) + `" = 1`, "1:1: a key is longer than 256 bytes"},
		{"a long header", "[" + long("k", many) + "]", "a key is longer than 256 bytes"},
		{"a long inline key", "a = [1, {" + long("k", 300) + "=1}]", "1:10: a key is longer than 256 bytes"},
		{"many items", "a = [" + long("1,", many) + "]", "1:500005: the file holds more than 250000 keys"},
		{"many keys", long("a = 1\n", many), "the file holds more than 250000 keys"},
		{"many headers", long("[[a]]\n", many), "the file holds more than 250000 keys"},
		{"many keys below a long one", "[" + long("k", 250) + "]\na = [{" + long("b", 200) + " = [" + long("1,", 249_000) + "]}]", "the keys of the file are too long"},
		{"a large file", long("# nothing\n", many), "1:1: the file is larger than 8388608 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			_, err := Parse("f.toml", []byte(tt.text))
			var list policy.Mistakes
			if !errors.As(err, &list) || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "f.toml:") {
				t.Errorf("the error is %.300v, want %s", err, tt.want)
			}
			if took := time.Since(begin); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// A document is written with known depths, and must be refused exactly when one is beyond.
func TestBoundsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := docWriter{t: t}
		for range rapid.IntRange(1, 5).Draw(t, "lines") {
			w.line()
		}
		text := w.b.String()
		_, err := Parse("f.toml", []byte(text))
		beyond := w.depth > MaxDepth || w.parts > MaxParts
		if beyond != (err != nil) {
			t.Fatalf("depth %d, parts %d, and the error is %v in\n%s", w.depth, w.parts, err, text)
		}
		if err != nil && !strings.Contains(err.Error(), "more than 16") {
			t.Fatalf("the error is %v in\n%s", err, text)
		}
	})
}

// docWriter writes sound TOML whose depths lie around the bounds.
type docWriter struct {
	t            *rapid.T
	b            strings.Builder
	n            int // keys so far, which are all different
	depth, parts int
}

func (w *docWriter) draw(name string, from, to int) int {
	return rapid.IntRange(from, to).Draw(w.t, name)
}

func (w *docWriter) key() string {
	parts := w.draw("parts", 1, 3)
	if w.draw("deep", 0, 20) == 0 {
		parts = w.draw("many parts", MaxParts-1, MaxParts+1)
	}
	w.parts = max(w.parts, parts)
	all := make([]string, parts)
	for i := range all {
		w.n++
		all[i] = fmt.Sprintf([]string{"k%d", `"k.%d]"`, "'k[#%d'", "k-%d", `"\"=%d"`}[w.draw("quotes", 0, 4)], w.n)
	}
	return strings.Join(all, []string{".", " . ", "\t."}[w.draw("dot", 0, 2)])
}

func (w *docWriter) line() {
	switch w.draw("line", 0, 5) {
	case 0:
		fmt.Fprintf(&w.b, "[%s] # [[[ a.b.c\n", w.key())
	case 1:
		fmt.Fprintf(&w.b, "[[ %s ]]\n", w.key())
	case 2:
		w.b.WriteString("# [[[[[[[[[[[[[[[[[[[[[[[[[[ a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1\n\n")
	default:
		fmt.Fprintf(&w.b, "%s = ", w.key())
		w.value(0, w.draw("depth", 0, 3))
		w.b.WriteString("\n")
	}
}

func (w *docWriter) value(depth, more int) {
	w.depth = max(w.depth, depth)
	if more > 0 && w.draw("deep value", 0, 12) == 0 {
		more = w.draw("to", MaxDepth-1, MaxDepth+1) - depth
	}
	switch {
	case more <= 0:
		w.b.WriteString([]string{"1", "-2.5", "1e3", "true", `"[[[[ \" = a.b.c #"`, `'[{\'`, "\"\"\"[\n\\\"\"\"[{ ''' \"\"\"\"", "'''\n[[\"\"\" ''''", "2026-01-02T03:04:05.5Z", "[]", "{}"}[w.draw("plain", 0, 8)])
	case w.draw("kind", 0, 1) == 0:
		w.b.WriteString("[ # ]\n")
		for range w.draw("items", 1, 2) {
			w.value(depth+1, more-1)
			w.b.WriteString(",\n")
		}
		w.b.WriteString("]")
	default:
		w.b.WriteString("{ ")
		fmt.Fprintf(&w.b, "%s = ", w.key())
		w.value(depth+1, more-1)
		if w.draw("two", 0, 2) == 0 {
			fmt.Fprintf(&w.b, ", %s = 1", w.key())
		}
		w.b.WriteString(" }")
	}
}

// endless is a file that never ends, as a device is.
type endless struct{ fstest.MapFS }

type endlessFile struct{ fs.File }

func (endlessFile) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func (e endless) Open(name string) (fs.File, error) {
	f, err := e.MapFS.Open(name)
	return endlessFile{f}, err
}

func TestAnEndlessFileIsReadOnlyUpToTheBound(t *testing.T) {
	data, err := ReadFile(endless{fstest.MapFS{"f.toml": {}}}, "f.toml")
	if err != nil || len(data) != MaxSize+1 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if _, err := Parse("f.toml", data); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("the error is %v", err)
	}
	if _, err := ReadFile(fstest.MapFS{}, "f.toml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
	if _, err := readOpened(io.NopCloser(strings.NewReader("a = 1")), nil); err != nil {
		t.Errorf("the error is %v", err)
	}
}

func TestTooManyMistakesAreLeftOut(t *testing.T) {
	var l List
	for i := range 10 * mostMistakes {
		l.Add(Pos{File: "f.toml", Line: i + 1}, "it is wrong")
	}
	if len(l.Mistakes) != mostMistakes+1 || !strings.Contains(l.Mistakes[mostMistakes].Msg, "the rest is left out") {
		t.Errorf("%d mistakes are kept", len(l.Mistakes))
	}
}
