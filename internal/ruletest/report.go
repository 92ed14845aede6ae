package ruletest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// reportVersion is that of the report's JSON form, described in docs/test.md.
const reportVersion = 2

// Report is the result of a run of tests, for programs.
type Report struct {
	Version int        `json:"version"` // 2
	Passed  int        `json:"passed"`
	Failed  int        `json:"failed"`
	Took    int64      `json:"took_ms"`
	Tests   []TestLine `json:"tests"`

	Coverage  *Coverage  `json:"coverage,omitempty"`
	Mutations *Mutations `json:"mutations,omitempty"`
}

// TestLine is one test of a report.
type TestLine struct {
	Name     string        `json:"name"`
	Kind     Kind          `json:"kind"`
	File     string        `json:"file"`
	Line     int           `json:"line"`
	Passed   bool          `json:"passed"`
	Failures []FailureLine `json:"failures,omitempty"`

	// Explained is the decision of a failed test, as `recourse explain --json` prints it.
	Explained *advice.Explained `json:"explained,omitempty"`
	text      string
}

// FailureLine is one expectation that was not met.
type FailureLine struct {
	What   string `json:"what"`
	Want   string `json:"want,omitempty"`
	Got    string `json:"got"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// NewReport returns the report of results.
func NewReport(e *ruleset.Engine, results []Result, took time.Duration) *Report {
	rep := &Report{Version: reportVersion, Took: took.Milliseconds(), Tests: []TestLine{}}
	for i := range results {
		r := &results[i]
		l := TestLine{Name: r.Case.Name, Kind: r.Case.Kind, File: r.Case.File, Line: r.Case.Line, Passed: r.Passed()}
		if l.Passed {
			rep.Passed++
		} else {
			rep.Failed++
			l.explain(e, r)
		}
		rep.Tests = append(rep.Tests, l)
	}
	return rep
}

func (l *TestLine) explain(e *ruleset.Engine, r *Result) {
	for i := range r.Failures {
		f := &r.Failures[i]
		l.Failures = append(l.Failures, FailureLine{f.What, f.Want, f.Got, f.Pos.File, f.Pos.Line, f.Pos.Column})
	}
	if r.advice != nil {
		t := e.Explain(&r.advice.Situation)
		x := advice.Explain(r.advice, &t)
		l.Explained = &x
	}
	var text strings.Builder
	r.Explain(&text, e)
	l.text = text.String()
}

// WriteTAP writes the report in the Test Anything Protocol, version 14. A text within it cannot end its line or begin a directive.
func (rep *Report) WriteTAP(w io.Writer) {
	fmt.Fprintf(w, "TAP version 14\n1..%d\n", len(rep.Tests))
	escape := strings.NewReplacer("\\", "\\\\", "#", "\\#").Replace
	for i := range rep.Tests {
		l := &rep.Tests[i]
		verdict := "ok"
		if !l.Passed {
			verdict = "not ok"
		}
		fmt.Fprintf(w, "%s %d - %s:%d %s\n", verdict, i+1, escape(OneLine(l.File)), l.Line, escape(OneLine(l.Name)))
		for text := range strings.Lines(l.text) {
			fmt.Fprintf(w, "  # %s\n", OneLine(strings.TrimRight(text, "\n")))
		}
	}
}

// OneLine returns a text in which every character that does not print, such as a line break or the escape character of a terminal, is
// written as in Go: \n, \x1b.
func OneLine(text string) string {
	if !strings.ContainsFunc(text, unseen) && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unseen(r):
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unseen(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report in JUnit's XML, a suite a file.
func (rep *Report) WriteJUnit(w io.Writer) error {
	all := junitSuites{Tests: len(rep.Tests), Failures: rep.Failed, Time: fmt.Sprintf("%.3f", float64(rep.Took)/1000)}
	for i := range rep.Tests {
		l := &rep.Tests[i]
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != l.File {
			all.Suites = append(all.Suites, junitSuite{Name: l.File})
		}
		s := &all.Suites[len(all.Suites)-1]
		s.Tests++
		c := junitCase{Name: l.Name, Class: l.File, File: l.File, Line: l.Line}
		if !l.Passed {
			s.Failures++
			c.Failure = &junitFailure{Text: l.text}
			if len(l.Failures) > 0 {
				f := &l.Failures[0]
				c.Failure.Message = fmt.Sprintf("%s: wanted %s, got %s", f.What, f.Want, f.Got)
			}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
