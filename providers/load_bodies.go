package providers

import (
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

func (l *loader) decoders(root source.Table) {
	// Blocks of this file win over inherited ones, earlier blocks over later ones.
	var claimed [operations][phases][fieldCount]bool
	for _, t := range root.Tables(l.errs, "decode") {
		ops, phs := l.where(t)
		for f, name := range fieldNames {
			if !t.Has(name) {
				continue
			}
			paths := l.paths(t, name)
			for _, op := range ops {
				for _, ph := range phs {
					if !claimed[op][ph][f] {
						l.c.decoders[op][ph][f] = paths
						claimed[op][ph][f] = true
					}
				}
			}
		}
		t.Done(l.errs)
	}
}

// paths reads where a field stands: one path, or several of which the first that is
// there counts.
func (l *loader) paths(t source.Table, key string) []path {
	var paths []path
	for _, p := range t.Strings(l.errs, key) {
		paths = append(paths, splitPath(p))
	}
	return paths
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
		e := envelope{operations: ops, phases: phs, form: t.String(l.errs, "form"), template: t.String(l.errs, "body")}
		if e.form != "" && e.form != "code" && e.form != "status" {
			l.errs.Add(t.ValuePos("form"), "form is %q; it must be code or status", e.form)
		}
		t.Done(l.errs)
		read = append(read, e)
	}
	l.c.envelopes = append(read, l.c.envelopes...)
}
