package simulate

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/policy"
)

// againstOthers has rules that differ from the defaults in every direction that they can.
var againstOthers = map[string]string{"merchants/teahouse.toml": `
[[rule]]
id = "person"
when = 'in_doubt && attempt == 1'
then = "escalate"
reason = "a person knows"
`}

var (
	othersOnce    sync.Once
	others        *engine.Engine
	othersDetails *Report
)

// detailsOfShipped are all details of the shipped recordings, with two rule sets.
func detailsOfShipped(t *testing.T) *Report {
	t.Helper()
	othersOnce.Do(func() {
		others = withRules(t, againstOthers)
		othersDetails = simulate(t, Options{Page: true, Against: others}, shipped(t)[3:]...)
	})
	return othersDetails
}

// The values of each dimension add up to the columns, in flows and in money.
func TestBreakdownsAddUp(t *testing.T) {
	r := detailsOfShipped(t)
	if len(r.Details.By) != len(dimensions) {
		t.Fatalf("%d dimensions", len(r.Details.By))
	}
	for _, b := range r.Details.By {
		sums := [sides]map[string]int64{{}, {}, {}}
		money := map[string]currencyCell{}
		for _, v := range b.Values {
			for side, n := range []map[string]int64{v.Recorded, v.Simulated, v.Against} {
				for name, x := range n {
					sums[side][name] += x
				}
			}
			for _, m := range v.Money {
				s := money[m.Currency]
				s.Volume, s.Recorded, s.Simulated = s.Volume+m.Volume, s.Recorded+m.Recorded, s.Simulated+m.Simulated
				s.Escalated, s.OffRecord = s.Escalated+m.Escalated, s.OffRecord+m.OffRecord
				money[m.Currency] = s
			}
		}
		for side, c := range []*Column{&r.Recorded, &r.Simulated, &r.Against.Simulated} {
			for name, want := range numbersOf(t, c) {
				if got := sums[side][name]; got != want {
					t.Errorf("by %s: %s.%s is %d in all, and %d in the column", b.Dimension, sideNames[side], name, got, want)
				}
			}
		}
		for _, m := range r.Money {
			want := currencyCell{Volume: m.Volume, Recorded: m.Recorded.Total(), Simulated: m.Simulated.Total(), Escalated: m.Escalated, OffRecord: m.OffRecord}
			if money[m.Currency] != want {
				t.Errorf("by %s: %s is %+v in all, and %+v in the report", b.Dimension, m.Currency, money[m.Currency], want)
			}
		}
	}
}

// numbersOf are the numbers of a column, by their names in the report.
func numbersOf(t *testing.T, c *Column) map[string]int64 {
	t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	numbers := map[string]int64{}
	for name, n := range all {
		if f, is := n.(float64); is {
			numbers[name] = int64(f)
		}
	}
	if len(numbers) != len(columnNames) {
		t.Errorf("a column has %d numbers, and %d are broken down", len(numbers), len(columnNames))
	}
	return numbers
}

// Ways, times and spans hold each flow once.
func TestDetailsHoldEachFlowOnce(t *testing.T) {
	r := detailsOfShipped(t)
	columns := []*Column{&r.Recorded, &r.Simulated, &r.Against.Simulated}
	ways := map[string]int64{}
	for _, w := range r.Details.Ways {
		ways[w.Side] += w.Flows
	}
	spans, ends, calls := [sides]int64{}, [sides]int64{}, [sides][2]int64{}
	for _, s := range r.Details.Spans {
		for side, n := range []int64{s.Recorded, s.Simulated, s.Against} {
			spans[side] += n
		}
	}
	for _, p := range r.Details.Timeline {
		for side, n := range []map[string]int64{p.Recorded, p.Simulated, p.Against} {
			ends[side] += n["succeeded"] + n["failed"] + n["escalated"]
			calls[side][0] += n["sends"]
			calls[side][1] += n["queries"]
		}
	}
	for side, c := range columns {
		if n := ways[sideNames[side]]; n != int64(c.Flows) {
			t.Errorf("%s: %d flows went some way, of %d", sideNames[side], n, c.Flows)
		}
		ended := int64(c.Succeeded + c.Failed - c.Refused + c.Escalated)
		if spans[side] != ended || ends[side] != ended {
			t.Errorf("%s: %d flows in spans and %d in time, of %d that ended", sideNames[side], spans[side], ends[side], ended)
		}
		if got, want := calls[side], [2]int64{int64(c.Sends), int64(c.Queries)}; got != want {
			t.Errorf("%s: %d sends and queries in time, and %d in the column", sideNames[side], got, want)
		}
	}
	if n := len(r.Details.Timeline); n == 0 || n > mostPoints {
		t.Errorf("%d points of time", n)
	}
	harmed := int64(0)
	for _, c := range r.Details.CodeMoney {
		harmed += c.Harmed
	}
	want := 0
	for _, c := range r.Codes {
		want += c.Harmed
	}
	if harmed != int64(want) || want == 0 {
		t.Errorf("%d payments harmed by code, and %d in the report", harmed, want)
	}
}

