package recording

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// happening is a line to be: everything in it is ours.
type happening struct {
	flow    string
	payment policy.Payment
	at      time.Time
	phase   string
	begins  bool // the flow's first send

	queryBy                        policy.Identifier
	orderID, requestID, providerID string
	latency                        time.Duration
	status                         int
	retryAfter                     time.Duration
	answer                         policy.Answer
	read                           bool // the client read the answer, not the catalogue
	body                           []byte
	outcome                        policy.Outcome
}

const lineSize = 512 // of a line without its body, about

func (h *happening) size() int { return lineSize + len(h.body) }

func fromCall(c *executor.CallEvent) *happening {
	h := &happening{
		flow: c.Flow, at: c.Start, phase: c.Phase.String(), latency: c.End.Sub(c.Start),
		status: c.Reply.HTTPStatus, retryAfter: c.Reply.RetryAfter,
		answer: c.Answer, read: c.Reply.Answer != nil, body: slices.Clone(c.Reply.Body),
	}
	h.own(c.Payment)
	if c.Answer.HTTPStatus != 0 {
		h.status = c.Answer.HTTPStatus
	}
	if c.Answer.RetryAfter != 0 {
		h.retryAfter = c.Answer.RetryAfter
	}
	if a := c.Attempt; a != nil {
		h.begins = c.Phase == policy.Send && a.Number <= 1
		h.orderID, h.requestID, h.providerID = a.OrderID, a.RequestID, a.ProviderID
		if c.Phase == policy.Query {
			h.queryBy = a.By
			if a.By != policy.RequestID && a.QueryID != "" {
				h.requestID = a.QueryID // the query's own name
			}
		}
	}
	return h
}

func fromWebhook(w *executor.WebhookEvent) *happening {
	h := &happening{
		flow: w.Flow, at: w.At, phase: policy.Webhook.String(), answer: w.Answer, read: w.Body == nil, body: slices.Clone(w.Body),
		orderID: w.Answer.OrderID, requestID: w.Answer.RequestID, providerID: w.Answer.ProviderID,
	}
	h.own(w.Payment)
	return h
}

func fromEnd(e *executor.EndEvent) *happening {
	h := &happening{flow: e.Flow, at: e.At, phase: "end", outcome: e.Outcome}
	h.own(e.Payment)
	return h
}

// own copies the payment, whose tags are the caller's.
func (h *happening) own(p *policy.Payment) {
	if p == nil {
		return
	}
	h.payment = *p
	h.payment.Tags = nil
	for k, v := range p.Tags {
		if h.payment.Tags == nil {
			h.payment.Tags = make(map[string]string, len(p.Tags))
		}
		h.payment.Tags[k] = v
	}
}

func (h *happening) known() *known {
	p, a := &h.payment, &h.answer
	return &known{
		ids:     []string{p.Key, h.orderID, h.requestID, h.providerID, a.OrderID, a.RequestID, a.ProviderID},
		amounts: []int64{p.Amount, a.Amount},
	}
}

const (
	timeForm = "2006-01-02T15:04:05.999999Z07:00"
	maxTime  = 48 * time.Hour // the reader takes no longer waits
)

// line is the happening as JSON, with a line break.
func (h *happening) line(r *redactor, maxBody int) []byte {
	dst := make([]byte, 0, h.size())
	dst = append(dst, `{"v":1`...)
	dst = text(dst, "flow", h.flow)
	dst = text(dst, "at", h.at.UTC().Format(timeForm))
	dst = text(dst, "phase", h.phase)
	if h.phase == "end" {
		dst = text(dst, "merchant", h.payment.Merchant)
		dst = text(dst, "outcome", h.outcome.String())
		return append(dst, "}\n"...)
	}
	p := &h.payment
	dst = text(dst, "provider", p.Provider)
	dst = text(dst, "merchant", p.Merchant)
	dst = text(dst, "operation", p.Operation.String())
	dst = text(dst, "payment_key", p.Key)
	dst = text(dst, "query_by", string(h.queryBy))
	dst = text(dst, "order_id", h.orderID)
	dst = text(dst, "request_id", h.requestID)
	dst = h.said(dst, r, maxBody)
	if len(p.Tags) > 0 {
		if tags, err := json.Marshal(p.Tags); err == nil { // sorted by name
			dst = append(append(dst, `,"tags":`...), tags...)
		}
	}
	return append(dst, "}\n"...)
}

// said appends the money and what came back.
func (h *happening) said(dst []byte, r *redactor, maxBody int) []byte {
	p, a, k := &h.payment, &h.answer, h.known()
	body, fields := h.redactedBody(r, k, maxBody)
	providerID := h.providerID
	if fields && providerID == "" {
		providerID = a.ProviderID
	}
	dst = text(dst, "provider_id", providerID)
	dst = number(dst, "amount", p.Amount)
	dst = text(dst, "currency", p.Currency)
	dst = text(dst, "capture", p.Capture.String())
	if h.phase == policy.Webhook.String() {
		dst = append(append(dst, `,"verified":`...), strconv.FormatBool(a.Verified)...)
	} else {
		dst = append(dst, `,"latency_ms":`...)
		dst = strconv.AppendInt(dst, millis(h.latency), 10)
	}
	dst = text(dst, "fault", a.Fault.String())
	dst = number(dst, "http_status", int64(h.status))
	dst = number(dst, "retry_after_ms", millis(h.retryAfter))
	if fields {
		said := *a
		r.answer(&said, k)
		dst = text(dst, "code", said.Code)
		dst = text(dst, "sub_code", said.SubCode)
		dst = text(dst, "status", said.Status)
		dst = text(dst, "sub_status", said.SubStatus)
		dst = text(dst, "message", said.Message)
	}
	if body != nil {
		dst = append(append(dst, `,"body":`...), body...)
	}
	return dst
}

// redactedBody is the body that is written, and whether the answer's own fields have to
// stand beside it. A body in which the reader would find no answer must not stand beside one.
func (h *happening) redactedBody(r *redactor, k *known, maxBody int) (body []byte, fields bool) {
	switch h.answer.Fault {
	case policy.NoFault:
		if len(h.body) > 0 && len(h.body) <= maxBody {
			if body, ok := r.object(h.body, k); ok {
				return body, h.read
			}
		}
		return nil, true
	case policy.Unreadable:
		if len(h.body) > 0 {
			return r.other(h.body, k), false
		}
	case policy.NotSent, policy.Timeout, policy.Reset: // what came of it is no answer
	}
	return nil, false
}

// millis rounds down: an answer must not seem heard after what followed it.
func millis(d time.Duration) int64 { return min(max(d, 0), maxTime).Milliseconds() }

func text(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return quote(append(append(append(dst, `,"`...), key...), `":`...), value)
}

func number(dst []byte, key string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(append(append(dst, `,"`...), key...), `":`...), n, 10)
}
