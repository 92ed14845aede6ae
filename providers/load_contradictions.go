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
	d := &denials{of: map[policy.Mistake][]string{}}
	for _, op := range l.c.Operations {
		c, said := &l.c.contracts[op], l.c.promised[op]
		d.op = op.String()
		contract.Contradictions(c, said, true, d.add)
		l.c.CheckContract(op, c, said.At, d.add)
		if keyed, ok := l.c.WithIdempotencyKey(*c); ok {
			contract.Contradictions(&keyed, l.c.keyedSaid, false, d.add)
			l.c.denyReplays(op, keyed.ReplayCodes, l.c.keyedSaid.At("replay_codes"), d.add)
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

// CheckContract reports each line of an operation's contract that no row and no block of the catalogue can keep. The contract is the
// catalogue's own, or one with a merchant's lines over it. At is the place of each line.
func (c *Catalog) CheckContract(op policy.Operation, k *policy.Contract, at func(key string) policy.Position, report func(at policy.Position, text string)) {
	c.denyReplays(op, k.ReplayCodes, at("replay_codes"), report)
	if c.listed(op, policy.Phases()...) { // else the catalogue is about other operations so far
		c.denyQuery(op, k, at("query_by"), report)
		c.denyWebhook(op, k, at("webhook"), report)
	}
	denySameID(op, k, at("same_provider_id"), report)
}

// listed reports whether a row says what an answer proves of an operation in one of the phases.
func (c *Catalog) listed(op policy.Operation, in ...policy.Phase) bool {
	for _, rows := range [][]*Row{c.Codes, c.Statuses, c.Fallbacks} {
		for _, r := range rows {
			if slices.ContainsFunc(r.Facts, func(f RowFact) bool { return f.Operation == op && slices.Contains(in, f.Phase) }) {
				return true
			}
		}
	}
	return false
}

// denyReplays refuses a code that is said to refuse a repeat, and whose row says that nothing was executed.
func (c *Catalog) denyReplays(op policy.Operation, codes []string, at source.Pos, report func(source.Pos, string)) {
	for _, code := range codes {
		known := c.cells[code]
		if known == nil {
			continue // it proves nothing
		}
		for _, e := range known.facts[op][policy.Send] {
			if e != nil && e.Effect == policy.NotExecuted {
				report(at, fmt.Sprintf("replay_codes says that %q refuses a repeat, which proves nothing of the first one, and the row at %s that nothing was executed; make its effect unknown, or leave the code out", code, e.row.Source))
				break
			}
		}
	}
}

// denyQuery refuses a query of which no answer proves anything, and one that the provider's interface cannot be asked.
func (c *Catalog) denyQuery(op policy.Operation, k *policy.Contract, at source.Pos, report func(source.Pos, string)) {
	if len(k.QueryBy) == 0 {
		return
	}
	if !c.listed(op, policy.Query) {
		report(at, `query_by says that there is a query, and no row says what its answers prove; write a row with phase = "query", or query_by = []`)
	}
	asked, known := false, false
	for _, e := range c.endpoints {
		if e.Phase == policy.Query && slices.Contains(e.Operations, op) {
			asked = true
			known = known || slices.ContainsFunc(k.QueryBy, e.Carries)
		}
	}
	if asked && !known {
		report(at, fmt.Sprintf("query_by has %q, and no [[endpoint]] of a query bears it", k.QueryBy))
	}
}

// denyWebhook refuses a webhook that proves nothing. One that names no payment is a finding of internal/check.
func (c *Catalog) denyWebhook(op policy.Operation, k *policy.Contract, at source.Pos, report func(source.Pos, string)) {
	if !k.Webhook {
		return
	}
	if !c.listed(op, policy.Webhook) {
		report(at, `webhook says that the provider reports the end, and no row says what a webhook proves; write a row with phase = "webhook", or webhook = false`)
	}
}

// denySameID refuses ids that are said to be the same where one may be that of another payment.
func denySameID(op policy.Operation, k *policy.Contract, at source.Pos, report func(source.Pos, string)) {
	if len(k.SameProviderID) > 0 && (op == policy.Capture || op == policy.Cancel || op == policy.Refund) {
		report(at, "same_provider_id is about the payment's own id, and the answers about an operation on another payment may bear that one's; write it for operations that begin a payment")
	}
}
