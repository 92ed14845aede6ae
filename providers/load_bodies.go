package providers

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

func (l *loader) decoders(root source.Table) {
	// Blocks of this file win over inherited ones, earlier blocks over later ones.
	var claimed [operations][phases][fieldCount + 4]bool
	for _, t := range root.Tables(l.errs, "decode") {
		ops, phs := l.where(t)
		claim := func(f int, set func(*decoder)) {
			for _, op := range ops {
				for _, ph := range phs {
					if !claimed[op][ph][f] {
						set(&l.c.decoders[op][ph])
						claimed[op][ph][f] = true
					}
				}
			}
		}
		at := l.sourceAt(t.Pos())
		claim(int(fieldCount)+2, func(d *decoder) { d.source = at })
		for f, name := range fieldNames {
			if t.Has(name) {
				places := l.places(t, name)
				claim(f, func(d *decoder) { d.at[f] = places })
			}
		}
		if t.Has("carries") {
			carries := l.carries(t)
			claim(int(fieldCount), func(d *decoder) { d.carries = carries })
		}
		if t.Has("body") {
			written := l.bodyForm(t)
			claim(int(fieldCount)+1, func(d *decoder) { d.written = written })
		}
		if t.Has("within") {
			within := l.within(t)
			claim(int(fieldCount)+3, func(d *decoder) { d.within = within })
		}
		t.Done(l.errs)
	}
	l.indexDecoders()
}

// within reads where the object stands in which alone the fields are; the empty text takes an inherited one away.
func (l *loader) within(t source.Table) path {
	text := t.String(l.errs, "within")
	if text == "" {
		return nil
	}
	p := l.bodyPath(t.ValuePos("within"), text)
	if strings.Contains(text, "[") {
		l.errs.Add(t.ValuePos("within"), "%q selects from a list; within is one object, or a text that holds one", text)
	}
	return p
}

// bodyForm reads how a body is written; JSON is the empty text.
func (l *loader) bodyForm(t source.Table) string {
	if written := l.oneOf(t, "body", bodyJSON, bodyXML, bodyForm, bodyQuery); written != bodyJSON {
		return written
	}
	return ""
}

func (l *loader) indexDecoders() {
	for op := range l.c.decoders {
		for ph := range l.c.decoders[op] {
			l.c.decoders[op][ph].index()
		}
	}
}

// index collects the keys that are read.
func (d *decoder) index() {
	d.keys, d.queryKeys, d.beside = keys{}, keys{}, false
	for f, places := range d.at {
		shown := field(f) == fieldMessage || field(f) >= fieldPayURL // for people's eyes; nothing is proved by it
		for _, l := range places {
			switch {
			case l.part == inQuery:
				d.queryKeys.add(path{l.name})
			case shown || l.part != inBody:
			default:
				d.indexPath(l.path)
			}
			d.beside = d.beside || !shown && l.part != inBody
		}
	}
}

func (d *decoder) indexPath(p path) {
	if d.within != nil {
		d.keys.add(append(slices.Clone(d.within), p...))
	}
	d.keys.add(p)
	for i, step := range p {
		if key, by := selects(step); by {
			d.keys.add(append(slices.Clone(p[:i+1]), splitPath(key)...))
		}
	}
}

// carries reads what a body must carry: "order_id", or "order_id|provider_id" for either.
func (l *loader) carries(t source.Table) []carried {
	all := []carried{} // an empty list takes an inherited one away
	t.Each(l.errs, "carries", func(pos source.Pos, text string) {
		var either carried
		for name := range strings.SplitSeq(text, "|") {
			f := slices.Index(fieldNames[:fieldNotAbout], name)
			if f < 0 {
				l.errs.Add(pos, "a body carries no %q; it may carry: %s", name, strings.Join(fieldNames[:fieldNotAbout], ", "))
				continue
			}
			either = append(either, field(f))
		}
		all = append(all, either)
	})
	return all
}

