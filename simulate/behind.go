package simulate

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// How many flows are kept with their stories behind one number: the earliest.
const (
	mostBehind      = 20
	mostBehindCodes = 3 // behind a code, a rule: there are hundreds of them

	// mostWithFlows is how many numbers keep flows. A recording with more answers than that has an id where a code should be;
	// which of them keep flows is chance then, and their counts are not.
	mostWithFlows = 3000
)

// openKinds are the beginnings of the names of numbers whose other half is a word of the recording or of the rules.
var openKinds = []string{"departures", "codes", "codes_harmed", "rules"}

// columnKinds are the numbers of a column that count flows. Sends and queries count calls of all flows.
func columnKinds() []string { return columnNames[:sendsAt] }

// kindNames lists the names of numbers that flows stand behind, but for openKinds.
func kindNames(against bool) (names []string) {
	for _, column := range []string{"recorded", "simulated"} {
		for _, name := range columnKinds() {
			names = append(names, column+"."+name)
		}
	}
	for _, name := range columnNames[askedAt+1:] {
		names = append(names, "simulated."+name)
	}
	names = append(names, "incomplete", "no_truth", "unsent")
	for _, h := range harmKinds {
		names = append(names, "harms."+string(h), "broken."+string(h))
	}
	if against {
		for _, name := range columnKinds() {
			names = append(names, "against.simulated."+name)
		}
		for _, name := range directionNames() {
			names = append(names, "against.changes."+name)
		}
	}
	return names
}

// listedFlow is one flow behind a number.
type listedFlow struct {
	Flow      string    `json:"flow"`
	Merchant  string    `json:"merchant"`
	Provider  string    `json:"provider"`
	Operation string    `json:"operation"`
	Key       string    `json:"payment_key"`
	At        time.Time `json:"at"` // of the first send
	Week      string    `json:"week"`
	Amount    int64     `json:"amount"` // in ISO 4217 minor units
	Currency  string    `json:"currency"`
	Answer    string    `json:"first_answer"`
	Recorded  flowSide  `json:"recorded"`
	Simulated flowSide  `json:"simulated"`
	Against   *flowSide `json:"against,omitempty"`
	Departure string    `json:"departure,omitempty"` // why the simulated flow left the record
	Change    string    `json:"change,omitempty"`    // from Options.Against
}

// flowSide is a flow in one column.
type flowSide struct {
	End     string `json:"end"`  // as in the names of a column
	Harm    string `json:"harm"` // empty: none
	Action  string `json:"first_action"`
	Sends   int64  `json:"sends"`
	Queries int64  `json:"queries"`
	Millis  int64  `json:"time_to_end_ms"` // 0: it did not end
}

func (v *view) listed() listedFlow {
	r := v.after.r
	f := listedFlow{
		Flow: r.flow, Merchant: r.payment.Merchant, Provider: r.payment.Provider, Operation: r.payment.Operation.String(), Key: r.payment.Key,
		At: r.start().time(), Week: weekOf(r.start()), Amount: r.payment.Amount, Currency: r.payment.Currency,
		Departure: string(v.after.end.departure), Change: v.after.change,
	}
	if len(r.sends) == 0 {
		return f
	}
	f.Answer = envelopesOf(v.runner.t.catalogs, r.payment.Provider).label(&r.sends[0].answer)
	for side := range sides {
		n := v.side(side)
		if n == nil {
			continue
		}
		s := flowSide{End: n.end(), Harm: n.harm(), Action: r.nextStep(), Sends: n[sendsAt], Queries: n[askedAt]}
		ended, at := r.ended && n[lastEnd-1] == 0, r.endAt
		if side != asRecorded {
			res := v.result(side)
			s.Action, at = res.end.firstAction(), res.end.endAt
			ended = res.knowledge == simulated && !res.end.stillOpen
		}
		if ended {
			s.Millis = at.time().Sub(r.start().time()).Milliseconds()
		}
		switch side {
		case asRecorded:
			f.Recorded = s
		case withThese:
			f.Simulated = s
		default:
			f.Against = &s
		}
	}
	return f
}

func (f *listedFlow) compare(o *listedFlow) int {
	return cmp.Or(f.At.Compare(o.At), strings.Compare(f.Flow, o.Flow), strings.Compare(f.Merchant, o.Merchant))
}

// shownFlow is a flow with its stories.
type shownFlow struct {
	listedFlow
	Steps  []StoryLine // as recorded
	After  []StoryLine // with the rules of Options.Decider
	Before []StoryLine // with those of Options.Against
}

// Listed is the flow without its stories.
func (f *shownFlow) Listed() any { return &f.listedFlow }

