package simulate

import (
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// runner simulates groups and adds them up. It is for one goroutine.
type runner struct {
	o       *Options
	t       *tally
	records []record
}

// result is one flow of a group, recorded and simulated.
type result struct {
	r   *record
	end ending

	recordedExecutions  int
	simulatedExecutions int
}

func (r *runner) run(j job) {
	for _, tapes := range j.groups {
		r.group(j.texts, tapes)
	}
}

// group simulates the flows of one payment key in their order. A flow starts only
// where the earlier ones have failed: that is what the journal sees to in production.
func (r *runner) group(texts []string, tapes []*tape) {
	for len(r.records) < len(tapes) {
		r.records = append(r.records, record{})
	}
	results := make([]result, 0, len(tapes))
	for i, t := range tapes {
		r.records[i].unpack(texts, t)
	}
	records := r.records[:len(tapes)]
	sortRecords(records)
	harm := findHarm(r.o.Decider, records)
	free := true
	for i := range records {
		rec := &records[i]
		res := result{r: rec}
		if free || len(rec.sends) == 0 {
			res.end = r.drive(rec, harm)
		} else {
			res.end = ending{departure: KeyTaken}
			if story := r.story(rec); story != nil {
				story.finish(res.end)
				r.o.stories(story)
			}
		}
		free = free && res.end.departure == OnRecord && res.end.outcome == policy.Failed &&
			(i+1 == len(records) || len(records[i+1].sends) == 0 || res.end.endAt <= records[i+1].sends[0].at)
		res.recordedExecutions = rec.executions(r.o.Decider)
		res.simulatedExecutions = rec.executionsOf(r.o.Decider, &res.end)
		results = append(results, res)
	}
	r.t.add(results, harm)
}

func sortRecords(records []record) {
	for i := 1; i < len(records); i++ { // few, and nearly always in order
		for k := i; k > 0 && records[k].start() < records[k-1].start(); k-- {
			records[k], records[k-1] = records[k-1], records[k]
		}
	}
}

func (r *record) start() moment {
	if len(r.sends) > 0 {
		return r.sends[0].at
	}
	return 0
}

// drive simulates one flow, and notes which rule met the answer that misled the
// recorded client.
func (r *runner) drive(rec *record, harm *harm) ending {
	v := driver{d: r.o.Decider, r: rec}
	v.rule = func(d flow.Decided) {
		r.t.rule(rec, &d)
		if harm != nil && v.heard == harm.misled {
			harm.rule = keyOf(&d)
		}
	}
	var story *Story
	if story = r.story(rec); story != nil {
		v.watch = func(s Step) { story.steps = append(story.steps, s) }
	}
	end := v.run()
	if story != nil {
		story.finish(end)
		r.o.stories(story)
	}
	return end
}

// story begins the story of a flow, if it is the one that was asked for.
func (r *runner) story(rec *record) *Story {
	if r.o.stories == nil || rec.flow != r.o.Flow || r.o.Merchant != "" && rec.payment.Merchant != r.o.Merchant {
		return nil
	}
	return &Story{record: rec, voice: heardBy(r.o.Catalogs, rec.payment.Provider)}
}

// executions counts how often the recorded flow executed: what reconciliation found,
// else what the recorded answers prove.
func (r *record) executions(d policy.Decider) int {
	if r.hasTruth {
		return len(r.truth)
	}
	return len(r.provedIdentities(d))
}

type identity struct{ orderID, requestID string }

// provedIdentities lists the identities that a recorded answer proved executed.
func (r *record) provedIdentities(d policy.Decider) []identity {
	var proved []identity
	add := func(id identity) {
		for _, p := range proved {
			if p == id {
				return
			}
		}
		proved = append(proved, id)
	}
	for i := range r.sends {
		c := &r.sends[i]
		if d.Judge(&r.payment, &c.answer).Effect == policy.Executed {
			add(identity{c.orderID, c.requestID})
		}
	}
	for _, calls := range [][]call{r.queries, r.webhooks} {
		for i := range calls {
			c := &calls[i]
			if c.answer.Phase == policy.Webhook && !c.answer.Verified {
				continue
			}
			if d.Judge(&r.payment, &c.answer).Effect != policy.Executed {
				continue
			}
			if s := r.sentUnder(c); s != nil {
				add(identity{s.orderID, s.requestID})
			}
		}
	}
	return proved
}

// sentUnder finds the send that a query or webhook speaks of: the latest before it
// under the same order.
func (r *record) sentUnder(c *call) *call {
	for i := min(c.after, len(r.sends)) - 1; i >= 0; i-- {
		s := &r.sends[i]
		if c.orderID == "" || c.orderID == s.orderID || c.requestID == s.requestID {
			return s
		}
	}
	return nil
}

// executionsOf counts the executions that the simulated flow would have caused: those
// of identities that it sent, no more often than it sent them. A flow that left the
// recording is not counted; what it would have done is not known.
func (r *record) executionsOf(d policy.Decider, e *ending) int {
	if e.departure != OnRecord {
		return 0
	}
	n := 0
	for i := range e.ledger {
		id := &e.ledger[i]
		n += min(id.Sends, r.executedUnder(d, id, e.sends))
	}
	return n
}

func (r *record) executedUnder(d policy.Decider, id *flow.Identity, attempts int) int {
	n := 0
	if !r.hasTruth {
		for _, p := range r.provedIdentities(d) {
			if p.orderID == id.OrderID && p.requestID == id.RequestID {
				n++
			}
		}
		return n
	}
	for _, x := range r.truth {
		if r.causedBy(&x, id) && !r.laterSends(d, id, attempts, x.at) {
			n++
		}
	}
	return n
}

// causedBy reports whether an execution that reconciliation found is an identity's. One
// that names only the order, or only the request, is that of the last send before it.
func (r *record) causedBy(x *execution, id *flow.Identity) bool {
	if x.orderID != "" && x.requestID != "" {
		return x.orderID == id.OrderID && x.requestID == id.RequestID
	}
	var sent *call
	for i := range r.sends {
		s := &r.sends[i]
		if (x.orderID == "" || x.orderID == s.orderID) && (x.requestID == "" || x.requestID == s.requestID) && (sent == nil || s.at <= x.at) {
			sent = s
		}
	}
	return sent != nil && sent.orderID == id.OrderID && sent.requestID == id.RequestID
}

// laterSends reports whether an execution is that of a recorded send which the simulated
// flow did not make: it came after one under the same identity, and the provider had
// turned away every one that the flow did make.
func (r *record) laterSends(d policy.Decider, id *flow.Identity, attempts int, at moment) bool {
	for i := range r.sends {
		s := &r.sends[i]
		if s.orderID != id.OrderID || s.requestID != id.RequestID {
			continue
		}
		if i >= attempts {
			return s.at <= at
		}
		if f := d.Judge(&r.payment, &s.answer); f.Effect != policy.NotExecuted || f.Stage != policy.Door {
			return false
		}
	}
	return false
}
