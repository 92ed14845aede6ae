package simulate

import (
	"sort"
	"strings"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// tally adds up results. Tallies of several goroutines are joined at the end; the
// order does not matter.
type tally struct {
	catalogs            *providers.Catalogs
	recorded, simulated column
	reach               bounds
	money               map[string]*money
	codes               map[codeKey]*codeCount
	rules               map[ruleKey]*ruleCount
	ofKind              []*codeCount  // of codes, by the slot of the kind of line
	recent              [8]recentRule // rules that were followed last
	departures          map[departure]*example
	harms               map[harmKind]*example // of the recorded client
	broken              map[harmKind]*example // of the simulation
	incomplete          int
	noTruth             int
	repeated            int     // lines
	unsent              example // flows with executions of identities that were not sent

	note   bool     // keep what each flow raises
	raised []raised // by the flows of the last payment key
}

type column struct {
	flows, succeeded, failed, escalated, open, offRecord int
	provedExecuted, provedNotExecuted, refused           int
	harms                                                map[harmKind]int64
	sends, queries                                       int
	corrected, alerts, unasked                           int
	time, moved                                          histogram
}

// money of one currency, in minor units.
type money struct {
	volume, escalated, open, offRecord int64
	proved, refused                    int64
	reach                              bounds
	recorded, simulated                map[harmKind]int64
}

type codeKey struct {
	provider  string
	operation policy.Operation
	phase     policy.Phase
	label     string
}

type codeCount struct {
	seen   int // answers
	harmed example
	sample example
}

type ruleKey struct {
	id, source string
	action     policy.Action // there are two actions where no rule holds: both have an empty id
}

func keyOf(d *flow.Decided) ruleKey {
	return ruleKey{d.Decision.Rule, d.Decision.Source, d.Decision.Action}
}

type recentRule struct {
	key   ruleKey
	count *ruleCount
}

type ruleCount struct {
	action    policy.Action
	reason    string
	followed  int
	corrected int
	met       example
	sample    example
}

// example counts something and remembers the first flow of it.
type example struct {
	n    int
	flow string
	at   moment
}

func (e *example) count(r *record) {
	e.n++
	if at := r.start(); e.isAfter(r.flow, at) {
		e.flow, e.at = strings.Clone(r.flow), at // what the record was decoded from is not kept
	}
}

// isAfter reports whether a flow comes before the one that is remembered.
func (e *example) isAfter(flow string, at moment) bool {
	return e.flow == "" || flow != "" && (at < e.at || at == e.at && flow < e.flow)
}

func (e *example) join(o *example) {
	e.n += o.n
	if e.isAfter(o.flow, o.at) {
		e.flow, e.at = o.flow, o.at
	}
}

func newTally(c *providers.Catalogs) *tally {
	return &tally{
		catalogs: c,
		recorded: column{harms: map[harmKind]int64{}}, simulated: column{harms: map[harmKind]int64{}},
		money: map[string]*money{}, codes: map[codeKey]*codeCount{}, rules: map[ruleKey]*ruleCount{},
		departures: map[departure]*example{}, harms: map[harmKind]*example{}, broken: map[harmKind]*example{},
	}
}

func at[K comparable, V any](m map[K]*V, k K) *V {
	v := m[k]
	if v == nil {
		v = new(V)
		m[k] = v
	}
	return v
}

// add takes the flows of one payment key.
func (t *tally) add(results []result, h *harm) {
	recorded, simulated := 0, 0
	t.raised = t.raised[:0]
	for i := range results {
		if !t.note {
			t.flow(&results[i], &recorded, &simulated)
			continue
		}
		before := t.standing(results[i].r)
		t.flow(&results[i], &recorded, &simulated)
		t.raised = append(t.raised, t.standing(results[i].r).since(&before))
	}
	if h != nil {
		t.addHarm(h)
	}
}

// flow takes one flow. recorded and simulated are the executions of its payment key so far.
func (t *tally) flow(res *result, recorded, simulated *int) {
	r := res.r
	t.repeated += r.repeated
	if len(r.sends) == 0 {
		t.incomplete++
		if len(r.unsent) > 0 {
			t.unsent.count(r)
		}
		return
	}
	if !r.hasTruth {
		t.noTruth++
	}
	if len(r.unsent) > 0 {
		t.unsent.count(r)
	}
	t.seen(r)
	t.recordedFlow(res)
	t.simulatedFlow(res)
	m := t.moneyOf(r)
	twice(t.recorded.harms, m.recorded, recorded, res.recorded.executions, r)
	if twice(t.simulated.harms, m.simulated, simulated, res.simulated.executions, r) {
		at(t.broken, executedTwice).count(r)
	}
}

// twice counts a key that executed more than once, and every execution too many.
func twice(harms, amounts map[harmKind]int64, total *int, n int, r *record) bool {
	before := *total
	*total += n
	if *total < 2 || n == 0 {
		return false
	}
	if before < 2 {
		harms[executedTwice]++
	}
	amounts[executedTwice] += int64(*total-max(before, 1)) * r.payment.Amount
	return before < 2
}

func (t *tally) moneyOf(r *record) *money {
	currency := r.payment.Currency
	m := t.money[currency]
	if m == nil {
		m = &money{recorded: map[harmKind]int64{}, simulated: map[harmKind]int64{}}
		t.money[currency] = m
	}
	return m
}

func (t *tally) recordedFlow(res *result) {
	r, c := res.r, &t.recorded
	c.flows++
	c.sends += len(r.sends)
	c.queries += len(r.queries)
	m := t.moneyOf(r)
	m.volume += r.payment.Amount
	if !r.ended {
		c.open++
		return
	}
	c.end(r.outcome, r.start(), r.endAt)
	if h := wrong(r, res.recorded); h != "" {
		c.harms[h]++
		m.recorded[h] += r.payment.Amount
	}
}

func (t *tally) simulatedFlow(res *result) {
	r, e, c := res.r, &res.end, &t.simulated
	c.flows++
	c.sends += e.sends
	c.queries += e.queries
	c.corrected += e.corrected
	c.alerts += e.alerts
	c.unasked += e.unasked
	m := t.moneyOf(r)
	t.reach.add(res.ends, res.knowledge, 1)
	m.reach.add(res.ends, res.knowledge, r.payment.Amount)
	switch {
	case e.departure != onRecord:
		at(t.departures, e.departure).count(r)
		switch res.knowledge {
		case provedExecuted:
			c.provedExecuted++
		case provedNotExecuted:
			c.provedNotExecuted++
		case refused: // certain that it moved no money
			c.refused++
			c.failed++
			m.refused += r.payment.Amount
			return
		case simulated, unknown:
			c.offRecord++
			m.offRecord += r.payment.Amount
			return
		}
		c.open++ // its end is not known, and its money is
		m.open += r.payment.Amount
		m.proved += r.payment.Amount
		return
	case e.stillOpen:
		c.open++
		m.open += r.payment.Amount
		return
	case e.outcome == policy.Escalated:
		m.escalated += r.payment.Amount
	}
	c.end(e.outcome, r.start(), e.endAt)
	if h := wrong(r, res.simulated); h != "" {
		c.harms[h]++
		m.simulated[h] += r.payment.Amount
		at(t.broken, h).count(r)
	}
}

func (c *column) end(o policy.Outcome, start, end moment) {
	switch o {
	case policy.Succeeded:
		c.succeeded++
	case policy.Failed:
		c.failed++
	case policy.Escalated:
		c.escalated++
	case policy.Open:
		c.open++
		return
	}
	c.time.add(end.time().Sub(start.time()))
}

func (t *tally) seen(r *record) {
	for _, calls := range [][]call{r.sends, r.queries, r.webhooks} {
		for i := range calls {
			c := t.codeOf(r, &calls[i])
			c.seen++
			c.sample.count(r)
		}
	}
}

// codeOf is what is counted of an answer. Lines of one kind have one.
func (t *tally) codeOf(r *record, c *call) *codeCount {
	if !c.kind.says() || c.kind.provider != r.payment.Provider || c.kind.operation != r.payment.Operation {
		return at(t.codes, t.keyOf(r, c))
	}
	for c.kind.slot >= len(t.ofKind) {
		t.ofKind = append(t.ofKind, make([]*codeCount, max(512, len(t.ofKind)))...)
	}
	if t.ofKind[c.kind.slot] == nil {
		t.ofKind[c.kind.slot] = at(t.codes, t.keyOf(r, c))
	}
	return t.ofKind[c.kind.slot]
}

func (t *tally) keyOf(r *record, c *call) codeKey {
	name := envelopesOf(t.catalogs, r.payment.Provider).label(&c.answer)
	return codeKey{r.payment.Provider, r.payment.Operation, c.answer.Phase, name}
}

func (t *tally) addHarm(h *harm) {
	at(t.harms, h.kind).count(h.record)
	if h.cause == nil {
		return
	}
	at(t.codes, t.keyOf(h.causeOf, h.cause)).harmed.count(h.record)
	if h.rule != (ruleKey{}) {
		at(t.rules, h.rule).met.count(h.record)
	}
}

func (t *tally) rule(r *record, d *flow.Decided) {
	key := keyOf(d)
	last := &t.recent[(len(key.id)+len(key.source)+int(key.action))%len(t.recent)]
	if last.count == nil || last.key != key {
		*last = recentRule{key, at(t.rules, key)}
	}
	c := last.count
	c.action, c.reason = d.Decision.Action, d.Decision.Reason
	c.followed++
	if d.Verdict.Property != "" {
		c.corrected++
	}
	c.sample.count(r)
}

func (t *tally) join(o *tally) {
	t.recorded.join(&o.recorded)
	t.simulated.join(&o.simulated)
	for k, m := range o.money {
		mine := t.money[k]
		if mine == nil {
			t.money[k] = m
			continue
		}
		mine.join(m)
	}
	for k, c := range o.codes {
		mine := at(t.codes, k)
		mine.seen += c.seen
		mine.harmed.join(&c.harmed)
		mine.sample.join(&c.sample)
	}
	for k, c := range o.rules {
		mine := at(t.rules, k)
		mine.action, mine.reason = c.action, c.reason
		mine.followed += c.followed
		mine.corrected += c.corrected
		mine.met.join(&c.met)
		mine.sample.join(&c.sample)
	}
	joinExamples(t.departures, o.departures)
	joinExamples(t.harms, o.harms)
	joinExamples(t.broken, o.broken)
	t.incomplete += o.incomplete
	t.noTruth += o.noTruth
	t.repeated += o.repeated
	t.unsent.join(&o.unsent)
	t.reach.join(&o.reach)
}

func joinExamples[K comparable](to, from map[K]*example) {
	for k, e := range from {
		at(to, k).join(e)
	}
}

func (c *column) join(o *column) {
	c.flows += o.flows
	c.succeeded += o.succeeded
	c.failed += o.failed
	c.escalated += o.escalated
	c.open += o.open
	c.offRecord += o.offRecord
	c.provedExecuted += o.provedExecuted
	c.provedNotExecuted += o.provedNotExecuted
	c.refused += o.refused
	c.sends += o.sends
	c.queries += o.queries
	c.corrected += o.corrected
	c.alerts += o.alerts
	c.unasked += o.unasked
	for h, n := range o.harms {
		c.harms[h] += n
	}
	c.time.join(&o.time)
	c.moved.join(&o.moved)
}

func (m *money) join(o *money) {
	m.volume += o.volume
	m.escalated += o.escalated
	m.open += o.open
	m.offRecord += o.offRecord
	m.proved += o.proved
	m.refused += o.refused
	m.reach.join(&o.reach)
	for h, n := range o.recorded {
		m.recorded[h] += n
	}
	for h, n := range o.simulated {
		m.simulated[h] += n
	}
}

// sorted lists a map's keys by less.
func sorted[K comparable, V any](m map[K]V, less func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return less(keys[i], keys[j]) < 0 })
	return keys
}

func compareCodes(a, b codeKey) int {
	for _, c := range []int{
		strings.Compare(a.provider, b.provider), int(a.operation) - int(b.operation),
		int(a.phase) - int(b.phase), strings.Compare(a.label, b.label),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}
