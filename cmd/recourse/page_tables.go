package main

import (
	"fmt"
	"strings"

	"github.com/recourse-pay/recourse/simulate"
)

// The most rows that a table of the page has; `--json` has all.
const (
	mostRows    = 200
	mostWayRows = 300
)

// section is a part of the page: a chart, if it has one, with its table.
type section struct {
	ID, Title string
	Text      string
	Chart     string // the id of the chart's element; empty: there is none
	Controls  string // which controls stand above the chart
	Folded    bool   // the table is folded under the chart
	Tables    []table
}

// table is a table of the page.
type table struct {
	ID, Caption string
	Note        string
	Head        []string
	Rows        [][]tableCell
	Sortable    bool
}

// tableCell is a cell, of several lines where a number has several currencies.
type tableCell struct {
	Head   bool // it names the row
	Number bool
	Parts  []part
}

// part is a text, or a number that stands in the report's JSON form under Path.
type part struct {
	Text   string
	Path   string // several are added up; empty: it is no number of the report
	Raw    int64
	Unit   string // count, ms, or the currency of minor units
	Behind string // the name of the number that flows stand behind; empty: none
	Before string // words before the number
}

// card is one of the figures at the top.
type card struct {
	Title string
	Lines []cardLine
	Note  []part
}

// Against reports whether the card has figures of the other rules.
func (c card) Against() bool { return c.Lines[0].Against != nil }

// cardLine is a figure in each column.
type cardLine struct {
	Label                        string
	Recorded, Simulated, Against *part
}

// tables makes the tables of a page.
type tables struct {
	r       *simulate.Report
	regions []changedRegion // nil: not asked for
	behind  map[string]int
	linked  map[string]bool // names of numbers that lead to flows
}

func head(text string) tableCell { return tableCell{Head: true, Parts: []part{{Text: text}}} }

func text(s string) tableCell { return tableCell{Parts: []part{{Text: s}}} }

func number(parts ...part) tableCell { return tableCell{Number: true, Parts: parts} }

func whole[N int | int64](path string, n N) part {
	return part{Text: count(int(n)), Path: path, Raw: int64(n), Unit: "count"}
}

func minor(path string, n int64, currency string) part {
	return part{Text: formatMinor(n, currency), Path: path, Raw: n, Unit: "minor " + currency}
}

func span(path string, ms int64) part { return part{Text: millis(ms), Path: path, Raw: ms, Unit: "ms"} }

// flows makes a number lead to the flows behind it.
func (b *tables) flows(p part, name string) part {
	if b.behind[name] > 0 && p.Raw != 0 {
		p.Behind = name
		b.linked[name] = true
	}
	return p
}

// countRow is a row of the columns: how a number stands in each.
type countRow struct {
	name, key string
	of        func(*simulate.Column) int64
	bounds    func(*simulate.Report) (least, most int64)
	only      bool // of the simulated columns
}

func (b *tables) columns() table {
	t := table{ID: "columns", Caption: "All flows, in each column", Head: []string{"", "As recorded", "With these rules", "At least", "At most"}}
	if b.r.Against != nil {
		t.Head = append(t.Head, "With the other rules")
	}
	for _, row := range countRows {
		line := []tableCell{head(row.name), number(), number(), number(), number()}
		if !row.only {
			line[1] = number(b.column("recorded", row.key, row.of(&b.r.Recorded)))
		}
		line[2] = number(b.column("simulated", row.key, row.of(&b.r.Simulated)))
		if row.bounds != nil {
			least, most := row.bounds(b.r)
			line[3] = number(whole("bounds."+row.key+".least", least))
			line[4] = number(whole("bounds."+row.key+".most", most))
		}
		if b.r.Against != nil {
			line = append(line, number(b.column("against.simulated", row.key, row.of(&b.r.Against.Simulated))))
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

func (b *tables) column(column, key string, n int64) part {
	return b.flows(whole(column+"."+key, n), column+"."+key)
}

var countRows = []countRow{
	{"Flows", "flows", func(c *simulate.Column) int64 { return int64(c.Flows) }, nil, false},
	{"Succeeded", "succeeded", func(c *simulate.Column) int64 { return int64(c.Succeeded) }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.Succeeded.Least, r.Bounds.Succeeded.Most
	}, false},
	{"Failed", "failed", func(c *simulate.Column) int64 { return int64(c.Failed) }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.Failed.Least, r.Bounds.Failed.Most
	}, false},
	{"… not started: the payment key was taken", "refused", func(c *simulate.Column) int64 { return int64(c.Refused) }, nil, true},
	{"Escalated to a person", "escalated", func(c *simulate.Column) int64 { return int64(c.Escalated) }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.Escalated.Least, r.Bounds.Escalated.Most
	}, false},
	{"Still open", "open", func(c *simulate.Column) int64 { return int64(c.Open) }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.Open.Least, r.Bounds.Open.Most
	}, false},
	{"… proved executed", "proved_executed", func(c *simulate.Column) int64 { return int64(c.ProvedExecuted) }, nil, true},
	{"… proved not executed", "proved_not_executed", func(c *simulate.Column) int64 { return int64(c.ProvedNotExecuted) }, nil, true},
	{"Off the record: nothing more is known", "off_record", func(c *simulate.Column) int64 { return int64(c.OffRecord) }, nil, true},
	{"Executed more than once (payments)", "executed_twice", func(c *simulate.Column) int64 { return c.ExecutedTwice }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.ExecutedTwice.Least, r.Bounds.ExecutedTwice.Most
	}, false},
	{"Marked failed though executed", "failed_though_executed", func(c *simulate.Column) int64 { return c.FailedThoughExecuted }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.FailedThoughExecuted.Least, r.Bounds.FailedThoughExecuted.Most
	}, false},
	{"Marked succeeded though not executed", "succeeded_though_not_executed", func(c *simulate.Column) int64 { return c.SucceededThoughNotExecuted }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.SucceededThoughNotExecuted.Least, r.Bounds.SucceededThoughNotExecuted.Most
	}, false},
	{"Marked succeeded with another amount", "succeeded_with_another_amount", func(c *simulate.Column) int64 { return c.SucceededWithAnotherAmount }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.SucceededWithAnotherAmount.Least, r.Bounds.SucceededWithAnotherAmount.Most
	}, false},
	{"Marked succeeded though disputed", "succeeded_though_disputed", func(c *simulate.Column) int64 { return c.SucceededThoughDisputed }, func(r *simulate.Report) (int64, int64) {
		return r.Bounds.SucceededThoughDisputed.Least, r.Bounds.SucceededThoughDisputed.Most
	}, false},
	{"Sends", "sends", func(c *simulate.Column) int64 { return int64(c.Sends) }, nil, false},
	{"Queries", "queries", func(c *simulate.Column) int64 { return int64(c.Queries) }, nil, false},
	{"Decisions that the interlock corrected", "corrected", func(c *simulate.Column) int64 { return int64(c.Corrected) }, nil, true},
	{"Contradictions after the end", "alerts", func(c *simulate.Column) int64 { return int64(c.Alerts) }, nil, true},
	{"Queries left out: a webhook followed", "unasked", func(c *simulate.Column) int64 { return int64(c.Unasked) }, nil, true},
}

