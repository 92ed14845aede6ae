package ruletest_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/recourse-pay/recourse/internal/ruletest"
)

// A name cannot break the lines of TAP, add a directive, or speak to the terminal; neither can what came out.
func TestTAPHoldsAnyText(t *testing.T) {
	name := "paid # SKIP \\ \n not ok 2\r\x1b[2J\u2028\u202e \U0001f600 é"
	file := ruletest.File{Name: "a # TODO\n.test.toml", Data: []byte("[[decision]]\nname = " + `"paid # SKIP \\ \n not ok 2\r\u001b[2J\u2028\u202e \U0001f600 é"` + `
given  = { provider = "momo", operation = "pay", answer = "0" }
expect = { reason = "a\nbc\u001b[1m\r" }
`)}
	suites, err := ruletest.Read(defaults(t), []ruletest.File{file})
	if err != nil {
		t.Fatal(err)
	}
	if got := suites[0].Cases[0].Name; got != name {
		t.Fatalf("the name is %q", got)
	}
	var out strings.Builder
	ruletest.NewReport(defaults(t), []ruletest.Result{suites[0].Cases[0].Run(defaults(t))}, 0).WriteTAP(&out)
	lines := strings.Split(out.String(), "\n")
	want := `not ok 1 - a \# TODO\\n.test.toml:1 paid \# SKIP \\ \\n not ok 2\\r\\x1b[2J\\u2028\\u202e ` + "\U0001f600 é"
	if lines[0] != "TAP version 14" || lines[1] != "1..1" || lines[2] != want {
		t.Errorf("got\n%q\nwant\n%q", lines[:3], want)
	}
	for _, l := range lines[3:] {
		if l != "" && !strings.HasPrefix(l, "  # ") || strings.ContainsFunc(l, func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' }) {
			t.Errorf("%q is no comment", l)
		}
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain é": "plain é", "a\tb": `a\tb`, "\xff": `\xff`, "\ufffd": "\ufffd", "\x00": `\x00`, "\u0085": `\u0085`, "'": "'",
	} {
		if got := ruletest.OneLine(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
