package simulate

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/recourse-pay/recourse/internal/outage"
	"github.com/recourse-pay/recourse/policy"
)

// reportVersion is the version of the report's JSON form.
const reportVersion = 1

// Report is what a simulation found. Its JSON form is what `recourse simulate --json`
// prints; it is described in docs/simulate.md.
type Report struct {
	V           int `json:"v"` // of the JSON form: 1
	Files       int `json:"files"`
	Lines       int `json:"lines"`        // that could be read
	BrokenLines int `json:"broken_lines"` // that could not
	Incomplete  int `json:"incomplete"`   // flows without a send: not counted below
	NoTruth     int `json:"no_truth"`     // flows without reconciliation, judged by what the answers prove
	Repeated    int `json:"repeated"`     // lines that an earlier line of their flow equals: they count once
	Unsent      int `json:"unsent"`       // flows of which reconciliation found executions that no recorded send could cause: no harm of either column

	UnknownKeys []policy.Count `json:"unknown_keys,omitempty"` // keys that no line has, with the lines that hold them
	Lacks       []policy.Count `json:"lacks,omitempty"`        // what imported sends say that their format cannot hold

	Recorded  Column `json:"recorded"`
	Simulated Column `json:"simulated"`
	Bounds    reach  `json:"bounds"` // of the simulated column, in flows

	Departures []Count     `json:"departures"` // flows by why they left the recording
	Money      []Money     `json:"money"`      // by currency
	Harms      []Count     `json:"harms"`      // payments by what the recorded client did wrong
	Broken     []Count     `json:"broken"`     // payments by what these rules do wrong; empty when S1 to S3 hold
	Codes      []CodeCount `json:"codes"`      // those after which the recorded client did harm come first
	Rules      []RuleCount `json:"rules"`      // those that met such an answer come first

	Against *comparison `json:"against,omitempty"` // with Options.Against: what changes from its rules to these

	Outages []outage.Report `json:"outages,omitempty"` // with Options.Outages, by provider

	Details *detailed `json:"details,omitempty"` // with Options.By or Options.Page

	stories []*Story
	failed  []string
	behind  flowsBehind
}

// Stories returns the stories of the flow that Options.Flow names, in the order of its merchants.
func (r *Report) Stories() []*Story { return r.stories }

// Holds reports whether the simulated column keeps S1 to S3 and S6, and what is played through outages S1 to S3.
func (r *Report) Holds() bool {
	return r.Simulated.Total() == 0 && !slices.ContainsFunc(r.Outages, func(o outage.Report) bool { return !o.Holds() })
}

