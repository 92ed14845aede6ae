package simulate

import (
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/outage"
	"github.com/recourse-pay/recourse/policy"
)

// runner simulates groups and adds them up. It is for one goroutine.
type runner struct {
	o       *Options
	t       *tally
	other   *tally      // with the rules of Options.Against
	changes differences // from those to the rules of Options.Decider
	records []record
	results [2][]result // with the rules of each
	by      [2]*binder  // of the rules of Options.Decider and of Options.Against
	driver  driver      // of the flow under way
	adviser flow.Adviser
	details *details // nil: none are wanted
	beside  *comparing
	outages []outage.Spec      // in their time; none are laid over the recording where it is empty
	laid    []outage.Flow      // the flows around them
	spans   map[string]covered // by provider
}

// result is one flow of a group, recorded and simulated.
type result struct {
	r   *record
	end ending

	recorded, simulated conclusion

	knowledge knowledge
	ends      ends
	change    string // from Options.Against; empty: none
}

func (r *runner) run(j *job) {
	from := 0
	for _, end := range j.ends {
		r.group(j.kinds, j.logs[from:end])
		from = end
	}
	j.leave()
}

// group simulates the flows of one payment key in their order. A flow starts only when the earlier
// ones have failed, because the journal refuses it otherwise in production.
func (r *runner) group(kinds []*kind, logs []flowLog) {
	for len(r.records) < len(logs) {
		r.records = append(r.records, record{})
	}
	for i := range logs {
		r.records[i].decode(kinds, &logs[i])
	}
	records := r.records[:len(logs)]
	sortRecords(records)
	if r.by[0] == nil {
		r.by[0], r.by[1] = newBinder(r.o.Decider), newBinder(r.o.Against)
	}
	harm := findHarm(r.by[0], records)
	results := r.play(0, records, harm, r.t)
	r.t.add(results, harm)
	var before []result
	if r.o.Against != nil {
		before = r.play(1, records, nil, r.other)
		r.other.add(before, nil)
		r.compare(before, results)
	}
	if r.details != nil {
		r.details.group(r, before, results, harm)
	}
	if len(r.outages) > 0 {
		r.lay(records)
	}
}

// comparing is the rules of Options.Against, which note where those of Options.Decider decide otherwise.
func (r *runner) comparing(d *judge, p *policy.Payment) *comparing {
	c := r.compares()
	c.Decider, c.after = d, r.by[0].of(p)
	return c
}

// compares is what was noted so far.
func (r *runner) compares() *comparing {
	if r.beside == nil {
		r.beside = &comparing{met: map[pair]*metBy{}}
	}
	return r.beside
}

// play simulates the flows of one payment key, with the rules of Options.Decider or, with 1, of Options.Against. What it returns
// holds until the next time.
func (r *runner) play(with int, records []record, harm *harm, t *tally) []result {
	results := r.results[with][:0]
	free, taken, before := true, keyTaken, ends(0)
	for i := range records {
		rec := &records[i]
		d := r.by[with].of(&rec.payment)
		if len(results) == cap(results) {
			results = append(results, result{})[:len(results)]
		}
		results = results[:len(results)+1]
		res := &results[len(results)-1]
		r.driver.room = res.end.ledger[:0]
		*res = result{r: rec}
		if free || len(rec.sends) == 0 {
			var rules policy.Decider = d
			if with == 1 {
				rules = r.comparing(d, &rec.payment)
			}
			res.end = r.drive(rules, rec, harm, t)
		} else {
			res.end = ending{departure: taken}
			if story := r.story(rec); story != nil && t == r.t {
				story.finish(res.end)
				r.o.stories(story)
			}
		}
		free = free && res.end.departure == onRecord && res.end.outcome == policy.Failed &&
			(i+1 == len(records) || len(records[i+1].sends) == 0 || res.end.endAt <= records[i+1].sends[0].at)
		res.knowledge = rec.knowledgeOf(d, &res.end)
		res.ends = rec.endsOf(&res.end, res.knowledge, before)
		before |= res.ends
		if res.knowledge == unknown || res.knowledge == provedNotExecuted {
			taken = keyUnknown
		}
		res.recorded = rec.conclusion(d)
		res.simulated = rec.conclusionOf(d, &res.end)
	}
	r.results[with] = results
	return results
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

// drive simulates one flow. It notes which rule met the answer after which the recorded client did
// harm.
func (r *runner) drive(d policy.Decider, rec *record, harm *harm, t *tally) ending {
	v := &r.driver
	*v = driver{d: d, r: rec, moved: &t.simulated.moved, room: v.room, rules: t, harm: harm}
	switch d := d.(type) {
	case *judge:
		v.judge = d
	case *comparing:
		d.begin(rec)
		v.judge, _ = d.Decider.(*judge)
	}
	if r.details != nil {
		v.end.notes = &notes{}
	}
	if story := r.story(rec); story != nil && t == r.t { // a story is that of Options.Decider
		v.watch = func(s step) { story.steps = append(story.steps, s) }
		end := v.run()
		story.finish(end)
		r.o.stories(story)
		return end
	}
	v.adviser = &r.adviser
	return v.run()
}

// story begins the story of a flow. It is nil for a flow that Options.Flow does not name.
func (r *runner) story(rec *record) *Story {
	if r.o.stories == nil || rec.flow != r.o.Flow || r.o.Merchant != "" && rec.payment.Merchant != r.o.Merchant {
		return nil
	}
	return &Story{record: rec, envelopes: envelopesOf(r.o.Catalogs, rec.payment.Provider)}
}

// tell drives a flow once more, for its story.
func (r *runner) tell(d policy.Decider, res *result) *Story {
	s := &Story{record: res.r, envelopes: envelopesOf(r.o.Catalogs, res.r.payment.Provider)}
	if t := res.end.departure; t != keyTaken && t != keyUnknown {
		v := driver{d: d, r: res.r, watch: func(st step) { s.steps = append(s.steps, st) }}
		v.run()
	}
	s.finish(res.end)
	return s
}