// shownFlows are the flows behind one number: how many, and the earliest.
type shownFlows struct {
	count int
	flows []*shownFlow
}

// behindNumbers notes the flow behind each number that counts it.
func (d *details) behindNumbers(v *view) {
	r, b := v.after.r, behindNote{d: d, v: v}
	for side := range sides {
		n := v.side(side)
		if n == nil {
			continue
		}
		prefix := [sides]string{"recorded.", "simulated.", "against.simulated."}[side]
		for i, name := range columnNames {
			if n[i] > 0 && i != sendsAt && i != askedAt && (i < sendsAt || side == withThese) {
				b.note(prefix, name, mostBehind)
			}
		}
	}
	if !r.hasTruth {
		b.note("no_truth", "", mostBehind)
	}
	if len(r.unsent) > 0 {
		b.note("unsent", "", mostBehind)
	}
	if t := v.after.end.departure; t != onRecord {
		b.note("departures.", string(t), mostBehind)
	}
	if v.after.change != "" {
		b.note("against.changes.", v.after.change, mostBehind)
	}
	for i := harmFrom; i <= harmTo; i++ {
		if v.raised.simulated[i] > 0 {
			b.note("broken.", columnNames[i], mostBehind)
		}
	}
	if h := v.harm; h != nil && h.record == r {
		b.note("harms.", string(h.kind), mostBehind)
		if h.cause != nil {
			b.note("codes_harmed.", v.runner.t.keyOf(h.causeOf, h.cause).String(), mostBehindCodes)
		}
	}
	b.answers(v.runner.t)
	if n := v.after.end.notes; n != nil {
		for _, k := range n.rules {
			b.note("rules.", strings.TrimSpace(k.id+" "+k.source), mostBehindCodes)
		}
	}
}

// incomplete notes a flow without a send, which is in no column.
func (d *details) incomplete(v *view) {
	b := behindNote{d: d, v: v}
	b.note("incomplete", "", mostBehind)
	if len(v.after.r.unsent) > 0 {
		b.note("unsent", "", mostBehind)
	}
}

// String is the name of an answer behind "codes.".
func (k codeKey) String() string {
	return strings.Join([]string{k.provider, k.operation.String(), k.phase.String(), k.label}, " ")
}

// behindNote notes one flow behind numbers. Its stories are made once, when a number keeps them.
type behindNote struct {
	d     *details
	v     *view
	row   *listedFlow
	shown *shownFlow
}

func (b *behindNote) answers(t *tally) {
	var seen []codeKey
	r := b.v.after.r
	for _, calls := range [][]call{r.sends, r.queries, r.webhooks} {
		for i := range calls {
			if k := t.keyOf(r, &calls[i]); !slices.Contains(seen, k) {
				seen = append(seen, k)
			}
		}
	}
	for _, k := range seen {
		b.note("codes.", k.String(), mostBehindCodes)
	}
}

// note counts the flow behind a number, and keeps it if it is one of the earliest.
func (b *behindNote) note(prefix, name string, most int) {
	if l := b.d.list; l != "" && len(l) == len(prefix)+len(name) && strings.HasPrefix(l, prefix) && strings.HasSuffix(l, name) {
		b.d.listed = append(b.d.listed, *b.flow())
	}
	if !b.d.page {
		return
	}
	f := at(b.d.behind, prefix+name)
	f.count++
	if most == mostBehindCodes && len(f.flows) == 0 && len(b.d.behind) > mostWithFlows {
		return
	}
	if len(f.flows) == most && f.flows[most-1].compare(b.flow()) <= 0 {
		return
	}
	f.keep(b.story(), most)
}

func (b *behindNote) flow() *listedFlow {
	if b.row == nil {
		row := b.v.listed()
		b.row = &row
	}
	return b.row
}

func (b *behindNote) story() *shownFlow {
	if b.shown != nil {
		return b.shown
	}
	r := b.v.runner
	after := r.tell(r.o.Decider, b.v.after)
	b.shown = &shownFlow{listedFlow: *b.flow(), Steps: after.Recorded, After: after.Simulated}
	if b.v.before != nil {
		b.shown.Before = r.tell(r.o.Against, b.v.before).Simulated
	}
	return b.shown
}

func (f *shownFlows) keep(one *shownFlow, most int) {
	i, _ := slices.BinarySearchFunc(f.flows, one, func(a, b *shownFlow) int { return a.compare(&b.listedFlow) })
	f.flows = slices.Insert(f.flows, i, one)
	f.flows = f.flows[:min(len(f.flows), most)]
}

func (f *shownFlows) join(o *shownFlows, most int) {
	f.count += o.count
	for _, one := range o.flows {
		f.keep(one, most)
	}
}