// kindTitles are the names of numbers in words, for the list of flows.
func kindTitles(r *simulate.Report) map[string]string {
	titles := map[string]string{"no_truth": "Without reconciliation", "unsent": "Executions of what was not sent", "incomplete": "Without a send"}
	for _, row := range countRows {
		what := strings.TrimPrefix(row.name, "… ")
		titles["recorded."+row.key] = "As recorded: " + what
		titles["simulated."+row.key] = "With these rules: " + what
		titles["against.simulated."+row.key] = "With the other rules: " + what
	}
	for _, h := range r.Harms {
		titles["harms."+h.What] = "First harm as recorded: " + words(h.What)
	}
	for _, h := range r.Broken {
		titles["broken."+h.What] = "Harm with these rules: " + words(h.What)
	}
	for _, d := range r.Departures {
		titles["departures."+d.What] = "Left the record: " + d.What
	}
	if r.Against != nil {
		for i := range r.Against.Changes {
			d := r.Against.Changes[i].Direction
			titles["against.changes."+d] = "Against the other rules: " + words(d)
		}
	}
	return titles
}

func (b *tables) spansTable() table {
	t := table{ID: "quantiles", Caption: "Time from the first send to the end", Head: []string{"", "As recorded", "With these rules"}}
	if b.r.Against != nil {
		t.Head = append(t.Head, "With the other rules")
	}
	for i, name := range []string{"Half of the flows within", "95 of 100 within", "99 of 100 within"} {
		key := []string{"p50", "p95", "p99"}[i]
		of := func(c *simulate.Column) int64 { return []int64{c.TimeToEnd.P50, c.TimeToEnd.P95, c.TimeToEnd.P99}[i] }
		line := []tableCell{head(name), number(span("recorded.time_to_end_ms."+key, of(&b.r.Recorded))), number(span("simulated.time_to_end_ms."+key, of(&b.r.Simulated)))}
		if b.r.Against != nil {
			line = append(line, number(span("against.simulated.time_to_end_ms."+key, of(&b.r.Against.Simulated))))
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

// spanName is the name of a bar of the distribution.
func spanName(from, under int64) string {
	switch {
	case from == 0:
		return "under " + short(under)
	case under == 0:
		return short(from) + " and more"
	}
	return short(from) + " to " + short(under)
}

func short(ms int64) string {
	s := ms / 1000
	switch {
	case s >= 3600:
		return fmt.Sprintf("%d h", s/3600)
	case s >= 60:
		return fmt.Sprintf("%d min", s/60)
	}
	return fmt.Sprintf("%d s", s)
}

// fact is something odd about the recordings.
type fact struct {
	N    part
	Text string
}

func (b *tables) facts() []fact {
	r := b.r
	var facts []fact
	for _, f := range []struct {
		n          int
		path, name string
		what       string
	}{
		{r.BrokenLines, "broken_lines", "", "Lines that could not be read, and are in no number"},
		{r.Incomplete, "incomplete", "incomplete", "Flows without a recorded send, which are in no other number"},
		{r.NoTruth, "no_truth", "no_truth", "Flows without reconciliation, judged by what their answers prove"},
		{r.Repeated, "repeated", "", "Lines that repeat an earlier one, and count once"},
		{r.Unsent, "unsent", "unsent", "Flows with executions of what was not sent, which are harm of neither column"},
		{r.Simulated.Moved.N, "simulated.moved.count", "", "Recorded answers used at another time than they were recorded"},
	} {
		if f.n > 0 {
			facts = append(facts, fact{b.flows(whole(f.path, f.n), f.name), f.what})
		}
	}
	for i, l := range r.Lacks {
		facts = append(facts, fact{whole(fmt.Sprintf("lacks.%d.n", i), l.N), "Sends from a format that cannot hold " + l.Name})
	}
	for i, k := range r.UnknownKeys {
		facts = append(facts, fact{whole(fmt.Sprintf("unknown_keys.%d.n", i), k.N), "Lines with the key " + k.Name + ", which no line has, and which was not read"})
	}
	return facts
}

// First is the first number of a table.
func (t table) First() part { return t.Rows[0][1].Parts[0] }
