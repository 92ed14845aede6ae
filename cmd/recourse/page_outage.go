package main

import (
	"fmt"

	"github.com/recourse-pay/recourse/internal/outage"
)

// outages are the sections of the outages: the figures of each provider, and its calls over time.
func (b *tables) outages() (all []section) {
	for i := range b.r.Outages {
		r := &b.r.Outages[i]
		what := ""
		for k, w := range r.Windows {
			if k > 0 {
				what += "; "
			}
			what += fmt.Sprintf("%s from %s to %s: %s", w.Operation, w.From.Format("2006-01-02 15:04:05"), w.To.Format("2006-01-02 15:04:05"), w.Fault)
		}
		all = append(all,
			section{
				ID: fmt.Sprintf("outage-%d", i), Title: "Outage of " + r.Provider, Tables: []table{outageFigures(i, r), outageChanges(i, r), outageMoney(i, r)},
				Text: what + " (UTC). The flows around it are played at an emulated provider, with the retry budgets and breakers of the executor: once as if no call that got no answer had arrived, and once as if each had.",
			},
			section{
				ID: fmt.Sprintf("outage-calls-%d", i), Title: "Calls to " + r.Provider + " around the outage", Chart: fmt.Sprintf("chart-outage-%d", i), Folded: true,
				Text: "In steps of " + short(r.Timeline.StepS*1000) + ", in UTC.", Tables: []table{outageCalls(i, r)},
			},
		)
	}
	return all
}

var outageHead = []string{"", "No outage", "None arrived", "All arrived"}

// outageFigures is how it goes, in each of three ways.
func outageFigures(i int, r *outage.Report) table {
	t := table{ID: fmt.Sprintf("outage-figures-%d", i), Caption: "Calls and ends of the flows around the outage", Head: outageHead}
	sides := []*outage.Side{&r.Without, &r.Lost, &r.Arrived}
	row := func(name string, of func(prefix string, s *outage.Side) part) {
		cells := []tableCell{head(name)}
		for k, side := range []string{"without", "lost", "arrived"} {
			cells = append(cells, number(of(fmt.Sprintf("outages.%d.%s.", i, side), sides[k])))
		}
		t.Rows = append(t.Rows, cells)
	}
	plain := func(format string, args ...any) part { return part{Text: fmt.Sprintf(format, args...)} }
	for _, x := range []struct {
		name, key string
		of        func(s *outage.Side) outage.Rate
	}{
		{"before", "before", func(s *outage.Side) outage.Rate { return s.Before }},
		{"in the outage", "during", func(s *outage.Side) outage.Rate { return s.During }},
		{"after", "after", func(s *outage.Side) outage.Rate { return s.After }},
	} {
		row("Calls a second "+x.name, func(_ string, s *outage.Side) part { return plain("%.2f", x.of(s).Mean) })
		row("in the busiest second", func(p string, s *outage.Side) part { return whole(p+x.key+".peak", x.of(s).Peak) })
	}
	row("Calls from then on, times those without", func(_ string, s *outage.Side) part { return plain("%.2f", s.Amplification) })
	row("99 % of those that met it are over after", func(p string, s *outage.Side) part { return span(p+"drain_ms", s.DrainMS) })
	row("All are over after", func(p string, s *outage.Side) part { return span(p+"last_ms", s.LastMS) })
	for _, x := range []struct {
		name, key string
		of        func(s *outage.Side) int
	}{
		{"Sends", "sends", func(s *outage.Side) int { return s.Sends }},
		{"Queries", "queries", func(s *outage.Side) int { return s.Queries }},
		{"Calls delayed by the budget", "delayed.budget", func(s *outage.Side) int { return s.Delayed.Budget }},
		{"Calls delayed by a breaker", "delayed.breaker", func(s *outage.Side) int { return s.Delayed.Breaker }},
		{"Succeeded", "ends.succeeded", func(s *outage.Side) int { return s.Ends.Succeeded }},
		{"Failed", "ends.failed", func(s *outage.Side) int { return s.Ends.Failed }},
		{"Escalated to a person", "ends.escalated", func(s *outage.Side) int { return s.Ends.Escalated }},
		{"Still open", "ends.open", func(s *outage.Side) int { return s.Ends.Open }},
		{"Not started: the payment key is taken", "ends.refused", func(s *outage.Side) int { return s.Ends.Refused }},
		{"Executed twice", "harms.executed_twice", func(s *outage.Side) int { return s.Harms.ExecutedTwice }},
		{"Failed, and executed", "harms.failed_though_executed", func(s *outage.Side) int { return s.Harms.FailedThoughExecuted }},
		{"Succeeded, and did not execute", "harms.succeeded_though_not_executed", func(s *outage.Side) int { return s.Harms.SucceededThoughNotExecuted }},
	} {
		row(x.name, func(p string, s *outage.Side) part { return whole(p+x.key, x.of(s)) })
	}
	return t
}

// outageChanges is the flows that end otherwise than without the outage.
func outageChanges(i int, r *outage.Report) table {
	t := table{ID: fmt.Sprintf("outage-changes-%d", i), Caption: "Flows that end otherwise", Head: []string{"If", "Without the outage", "With it", "Flows", "Example"}}
	for _, side := range []struct {
		name, key string
		*outage.Side
	}{{"none arrived", "lost", &r.Lost}, {"all arrived", "arrived", &r.Arrived}} {
		for k, c := range side.Otherwise {
			t.Rows = append(t.Rows, []tableCell{head(side.name), text(words(c.From)), text(words(c.To)), number(whole(fmt.Sprintf("outages.%d.%s.otherwise.%d.count", i, side.key, k), c.Flows)), text(c.Example)})
		}
	}
	if len(t.Rows) == 0 {
		t.Note = "None."
	}
	return t
}

func outageMoney(i int, r *outage.Report) table {
	t := table{ID: fmt.Sprintf("outage-money-%d", i), Caption: "Amounts by end: without the outage, and with it at least and at most", Head: []string{"Currency", "End", "Without", "At least", "At most"}}
	for k := range r.Money {
		m := &r.Money[k]
		for _, x := range []struct {
			name, key string
			b         *outage.Bound
		}{
			{"succeeded", "succeeded", &m.Succeeded},
			{"failed", "failed", &m.Failed},
			{"escalated", "escalated", &m.Escalated},
			{"still open", "open", &m.Open},
			{"not started", "refused", &m.Refused},
			{"executed twice", "executed_twice", &m.ExecutedTwice},
		} {
			at := fmt.Sprintf("outages.%d.money.%d.%s.", i, k, x.key)
			t.Rows = append(t.Rows, []tableCell{
				head(m.Currency), text(x.name), number(minor(at+"without", x.b.Without, m.Currency)), number(minor(at+"least", x.b.Least, m.Currency)), number(minor(at+"most", x.b.Most, m.Currency)),
			})
		}
	}
	return t
}

func outageCalls(i int, r *outage.Report) table {
	t := table{ID: fmt.Sprintf("outage-timeline-%d", i), Caption: "Calls in each step of time", Head: append([]string{"From (UTC)"}, outageHead[1:]...)}
	for k := range r.Timeline.Points {
		p := &r.Timeline.Points[k]
		at := fmt.Sprintf("outages.%d.timeline.points.%d.", i, k)
		t.Rows = append(t.Rows, []tableCell{head(p.At.Format("2006-01-02 15:04:05")), number(whole(at+"without", p.Without)), number(whole(at+"lost", p.Lost)), number(whole(at+"arrived", p.Arrived))})
	}
	return t
}
