package simulate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// detailed is the part of the report that Options.By and Options.Page ask for.
type detailed struct {
	By        []breakdown      `json:"by"`
	Ways      []wayCount       `json:"ways,omitempty"`
	StepSecs  int64            `json:"timeline_step_s,omitempty"`
	Timeline  []timePoint      `json:"timeline,omitempty"`
	Spans     []spanCount      `json:"time_to_end,omitempty"`
	CodeMoney []codeMoney      `json:"money_by_code,omitempty"`
	Flows     map[string]int64 `json:"flows_behind,omitempty"` // how many flows stand behind a number, by its name
}

// breakdown is the numbers by one dimension.
type breakdown struct {
	Dimension string      `json:"dimension"`
	Values    []valueCell `json:"values"`
}

type valueCell struct {
	Value     string           `json:"value"`
	Recorded  map[string]int64 `json:"recorded"`
	Simulated map[string]int64 `json:"simulated"`
	Against   map[string]int64 `json:"against,omitempty"`
	Money     []currencyCell   `json:"money"`
}

// currencyCell is the money of a value in one currency, in ISO 4217 minor units. Recorded and Simulated are at risk, by
// all kinds of harm.
type currencyCell struct {
	Currency  string `json:"currency"`
	Volume    int64  `json:"volume"`
	Recorded  int64  `json:"recorded"`
	Simulated int64  `json:"simulated"`
	Escalated int64  `json:"escalated"`
	OffRecord int64  `json:"off_record"`
}

// wayCount is the flows that went one way.
type wayCount struct {
	Side     string   `json:"column"` // recorded, simulated, against
	Provider string   `json:"provider"`
	Answer   string   `json:"answer"` // to the first send
	Action   string   `json:"action"` // what was done then
	End      string   `json:"end"`    // an end or a harm, as in the names of a column
	Flows    int64    `json:"count"`
	Money    []amount `json:"money"`
}

// spanCount is how many flows took so long from the first send to their end.
type spanCount struct {
	From      int64 `json:"from_ms"`
	Under     int64 `json:"under_ms,omitempty"` // absent: without an end
	Recorded  int64 `json:"recorded"`
	Simulated int64 `json:"simulated"`
	Against   int64 `json:"against,omitempty"`
}

// codeMoney is the payments that the recorded client harmed after one answer.
type codeMoney struct {
	Provider  string   `json:"provider"`
	Operation string   `json:"operation"`
	Phase     string   `json:"phase"`
	Answer    string   `json:"answer"`
	Harmed    int64    `json:"harmed"`
	Money     []amount `json:"money"`
}

// numberBehind is a number with some of the flows behind it: places in the list of shown flows.
type numberBehind struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	Flows []int  `json:"flows"`
}

// flowsBehind is the flows behind the numbers of a report.
type flowsBehind struct {
	listed  []listedFlow
	shown   []*shownFlow
	numbers []numberBehind
}

// Listed returns the flows behind the number that Options.List names, in the order of their first sends.
func (r *Report) Listed() []listedFlow { return r.behind.listed }

// Behind returns, with Options.Page, the flows that are shown with their stories, and behind which numbers they stand.
func (r *Report) Behind() ([]*shownFlow, []numberBehind) { return r.behind.shown, r.behind.numbers }

func (d *details) join(o *details) {
	for i, cells := range o.by {
		for value, c := range cells {
			at(d.by[i], value).join(c)
		}
	}
	for k, w := range o.ways {
		at(d.ways, k).join(w)
	}
	for k, w := range o.codes {
		at(d.codes, k).join(w)
	}
	d.time.join(&o.time)
	for side := range o.spans {
		for i, n := range o.spans[side] {
			d.spans[side][i] += n
		}
	}
	for name, f := range o.behind {
		at(d.behind, name).join(f, mostOf(name))
	}
	d.listed = append(d.listed, o.listed...)
}

func (c *cell) join(o *cell) {
	for side := range o.sides {
		c.sides[side].add(&o.sides[side])
	}
	if c.money == nil {
		c.money = map[string]*moneyNumbers{}
	}
	for currency, m := range o.money {
		mine := at(c.money, currency)
		for i, n := range m {
			mine[i] += n
		}
	}
}

func mostOf(name string) int {
	for _, kind := range []string{"codes.", "codes_harmed.", "rules."} {
		if strings.HasPrefix(name, kind) {
			return mostBehindCodes
		}
	}
	return mostBehind
}

