package recording

import (
	"maps"
	"slices"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
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
func (e *entry) line(r *redact.Redactor, maxBody int) []byte {
	l := e.Line
	if l.Phase.IsAnswer() {
		k := e.known()
		body, fields := e.redactedBody(r, k, maxBody)
		l.Body = body
		a := &l.Answer
		if l.Query = r.Query(l.Query, k); fields && !e.read {
			l.Header, l.Query = nil, "" // they are not to be read again without the body
		}
		r.Headers(l.Header, k)
		if fields {
			if l.ProviderID == "" {
				l.ProviderID = a.ProviderID
			}
			r.Answer(a, k)
		} else {
			a.Code, a.SubCode, a.Status, a.SubStatus, a.Message = "", "", "", "", ""
		}
		if l.Phase != recorded.Webhook {
			a.Verified = false
		}
	}
	return l.Append(make([]byte, 0, lineSize+len(l.Body)))
}

// redactedBody is the body that is written, and whether the answer's own fields have to
// stand beside it. A body in which the reader would find no answer must not stand beside one.
func (e *entry) redactedBody(r *redact.Redactor, k *redact.Known, maxBody int) (body []byte, fields bool) {
	switch e.Answer.Fault {
	case policy.NoFault:
		switch {
		case len(e.body) > 0 && len(e.body) <= maxBody:
			if body, ok := r.Object(e.body, k); ok {
				return body, e.read
			}
			if form, ok := r.Form(string(e.body), k); ok && !e.read {
				return recorded.AppendString(nil, form), false
			}
		case len(e.body) == 0 && len(e.Query)+len(e.Header) > 0:
			return nil, e.read
		}
		return nil, true
	case policy.Unreadable:
		if len(e.body) > 0 {
			return r.Other(e.body, k), false
		}
	case policy.NotSent, policy.Timeout, policy.Reset: // there is no answer to write
	}
	return nil, false
}
