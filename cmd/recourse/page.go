package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the parts of the page
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"

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
	Report   *simulate.Report
}

// pageData is what the page's script reads. Stories repeat each other: each text and each rule is in it once.
type pageData struct {
	Report  *withRegions      `json:"report"`
	Flows   []pageFlow        `json:"flows"`
	Numbers any               `json:"numbers"`
	Names   map[string]string `json:"names"` // of numbers, in words
	Texts   []string          `json:"texts"`
	Rules   [][3]string       `json:"rules"` // rule, source, reason
}

// pageFlow is a flow with its stories: of each step the milliseconds since 1970 (0: no time), the place of its text, and that of its rule (-1: none).
type pageFlow struct {
	Listed    any        `json:"flow"`
	Recorded  [][3]int64 `json:"recorded"`
	Simulated [][3]int64 `json:"simulated"`
	Against   [][3]int64 `json:"against,omitempty"`
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

// pageDataOf makes the data of a page.
func pageDataOf(r *withRegions) *pageData {
	flows, numbers := r.Behind()
	var texts interned[string]
	var rules interned[[3]string]
	steps := func(lines []simulate.StoryLine) [][3]int64 {
		all := make([][3]int64, len(lines))
		for i, l := range lines {
			all[i] = [3]int64{0, texts.place(l.What), -1}
			if !l.At.IsZero() {
				all[i][0] = l.At.UnixMilli()
			}
			if l.Rule != "" {
				all[i][2] = rules.place([3]string{l.Rule, l.Source, l.Reason})
			}
		}
		return all
	}
	d := &pageData{Report: r, Flows: make([]pageFlow, len(flows)), Numbers: numbers, Names: kindTitles(r.Report)}
	for i, f := range flows {
		d.Flows[i] = pageFlow{f.Listed(), steps(f.Steps), steps(f.After), nil}
		if r.Against != nil {
			d.Flows[i].Against = steps(f.Before)
		}
	}
	d.Texts, d.Rules = texts.all, rules.all
	return d
}

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// pageInput is what a page is made of.
type pageInput struct {
	report        *withRegions
	rules, others string // the folders of the rules
	files         []string
}

// writePage writes the page of a report that was made with simulate.Options.Page.
func writePage(w io.Writer, in *pageInput) error {
	r := in.report.Report
	flows, numbers := r.Behind()
	var data bytes.Buffer
	enc := json.NewEncoder(&data) // which escapes <, > and &
	if err := enc.Encode(pageDataOf(in.report)); err != nil {
		return err
	}
	v := &pageView{
		Policy: "default-src 'none'; script-src " + hashOf(chartScript) + " " + hashOf(pageScript) +
			"; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
		Style: template.CSS(pageCSS), Charts: template.JS(chartScript), Script: template.JS(pageScript), //nolint:gosec // they are our own
		Data:   template.JS(data.String()), //nolint:gosec // it is JSON, escaped for HTML
		Notice: chartNotice, Rules: in.rules, Others: in.others, Files: in.files, Holds: r.Holds(),
		Against: r.Against != nil, Shown: count(len(flows)), Report: r,
	}
	v.From, v.To = pageTimes(r)
	b := tables{r: r, regions: in.report.Regions, behind: map[string]int{}}
	for _, n := range numbers {
		b.behind[n.Name] = n.Count
	}
	v.Facts, v.Cards, v.Sections = b.facts(), b.cards(), b.sections()
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
