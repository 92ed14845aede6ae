package source_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// Each reader says what it wanted, at the value.
func TestReadersRefuseWhatTheyCannotUse(t *testing.T) {
	type errs = source.List
	text := func(t source.Table, l *errs) any { return t.String(l, "k") }
	flag := func(t source.Table, l *errs) any { return t.Bool(l, "k") }
	count := func(t source.Table, l *errs) any { return t.Count(l, "k", 1) }
	number := func(t source.Table, l *errs) any { return t.Number(l, "k", 0, 1, 0.5) }
	duration := func(t source.Table, l *errs) any { return t.Duration(l, "k") }
	durations := func(t source.Table, l *errs) any { return fmt.Sprint(t.Durations(l, "k")) }
	table := func(t source.Table, l *errs) any { _, ok := t.Table(l, "k"); return ok }
	tables := func(t source.Table, l *errs) any { return len(t.Tables(l, "k")) }
	word := func(t source.Table, l *errs) any { t.Word(l, "k", &even{}); return nil }
	tests := []struct {
		name string
		read func(source.Table, *errs) any
		doc  string
		got  any
		said string
	}{
		{"a string", text, `k = "x"`, "x", ""},
		{"a string, absent", text, ``, "", ""},
		{"a number for a string", text, `k = 1.5`, "", "f.toml:1:5: k is a number; it must be a string"},
		{"a table for a string", text, "[k]\na = 1", "", "f.toml:1:2: k is a table; it must be a string"},
		{"a date for a string", text, `k = 2026-01-02`, "", "f.toml:1:5: k is a date or a time; it must be a string"},
		{"a boolean", flag, `k = true`, true, ""},
		{"a string for a boolean", flag, `k = "yes"`, false, "f.toml:1:5: k is a string; it must be true or false"},
		{"a count", count, `k = 3`, 3, ""},
		{"too small a count", count, `k = 0`, 0, "f.toml:1:5: k is 0; it must be at least 1"},
		{"a fraction for a count", count, `k = 1.5`, 0, "f.toml:1:5: k is a number; it must be a whole number"},
		{"a number", number, `k = 0.25`, 0.25, ""},
		{"a whole number will do", number, `k = 1`, 1.0, ""},
		{"an absent number", number, ``, 0.5, ""},
		{"too large a number", number, `k = 1.01`, 0.5, "f.toml:1:5: k is 1.01; it must lie between 0 and 1"},
		{"no number at all", number, `k = nan`, 0.5, "f.toml:1:5: k is NaN; it must lie between 0 and 1"},
		{"a string for a number", number, `k = "1"`, 0.5, "f.toml:1:5: k is a string; it must be a number"},
		{"a duration", duration, `k = "90s"`, 90 * time.Second, ""},
		{"no duration", duration, `k = "3 hours"`, time.Duration(0), `f.toml:1:5: k: "3 hours" is no duration (write "90s", "15m", "24h")`},
		{"an empty duration", duration, `k = "0s"`, time.Duration(0), `f.toml:1:5: k: "0s" must be longer than nothing`},
		{"time runs forwards", duration, `k = "-5s"`, time.Duration(0), `f.toml:1:5: k: "-5s" must be longer than nothing`},
		{"a number for a duration", duration, `k = 90`, time.Duration(0), `f.toml:1:5: k is an integer; it must be a duration such as "90s" or "24h"`},
		{"durations", durations, `k = ["1s", "1m"]`, "[1s 1m0s]", ""},
		{"one of them is wrong", durations, "k = [\"1s\",\n \"x\"]", "[1s]", `f.toml:2:2: k: "x" is no duration (write "90s", "15m", "24h")`},
		{"one stands for an array of one", durations, `k = "1s"`, "[1s]", ""},
		{"a number for an array", durations, `k = 1`, "[]", "f.toml:1:5: k is an integer; it must be an array of strings"},
		{"tables for an array of strings", durations, "[[k]]", "[]", "f.toml:1:3: k is an array; it must be an array of strings"},
		{"a table", table, "[k]\na = 1", true, ""},
		{"an array for a table", table, `k = []`, false, "f.toml:1:5: k is an array; it must be a table"},
		{"an array of tables", tables, "[[k]]\n[[k]]", 2, ""},
		{"written in a line", tables, "k = [{}, {}, {}]", 3, ""},
		{"a table for an array of them", tables, "[k]\na = 1", 0, "f.toml:1:2: k is a table; it must be an array of tables"},
		{"a word", word, `k = "even"`, nil, ""},
		{"a wrong word", word, `k = "odd"`, nil, `f.toml:1:5: "odd" is odd`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var said errs
			if got := tt.read(open(t, tt.doc), &said); got != tt.got {
				t.Errorf("read %v, want %v", got, tt.got)
			}
			if said.Mistakes.Error() != tt.said {
				t.Errorf("said %q\nwant %q", said.Mistakes, tt.said)
			}
		})
	}
}

