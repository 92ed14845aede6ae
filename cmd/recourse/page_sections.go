package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/simulate"
)

// harmPaths are the numbers of all kinds of harm, added up.
func harmPaths(prefix string) string {
	kinds := []string{"executed_twice", "failed_though_executed", "succeeded_though_not_executed", "succeeded_with_another_amount", "succeeded_though_disputed"}
	for i := range kinds {
		kinds[i] = prefix + "." + kinds[i]
	}
	return strings.Join(kinds, " ")
}

// cards are the figures at the top.
func (b *tables) cards() []card {
	r := b.r
	line := func(label string, of func(*simulate.Column) int64, show func(string, int64) part) cardLine {
		one := func(prefix string, c *simulate.Column) *part { p := show(prefix, of(c)); return &p }
		l := cardLine{Label: label, Recorded: one("recorded", &r.Recorded), Simulated: one("simulated", &r.Simulated)}
		if r.Against != nil {
			l.Against = one("against.simulated", &r.Against.Simulated)
		}
		return l
	}
	plain := func(key string) func(string, int64) part {
		return func(prefix string, n int64) part { return b.column(prefix, key, n) }
	}
	cards := []card{{
		Title: "Payments harmed",
		Lines: []cardLine{line("", func(c *simulate.Column) int64 { return c.Total() }, func(prefix string, n int64) part { return whole(harmPaths(prefix), n) })},
		Note: []part{
			{Text: "charged twice, or marked wrongly. "},
			b.flows(whole("simulated.off_record", r.Simulated.OffRecord), "simulated.off_record"),
			{Text: "flows left the record: of these nothing more is known"},
		},
	}}
	money := card{Title: "Money at risk"}
	for i := range r.Money {
		m := &r.Money[i]
		x, y := minor(harmPaths(fmt.Sprintf("money.%d.recorded", i)), m.Recorded.Total(), m.Currency), minor(harmPaths(fmt.Sprintf("money.%d.simulated", i)), m.Simulated.Total(), m.Currency)
		money.Lines = append(money.Lines, cardLine{Label: m.Currency, Recorded: &x, Simulated: &y})
		if i == 5 && len(r.Money) > 7 {
			money.Note = []part{{Text: "the other currencies are in the table"}}
			break
		}
	}
	ends := card{Title: "How flows end"}
	for _, row := range countRows {
		switch row.key {
		case "succeeded", "failed", "escalated", "open", "off_record":
			ends.Lines = append(ends.Lines, line(strings.ToLower(strings.Split(row.name, ":")[0]), row.of, plain(row.key)))
		}
	}
	return append(cards, ends, money,
		card{Title: "Calls to providers, and time to the end", Lines: []cardLine{
			line("sends", func(c *simulate.Column) int64 { return int64(c.Sends) }, func(p string, n int64) part { return whole(p+".sends", n) }),
			line("queries", func(c *simulate.Column) int64 { return int64(c.Queries) }, func(p string, n int64) part { return whole(p+".queries", n) }),
			line("half within", func(c *simulate.Column) int64 { return c.TimeToEnd.P50 }, func(p string, n int64) part { return span(p+".time_to_end_ms.p50", n) }),
			line("95 % within", func(c *simulate.Column) int64 { return c.TimeToEnd.P95 }, func(p string, n int64) part { return span(p+".time_to_end_ms.p95", n) }),
		}},
	)
}

func (b *tables) sections() []section {
	d := b.r.Details
	all := []section{{ID: "both", Title: "Both columns", Text: "A number that is underlined leads to the flows behind it. At least and at most are bounds: they hold whatever the provider would have answered where the recording has nothing.", Tables: []table{b.columns()}}}
	if b.r.Against != nil {
		all = append(all, b.changes())
		if b.regions != nil {
			all = append(all, b.changedRegions())
		}
	}
	all = append(all, b.outages()...)
	all = append(all,
		section{ID: "money", Title: "Money", Text: "By currency; amounts of different currencies are never added up. An amount executed too often counts once for each time too many.", Tables: []table{b.money()}},
		section{
			ID: "ways", Title: "From the first answer to the end", Chart: "chart-ways", Controls: "ways", Folded: true, Tables: []table{b.ways()},
			Text: "What the provider answered to the first send, what was done then, and how the flow ended. Each flow counts once.",
		},
		section{
			ID: "time", Title: "Calls and ends over time", Chart: "chart-time", Controls: "time", Folded: true, Tables: []table{b.timeline()},
			Text: "In steps of " + stepName(d.StepSecs) + ", in UTC. With other rules a flow sends, asks and ends at other times.",
		},
		section{
			ID: "spans", Title: "Time to the end", Chart: "chart-spans", Tables: []table{b.spansTable(), b.spans()},
			Text: "From the first send to the end, of the flows that ended.",
		},
		section{
			ID: "risk", Title: "Money at risk by code", Chart: "chart-risk", Controls: "risk", Tables: []table{b.risk()},
			Text: "Payments that the recorded client harmed, by the last answer before it went wrong, one currency at a time.",
		},
		section{ID: "by", Title: "By provider, merchant, operation and week", Tables: b.breakdowns()},
		section{ID: "rules", Title: "Rules", Text: "How often the simulation followed each rule, and how many payments it met after an answer that the recorded client did harm with.", Tables: []table{b.rules()}},
		section{ID: "codes", Title: "Answers", Text: "Every answer of the recording, and the payments that the recorded client harmed after it.", Tables: []table{b.codes()}},
	)
	if len(b.r.Departures) > 0 {
		all = append(all, section{ID: "departures", Title: "Why flows left the record", Text: "A flow that does what the recorded client did not is off the record; nothing is made up for it.", Tables: []table{b.departures()}})
	}
	return all
}

