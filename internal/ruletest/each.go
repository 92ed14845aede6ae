package ruletest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// usualColumns are what the cells of a row mean when no columns are named.
var usualColumns = []string{"answer", "action", "rule", "schedule"}

// maxCases bounds the tests of one [[each]]: lists in several fields multiply.
const maxCases = 20_000

// table is a parsed [[each]].
type table struct {
	name           string
	given, wanted  fields
	columns        []string
	cases          []source.Value
	pos            source.Pos
	where          fields
	hasCases, some bool // some: where selected a code or status
}

// whereKeys select codes and statuses of the catalogue by what they prove.
var whereKeys = []string{"class", "effect", "stage", "final"}

// each reads a table of tests: one test for each row, or one for each code that where selects.
// A field of given that is a list stands for each of its items.
func (r *reader) each(t source.Table) {
	x := table{name: t.String(r.errs, "name"), given: fields{}, wanted: fields{}, columns: usualColumns, pos: t.Pos()}
	before := len(r.errs.Mistakes)
	r.spreads = 0
	defer func() {
		if r.spreads > maxCases {
			r.fail(x.pos, "the table comes to more than %d tests", maxCases)
		}
	}()
	if g, ok := t.Table(r.errs, "given"); ok {
		x.given = take(g, givenKeys)
		g.Done(r.errs)
	}
	if w, ok := t.Table(r.errs, "expect"); ok {
		x.wanted = take(w, expectKeys)
		w.Done(r.errs)
	}
	if t.Has("columns") {
		x.columns = nil
		t.Each(r.errs, "columns", func(pos source.Pos, name string) {
			if !contains(givenKeys, name) && !contains(expectKeys, name) {
				r.unknown(pos, "column", name, append(slices.Clone(givenKeys), expectKeys...))
			}
			if contains(x.columns, name) {
				r.fail(pos, "column %q stands twice; only one of its cells would count", name)
			}
			x.columns = append(x.columns, name)
		})
	}
	if v, ok := t.Value("cases"); ok {
		if x.cases, ok = v.Items(); !ok {
			r.fail(v.Pos(), `cases is %s; it must be an array of rows such as ["1001", "mark_failed"]`, v.Kind())
		} else if len(x.cases) == 0 {
			r.fail(v.Pos(), `cases is an empty list, so nothing is tested; write rows such as ["1001", "mark_failed"]`)
		}
		x.hasCases = true
	}
	if w, ok := t.Table(r.errs, "where"); ok {
		x.where = take(w, whereKeys)
		w.Done(r.errs)
	}
	t.Done(r.errs)
	switch {
	case x.hasCases == (x.where != nil):
		r.fail(x.pos, "an [[each]] has either cases or where")
	case len(r.errs.Mistakes) > before:
	case x.where != nil:
		r.spread(x.given, givenKeys, func(f fields) { r.selected(&x, f) })
		if !x.some && len(r.errs.Mistakes) == before {
			r.fail(x.pos, "no code and no status is like that for these operations and phases")
		}
	default:
		for _, row := range x.cases {
			r.row(&x, row)
		}
	}
}

// row reads one row: an array with a cell for each column, or a single cell.
func (r *reader) row(x *table, row source.Value) {
	cells, isList := row.Items()
	if !isList {
		cells = []source.Value{row}
	}
	if len(cells) > len(x.columns) {
		r.fail(cells[len(x.columns)].Pos(), "the row has %d cells, and there are %d columns: %v", len(cells), len(x.columns), x.columns)
		return
	}
	f, wanted := maps.Clone(x.given), maps.Clone(x.wanted)
	for i, cell := range cells {
		if key := x.columns[i]; contains(givenKeys, key) { // in_doubt is in both; in a row it is given
			f[key] = cell
		} else {
			wanted[key] = cell
		}
	}
	r.spread(f, givenKeys, func(f fields) { r.one(x, f, wanted, row.Pos()) })
}

// one adds a case.
func (r *reader) one(x *table, f, wanted fields, pos source.Pos) {
	if r.notOffered(x, f) {
		return
	}
	r.ask(Each, "", f, maps.Clone(wanted), pos)
	if n := len(r.suite.Cases); x.name != "" && n > 0 && r.suite.Cases[n-1].pos == pos {
		r.withTitle(r.suite.Cases[n-1], x.name)
	}
}

// notOffered reports whether a case is left out: the table is for all providers, and this one
// does not offer the operation.
func (r *reader) notOffered(x *table, f fields) bool {
	if v, ok := x.given["provider"]; !ok || v.Any() != any("*") {
		return false
	}
	f = r.withDefaults(maps.Clone(f))
	cat, err := r.e.Catalogs.Get(r.text(f, "provider"))
	var op policy.Operation
	return err == nil && op.UnmarshalText([]byte(r.text(f, "operation"))) == nil && !cat.Offers(op)
}

// withTitle puts the table's name before the case's name.
func (r *reader) withTitle(c *Case, title string) {
	delete(r.names, c.Name)
	c.Name = title + ": " + c.Name
	if _, twice := r.names[c.Name]; twice {
		c.Name = r.numbered(c.Name)
	}
	r.names[c.Name] = c.pos
}