// Column is one side of the comparison. Succeeded, Failed, Escalated, Open and
// OffRecord add up to Flows.
type Column struct {
	Flows     int `json:"flows"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Escalated int `json:"escalated"`
	Open      int `json:"open"`
	OffRecord int `json:"off_record"`

	// The first two are of Open: reconciliation proves what became of all that they had sent, and their
	// end is not known. The third is of Failed: flows that would not start, and so send nothing.
	ProvedExecuted    int `json:"proved_executed"`
	ProvedNotExecuted int `json:"proved_not_executed"`
	Refused           int `json:"refused"`

	Harms // payments; ExecutedTwice counts payment keys

	Sends   int `json:"sends"`
	Queries int `json:"queries"`

	Corrected int `json:"corrected"` // decisions that the interlock changed
	Alerts    int `json:"alerts"`    // contradictions after the end
	Unasked   int `json:"unasked"`   // queries left out because the recording had no answer, and a webhook followed

	// TimeToEnd is from the first send to the end, over the flows that ended.
	TimeToEnd struct {
		P50 int64 `json:"p50"`
		P95 int64 `json:"p95"`
		P99 int64 `json:"p99"`
	} `json:"time_to_end_ms"`

	// Moved is about the recorded answers that the simulation used at another time than they
	// were recorded: how many, and how far from it.
	Moved struct {
		N   int   `json:"count"`
		P50 int64 `json:"p50_ms"`
		P95 int64 `json:"p95_ms"`
		Max int64 `json:"max_ms"`
	} `json:"moved"`
}

// Money is amounts of one currency, in its ISO 4217 minor units.
type Money struct {
	Currency  string `json:"currency"`
	Volume    int64  `json:"volume"` // of all flows
	Recorded  Harms  `json:"recorded"`
	Simulated Harms  `json:"simulated"`
	Escalated int64  `json:"escalated"`  // handed to a person with the evidence
	Open      int64  `json:"open"`       // still waiting for a webhook when the recording ends
	OffRecord int64  `json:"off_record"` // what these rules would have done with it is not known
	Proved    int64  `json:"proved"`     // of Open: reconciliation proves what became of what was sent
	Refused   int64  `json:"refused"`    // of flows that would not start, which count as failed
	Bounds    reach  `json:"bounds"`     // of what these rules come to
}

// Harms is what went wrong, by kind: in a Column a number of payments, in Money an amount in
// ISO 4217 minor units.
type Harms struct {
	ExecutedTwice              int64 `json:"executed_twice"`
	FailedThoughExecuted       int64 `json:"failed_though_executed"`
	SucceededThoughNotExecuted int64 `json:"succeeded_though_not_executed"`
	SucceededWithAnotherAmount int64 `json:"succeeded_with_another_amount"`
	SucceededThoughDisputed    int64 `json:"succeeded_though_disputed"`
}

// Total adds up the kinds.
func (h Harms) Total() int64 {
	return h.ExecutedTwice + h.FailedThoughExecuted + h.SucceededThoughNotExecuted + h.SucceededWithAnotherAmount + h.SucceededThoughDisputed
}

// Count is a number of flows or payments of one kind, and the first flow among them.
type Count struct {
	What    string `json:"what"` // a kind of harm as in Harms' JSON form, or why flows left the recording
	N       int    `json:"count"`
	Example string `json:"example"` // a flow
}

// CodeCount counts one answer of one operation and phase.
type CodeCount struct {
	Provider  string           `json:"provider"`
	Operation policy.Operation `json:"operation"`
	Phase     policy.Phase     `json:"phase"`
	Answer    string           `json:"answer"` // a fault, a status with its reason, or a code
	Seen      int              `json:"seen"`
	Harmed    int              `json:"harmed"` // payments harmed by what the recorded client did next
	Example   string           `json:"example"`
}

// RuleCount counts how the simulation followed one rule.
type RuleCount struct {
	Rule      string        `json:"rule"` // empty: no rule held
	Source    string        `json:"source"`
	Action    policy.Action `json:"action"`
	Reason    string        `json:"reason"`
	Followed  int           `json:"followed"`
	Corrected int           `json:"corrected"` // by the interlock
	Met       int           `json:"met"`       // payments: it met the answer after which the recorded client did harm
	Example   string        `json:"example"`
}

func (t *tally) report() *Report {
	r := &Report{
		V: reportVersion, Incomplete: t.incomplete, NoTruth: t.noTruth, Repeated: t.repeated, Unsent: t.unsent.n,
		Recorded: t.recorded.report(), Simulated: t.simulated.report(), Bounds: t.reach.report(t.simulated.harms),
		Departures: []Count{}, Money: []Money{}, Codes: []CodeCount{}, Rules: []RuleCount{},
		Harms: harmCounts(t.harms), Broken: harmCounts(t.broken),
	}
	compare := func(a, b string) int { return strings.Compare(a, b) }
	for _, d := range sorted(t.departures, func(a, b departure) int { return compare(string(a), string(b)) }) {
		e := t.departures[d]
		r.Departures = append(r.Departures, Count{string(d), e.n, e.flow})
	}
	for _, c := range sorted(t.money, compare) {
		m := t.money[c]
		r.Money = append(r.Money, Money{
			Currency: c, Volume: m.volume, Recorded: harmsOf(m.recorded), Simulated: harmsOf(m.simulated),
			Escalated: m.escalated, Open: m.open, OffRecord: m.offRecord, Proved: m.proved, Refused: m.refused, Bounds: m.reach.report(m.simulated),
		})
	}
	for _, k := range sorted(t.codes, compareCodes) {
		c := t.codes[k]
		e := c.harmed
		if e.n == 0 {
			e = c.sample
		}
		r.Codes = append(r.Codes, CodeCount{k.provider, k.operation, k.phase, k.label, c.seen, c.harmed.n, e.flow})
	}
	sort.SliceStable(r.Codes, func(i, j int) bool {
		return before(r.Codes[i].Harmed, r.Codes[j].Harmed, r.Codes[i].Seen, r.Codes[j].Seen)
	})
	for _, k := range sorted(t.rules, func(a, b ruleKey) int {
		return cmp.Or(compare(a.id, b.id), compare(a.source, b.source), int(a.action)-int(b.action))
	}) {
		c := t.rules[k]
		e := c.met
		if e.n == 0 {
			e = c.sample
		}
		r.Rules = append(r.Rules, RuleCount{k.id, k.source, c.action, c.reason, c.followed, c.corrected, c.met.n, e.flow})
	}
	sort.SliceStable(r.Rules, func(i, j int) bool {
		return before(r.Rules[i].Met, r.Rules[j].Met, r.Rules[i].Followed, r.Rules[j].Followed)
	})
	return r
}

// before orders by the first count, then by the second, the larger first.
func before(a1, b1, a2, b2 int) bool {
	if a1 != b1 {
		return a1 > b1
	}
	return a2 > b2
}

func harmCounts(m map[harmKind]*example) []Count {
	list := []Count{}
	for _, h := range harmKinds {
		if e := m[h]; e != nil {
			list = append(list, Count{string(h), e.n, e.flow})
		}
	}
	return list
}

func harmsOf(m map[harmKind]int64) Harms {
	return Harms{m[executedTwice], m[failedThoughExecuted], m[succeededThoughNot], m[succeededOther], m[succeededDisputed]}
}

func (c *column) report() Column {
	r := Column{
		Flows: c.flows, Succeeded: c.succeeded, Failed: c.failed, Escalated: c.escalated, Open: c.open, OffRecord: c.offRecord,
		ProvedExecuted: c.provedExecuted, ProvedNotExecuted: c.provedNotExecuted, Refused: c.refused,
		Harms: harmsOf(c.harms), Sends: c.sends, Queries: c.queries, Corrected: c.corrected, Alerts: c.alerts, Unasked: c.unasked,
	}
	r.TimeToEnd.P50 = c.time.quantile(0.50).Milliseconds()
	r.TimeToEnd.P95 = c.time.quantile(0.95).Milliseconds()
	r.TimeToEnd.P99 = c.time.quantile(0.99).Milliseconds()
	r.Moved.N = c.moved.total
	r.Moved.P50 = c.moved.quantile(0.50).Milliseconds()
	r.Moved.P95 = c.moved.quantile(0.95).Milliseconds()
	r.Moved.Max = c.moved.quantile(1).Milliseconds()
	return r
}