// report writes the details into a report.
func (d *details) report(r *Report) {
	slices.SortFunc(d.listed, func(a, b listedFlow) int { return a.compare(&b) })
	r.behind.listed = d.listed
	against := r.Against != nil
	out := &detailed{By: []breakdown{}}
	for i, cells := range d.by {
		if cells != nil {
			out.By = append(out.By, breakdown{dimensions[i], valuesOf(cells, against)})
		}
	}
	if len(out.By) > 0 {
		r.Details = out
	}
	if !d.page {
		return
	}
	out.Ways = waysOf(d.ways)
	out.StepSecs, out.Timeline = d.time.step()/1e6, d.time.report(against)
	for i := range d.spans[0] {
		s := spanCount{Recorded: d.spans[asRecorded][i], Simulated: d.spans[withThese][i], Against: d.spans[withOthers][i]}
		if i > 0 {
			s.From = spanEdges[i-1].Milliseconds()
		}
		if i < len(spanEdges) {
			s.Under = spanEdges[i].Milliseconds()
		}
		out.Spans = append(out.Spans, s)
	}
	for _, k := range sorted(d.codes, compareCodes) {
		w := d.codes[k]
		out.CodeMoney = append(out.CodeMoney, codeMoney{k.provider, k.operation.String(), k.phase.String(), k.label, w.flows, amountsOf(w.money)})
	}
	slices.SortStableFunc(out.CodeMoney, func(a, b codeMoney) int { return cmp.Compare(b.Harmed, a.Harmed) })
	d.show(r, out)
}

// show numbers the shown flows, each of which may stand behind several numbers.
func (d *details) show(r *Report, out *detailed) {
	out.Flows = map[string]int64{}
	places := map[*shownFlow]int{}
	for _, name := range slices.Sorted(maps.Keys(d.behind)) {
		f := d.behind[name]
		out.Flows[name] = int64(f.count)
		n := numberBehind{Name: name, Count: f.count, Flows: []int{}}
		for _, one := range f.flows {
			if _, known := places[one]; !known {
				places[one] = len(r.behind.shown)
				r.behind.shown = append(r.behind.shown, one)
			}
			n.Flows = append(n.Flows, places[one])
		}
		r.behind.numbers = append(r.behind.numbers, n)
	}
}

func valuesOf(cells map[string]*cell, against bool) []valueCell {
	list := []valueCell{}
	for _, value := range sorted(cells, strings.Compare) {
		c := cells[value]
		v := valueCell{Value: value, Recorded: c.sides[asRecorded].named(), Simulated: c.sides[withThese].named(), Money: []currencyCell{}}
		if against {
			v.Against = c.sides[withOthers].named()
		}
		for _, currency := range sorted(c.money, strings.Compare) {
			m := c.money[currency]
			v.Money = append(v.Money, currencyCell{
				Currency: currency, Volume: m[0], Recorded: m[6], Simulated: m[7], Escalated: m[1], OffRecord: m[3],
			})
		}
		list = append(list, v)
	}
	return list
}

// mostAnswers is how many first answers have ways of their own: the most frequent.
const (
	mostAnswers  = 200
	otherAnswers = "other answers"
)

// fewAnswers puts the ways of rare answers together.
func fewAnswers(ways map[way]*weight) map[way]*weight {
	type answer struct{ provider, answer string }
	flows := map[answer]int64{}
	for w, n := range ways {
		flows[answer{w.provider, w.answer}] += n.flows
	}
	if len(flows) <= mostAnswers {
		return ways
	}
	all := slices.SortedFunc(maps.Keys(flows), func(a, b answer) int {
		return cmp.Or(cmp.Compare(flows[b], flows[a]), strings.Compare(a.provider, b.provider), strings.Compare(a.answer, b.answer))
	})
	kept := map[answer]bool{}
	for _, a := range all[:mostAnswers] {
		kept[a] = true
	}
	few := map[way]*weight{}
	for w, n := range ways {
		if !kept[answer{w.provider, w.answer}] {
			w.answer = otherAnswers
		}
		at(few, w).join(n)
	}
	return few
}

func waysOf(ways map[way]*weight) []wayCount {
	list := []wayCount{}
	for w, n := range fewAnswers(ways) {
		list = append(list, wayCount{sideNames[w.side], w.provider, w.answer, w.action, w.end, n.flows, amountsOf(n.money)})
	}
	slices.SortFunc(list, func(a, b wayCount) int {
		return cmp.Or(strings.Compare(b.Side, a.Side), cmp.Compare(b.Flows, a.Flows), strings.Compare(a.Provider, b.Provider),
			strings.Compare(a.Answer, b.Answer), strings.Compare(a.Action, b.Action), strings.Compare(a.End, b.End))
	})
	return list
}

func amountsOf(money map[string]int64) []amount {
	list := []amount{}
	for _, currency := range sorted(money, strings.Compare) {
		list = append(list, amount{currency, money[currency]})
	}
	return list
}

// checkList refuses a list that is empty because no number has its name.
func (d *details) checkList() error {
	if len(d.listed) > 0 || d.list == "" {
		return nil
	}
	for _, kind := range openKinds {
		if strings.HasPrefix(d.list, kind+".") {
			return fmt.Errorf("no flow is behind %q; names of %s are as in the report", d.list, kind)
		}
	}
	return nil
}
