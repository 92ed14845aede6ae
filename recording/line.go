package recording

import (
	"maps"
	"slices"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// entry is a line whose body is not redacted yet. Everything in it is the recorder's own copy.
type entry struct {
	recorded.Line
	begins bool // the flow's first send
	read   bool // the client read the answer, not the catalogue
	body   []byte
}

const lineSize = 512 // bytes of a line without its body, about

func (e *entry) size() int { return lineSize + len(e.body) + len(e.Query) }

func fromCall(c *executor.CallEvent) *entry {
	e := &entry{
		Line: recorded.Line{
			Flow: c.Flow, At: c.Start, Phase: recorded.Phase(c.Phase), Latency: c.End.Sub(c.Start), Answer: c.Answer,
			Header: maps.Clone(c.Reply.Header),
		},
		read: c.Reply.Answer != nil, body: slices.Clone(c.Reply.Body),
	}
	e.setPayment(c.Payment)
	if e.Answer.HTTPStatus == 0 {
		e.Answer.HTTPStatus = c.Reply.HTTPStatus
	}
	if e.Answer.RetryAfter == 0 {
		e.Answer.RetryAfter = c.Reply.RetryAfter
	}
	if a := c.Attempt; a != nil {
		e.begins = c.Phase == policy.Send && a.Number <= 1
		e.OrderID, e.RequestID, e.ProviderID = a.OrderID, a.RequestID, a.ProviderID
		if c.Phase == policy.Query {
			e.QueryBy = a.By
			if a.By != policy.RequestID && a.QueryID != "" {
				e.RequestID = a.QueryID // the query's own id
			}
		}
	}
	return e
}

func fromWebhook(w *executor.WebhookEvent) *entry {
	e := &entry{
		Line: recorded.Line{
			Flow: w.Flow, At: w.At, Phase: recorded.Webhook, Answer: w.Answer,
			OrderID: w.Answer.OrderID, RequestID: w.Answer.RequestID, ProviderID: w.Answer.ProviderID,
			Header: maps.Clone(w.Header), Query: w.Query,
		},
		read: w.Body == nil && w.Query == "" && len(w.Header) == 0, body: slices.Clone(w.Body),
	}
	e.setPayment(w.Payment)
	return e
}

func fromEnd(ev *executor.EndEvent) *entry {
	e := &entry{Line: recorded.Line{Flow: ev.Flow, At: ev.At, Phase: recorded.End, Outcome: ev.Outcome}}
	e.setPayment(ev.Payment)
	return e
}

// setPayment copies the payment: its tags are the caller's map.
func (e *entry) setPayment(p *policy.Payment) {
	if p == nil {
		return
	}
	e.Payment = *p
	e.Payment.Tags = maps.Clone(p.Tags)
}

func (e *entry) known() *redact.Known {
	p, a := &e.Payment, &e.Answer
	return &redact.Known{
		IDs:     []string{p.Key, e.OrderID, e.RequestID, e.ProviderID, a.OrderID, a.RequestID, a.ProviderID},
		Amounts: []int64{p.Amount, a.Amount},
	}
}

// line is the entry as JSON, redacted, with a line break.
func (e *entry) line(r *redactor, maxBody int) []byte {
	l := e.Line
	if l.Phase.IsAnswer() {
		k := e.known()
		fields := e.redact(&l, r, k, maxBody)
		a := &l.Answer
		if fields {
			if l.ProviderID == "" {
				l.ProviderID = a.ProviderID
			}
			*a = r.Written(a, k)
		}
		if !fields || e.foreign() {
			a.Code, a.SubCode, a.Status, a.SubStatus, a.Message = "", "", "", "", ""
		}
		if l.Phase != recorded.Webhook {
			a.Verified = false
		}
	}
	return l.Append(make([]byte, 0, lineSize+len(l.Body)))
}

// redact fills in what is written of the message: body, headers and query string. It reports whether the answer's
// own fields have to stand in their place. What the answer was not read from must not stand beside it.
func (e *entry) redact(l *recorded.Line, r *redactor, k *redact.Known, maxBody int) (fields bool) {
	m := policy.Message{HTTPStatus: e.Answer.HTTPStatus, Header: l.Header, Query: l.Query, Body: e.body}
	l.Header, l.Query, l.Body = nil, "", nil
	switch e.Answer.Fault {
	case policy.NoFault:
		if e.read || len(m.Body) > maxBody || len(m.Body)+len(m.Query)+len(m.Header) == 0 {
			return true
		}
		cat, err := r.rules.Catalog(&e.Payment)
		if err != nil {
			return true
		}
		rest, written, ok := r.Cut(cat, &e.Payment, &m, &e.Answer, k)
		if !ok {
			return true
		}
		l.Header, l.Query, l.Body = rest.Header, rest.Query, rest.Body
		if len(rest.Body) > 0 && written != "json" {
			l.Body = recorded.AppendString(nil, string(rest.Body))
		}
	case policy.Unreadable:
		if len(m.Body) > 0 {
			l.Body = r.Unreadable(m.Body, k)
		}
	case policy.NotSent, policy.Timeout, policy.Reset: // there is no answer to write
	}
	return false
}

// foreign reports whether an answer names another order, request or amount than the line. A line without the body
// cannot say so, and must not prove anything by it.
func (e *entry) foreign() bool {
	differs := func(a, b string) bool { return a != "" && b != "" && a != b }
	a, p := &e.Answer, &e.Payment
	return differs(a.OrderID, e.OrderID) || differs(a.RequestID, e.RequestID) || differs(a.ProviderID, e.ProviderID) ||
		a.Amount != 0 && p.Amount != 0 && a.Amount != p.Amount || differs(a.Currency, p.Currency)
}

// redactor redacts by the catalogues of some rules. It is for one goroutine.
type redactor struct {
	*redact.Redactor

	rules catalogs
}

// catalogs say which catalogue a payment's answers are read by.
type catalogs interface {
	Catalog(p *policy.Payment) (*providers.Catalog, error)
}

func newRedactor(o *Options) *redactor {
	r := &redactor{Redactor: redact.New(o.Redact, o.Keep, o.KeepText), rules: o.Rules}
	if r.rules == nil {
		r.rules = builtin{}
	}
	return r
}

// builtin are the embedded catalogues.
type builtin struct{}

// Catalog implements [catalogs].
func (builtin) Catalog(p *policy.Payment) (*providers.Catalog, error) {
	cs, err := providers.Builtin()
	if err != nil {
		return nil, err
	}
	return cs.Get(p.Provider)
}