func stepName(secs int64) string {
	switch {
	case secs%86400 == 0 && secs > 86400:
		return fmt.Sprintf("%d days", secs/86400)
	case secs == 86400:
		return "a day"
	case secs >= 3600:
		return short(secs * 1000)
	}
	return short(secs * 1000)
}

func (b *tables) changes() section {
	c := b.r.Against
	t := table{ID: "changes", Caption: "Flows that end differently, the riskier first", Head: []string{"Change", "Flows", "Money"}}
	for i := range c.Changes {
		ch := &c.Changes[i]
		money := number()
		for k, m := range ch.Money {
			money.Parts = append(money.Parts, withCurrency(fmt.Sprintf("against.changes.%d.money.%d.amount", i, k), m.Amount, m.Currency))
		}
		t.Rows = append(t.Rows, []tableCell{
			head(words(ch.Direction)), number(b.flows(whole(fmt.Sprintf("against.changes.%d.count", i), ch.Flows), "against.changes."+ch.Direction)), money,
		})
	}
	t.Rows = append(t.Rows, []tableCell{head("the same end at the same time"), number(whole("against.same", c.Same)), number()})
	return section{ID: "changes", Title: "What changes from the other rules to these", Tables: []table{t}}
}

// changedRegions are the changes that diff finds, with the flows that meet them.
func (b *tables) changedRegions() section {
	t := table{ID: "regions-table", Caption: "Changed decisions, those that flows meet first", Sortable: true, Head: []string{"Risk", "Change", "Before", "After", "Where", "Flows", "Money", "Example"}}
	for i := range b.regions {
		r := &b.regions[i]
		if i == mostRows {
			break
		}
		at, amounts := fmt.Sprintf("changed_regions.%d.", i), number()
		for k, m := range r.Money {
			amounts.Parts = append(amounts.Parts, withCurrency(fmt.Sprintf("%smoney.%d.amount", at, k), m.Amount, m.Currency))
		}
		where := tableCell{}
		for k, box := range r.Regions {
			if k == 3 {
				where.Parts = append(where.Parts, part{Text: "… and " + count(len(r.Regions)-k) + " more"})
				break
			}
			where.Parts = append(where.Parts, part{Text: strings.Join(box, ", ")})
		}
		t.Rows = append(t.Rows, []tableCell{
			text(string(r.Risk)), head(r.Name), text(words(r.Before.Action.String())), text(words(r.After.Action.String())), where,
			number(whole(at+"count", r.Flows)), amounts, text(r.Example),
		})
	}
	t.Note = cut(len(t.Rows), len(b.regions))
	return section{
		ID: "regions", Title: "Changed rules, and the traffic that meets them", Tables: []table{t},
		Text: "What recourse diff finds between the other rules and these, with the flows that meet such a situation with the other rules. A flow counts once in each.",
	}
}

// withCurrency is an amount in a cell that holds several currencies.
func withCurrency(path string, n int64, currency string) part {
	p := minor(path, n, currency)
	p.Before = currency
	return p
}

func (b *tables) money() table {
	t := table{ID: "money-table", Caption: "Amounts by currency", Head: []string{"Currency", "At risk as recorded", "At risk with these rules", "Escalated", "Open", "Off the record", "Not started", "Of all"}}
	for i := range b.r.Money {
		m := &b.r.Money[i]
		at := fmt.Sprintf("money.%d.", i)
		t.Rows = append(t.Rows, []tableCell{
			head(m.Currency), number(minor(harmPaths(at+"recorded"), m.Recorded.Total(), m.Currency)), number(minor(harmPaths(at+"simulated"), m.Simulated.Total(), m.Currency)),
			number(minor(at+"escalated", m.Escalated, m.Currency)), number(minor(at+"open", m.Open, m.Currency)), number(minor(at+"off_record", m.OffRecord, m.Currency)),
			number(minor(at+"refused", m.Refused, m.Currency)), number(minor(at+"volume", m.Volume, m.Currency)),
		})
	}
	return t
}

