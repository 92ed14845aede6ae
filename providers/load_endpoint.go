package providers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// endpoints reads [[endpoint]] blocks. Those of this file come before inherited ones, and
// take the place of those for the same method, path and condition.
func (l *loader) endpoints(root source.Table) {
	var read []*Endpoint
	for _, t := range root.Tables(l.errs, "endpoint") {
		e := l.endpoint(t)
		for _, other := range read {
			if e.Method == other.Method && e.Path == other.Path && !disjoint(e.where, other.where) {
				l.errs.Add(t.Pos(), "%s %s is also the endpoint of %s; give each a where that sets it apart", e.Method, e.Path, other.Source)
				break
			}
		}
		read = append(read, e)
	}
	for _, old := range l.c.endpoints {
		replaced := slices.ContainsFunc(read, func(e *Endpoint) bool {
			return e.Method == old.Method && e.Path == old.Path && !disjoint(e.where, old.where)
		})
		if !replaced {
			read = append(read, old)
		}
	}
	l.c.endpoints = read
}

func (l *loader) endpoint(t source.Table) *Endpoint {
	pos := t.Pos()
	e := &Endpoint{Method: "POST", Source: fmt.Sprintf("%s:%d", pos.File, pos.Line)}
	e.Operations = source.Words[policy.Operation](t, l.errs, "operation")
	if t.Has("method") {
		e.Method = t.String(l.errs, "method")
	}
	e.Path = t.String(l.errs, "path")
	t.Word(l.errs, "phase", &e.Phase)
	for f, name := range requestFieldNames {
		t.Each(l.errs, name, func(pos source.Pos, text string) {
			e.fields[f] = append(e.fields[f], l.locator(pos, text, e))
		})
	}
	e.written = l.oneOf(t, "body", bodyJSON, bodyXML, bodyForm)
	if e.wrap = t.String(l.errs, "wrap"); e.wrap != "" && strings.Count(e.wrap, wrapped) != 1 {
		l.errs.Add(t.ValuePos("wrap"), "wrap must hold %s once, where the body stands", wrapped)
	}
	e.where, e.manual = l.conditions(t, "where"), l.conditions(t, "manual")
	l.endpointLaws(t, e)
	t.Done(l.errs)
	return e
}

// endpointLaws refuses what no HTTP interface can be.
func (l *loader) endpointLaws(t source.Table, e *Endpoint) {
	if !slices.Contains(methods, e.Method) {
		l.errs.Add(t.ValuePos("method"), "method is %q; it must be one of %s", e.Method, strings.Join(methods, ", "))
	}
	if !strings.HasPrefix(e.Path, "/") {
		l.errs.Add(t.ValuePos("path"), "path is %q; it must begin with /", e.Path)
	}
	if len(e.Operations) == 0 && !t.Has("operation") {
		l.errs.Add(t.KeyPos("operation"), `an [[endpoint]] needs operation = "…"`)
	}
	for _, op := range e.Operations {
		if !l.c.Offers(op) {
			l.errs.Add(t.ValuePos("operation"), "%s is not among the provider's operations", op)
		}
	}
	switch e.Phase {
	case policy.Send:
		if len(e.Operations) > 1 {
			l.errs.Add(t.ValuePos("operation"), "a send is of one operation; tell them apart by where")
		}
	case policy.Query:
		if !e.Carries(policy.OrderID) && !e.Carries(policy.RequestID) && !e.Carries(policy.ProviderID) {
			l.errs.Add(t.Pos(), "a query needs order_id, request_id or provider_id")
		}
	case policy.Webhook:
		l.errs.Add(t.ValuePos("phase"), "webhooks come from the provider; an endpoint's phase is send or query")
	}
}

// locator reads "data.id", "header:NAME", "query:NAME" or "path:NAME". With "query:NAME=BEFORE*AFTER" the
// value is what stands in the place of the *.
func (l *loader) locator(pos source.Pos, text string, e *Endpoint) locator {
	prefix, name, prefixed := strings.Cut(text, ":")
	if !prefixed {
		if slices.Contains(splitPath(text), "") {
			l.errs.Add(pos, "%q is no path into a body", text)
		}
		return locator{path: splitPath(text)}
	}
	part, known := requestParts[prefix]
	name, around, framed := strings.Cut(name, "=")
	before, after, star := strings.Cut(around, "*")
	switch {
	case framed && !star:
		l.errs.Add(pos, "%q: a * is missing that stands for the value", text)
	case !known:
		l.errs.Add(pos, "%q: a request has header:NAME, query:NAME, path:NAME, or a path into its body", text)
	case name == "":
		l.errs.Add(pos, "%q names nothing", text)
	case part == inPath && !slices.Contains(strings.Split(e.Path, "/"), "{"+name+"}"):
		l.errs.Add(pos, "path %q has no segment {%s}", e.Path, name)
	}
	return locator{part: part, name: name, before: before, after: after}
}

// conditions reads { FIELD = "value" }.
func (l *loader) conditions(t source.Table, key string) []condition {
	if !t.Has(key) {
		return nil
	}
	sub, ok := t.Table(l.errs, key)
	if !ok {
		return nil
	}
	var all []condition
	for _, field := range sub.Keys() {
		all = append(all, condition{at: splitPath(field), want: sub.String(l.errs, field)})
	}
	if len(all) == 0 {
		l.errs.Add(t.ValuePos(key), "%s says nothing", key)
	}
	return all
}

// disjoint reports whether no body can fulfil both.
func disjoint(a, b []condition) bool {
	for _, x := range a {
		for _, y := range b {
			if slices.Equal(x.at, y.at) && x.want != y.want {
				return true
			}
		}
	}
	return false
}
