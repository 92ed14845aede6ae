package ruletest

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/source"
)

// Explain writes why a test failed. First come the failures with their places in the test
// file, then for a story what happened, then the rules that were tried, in the form of
// `recourse explain`.
func (r *Result) Explain(w io.Writer, e *ruleset.Engine) {
	for i := range r.Failures {
		f := &r.Failures[i]
		fmt.Fprintf(w, "%s: %s\n", f.Pos, f)
		writeCaret(w, r.Case.suite.doc, f)
		if f.What == "rule" || f.What == "action" {
			r.writeMissed(w, e, f)
		}
	}
	if r.Case.story != nil {
		fmt.Fprintln(w, "\nwhat happened")
		for _, l := range r.Case.story.run(e, true).lines {
			fmt.Fprintf(w, "  %-10s %s\n", "+"+short(l.after), l.text)
		}
	}
	if r.advice == nil {
		return
	}
	fmt.Fprintln(w)
	t := e.Explain(&r.advice.Situation)
	left := r.cut(&t)
	advice.WriteBrief(w, e, r.advice, &t, r.names)
	if left > 0 {
		fmt.Fprintf(w, "%d more rules were not tried\n", left)
	}
}

// String says what was expected and what came out.
func (f *Failure) String() string {
	switch f.What {
	case "script", "given":
		return f.Got
	case "never":
		return fmt.Sprintf("expected %s, got %s", f.Want, f.Got)
	case "expect":
		return fmt.Sprintf("expected %s, got %s", f.Want, f.Got)
	case "interlock":
		if f.Want == none {
			return fmt.Sprintf("the interlock had to correct the rules (%s); rules should be safe by themselves (or write interlock = %q)", f.Got, f.Got)
		}
	}
	return fmt.Sprintf("expected %s %s, got %s", f.What, f.Want, f.Got)
}

// writeCaret shows the line of the test file and marks the place.
func writeCaret(w io.Writer, doc *source.Doc, f *Failure) {
	text := doc.Line(f.Pos.Line)
	if text == "" || f.Pos.Column < 1 {
		return
	}
	before := []rune(text)[:min(f.Pos.Column-1, len([]rune(text)))]
	for i, r := range before {
		if r != '\t' {
			before[i] = ' '
		}
	}
	number := strconv.Itoa(f.Pos.Line)
	fmt.Fprintf(w, "  %s | %s\n  %s | %s%s\n", number, text, strings.Repeat(" ", len(number)), string(before), strings.Repeat("^", caretWidth(doc, f)))
}

func caretWidth(doc *source.Doc, f *Failure) int {
	if from, to, ok := f.value.Range(); ok && f.value.Pos() == f.Pos {
		marked := string(doc.Data()[from:to])
		if !strings.Contains(marked, "\n") {
			return max(1, len([]rune(marked)))
		}
	}
	return 1
}

// writeMissed writes why the expected rule did not decide.
func (r *Result) writeMissed(w io.Writer, e *ruleset.Engine, f *Failure) {
	if r.advice == nil || f.What != "rule" {
		return
	}
	t := e.Explain(&r.advice.Situation)
	for i := range t.Rules {
		c := &t.Rules[i]
		if c.ID != f.Want {
			continue
		}
		if c.Held {
			fmt.Fprintf(w, "  %s (%s) holds, but comes after %s\n", c.ID, c.Source, f.Got)
			return
		}
		fmt.Fprintf(w, "  %s (%s) does not hold: %s is false\n", c.ID, c.Source, strings.Join(advice.Blame(&c.Condition), " is false, "))
		return
	}
}

// cut removes the last rules of a trace: those after the one that decided and after those that
// the test names. It returns how many it removed.
func (r *Result) cut(t *ruleset.Trace) int {
	last := -1
	for i := range t.Rules {
		if t.Rules[i].Decided || r.names(t.Rules[i].ID) {
			last = i
		}
	}
	if last < 0 {
		return 0
	}
	left := len(t.Rules) - last - 1
	t.Rules = t.Rules[:last+1]
	return left
}

func (r *Result) names(id string) bool {
	for i := range r.Case.expected {
		if x := &r.Case.expected[i]; x.key == "rule" && x.want == id {
			return true
		}
	}
	return false
}

// quote writes a text as TOML. A byte that is no text becomes the replacement character.
func quote(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if strings.ContainsAny(s, "\"\\") && !strings.ContainsFunc(s, func(r rune) bool { return r == '\'' || unicode.IsControl(r) }) {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteAll(list []string) string { return "[" + strings.Join(quotedAll(list), ", ") + "]" }

func quotedAll(list []string) []string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return quoted
}