var columnTitles = map[string]string{"recorded": "as recorded", "simulated": "with these rules", "against": "with the other rules"}

func (b *tables) ways() table {
	t := table{ID: "ways-table", Caption: "Flows by first answer, action and end", Sortable: true, Head: []string{"Column", "Provider", "First answer", "Action", "End", "Flows", "Money"}}
	all := b.r.Details.Ways
	for i := range all {
		w := &all[i]
		if i == mostWayRows {
			break
		}
		money := number()
		for k, m := range w.Money {
			money.Parts = append(money.Parts, withCurrency(fmt.Sprintf("details.ways.%d.money.%d.amount", i, k), m.Amount, m.Currency))
		}
		t.Rows = append(t.Rows, []tableCell{
			text(columnTitles[w.Side]), text(w.Provider), head(w.Answer), text(words(w.Action)), text(words(w.End)),
			number(whole(fmt.Sprintf("details.ways.%d.count", i), w.Flows)), money,
		})
	}
	t.Note = cut(len(t.Rows), len(all))
	return t
}

// cut says how many rows a table leaves out.
func cut(shown, all int) string {
	if shown == all {
		return ""
	}
	return fmt.Sprintf("%s of %s rows; recourse simulate --json --html has all of them.", count(shown), count(all))
}

func (b *tables) timeline() table {
	t := table{ID: "time-table", Caption: "Calls and ends in each step of time, as recorded and with these rules", Head: []string{
		"From (UTC)", "Sends as recorded", "with these rules", "Queries as recorded", "with these rules", "Succeeded as recorded", "with these rules", "Failed as recorded", "with these rules", "Escalated as recorded", "with these rules",
	}}
	for i := range b.r.Details.Timeline {
		p := &b.r.Details.Timeline[i]
		row := []tableCell{head(p.At.Format("2006-01-02 15:04"))}
		for _, name := range []string{"sends", "queries", "succeeded", "failed", "escalated"} {
			at := fmt.Sprintf("details.timeline.%d.", i)
			row = append(row, number(whole(at+"recorded."+name, p.Recorded[name])), number(whole(at+"simulated."+name, p.Simulated[name])))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (b *tables) spans() table {
	t := table{ID: "spans-table", Caption: "Flows by time to the end", Head: []string{"Time to the end", "As recorded", "With these rules"}}
	if b.r.Against != nil {
		t.Head = append(t.Head, "With the other rules")
	}
	for i := range b.r.Details.Spans {
		s := &b.r.Details.Spans[i]
		at := fmt.Sprintf("details.time_to_end.%d.", i)
		row := []tableCell{head(spanName(s.From, s.Under)), number(whole(at+"recorded", s.Recorded)), number(whole(at+"simulated", s.Simulated))}
		if b.r.Against != nil {
			row = append(row, number(whole(at+"against", s.Against)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (b *tables) risk() table {
	t := table{ID: "risk-table", Caption: "Payments harmed as recorded, and their money, by answer", Sortable: true, Head: []string{"Provider", "Operation", "Phase", "Answer", "Payments", "Money"}}
	all := b.r.Details.CodeMoney
	for i := range all {
		c := &all[i]
		if i == mostRows {
			break
		}
		money := number()
		for k, m := range c.Money {
			money.Parts = append(money.Parts, withCurrency(fmt.Sprintf("details.money_by_code.%d.money.%d.amount", i, k), m.Amount, m.Currency))
		}
		name := "codes_harmed." + strings.Join([]string{c.Provider, c.Operation, c.Phase, c.Answer}, " ")
		t.Rows = append(t.Rows, []tableCell{
			text(c.Provider), text(c.Operation), text(c.Phase), head(c.Answer), number(b.flows(whole(fmt.Sprintf("details.money_by_code.%d.harmed", i), c.Harmed), name)), money,
		})
	}
	t.Note = cut(len(t.Rows), len(all))
	return t
}

func (b *tables) breakdowns() []table {
	var all []table
	for i := range b.r.Details.By {
		d := &b.r.Details.By[i]
		t := table{ID: "by-" + d.Dimension, Caption: "By " + d.Dimension, Sortable: true, Head: []string{
			strings.ToUpper(d.Dimension[:1]) + d.Dimension[1:], "Flows", "Harmed as recorded", "Harmed with these rules", "Escalated as recorded", "with these rules",
			"Succeeded as recorded", "with these rules", "Off the record", "At risk as recorded", "At risk with these rules",
		}}
		for _, k := range b.rowsOf(i) {
			v := &d.Values[k]
			at := fmt.Sprintf("details.by.%d.values.%d.", i, k)
			one := func(path string, n int64) tableCell { return number(whole(at+path, n)) }
			harm := func(side string, n map[string]int64) tableCell { return number(whole(harmPaths(at+side), sumOf(n))) }
			before, after := number(), number()
			for c := range v.Money {
				m, path := &v.Money[c], fmt.Sprintf("%smoney.%d.", at, c)
				if m.Recorded > 0 || m.Simulated > 0 {
					before.Parts = append(before.Parts, withCurrency(path+"recorded", m.Recorded, m.Currency))
					after.Parts = append(after.Parts, withCurrency(path+"simulated", m.Simulated, m.Currency))
				}
			}
			name := v.Value
			if name == "" {
				name = "(none)"
			}
			t.Rows = append(t.Rows, []tableCell{
				head(name), one("recorded.flows", v.Recorded["flows"]), harm("recorded", v.Recorded), harm("simulated", v.Simulated),
				one("recorded.escalated", v.Recorded["escalated"]), one("simulated.escalated", v.Simulated["escalated"]),
				one("recorded.succeeded", v.Recorded["succeeded"]), one("simulated.succeeded", v.Simulated["succeeded"]), one("simulated.off_record", v.Simulated["off_record"]), before, after,
			})
		}
		t.Note = cut(len(t.Rows), len(d.Values))
		all = append(all, t)
	}
	return all
}

// rowsOf chooses the values of a dimension that have rows: where there are too many, those with the most harm.
func (b *tables) rowsOf(dimension int) []int {
	values := b.r.Details.By[dimension].Values
	rows := make([]int, len(values))
	for i := range rows {
		rows[i] = i
	}
	if len(rows) <= mostRows {
		return rows
	}
	slices.SortStableFunc(rows, func(x, y int) int {
		v, w := &values[x], &values[y]
		return cmp.Or(cmp.Compare(sumOf(w.Simulated), sumOf(v.Simulated)), cmp.Compare(sumOf(w.Recorded), sumOf(v.Recorded)), cmp.Compare(w.Recorded["flows"], v.Recorded["flows"]))
	})
	return rows[:mostRows]
}

// sumOf adds up the harms of a value.
func sumOf(n map[string]int64) (sum int64) {
	for _, path := range strings.Fields(harmPaths("")) {
		sum += n[strings.TrimPrefix(path, ".")]
	}
	return sum
}

func (b *tables) rules() table {
	t := table{ID: "rules-table", Caption: "Rules that met harm, and the rules followed most", Sortable: true, Head: []string{"Rule", "Action", "Harm met", "Followed", "Corrected", "From", "Reason"}}
	for i := range b.r.Rules {
		c := &b.r.Rules[i]
		if i == mostRows {
			break
		}
		name := c.Rule
		if name == "" {
			name = "(no rule)"
		}
		at := fmt.Sprintf("rules.%d.", i)
		t.Rows = append(t.Rows, []tableCell{
			head(name), text(words(c.Action.String())), number(whole(at+"met", c.Met)),
			number(b.flows(whole(at+"followed", c.Followed), "rules."+strings.TrimSpace(c.Rule+" "+c.Source))), number(whole(at+"corrected", c.Corrected)), text(c.Source), text(c.Reason),
		})
	}
	t.Note = cut(len(t.Rows), len(b.r.Rules))
	return t
}

func (b *tables) codes() table {
	t := table{ID: "codes-table", Caption: "Answers, those with harm first", Sortable: true, Head: []string{"Provider", "Operation", "Phase", "Answer", "Seen", "Payments harmed"}}
	for i := range b.r.Codes {
		c := &b.r.Codes[i]
		if i == mostRows {
			break
		}
		name := strings.Join([]string{c.Provider, c.Operation.String(), c.Phase.String(), c.Answer}, " ")
		at := fmt.Sprintf("codes.%d.", i)
		t.Rows = append(t.Rows, []tableCell{
			text(c.Provider), text(c.Operation.String()), text(c.Phase.String()), head(c.Answer),
			number(b.flows(whole(at+"seen", c.Seen), "codes."+name)), number(b.flows(whole(at+"harmed", c.Harmed), "codes_harmed."+name)),
		})
	}
	t.Note = cut(len(t.Rows), len(b.r.Codes))
	return t
}

func (b *tables) departures() table {
	t := table{ID: "departures-table", Caption: "Simulated flows by why they left the record", Head: []string{"Why", "Flows"}}
	for i := range b.r.Departures {
		d := &b.r.Departures[i]
		t.Rows = append(t.Rows, []tableCell{head(d.What), number(b.flows(whole(fmt.Sprintf("departures.%d.count", i), d.N), "departures."+d.What))})
	}
	return t
}
