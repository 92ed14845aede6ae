package providers

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// An envelope is the shape of a body that the provider sends, as a JSON template
// with places such as "$code:number". It is the reverse of the decode paths.
type envelope struct {
	operations []policy.Operation
	phases     []policy.Phase
	form       string // "code", "status", or empty for both
	template   string
	headers    []header

	statuses    []string // for which it is meant; empty: all
	subStatuses []string // likewise
}

// A header is one that the provider sends, with a template of its own.
type header struct{ name, template string }

var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"\$([a-z_]+)(:number|:lower)?"`) })

// Body writes what the provider would send to say this answer, in its own envelope.
// It is for emulators and recordings. ok is false when the catalogue has no envelope
// for the operation and phase. The fields of the answer that are empty become null, and are left out
// of a form.
func (c *Catalog) Body(op policy.Operation, a *policy.Answer, at time.Time) (body []byte, ok bool) {
	m, ok := c.Message(op, a, at)
	return m.Body, ok
}

// Message is [Catalog.Body] with what comes beside the body. What the provider writes into the query
// string of a notice's URL is the body.
func (c *Catalog) Message(op policy.Operation, a *policy.Answer, at time.Time) (m policy.Message, ok bool) {
	form := "code"
	if a.Status != "" {
		form = "status"
	}
	for _, e := range c.envelopes {
		if contains(e.operations, op) && contains(e.phases, a.Phase) && (e.form == "" || e.form == form) && contains(e.statuses, a.Status) && contains(e.subStatuses, a.SubStatus) {
			m.HTTPStatus, m.Body = a.HTTPStatus, c.render(e.template, op, a, at)
			m.Body = inForm(c.Written(op, a.Phase), m.Body)
			for _, h := range e.headers {
				var text string
				if json.Unmarshal(c.render(h.template, op, a, at), &text) == nil && text != "" {
					if m.Header == nil {
						m.Header = map[string]string{}
					}
					m.Header[h.name] = text
				}
			}
			return m, true
		}
	}
	return m, false
}

// Written is how messages of an operation and phase are written: json, xml, form, or query, which is a
// form in the query string of the URL.
func (c *Catalog) Written(op policy.Operation, ph policy.Phase) string {
	return cmp.Or(c.decoders[op][ph].written, bodyJSON)
}

func (c *Catalog) render(template string, op policy.Operation, a *policy.Answer, at time.Time) []byte {
	values := map[string]string{
		"code": a.Code, "sub_code": a.SubCode, "status": a.Status, "sub_status": a.SubStatus, "message": a.Message,
		"order_id": a.OrderID, "request_id": a.RequestID, "provider_id": a.ProviderID, "currency": a.Currency,
		"operation": op.String(), "event": c.eventFor(op, a), "time": at.UTC().Format("2006-01-02 15:04:05"), "time_ms": fmtMillis(at),
		"time_s": strconv.FormatInt(at.Unix(), 10), "time_digits": at.UTC().Format("20060102150405"),
	}
	if a.Amount != 0 {
		currency := a.Currency
		if currency == "" {
			currency = c.Currency
		}
		values["amount"] = c.unitOf(currency).units(a.Amount, currency)
	}
	return []byte(placeholder().ReplaceAllStringFunc(template, func(place string) string {
		m := placeholder().FindStringSubmatch(place)
		value := values[m[1]]
		switch {
		case value == "":
			return "null"
		case m[2] == ":lower":
			value = strings.ToLower(value)
		case m[2] != "" && json.Valid([]byte(value)):
			return value
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			return "null"
		}
		return string(quoted)
	}))
}

func fmtMillis(at time.Time) string {
	raw, _ := json.Marshal(at.UnixMilli())
	return string(raw)
}

func contains[T comparable](list []T, item T) bool {
	if len(list) == 0 {
		return true // an empty list stands for all
	}
	for _, i := range list {
		if i == item {
			return true
		}
	}
	return false
}

// splitPath reads "data.error_code".
func splitPath(text string) path { return strings.Split(text, ".") }