// places reads where a field stands: one place, or several of which the first that is there counts.
func (l *loader) places(t source.Table, key string) []locator {
	var places []locator
	t.Each(l.errs, key, func(pos source.Pos, text string) {
		prefix, name, prefixed := strings.Cut(text, ":")
		part, known := requestParts[prefix]
		switch {
		case !prefixed:
			places = append(places, locator{path: l.bodyPath(pos, text)})
			return
		case text == "http:status":
			places = append(places, locator{part: inStatus})
			return
		case !known || part == inPath:
			l.errs.Add(pos, "%q: a message has header:NAME, query:NAME, http:status, or a path into its body", text)
		case name == "":
			l.errs.Add(pos, "%q names nothing", text)
		case part == inQuery && strings.ContainsAny(name, "[]"): // such a name is nested, or is none that a path can have
			l.errs.Add(pos, "%q: a name of a query string has no brackets here", text)
		}
		places = append(places, locator{part: part, name: name})
	})
	return places
}

// bodyPath checks a path into a body.
func (l *loader) bodyPath(pos source.Pos, text string) path {
	p := splitPath(text)
	for i, step := range p {
		name, selector, selects := strings.Cut(step, "[")
		key, of, by := strings.Cut(strings.TrimSuffix(selector, "]"), "=")
		switch {
		case name == "" || !selects && strings.ContainsAny(step, "]= "):
			l.errs.Add(pos, "%q is no path into a body: a key is missing", text)
		case selects && (!strings.HasSuffix(step, "]") || by && (of != "$order_id" || key == "") || !by && key != pickAll || i == len(p)-1):
			l.errs.Add(pos, "%q selects nothing from a list; it must be NAME[all].KEY or NAME[KEY=$order_id].KEY", text)
		}
	}
	return p
}

// events reads the [[event]] blocks. Those of this file come before inherited ones.
func (l *loader) events(root source.Table) {
	var read []event
	for _, t := range root.Tables(l.errs, "event") {
		e := event{names: t.Strings(l.errs, "name"), statuses: t.Strings(l.errs, "status")}
		if words := t.Strings(&source.List{}, "operation"); !slices.Equal(words, []string{"none"}) {
			e.operations = source.Words[policy.Operation](t, l.errs, "operation")
		}
		if len(e.names) == 0 {
			l.errs.Add(t.KeyPos("name"), `an [[event]] needs name = "…"`)
		}
		if !t.Has("operation") {
			l.errs.Add(t.KeyPos("operation"), `an [[event]] needs operation = ["pay", …], those that it speaks of, or "none"`)
		}
		t.Done(l.errs)
		read = append(read, e)
	}
	l.c.events = append(read, l.c.events...)
}

// where reads the operations and phases that a block speaks of; absent means all.
func (l *loader) where(t source.Table) ([]policy.Operation, []policy.Phase) {
	ops := source.Words[policy.Operation](t, l.errs, "operation")
	phs := source.Words[policy.Phase](t, l.errs, "phase")
	if !t.Has("operation") {
		ops = policy.Operations()
	}
	if !t.Has("phase") {
		phs = policy.Phases()
	}
	return ops, phs
}

func (l *loader) envelopes(root source.Table) {
	var read []envelope
	for _, t := range root.Tables(l.errs, "envelope") {
		ops, phs := l.where(t)
		e := envelope{operations: ops, phases: phs, form: t.String(l.errs, "form"), template: t.String(l.errs, "body"), statuses: t.Strings(l.errs, "status"), subStatuses: t.Strings(l.errs, "sub_status")}
		if e.form != "" && e.form != "code" && e.form != "status" {
			l.errs.Add(t.ValuePos("form"), "form is %q; it must be code or status", e.form)
		}
		if t.Has("headers") {
			if sub, ok := t.Table(l.errs, "headers"); ok {
				for _, name := range sub.Keys() {
					raw, _ := json.Marshal(sub.String(l.errs, name)) // a text encodes
					e.headers = append(e.headers, header{name, string(raw)})
				}
			}
		}
		t.Done(l.errs)
		read = append(read, e)
	}
	l.c.envelopes = append(read, l.c.envelopes...)
}
