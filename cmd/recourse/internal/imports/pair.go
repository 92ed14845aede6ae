package imports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// flowOf is a flow that entries are paired with by their identifiers.
type flowOf struct {
	name    string
	payment policy.Payment
	last    time.Time
}

// identity is one send's identifiers.
type identity struct {
	flow                *flowOf
	order, request, own string // own: the provider's id
}

// key is an identifier in its namespace.
type key struct {
	scope, merchant, provider string
	op                        policy.Operation
	kind                      policy.Identifier
	id                        string
}

// pairer puts entries, which come in the order of time, to flows.
type pairer struct {
	window time.Duration
	known  map[key]*identity
	names  map[string]int
	write  func(*recorded.Line) error
	skip   func(e *entry, why string)
	counts struct{ Sends, Queries, Webhooks, Ends, Truths, Flows int }
}

func newPairer(window time.Duration, write func(*recorded.Line) error, skip func(*entry, string)) *pairer {
	return &pairer{window: window, known: map[key]*identity{}, names: map[string]int{}, write: write, skip: skip}
}

func (p *pairer) keyOf(e *entry, op policy.Operation, kind policy.Identifier, id string) key {
	m := &e.Line.Payment
	return key{e.Scope, m.Merchant, m.Provider, op, kind, id}
}

// add pairs an entry and writes it. A query whose send comes later in time, or not at all, is left out.
func (p *pairer) add(e *entry) error {
	if e.Line.Flow != "" {
		return p.named(e)
	}
	switch e.Line.Phase {
	case recorded.Send:
		return p.send(e)
	default:
		return p.follow(e)
	}
}

// named writes a line that has its flow's name already.
func (p *pairer) named(e *entry) error {
	l := &e.Line
	p.flowNamed(l).last = l.At
	if named := ids(l); l.Phase == recorded.Query && len(named) > 0 {
		l.QueryBy = named[0].kind
	}
	return p.put(l)
}

// flowNamed is the flow of a name that the file gives.
func (p *pairer) flowNamed(l *recorded.Line) *flowOf {
	k := key{merchant: l.Payment.Merchant, id: l.Flow}
	id := p.known[k]
	if id == nil {
		id = &identity{flow: &flowOf{name: l.Flow, payment: l.Payment}}
		p.known[k] = id
		p.counts.Flows++
	}
	return id.flow
}

// identifier is one of an entry's identifiers.
type identifier struct {
	kind policy.Identifier
	id   string
}

// ids are an entry's identifiers, the surest first.
func ids(l *recorded.Line) []identifier {
	all := []identifier{{policy.OrderID, l.OrderID}, {policy.RequestID, l.RequestID}, {policy.ProviderID, l.ProviderID}}
	return slices.DeleteFunc(all, func(x identifier) bool { return x.id == "" })
}

// send begins a flow, or is one more send of one.
func (p *pairer) send(e *entry) error {
	l := &e.Line
	op := l.Payment.Operation
	var f *flowOf
	named := ids(l)
	for i, x := range named {
		if x.kind == policy.ProviderID && i > 0 {
			break // it names what is captured, which may be captured twice under other ids
		}
		if id := p.known[p.keyOf(e, op, x.kind, x.id)]; id != nil && l.At.Sub(id.flow.last) <= p.window {
			f = id.flow
			break
		}
	}
	if f == nil {
		f = &flowOf{name: p.name(l, named, strings.HasSuffix(e.Scope, testScope)), payment: l.Payment}
		p.counts.Flows++
	}
	if l.Payment.Key != "" && f.payment.Key == "" {
		f.payment.Key = l.Payment.Key
	}
	f.last = l.At
	id := &identity{f, l.OrderID, l.RequestID, e.Answered}
	for _, x := range named {
		p.known[p.keyOf(e, op, x.kind, x.id)] = id
	}
	if e.Answered != "" {
		p.known[p.keyOf(e, op, policy.ProviderID, e.Answered)] = id
	}
	l.Flow = f.name
	return p.put(l)
}

// name makes a name for a flow that is unique in this recording.
func (p *pairer) name(l *recorded.Line, named []identifier, test bool) string {
	name := l.Payment.Provider + "/" + l.Payment.Operation.String()
	if test {
		name = testName + name
	}
	if len(named) > 0 {
		name += "/" + named[0].id
	}
	full := l.Payment.Merchant + "\x00" + name
	p.names[full]++
	if n := p.names[full]; n > 1 || len(named) == 0 {
		name += fmt.Sprintf("#%d", n)
	}
	return name
}

// follow puts a query, webhook, end or truth to the flow that it names: of several the one that was sent to last.
func (p *pairer) follow(e *entry) error {
	l := &e.Line
	id, by := p.followed(e)
	if id == nil {
		why := "it names no payment"
		if named := ids(l); len(named) > 0 {
			why = fmt.Sprintf("the send that it follows is not in the files, such as one that got no answer: %s %s", named[0].kind, named[0].id)
		}
		p.skip(e, why)
		return nil
	}
	f := id.flow
	l.Flow = f.name
	f.last = l.At
	switch l.Phase {
	case recorded.Query:
		l.QueryBy = by
		amount, currency := l.Payment.Amount, l.Payment.Currency
		l.Payment = f.payment
		if amount > 0 {
			l.Payment.Amount, l.Payment.Currency = amount, currency
		}
		if l.OrderID == "" {
			l.OrderID = id.order
		}
		if l.RequestID == "" && by != policy.RequestID && l.OrderID == "" {
			l.RequestID = id.request
		}
		if e.Answered != "" {
			k := p.keyOf(e, f.payment.Operation, policy.ProviderID, e.Answered)
			if p.known[k] == nil {
				p.known[k] = id
			}
		}
	case recorded.Webhook:
		answered := l.Payment
		l.Payment = f.payment
		l.Payment.Merchant = answered.Merchant
	default:
	}
	return p.put(l)
}

// followed finds the send that an entry follows, and by which identifier.
func (p *pairer) followed(e *entry) (found *identity, by policy.Identifier) {
	ops := e.Ops
	if len(ops) == 0 {
		ops = []policy.Operation{e.Line.Payment.Operation}
	}
	for _, x := range ids(&e.Line) {
		for _, op := range ops {
			id := p.known[p.keyOf(e, op, x.kind, x.id)]
			if id != nil && (found == nil || id.flow.last.After(found.flow.last)) {
				found, by = id, x.kind
			}
		}
		if found != nil {
			return found, by
		}
	}
	return nil, by
}

func (p *pairer) put(l *recorded.Line) error {
	switch l.Phase {
	case recorded.Send:
		p.counts.Sends++
	case recorded.Query:
		p.counts.Queries++
	case recorded.Webhook:
		p.counts.Webhooks++
	case recorded.End:
		p.counts.Ends++
	case recorded.Truth:
		p.counts.Truths++
	}
	return p.write(l)
}
