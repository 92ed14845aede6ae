package providers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/contract"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// contradictions refuses a contract that another line of it denies, or that no row or block of the catalogue can keep. A proof that
// rests on both sides of a contradiction proves anything.
func (l *loader) contradictions() {
	d := &denials{l: l, of: map[policy.Mistake][]string{}}
	for _, op := range l.c.Operations {
		c, said := &l.c.contracts[op], l.c.promised[op]
		d.op = op.String()
		contract.Contradictions(c, said, true, d.add)
		d.replays(op, c.ReplayCodes, said.At("replay_codes"))
		if d.listed(op, policy.Phases()...) { // else the catalogue is about other operations so far
			d.queried(op, c, said.At("query_by"))
			d.notified(op, c, said.At("webhook"))
		}
		if keyed, ok := l.c.WithIdempotencyKey(*c); ok {
			contract.Contradictions(&keyed, l.c.keyedSaid, false, d.add)
			d.replays(op, keyed.ReplayCodes, l.c.keyedSaid.At("replay_codes"))
		}
	}
	for _, m := range d.all {
		m.Msg = strings.Join(d.of[m], ", ") + ": " + m.Msg
		if !slices.Contains(l.errs.Mistakes, m) { // a deployment has the lines of its catalogue
			l.errs.Add(m.Position, "%s", m.Msg)
		}
	}
}

// denials are contradictions, with the operations that each is about.
type denials struct {
	l   *loader
	op  string
	all []policy.Mistake
	of  map[policy.Mistake][]string
}

func (d *denials) add(at source.Pos, text string) {
	m := policy.Mistake{Position: at, Msg: text}
	if d.of[m] == nil {
		d.all = append(d.all, m)
	}
	if !slices.Contains(d.of[m], d.op) {
		d.of[m] = append(d.of[m], d.op)
	}
}

// listed reports whether a row says what an answer proves of an operation in one of the phases.
func (d *denials) listed(op policy.Operation, in ...policy.Phase) bool {
	for _, rows := range [][]*Row{d.l.c.Codes, d.l.c.Statuses, d.l.c.Fallbacks} {
		for _, r := range rows {
			if slices.ContainsFunc(r.Facts, func(f RowFact) bool { return f.Operation == op && slices.Contains(in, f.Phase) }) {
				return true
			}
		}
	}
	return false
}

// replays refuses a code that is said to refuse a repeat, and whose row says that nothing was executed.
func (d *denials) replays(op policy.Operation, codes []string, at source.Pos) {
	for _, code := range codes {
		known := d.l.c.cells[code]
		if known == nil {
			continue // it proves nothing
		}
		for _, e := range known.facts[op][policy.Send] {
			if e != nil && e.Effect == policy.NotExecuted {
				d.add(at, fmt.Sprintf("replay_codes says that %q refuses a repeat, which proves nothing of the first one, and the row at %s that nothing was executed; make its effect unknown, or leave the code out", code, e.row.Source))
				break
			}
		}
	}
}

// queried refuses a query of which no answer proves anything, and one that the provider's interface cannot be asked.
func (d *denials) queried(op policy.Operation, c *policy.Contract, at source.Pos) {
	if len(c.QueryBy) == 0 {
		return
	}
	if !d.listed(op, policy.Query) {
		d.add(at, `query_by says that there is a query, and no row says what its answers prove; write a row with phase = "query", or query_by = []`)
	}
	asked, known := false, false
	for _, e := range d.l.c.endpoints {
		if e.Phase == policy.Query && slices.Contains(e.Operations, op) {
			asked = true
			known = known || slices.ContainsFunc(c.QueryBy, e.Carries)
		}
	}
	if asked && !known {
		d.add(at, fmt.Sprintf("query_by has %q, and no [[endpoint]] of a query bears it", c.QueryBy))
	}
}

// notified refuses a webhook that proves nothing. One that names no payment is a finding of internal/check.
func (d *denials) notified(op policy.Operation, c *policy.Contract, at source.Pos) {
	if !c.Webhook {
		return
	}
	if !d.listed(op, policy.Webhook) {
		d.add(at, `webhook says that the provider reports the end, and no row says what a webhook proves; write a row with phase = "webhook", or webhook = false`)
	}
}