// spread calls each with every combination of items of the fields that are lists.
func (r *reader) spread(f fields, keys []string, each func(fields)) {
	if r.spreads > maxCases {
		return
	}
	for i, key := range keys {
		v, ok := f[key]
		if !ok || key == "body" {
			continue
		}
		items, isList := r.every(f, key, v)
		if !isList {
			items, isList = v.Items()
		}
		if !isList {
			continue
		}
		if len(items) == 0 {
			r.fail(v.Pos(), "%s is an empty list", key)
		}
		for _, item := range items {
			one := maps.Clone(f)
			one[key] = item
			r.spread(one, keys[i+1:], each)
		}
		return
	}
	if r.spreads++; r.spreads <= maxCases {
		each(maps.Clone(f))
	}
}

// every returns the items that "*" stands for: all providers, all operations of a provider,
// all phases or all capture modes.
func (r *reader) every(f fields, key string, v source.Value) (items []source.Value, ok bool) {
	if text, _ := v.Scalar(); text != "*" {
		return nil, false
	}
	var all []string
	switch key {
	case "provider":
		merchant := merchantOf(r.suite.File)
		if v, said := f["merchant"]; said {
			merchant, _ = v.Scalar()
		}
		for _, name := range r.e.Catalogs.Names() {
			if r.e.Rules.Uses(merchant, name) {
				all = append(all, name)
			}
		}
	case "operation":
		cat, err := r.e.Catalogs.Get(r.text(r.withDefaults(f), "provider"))
		if err != nil {
			return []source.Value{v.As(policy.Pay.String())}, true // the provider is the mistake: one case says so
		}
		all = names(cat.Operations)
	case "phase":
		all = names(policy.Phases())
	case "capture":
		all = names(policy.All[policy.CaptureMode]())
	default:
		return nil, false
	}
	for _, one := range all {
		items = append(items, v.As(one))
	}
	return items, true
}

func names[T fmt.Stringer](all []T) []string {
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = v.String()
	}
	return texts
}

// selected adds a case for every code and status that where selects.
func (r *reader) selected(x *table, f fields) {
	if r.notOffered(x, f) {
		return
	}
	before := len(r.errs.Mistakes)
	g, ok := r.given(maps.Clone(f), x.pos)
	if !ok {
		return
	}
	want := r.selector(x.where)
	if len(r.errs.Mistakes) > before {
		return
	}
	op, ph := *g.question.Operation, g.question.Phase
	for _, row := range append(slices.Clone(g.catalog.Codes), g.catalog.Statuses...) {
		q := g.question
		a := answer{Answer: policy.Answer{Phase: ph, Code: row.Code, Status: row.Status, SubStatus: row.SubStatus}}
		a.HTTPStatus, a.Verified, a.Message = q.HTTPStatus, q.Verified, q.Message
		p := policy.Payment{Provider: q.Provider, Operation: op, Capture: q.Capture}
		if row.Envelope || !hasFact(row, &p, ph) || !want(g.catalog.Judge(&p, &a.Answer)) {
			continue
		}
		x.some = true
		a.ask(&q)
		c := &Case{Kind: Each, pos: x.pos, question: &q}
		c.Name = (&given{question: q, said: a.String()}).describe()
		if x.name != "" {
			c.Name = x.name + ": " + c.Name
		}
		c.expected = r.expected(maps.Clone(x.wanted), g.layers)
		r.add(c)
	}
}

// selector returns a function that reports whether where selects a fact.
func (r *reader) selector(where fields) func(policy.Fact) bool {
	words := map[string][]string{}
	for key, v := range where {
		items, isList := v.Items()
		if !isList {
			items = []source.Value{v}
		}
		if len(items) == 0 {
			r.fail(v.Pos(), "%s is an empty list; name what to select, or leave it out", key)
		}
		for _, item := range items {
			said := r.text(fields{key: item}, key)
			text := strings.TrimPrefix(said, "!")
			switch key {
			case "class":
				r.wordAt(item.Pos(), text, new(policy.Class))
			case "effect":
				r.wordAt(item.Pos(), text, new(policy.Effect))
			case "stage":
				r.wordAt(item.Pos(), text, new(policy.Stage))
			case "final":
				r.wordAt(item.Pos(), text, new(policy.Finality))
			}
			if text != said {
				words["!"+key] = append(words["!"+key], text)
			} else {
				words[key] = append(words[key], text)
			}
		}
	}
	return func(f policy.Fact) bool {
		for key, got := range map[string]string{
			"class": f.Class.String(), "effect": f.Effect.String(), "stage": f.Stage.String(), "final": f.Final.String(),
		} {
			if words[key] != nil && !contains(words[key], got) || contains(words["!"+key], got) {
				return false
			}
		}
		return true
	}
}

// hasFact reports whether a row of the catalogue has a fact for a payment and phase.
func hasFact(row *providers.Row, p *policy.Payment, ph policy.Phase) bool {
	return slices.ContainsFunc(row.Facts, func(f providers.RowFact) bool { return f.For(p.Operation, ph, p.Capture) })
}
