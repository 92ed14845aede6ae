package providers

import (
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// An event is a kind of notice, as [[event]] blocks list them. A notice of another kind, or of a kind
// that speaks of other operations, is no evidence.
type event struct {
	names      []string // a * stands for any text
	operations []policy.Operation
	statuses   []string // empty: any. Another status contradicts the event's name
}

func (e *event) is(name string) bool {
	return slices.ContainsFunc(e.names, func(known string) bool { return fits(known, name) })
}

// event sets a notice aside that is of another kind than the operation's.
func (r *reading) event() {
	name := r.read(fieldEvent, "")
	if name == "" || len(r.c.events) == 0 {
		return
	}
	i := slices.IndexFunc(r.c.events, func(e event) bool { return e.is(name) })
	switch {
	case i < 0:
		r.aside("its event %q is in no [[event]] block, so what it speaks of is not known", name)
	case !slices.Contains(r.c.events[i].operations, r.op):
		r.aside("its event %q is not about a %s", name, r.op)
	case r.a.Status != "" && len(r.c.events[i].statuses) > 0 && !slices.Contains(r.c.events[i].statuses, r.a.Status):
		r.aside("its event %q contradicts its status", name)
	}
}

// eventFor names an event that a provider would send with an answer; empty: none is known.
func (c *Catalog) eventFor(op policy.Operation, a *policy.Answer) string {
	for _, e := range c.events {
		if !slices.Contains(e.operations, op) || len(e.statuses) > 0 && a.Status != "" && !slices.Contains(e.statuses, a.Status) {
			continue
		}
		for _, name := range e.names {
			if i := slices.IndexFunc(c.events, func(e event) bool { return e.is(name) }); !strings.Contains(name, "*") && slices.Contains(c.events[i].operations, op) {
				return name
			}
		}
	}
	return ""
}
