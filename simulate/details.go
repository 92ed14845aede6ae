package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// dimensions are by what numbers can be broken down.
var dimensions = [...]string{"provider", "merchant", "operation", "week"}

// valueIn is the value of a flow in a dimension.
func (r *record) valueIn(dimension int) string {
	switch dimensions[dimension] {
	case "provider":
		return r.payment.Provider
	case "merchant":
		return r.payment.Merchant
	case "operation":
		return r.payment.Operation.String()
	}
	return weekOf(r.start())
}

// weekOf is the week of a time, as ISO 8601 writes it, in UTC.
func weekOf(m moment) string {
	year, week := m.time().ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// The columns of a detail.
const (
	asRecorded = iota
	withThese
	withOthers
	sides
)

var sideNames = [sides]string{"recorded", "simulated", "against"}

// cell is the numbers of one value of a dimension.
type cell struct {
	sides [sides]columnNumbers
	money map[string]*moneyNumbers
}

// way is how flows went: what the first answer was, what was done then, and how it ended.
type way struct {
	side                          int
	provider, answer, action, end string
}

type weight struct {
	flows int64
	money map[string]int64
}

func (w *weight) add(n int64, currency string, amount int64) {
	w.flows += n
	if w.money == nil {
		w.money = map[string]int64{}
	}
	w.money[currency] += amount
}

func (w *weight) join(o *weight) {
	w.flows += o.flows
	for c, n := range o.money {
		w.add(0, c, n)
	}
}

// details is what Options.By, Options.Page and Options.List ask for. It is for one goroutine; those
// of several are joined, and the order does not matter.
type details struct {
	by     [len(dimensions)]map[string]*cell // nil: not asked for
	page   bool
	ways   map[way]*weight
	codes  map[codeKey]*weight // payments harmed after an answer
	time   timeline
	spans  [sides][len(spanEdges) + 1]int64
	behind map[string]*shownFlows
	list   string
	listed []listedFlow
}

// watch begins the details, where some are asked for.
func (r *runner) watch() {
	o := r.o
	if len(o.By) == 0 && !o.Page && o.List == "" {
		return
	}
	r.t.note, r.other.note = true, true
	d := &details{page: o.Page, list: o.List, ways: map[way]*weight{}, codes: map[codeKey]*weight{}, behind: map[string]*shownFlows{}}
	for i, name := range dimensions {
		if o.Page || slices.Contains(o.By, name) {
			d.by[i] = map[string]*cell{}
		}
	}
	r.details = d
}

func (o *Options) checkDetails() error {
	for _, name := range o.By {
		if !slices.Contains(dimensions[:], name) {
			return fmt.Errorf("numbers cannot be had by %q (there are: %s)", name, strings.Join(dimensions[:], ", "))
		}
	}
	if o.List == "" {
		return nil
	}
	kinds := kindNames(o.Against != nil)
	if slices.Contains(kinds, o.List) {
		return nil
	}
	for _, prefix := range openKinds {
		if rest, ok := strings.CutPrefix(o.List, prefix+"."); ok && rest != "" {
			return nil
		}
	}
	return fmt.Errorf("no number is called %q (there are: %s; and %s.WHAT, as the report writes it)",
		o.List, strings.Join(kinds, ", "), strings.Join(openKinds, ".WHAT, "))
}

// notes is what details want to know of a simulated flow. The nil pointer takes none.
type notes struct {
	decides bool
	first   policy.Action // what was done at the first answer
	calls   []calledAt
	rules   []ruleKey
}

type calledAt struct {
	at    moment
	query bool
}

// call notes a send or a query.
func (n *notes) call(now moment, query bool) {
	if n != nil {
		n.calls = append(n.calls, calledAt{now, query})
	}
}

// decided notes a decision of the rules.
func (n *notes) decided(c *flow.Decided) {
	if n == nil {
		return
	}
	if !n.decides {
		n.decides, n.first = true, c.Verdict.Action
	}
	if k := keyOf(c); !slices.Contains(n.rules, k) {
		n.rules = append(n.rules, k)
	}
}

// group takes the flows of one payment key, after they were added up. before is nil without Options.Against.
func (d *details) group(r *runner, before, after []result, h *harm) {
	for i := range after {
		v := view{runner: r, after: &after[i], raised: &r.t.raised[i], harm: h}
		if before != nil {
			v.before, v.other = &before[i], &r.other.raised[i]
		}
		if len(after[i].r.sends) == 0 {
			d.incomplete(&v)
			continue
		}
		d.breakDown(&v)
		if d.page {
			d.went(&v)
			d.timed(&v)
		}
		if d.page || d.list != "" {
			d.behindNumbers(&v)
		}
	}
	if d.page && h != nil && h.cause != nil {
		at(d.codes, r.t.keyOf(h.causeOf, h.cause)).add(1, h.record.payment.Currency, h.record.payment.Amount)
	}
}

// view is one flow with all that is known of it.
type view struct {
	runner        *runner
	before, after *result // before: with the rules of Options.Against; nil without
	raised, other *raised
	harm          *harm // of the payment key
}

// side is the flow's numbers in a column; nil: there is no such column.
func (v *view) side(side int) *columnNumbers {
	switch {
	case side == asRecorded:
		return &v.raised.recorded
	case side == withThese:
		return &v.raised.simulated
	case v.other != nil:
		return &v.other.simulated
	}
	return nil
}

// result is the flow in a simulated column.
func (v *view) result(side int) *result {
	if side == withOthers {
		return v.before
	}
	return v.after
}

func (d *details) breakDown(v *view) {
	for i, cells := range d.by {
		if cells == nil {
			continue
		}
		c := at(cells, v.after.r.valueIn(i))
		for side := range sides {
			if n := v.side(side); n != nil {
				c.sides[side].add(n)
			}
		}
		if c.money == nil {
			c.money = map[string]*moneyNumbers{}
		}
		m := at(c.money, v.after.r.payment.Currency)
		for k, n := range v.raised.money {
			m[k] += n
		}
	}
}

// went counts how a flow went in each column.
func (d *details) went(v *view) {
	r := v.after.r
	answer := envelopesOf(v.runner.t.catalogs, r.payment.Provider).label(&r.sends[0].answer)
	for side := range sides {
		n := v.side(side)
		if n == nil {
			continue
		}
		w := way{side: side, provider: r.payment.Provider, answer: answer, action: r.nextStep(), end: n.end()}
		if side != asRecorded {
			w.action = v.result(side).end.firstAction()
		}
		if h := n.harm(); h != "" {
			w.end = h
		}
		at(d.ways, w).add(1, r.payment.Currency, r.payment.Amount)
	}
}

// firstAction is what a simulated flow did at its first answer.
func (e *ending) firstAction() string {
	switch {
	case e.departure == keyTaken || e.departure == keyUnknown:
		return "not_started"
	case e.notes == nil || !e.notes.decides:
		return "nothing"
	}
	return e.notes.first.String()
}

// nextStep is what the recorded client did after the answer to its first send, in the words of the rules.
func (r *record) nextStep() string {
	first := &r.sends[0]
	const never = moment(1<<63 - 1)
	sent, asked, ended := never, never, never
	if len(r.sends) > 1 {
		sent = r.sends[1].at
	}
	if len(r.queries) > 0 {
		asked = r.queries[0].at
	}
	if r.ended && r.outcome != policy.Open {
		ended = r.endAt
	}
	switch first := min(sent, asked, ended); {
	case first == never:
		return "nothing"
	case first == ended:
		return map[policy.Outcome]string{
			policy.Succeeded: policy.MarkSucceeded.String(), policy.Failed: policy.MarkFailed.String(), policy.Escalated: policy.Escalate.String(),
		}[r.outcome]
	case first == asked:
		return policy.QueryStatus.String()
	}
	switch next := &r.sends[1]; {
	case next.orderID != first.orderID:
		return policy.RetryNewOrder.String()
	case next.requestID != first.requestID:
		return policy.RetryNewRequest.String()
	}
	return policy.RetrySame.String()
}

// timed puts calls and ends where they stand in time, and notes how long it took.
func (d *details) timed(v *view) {
	r := v.after.r
	for i := range r.sends {
		d.time.add(r.sends[i].at, asRecorded, pointSends)
	}
	for i := range r.queries {
		d.time.add(r.queries[i].at, asRecorded, pointQueries)
	}
	if r.ended && r.outcome != policy.Open {
		d.ended(asRecorded, r, r.outcome, r.endAt)
	}
	for side := withThese; side < sides; side++ {
		res := v.result(side)
		if res == nil {
			continue
		}
		if n := res.end.notes; n != nil {
			for _, c := range n.calls {
				what := pointSends
				if c.query {
					what = pointQueries
				}
				d.time.add(c.at, side, what)
			}
		}
		if res.knowledge == simulated && !res.end.stillOpen {
			d.ended(side, r, res.end.outcome, res.end.endAt)
		}
	}
}

func (d *details) ended(side int, r *record, o policy.Outcome, end moment) {
	what := map[policy.Outcome]int{policy.Succeeded: pointSucceeded, policy.Failed: pointFailed, policy.Escalated: pointEscalated}[o]
	d.time.add(end, side, what)
	d.spans[side][spanOf(end.time().Sub(r.start().time()))]++
}

// spanEdges are where a span of the distribution ends, and the next begins.
var spanEdges = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
	10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// spanOf is the number of the span that holds a duration.
func spanOf(d time.Duration) int {
	i := 0
	for i < len(spanEdges) && d >= spanEdges[i] {
		i++
	}
	return i
}
