package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the parts of the page
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/simulate"
)

// The parts of the page that `simulate --html` writes. All of it is in the one file: a page opens from a disk, with no network.
var (
	//go:embed page/page.html
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageScript string
	//go:embed page/echarts/echarts.min.js
	chartScript string
	//go:embed page/echarts/NOTICE
	chartNotice string
)

// pageView is what the page's template reads.
type pageView struct {
	Policy   string // what a browser may load and run: the two scripts by their hashes, and nothing from elsewhere
	Style    template.CSS
	Charts   template.JS
	Script   template.JS
	Data     template.JS // JSON, with <, > and & escaped: no text of a recording can end the element that it stands in
	Notice   string
	Rules    string
	Others   string // empty: one rule set
	Files    []string
	From, To string
	Holds    bool
	Facts    []fact // what is odd about the recordings
	Cards    []card
	Sections []section
	Against  bool
	Shown    string
}

// pageData is what the page's script reads. Stories repeat each other: each text and each rule is in it once.
type pageData struct {
	Against  bool              `json:"against"`
	Ways     any               `json:"ways"` // the rest of what charts show, as in the report's details
	Timeline any               `json:"timeline"`
	Spans    any               `json:"spans"`
	Risk     []pageRisk        `json:"risk"`
	Outages  any               `json:"outages"` // their reports; null: there are none
	Flows    []pageFlow        `json:"flows"`
	Numbers  []pageNumber      `json:"numbers"`
	Names    map[string]string `json:"names"` // of numbers, in words
	Texts    []string          `json:"texts"`
	Rules    [][3]string       `json:"rules"` // rule, source, reason
}

// pageFlow is a flow with its stories: of each step the milliseconds since 1970 (0: no time), the place of its text, and that of its rule (-1: none).
type pageFlow struct {
	Listed    any        `json:"flow"`
	Amount    string     `json:"amount"` // as the program writes it, with its currency
	Recorded  [][3]int64 `json:"recorded"`
	Simulated [][3]int64 `json:"simulated"`
	Against   [][3]int64 `json:"against,omitempty"`
}

// pageNumber is a number with the places of the flows that are shown behind it.
type pageNumber struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	Flows []int  `json:"flows"`
}

// interned gives each value a place.
type interned[T comparable] struct {
	all    []T
	places map[T]int64
}

func (i *interned[T]) place(v T) int64 {
	n, known := i.places[v]
	if !known {
		if i.places == nil {
			i.places = map[T]int64{}
		}
		n = int64(len(i.all))
		i.places[v] = n
		i.all = append(i.all, v)
	}
	return n
}

// cutText cuts a text that no reader would read to its end, such as a page that came in place of a message.
func cutText(text string) string {
	const most = 1000 // bytes
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " …"
}

// pageDataOf makes the data of a page: the numbers that lead to flows, and the flows behind them.
func pageDataOf(r *simulate.Report, linked map[string]bool) *pageData {
	flows, numbers := r.Behind()
	var texts interned[string]
	var rules interned[[3]string]
	steps := func(lines []simulate.StoryLine) [][3]int64 {
		all := make([][3]int64, len(lines))
		for i, l := range lines {
			all[i] = [3]int64{0, texts.place(cutText(l.What)), -1}
			if !l.At.IsZero() {
				all[i][0] = l.At.UnixMilli()
			}
			if l.Rule != "" {
				all[i][2] = rules.place([3]string{l.Rule, l.Source, l.Reason})
			}
		}
		return all
	}
	d := &pageData{
		Against: r.Against != nil, Ways: r.Details.Ways, Timeline: r.Details.Timeline, Spans: r.Details.Spans, Risk: risksOf(r), Outages: r.Outages,
		Numbers: []pageNumber{}, Names: kindTitles(r),
	}
	places := map[int]int{} // of the report's flows among those of the page
	for _, n := range numbers {
		if !linked[n.Name] {
			continue
		}
		one := pageNumber{n.Name, n.Count, make([]int, len(n.Flows))}
		for i, k := range n.Flows {
			place, known := places[k]
			if !known {
				f := flows[k]
				place = len(d.Flows)
				places[k] = place
				d.Flows = append(d.Flows, pageFlow{f.Listed(), policy.FormatAmount(f.Amount, f.Currency), steps(f.Steps), steps(f.After), steps(f.Before)})
			}
			one.Flows[i] = place
		}
		d.Numbers = append(d.Numbers, one)
	}
	d.Texts, d.Rules = texts.all, rules.all
	return d
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"seen": seen, "kept": kept}).Parse(pageHTML))