func TestUnknownKeysAreRefusedWithASuggestion(t *testing.T) {
	root := open(t, "schedule = 1\nwehn = 2\nthan = 3\nfrobnicate = 4\n[[rule]]\nid = \"a\"\nscedule = 5\n")
	var errs source.List
	root.Has("frobnicate") // asking is not reading
	for _, key := range []string{"when", "then", "schedule", "rule"} {
		if key == "rule" {
			for _, rule := range root.Tables(&errs, key) {
				rule.String(&errs, "id")
				rule.String(&errs, "schedule")
				rule.Done(&errs)
			}
			continue
		}
		root.Count(&errs, key, 0)
	}
	root.Done(&errs)
	refused := errs.Err()
	want := `f.toml:2:1: unknown key "wehn"; did you mean "when"?
f.toml:3:1: unknown key "than"; did you mean "then"?
f.toml:4:1: unknown key "frobnicate" (there are: rule, schedule, then, when)
f.toml:7:1: unknown key "scedule"; did you mean "schedule"?`
	if refused == nil || refused.Error() != want {
		t.Errorf("refused is\n%v\nwant\n%s", refused, want)
	}
}

func TestSuggest(t *testing.T) {
	many := make([]string, 41)
	for i := range many {
		many[i] = fmt.Sprintf("a-long-word-%02d", i)
	}
	tests := []struct {
		name, got string
		known     []string
		want      string
	}{
		{"one letter off", "stauts_x", []string{"status_x", "code"}, `; did you mean "status_x"?`},
		{"the nearest of several", "efects", []string{"effects", "effect"}, `; did you mean "effects"?`},
		{"none near: all of them, sorted", "xxxxxxxx", []string{"b", "a"}, " (there are: a, b)"},
		{"nothing is known", "x", nil, ""},
		{"too many to list", "x", many, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := source.Suggest(tt.got, tt.known); got != tt.want {
				t.Errorf("Suggest(%q) = %q, want %q", tt.got, got, tt.want)
			}
		})
	}
}

func TestSyntaxErrorsHaveTheirPlaces(t *testing.T) {
	tests := []struct{ name, doc, want string }{
		{"two equals signs", "a = 1\nb = = 2\n", "f.toml:2:5: "},
		{"a string without its end", "# é\né = \"x", "f.toml:2:1: "},
		{"a line break in a string, after a wide rune", "b = \"é\nc\"\n", "f.toml:1:7: "},
		{"a key said twice", "a = 1\n  a = 2\n", "f.toml:2:3: "},
		{"a table said twice", "[a]\nb = 1\n[a]\n", "f.toml:3:2: "},
		{"a number too large", "a = 99999999999999999999", "f.toml:1:5: "},
		{"an escape that is none", "a = \"x\\qy\"", "f.toml:1:6: "},
		{"bytes that are no text", "a = 1\nb = '\xff'", "f.toml:2:"},
		{"an array without its end", "a = [1, 2\n\n", "f.toml:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := source.Parse("f.toml", []byte(tt.doc))
			var list policy.Mistakes
			if !errors.As(err, &list) || len(list) != 1 {
				t.Fatalf("the error is %T (%v), want policy.Mistakes of one", err, err)
			}
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("the error is %q, want it at %s", err, tt.want)
			}
		})
	}
}

func TestWarningsRefuseNothing(t *testing.T) {
	var l source.List
	l.Warn(source.Pos{File: "a.toml", Line: 1}, "mind %d", 1)
	if err := l.Err(); err != nil || l.Warnings.Error() != "a.toml:1: mind 1" {
		t.Errorf("a warning is the error %v; the warnings are %v", err, l.Warnings)
	}
	l.Add(source.Pos{File: "b.toml", Line: 1, Column: 1}, "second")
	l.Add(source.Pos{File: "a.toml", Line: 9, Column: 4}, "first")
	if want := "a.toml:9:4: first\nb.toml:1:1: second"; l.Err().Error() != want {
		t.Errorf("the error is\n%v\nwant\n%s", l.Err(), want)
	}
}

func TestJoin(t *testing.T) {
	inner := policy.Mistakes{{Position: source.Pos{File: "in.toml", Line: 2, Column: 3}, Msg: "x"}}
	var l source.List
	l.Join("f.toml", nil)
	l.Join("f.toml", errors.New("no such file"))
	l.Join("f.toml", fmt.Errorf("reading: %w", inner))
	if want := "f.toml: no such file\nin.toml:2:3: x"; l.Mistakes.Error() != want {
		t.Errorf("joined are\n%s\nwant\n%s", l.Mistakes, want)
	}
}
