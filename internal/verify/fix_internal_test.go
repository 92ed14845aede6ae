package verify

import (
	"strings"
	"testing"

	src "github.com/recourse-pay/recourse/internal/source"
)

// A proposal is the whole new condition: it binds to all of the old one, and says nothing twice.
func TestNarrowed(t *testing.T) {
	doubt := []string{"!in_doubt"}
	both := []string{`effect == "not_executed"`, "!in_doubt"}
	for name, tt := range map[string]struct {
		when  string
		parts []string
		want  string // empty: nothing to add
	}{
		"a comparison":           {`code == "1"`, doubt, `code == "1" && !in_doubt`},
		"a choice":               {`code == "1" || code == "2"`, doubt, `(code == "1" || code == "2") && !in_doubt`},
		"a choice, in words":     {`code == "1" or code == "2"`, doubt, `(code == "1" or code == "2") && !in_doubt`},
		"a choice, in brackets":  {`(code == "1" || code == "2")`, doubt, `(code == "1" || code == "2") && !in_doubt`},
		"two pairs of brackets":  {`(code == "1") || (code == "2")`, doubt, `((code == "1") || (code == "2")) && !in_doubt`},
		"a bracket in a text":    {`(code == ")" || code == "2") || code == "("`, doubt, `((code == ")" || code == "2") || code == "(") && !in_doubt`},
		"a choice in a sum":      {`code == "1" && (attempt > 1 || in_doubt)`, doubt, `code == "1" && (attempt > 1 || in_doubt) && !in_doubt`},
		"not":                    {`!replay`, doubt, `!replay && !in_doubt`},
		"not, of a choice":       {`!(replay || in_doubt)`, doubt, `!(replay || in_doubt) && !in_doubt`},
		"if, then, else":         {`replay ? in_doubt : attempt > 1`, doubt, `(replay ? in_doubt : attempt > 1) && !in_doubt`},
		"asked already":          {`!in_doubt && code == "1"`, doubt, ""},
		"asked already, in word": {`not in_doubt && code == "1"`, doubt, ""},
		"one of two is asked":    {`code == "1" && !in_doubt`, both, `code == "1" && !in_doubt && effect == "not_executed"`},
		"several lines":          {"code == \"1\"\n|| code == \"2\"\n", doubt, "(code == \"1\"\n|| code == \"2\") && !in_doubt"},
		"a comment at the end":   {"code == \"1\" // paid\n", doubt, "(code == \"1\" // paid\n) && !in_doubt"},
		"always":                 {`true`, doubt, `true && !in_doubt`},
		"a text in quotes":       {`code in ['1', "2"]`, doubt, `code in ['1', "2"] && !in_doubt`},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := narrowed(tt.when, tt.parts)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// What is printed can be pasted: it is read as the condition.
func TestQuotedIsTOML(t *testing.T) {
	for _, text := range []string{
		`a == "b"`, `a == 'b'`, `a == 'b' && c == "d"`, "a\n|| b", "a\n|| b == 'c'", "a\r\n|| b", "'''\n", `matches "\\d"`, "a\tb", "é == \"漢\"", "x\x01\u0085\"", "",
	} {
		doc, err := src.Parse("f.toml", []byte("when = "+tomlString(text)+"\n"))
		if err != nil {
			t.Errorf("%q is written %s: %v", text, tomlString(text), err)
			continue
		}
		if v, _ := doc.Root().Value("when"); v.Any() != any(text) {
			t.Errorf("%q is written %s and read as %q", text, tomlString(text), v.Any())
		}
		if strings.Count(tomlString(text), "\n") > 0 && !strings.Contains(text, "\n") {
			t.Errorf("%q has more lines: %s", text, tomlString(text))
		}
	}
}