// seen is a text as the page shows it: what turns the letters after it around is written as its number. A name must not pass for
// another, nor reorder the line that it stands in. The script has the same.
func seen(s string) string {
	if !strings.ContainsFunc(s, turns) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if turns(c) {
			fmt.Fprintf(&b, `\u{%x}`, c)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func turns(c rune) bool { return unicode.Is(unicode.Bidi_Control, c) }

// kept is a name in an attribute, without what a browser changes as it reads a page. The script undoes it.
var kept = strings.NewReplacer("%", "%25", "\r", "%0d", "\n", "%0a", "\x00", "%00").Replace

// pageRisk is the money behind an answer, written: a script's numbers are exact up to 2^53 only.
type pageRisk struct {
	Name  string      `json:"name"`
	Money []pageMoney `json:"money"`
}

type pageMoney struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"` // as the chart draws it
	Written  string `json:"written"`
}

func risksOf(r *simulate.Report) []pageRisk {
	all := []pageRisk{}
	for _, c := range r.Details.CodeMoney {
		one := pageRisk{Name: c.Provider + " " + c.Operation + " " + c.Phase + ": " + c.Answer}
		for _, m := range c.Money {
			one.Money = append(one.Money, pageMoney{m.Currency, m.Amount, formatMinor(m.Amount, m.Currency)})
		}
		all = append(all, one)
	}
	return all
}

// pageInput is what a page is made of.
type pageInput struct {
	report        *withRegions
	rules, others string // the folders of the rules
	files         []string
}

// writePage writes the page of a report that was made with simulate.Options.Page.
func writePage(w io.Writer, in *pageInput) error {
	r := in.report.Report
	_, numbers := r.Behind()
	b := tables{r: r, regions: in.report.Regions, behind: map[string]int{}, linked: map[string]bool{}}
	for _, n := range numbers {
		b.behind[n.Name] = n.Count
	}
	facts, cards, sections := b.facts(), b.cards(), b.sections()
	content := pageDataOf(r, b.linked)
	var data bytes.Buffer
	enc := json.NewEncoder(&data) // which escapes <, > and &
	if err := enc.Encode(content); err != nil {
		return err
	}
	v := &pageView{
		Policy: "default-src 'none'; script-src " + hashOf(chartScript) + " " + hashOf(pageScript) +
			"; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
		Style: template.CSS(pageCSS), Charts: template.JS(chartScript), Script: template.JS(pageScript), //nolint:gosec // they are our own
		Data:   template.JS(data.String()), //nolint:gosec // it is JSON, escaped for HTML
		Notice: chartNotice, Rules: in.rules, Others: in.others, Files: in.files, Holds: r.Holds(),
		Against: r.Against != nil, Shown: count(len(content.Flows)),
	}
	v.From, v.To = pageTimes(r)
	v.Facts, v.Cards, v.Sections = facts, cards, sections
	return pageTemplate.Execute(w, v)
}

// hashOf names a script in a content security policy.
func hashOf(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pageTimes are the first and the last time at which something happened.
func pageTimes(r *simulate.Report) (from, to string) {
	line := r.Details.Timeline
	if len(line) == 0 {
		return "", ""
	}
	const day = "2 January 2006"
	return line[0].At.Format(day), line[len(line)-1].At.Format(day)
}