// Behind each number stand as many flows as it says, and the list has them all.
func TestFlowsBehindNumbers(t *testing.T) {
	r := detailsOfShipped(t)
	shownFlows, numbers := r.Behind()
	if len(shownFlows) == 0 || len(numbers) == 0 {
		t.Fatal("no flow is shown")
	}
	counts := map[string]int64{}
	for _, n := range numbers {
		counts[n.Name] = int64(n.Count)
		if want := min(n.Count, mostOf(n.Name)); len(n.Flows) != want {
			t.Errorf("%s: %d flows are shown of %d", n.Name, len(n.Flows), n.Count)
		}
	}
	for side, c := range []*Column{&r.Recorded, &r.Simulated, &r.Against.Simulated} {
		of := numbersOf(t, c)
		for _, name := range columnKinds() {
			key := [sides]string{"recorded.", "simulated.", "against.simulated."}[side] + name
			if counts[key] != of[name] {
				t.Errorf("%s: %d flows, and the number is %d", key, counts[key], of[name])
			}
		}
	}
	for _, list := range [][]Count{r.Harms, r.Broken, r.Departures} {
		for _, c := range list {
			if counts["harms."+c.What] != int64(c.N) && counts["broken."+c.What] != int64(c.N) && counts["departures."+c.What] != int64(c.N) {
				t.Errorf("%s: %d", c.What, c.N)
			}
		}
	}
	for _, c := range r.Against.Changes {
		if n := counts["against.changes."+c.Direction]; n != int64(c.Flows) {
			t.Errorf("%s: %d flows, and the number is %d", c.Direction, n, c.Flows)
		}
	}
	for _, name := range []string{"recorded.failed", "simulated.escalated", "against.changes." + r.Against.Changes[0].Direction, "codes_harmed." + harmedCode(r), "departures." + r.Departures[0].What} {
		one := simulate(t, Options{List: name, Against: others}, shipped(t)[3:]...)
		if got := int64(len(one.Listed())); got != counts[name] || got == 0 {
			t.Errorf("%s: %d flows are listed, and the number is %d", name, got, counts[name])
		}
		if !slices.IsSortedFunc(one.Listed(), func(a, b listedFlow) int { return a.compare(&b) }) {
			t.Errorf("%s: the list is not sorted", name)
		}
		if one.Details != nil {
			t.Errorf("%s: details that were not asked for", name)
		}
	}
}

func harmedCode(r *Report) string {
	c := &r.Codes[0]
	return codeKey{c.Provider, c.Operation, c.Phase, c.Answer}.String()
}

// Details change nothing else of the report, and are the same whatever the number of workers.
func TestDetailsChangeNothing(t *testing.T) {
	plain := simulate(t, Options{}, shipped(t)[3:]...)
	with := simulate(t, Options{Page: true}, shipped(t)[3:]...)
	again := simulate(t, Options{Page: true}, shipped(t)[3:]...)
	if !reflect.DeepEqual(with.Details, again.Details) || !reflect.DeepEqual(with.behind, again.behind) {
		t.Error("the details of two runs differ")
	}
	with.Details, with.behind = nil, flowsBehind{}
	if !reflect.DeepEqual(plain, with) {
		t.Error("the report differs where details are asked for")
	}
}

func TestDetailsRefuse(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{By: []string{"country"}}, `numbers cannot be had by "country" (there are: provider, merchant, operation, week)`},
		{Options{List: "escalated"}, `no number is called "escalated" (there are: recorded.flows, `},
		{Options{List: "against.changes.lost"}, `no number is called "against.changes.lost"`},
		{Options{List: "codes."}, `no number is called "codes."`},
		{Options{List: "codes.momo pay send 4711"}, `no flow is behind "codes.momo pay send 4711"`},
	} {
		c.o.Decider, c.o.Catalogs = defaults(t), defaults(t).Catalogs
		if _, err := run(t.Context(), c.o, shipped(t)[:1]); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o.List, err)
		}
	}
}

// The steps of time become longer with the time that there is, and what is in them stays.
func TestTimelineWidens(t *testing.T) {
	var one, two, all timeline
	for i := range 5000 {
		m := moment(int64(i-1000) * 17 * 60 * 1e6) // every 17 minutes, from before 1970 on
		all.add(m, i%2, pointSends)
		if i < 4000 {
			one.add(m, i%2, pointSends)
		} else {
			two.add(m, i%2, pointSends)
		}
	}
	two.join(&one)
	if !reflect.DeepEqual(two.report(true), all.report(true)) {
		t.Error("two halves joined differ from the whole")
	}
	sum := int64(0)
	for _, p := range all.report(false) {
		sum += p.Recorded["sends"] + p.Simulated["sends"]
	}
	if sum != 5000 || len(all.points) > mostPoints || all.step() != 6*3600e6 {
		t.Errorf("%d in %d steps of %d s", sum, len(all.points), all.step()/1e6)
	}
}

func TestRecordedNextStep(t *testing.T) {
	send := func(at moment, order, request string) call { return call{at: at, orderID: order, requestID: request} }
	first := send(0, "o", "r")
	for want, r := range map[string]record{
		"nothing":            {sends: []call{first}},
		"query_status":       {sends: []call{first, send(20, "o", "r")}, queries: []call{{at: 10}}},
		"retry_same_request": {sends: []call{first, send(10, "o", "r")}, queries: []call{{at: 20}}},
		"retry_new_request":  {sends: []call{first, send(10, "o", "r2")}},
		"retry_new_order":    {sends: []call{first, send(10, "o2", "r")}},
		"mark_failed":        {sends: []call{first}, ended: true, outcome: policy.Failed, endAt: 10},
		"escalate":           {sends: []call{first}, ended: true, outcome: policy.Escalated, endAt: 10},
	} {
		if got := r.nextStep(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
