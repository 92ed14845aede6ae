// Package observed makes lines of a recording of what an executor's observers see. Nothing in a line is redacted yet, and
// everything in it is its own copy: an observer may keep none of the pointers that it is given.
package observed

import (
	"maps"
	"slices"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// Line is a line whose body is not redacted yet.
type Line struct {
	recorded.Line
	Begins bool   // the flow's first send
	Read   bool   // the client read the answer, not the catalogue
	Body   []byte // as it came
}

// Call is the line of a call that is over.
func Call(c *executor.CallEvent) *Line {
	e := &Line{
		Line: recorded.Line{
			Flow: c.Flow, At: c.Start, Phase: recorded.Phase(c.Phase), Latency: c.End.Sub(c.Start), Answer: c.Answer,
			Header: maps.Clone(c.Reply.Header),
		},
		Read: c.Reply.Answer != nil, Body: slices.Clone(c.Reply.Body),
	}
	e.setPayment(c.Payment)
	if e.Answer.HTTPStatus == 0 {
		e.Answer.HTTPStatus = c.Reply.HTTPStatus
	}
	if e.Answer.RetryAfter == 0 {
		e.Answer.RetryAfter = c.Reply.RetryAfter
	}
	if a := c.Attempt; a != nil {
		e.Begins = c.Phase == policy.Send && a.Number <= 1
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

// Webhook is the line of a webhook.
func Webhook(w *executor.WebhookEvent) *Line {
	e := &Line{
		Line: recorded.Line{
			Flow: w.Flow, At: w.At, Phase: recorded.Webhook, Answer: w.Answer,
			OrderID: w.Answer.OrderID, RequestID: w.Answer.RequestID, ProviderID: w.Answer.ProviderID,
			Header: maps.Clone(w.Header), Query: w.Query,
		},
		Read: w.Body == nil && w.Query == "" && len(w.Header) == 0, Body: slices.Clone(w.Body),
	}
	e.setPayment(w.Payment)
	return e
}

// End is the line of an end.
func End(ev *executor.EndEvent) *Line {
	e := &Line{Line: recorded.Line{Flow: ev.Flow, At: ev.At, Phase: recorded.End, Outcome: ev.Outcome}}
	e.setPayment(ev.Payment)
	return e
}

// setPayment copies the payment: its tags are the caller's map.
func (e *Line) setPayment(p *policy.Payment) {
	if p == nil {
		return
	}
	e.Payment = *p
	e.Payment.Tags = maps.Clone(p.Tags)
}
