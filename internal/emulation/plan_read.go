package emulation

import (
	"path"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// ReadPlan reads a fault file. Mistakes are returned all at once, each with
// FILE:LINE:COLUMN. docs/emulate.md describes the form.
func ReadPlan(file string, data []byte) (*Plan, error) {
	doc, err := source.Parse(file, data)
	if err != nil {
		return nil, err
	}
	r := &planReader{plan: &Plan{fates: map[policy.Operation]*fatePlan{}}}
	root := doc.Root()
	if root.Has("patience") {
		r.plan.clientTimeout = root.Duration(&r.errs, "patience")
	}
	if t, ok := r.table(root, "latency"); ok {
		r.plan.send, r.plan.query = r.span(t, "send"), r.span(t, "query")
		t.Done(&r.errs)
	}
	r.fates(root)
	for _, t := range root.Tables(&r.errs, "fault") {
		r.plan.faults = append(r.plan.faults, r.fault(t))
	}
	for _, t := range root.Tables(&r.errs, "maintenance") {
		r.plan.windows = append(r.plan.windows, r.window(t))
	}
	if t, ok := r.table(root, "rate_limit"); ok {
		r.need(t, "calls", "per")
		r.plan.quota = quota{calls: t.Count(&r.errs, "calls", 1), per: t.Duration(&r.errs, "per")}
		t.Done(&r.errs)
	}
	root.Done(&r.errs)
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return r.plan, nil
}

type planReader struct {
	plan *Plan
	errs source.List
}

func (r *planReader) table(t source.Table, key string) (source.Table, bool) {
	if !t.Has(key) {
		return source.Table{}, false
	}
	return t.Table(&r.errs, key)
}

func (r *planReader) need(t source.Table, keys ...string) {
	for _, key := range keys {
		if !t.Has(key) {
			r.errs.Add(t.Pos(), "%s is missing", key)
		}
	}
}

// span reads "10s" or ["1s", "10s"].
func (r *planReader) span(t source.Table, key string) span {
	before := len(r.errs.Mistakes)
	switch d := t.Durations(&r.errs, key); {
	case len(d) == 1:
		return span{d[0], d[0]}
	case len(d) == 2 && d[0] <= d[1]:
		return span{d[0], d[1]}
	case len(d) > 0 || t.Has(key) && len(r.errs.Mistakes) == before:
		r.errs.Add(t.ValuePos(key), `%s is one duration, or two of which the second is longer: ["1s", "10s"]`, key)
	}
	return span{}
}

// fates reads [fate], which holds for every operation, and [fate.OPERATION] over it.
func (r *planReader) fates(root source.Table) {
	t, ok := r.table(root, "fate")
	if !ok {
		return
	}
	general := fatePlan{executes: 1}
	r.fate(t, &general)
	for _, op := range policy.Operations() {
		own := general
		if sub, ok := r.table(t, op.String()); ok {
			r.fate(sub, &own)
			sub.Done(&r.errs)
		}
		r.plan.fates[op] = &own
	}
	t.Done(&r.errs)
}

func (r *planReader) fate(t source.Table, f *fatePlan) {
	f.executes = t.Number(&r.errs, "executes", 0, 1, f.executes)
	f.murky = t.Number(&r.errs, "murky", 0, 1, f.murky)
	f.refused = t.Number(&r.errs, "refused", 0, 1, f.refused)
	if t.Has("refused_times") {
		f.times = t.Count(&r.errs, "refused_times", 1)
	}
	if t.Has("refused_as") {
		f.refusedAs = source.Words[policy.Class](t, &r.errs, "refused_as")
	}
	if t.Has("settles") {
		f.settles = r.choices(t, "settles")
	}
	if t.Has("webhook_after") {
		f.webhook = r.choices(t, "webhook_after")
	}
}

// choices reads [{ weight = 2, for = "10s" }, …]; an item without "for" is at once.
func (r *planReader) choices(t source.Table, key string) []choice {
	var all []choice
	for _, item := range t.Tables(&r.errs, key) {
		c := choice{weight: 1}
		if item.Has("weight") {
			c.weight = item.Count(&r.errs, "weight", 1)
		}
		c.span = r.span(item, "for")
		item.Done(&r.errs)
		all = append(all, c)
	}
	return all
}

func (r *planReader) fault(t source.Table) fault {
	f := fault{status: 502}
	r.need(t, "kind")
	t.Word(&r.errs, "kind", &f.kind)
	f.operations = source.Words[policy.Operation](t, &r.errs, "operation")
	f.phases = f.kind.phases()
	if t.Has("phase") {
		f.phases = source.Words[policy.Phase](t, &r.errs, "phase")
		r.phasesFit(t, &f)
	}
	t.Each(&r.errs, "orders", func(pos source.Pos, pattern string) {
		if _, err := path.Match(pattern, ""); err != nil {
			r.errs.Add(pos, "%q is no pattern", pattern)
		}
		f.orders = append(f.orders, pattern)
	})
	f.lasts = r.span(t, "for")
	switch {
	case t.Has("for") && !f.kind.takesTime():
		r.errs.Add(t.KeyPos("for"), "%s takes no duration", f.kind)
	case !t.Has("for") && f.kind.takesTime() && f.kind != DuplicateWebhook:
		r.errs.Add(t.Pos(), `%s needs for = "10s" or for = ["1s", "10s"]`, f.kind)
	}
	if t.Has("status") {
		f.status = t.Count(&r.errs, "status", 500)
		if f.kind != ErrorAfter || f.status > 599 {
			r.errs.Add(t.KeyPos("status"), "status, from 500 to 599, goes with error_after")
		}
	}
	r.often(t, &f)
	t.Done(&r.errs)
	return f
}

func (r *planReader) phasesFit(t source.Table, f *fault) {
	if f.kind == NoFault {
		return // it was refused already
	}
	for _, ph := range f.phases {
		fits := false
		for _, can := range f.kind.phases() {
			fits = fits || can == ph
		}
		if !fits {
			r.errs.Add(t.ValuePos("phase"), "%s cannot hit a %s", f.kind, ph)
		}
	}
}

// often reads how often a fault hitNow: by chance, by count, or every time.
func (r *planReader) often(t source.Table, f *fault) {
	said := 0
	for _, key := range []string{"probability", "nth", "first"} {
		if t.Has(key) {
			said++
		}
	}
	if said > 1 || said == 0 && len(f.orders) == 0 {
		r.errs.Add(t.Pos(), "a fault needs one of probability, nth and first; or orders, all of whose calls it hits")
	}
	otherwise := 0.0
	if said == 0 {
		otherwise = 1
	}
	f.probability = t.Number(&r.errs, "probability", 0, 1, otherwise)
	if t.Has("nth") {
		f.nth = t.Count(&r.errs, "nth", 1)
	}
	if t.Has("first") {
		f.first = t.Count(&r.errs, "first", 1)
	}
	if !t.Has("of") {
		return
	}
	switch of := t.String(&r.errs, "of"); {
	case of != "order" && of != "provider":
		r.errs.Add(t.ValuePos("of"), "of is %q; it must be order or provider", of)
	case f.nth == 0 && f.first == 0:
		r.errs.Add(t.KeyPos("of"), "of goes with nth or first")
	default:
		f.ofProvider = of == "provider"
	}
}

func (r *planReader) window(t source.Table) window {
	r.need(t, "for")
	w := window{operations: source.Words[policy.Operation](t, &r.errs, "operation"), lasts: t.Duration(&r.errs, "for")}
	if t.Has("every") {
		w.every = t.Duration(&r.errs, "every")
		if w.every > 0 && w.every <= w.lasts {
			r.errs.Add(t.ValuePos("every"), "a maintenance of %s every %s never ends", w.lasts, w.every)
		}
	}
	if t.Has("from") {
		from := t.String(&r.errs, "from")
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			r.errs.Add(t.ValuePos("from"), `from is %q; write "2026-01-02T03:00:00Z"`, from)
		}
		w.from = at
	}
	t.Done(&r.errs)
	return w
}
