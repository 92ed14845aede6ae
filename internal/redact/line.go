package redact

import (
	"maps"

	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Source is what a line is made of, besides the line itself.
type Source struct {
	Body    []byte // as it came
	Read    bool   // the client read the answer, not the catalogue
	MaxBody int    // a larger body is left out for what the catalogue read in it
	Catalog func(p *policy.Payment) (*providers.Catalog, error)
}

// Line redacts a line of an answer: its header, query string and answer as they came, and the body of src, become what is written of
// them. What the line's maps were is left as it is.
func (r *Redactor) Line(l *recorded.Line, src *Source) {
	a := &l.Answer
	k := known(l)
	foreign := foreign(l)
	fields := r.message(l, src, k)
	if fields {
		if l.ProviderID == "" {
			l.ProviderID = a.ProviderID
		}
		*a = r.Written(a, k)
	}
	if !fields || foreign {
		a.Code, a.SubCode, a.Status, a.SubStatus, a.Message = "", "", "", "", ""
	}
	if l.Phase != recorded.Webhook {
		a.Verified = false
	}
	l.Payment.Tags, l.Payment.Currency = maskedTags(l.Payment.Tags), cards.Mask(l.Payment.Currency)
}

// maskedTags are tags without card numbers. They are the caller's own, and nothing else is cut in them.
func maskedTags(tags map[string]string) map[string]string {
	var masked map[string]string
	for name, value := range tags {
		plainName, plain := cards.Mask(name), cards.Mask(value)
		if plainName == name && plain == value {
			continue
		}
		if masked == nil {
			masked = maps.Clone(tags) // the caller's stay as they are
		}
		delete(masked, name)
		masked[plainName] = plain
	}
	if masked == nil {
		return tags
	}
	return masked
}

// known are the values of a line that stay.
func known(l *recorded.Line) *Known {
	p, a := &l.Payment, &l.Answer
	return &Known{
		IDs:     []string{p.Key, l.OrderID, l.RequestID, l.ProviderID, a.OrderID, a.RequestID, a.ProviderID},
		Amounts: []int64{p.Amount, a.Amount},
	}
}

// message fills in what is written of the message: body, headers and query string. It reports whether the answer's
// own fields have to stand in their place. What the answer was not read from must not stand beside it.
func (r *Redactor) message(l *recorded.Line, src *Source, k *Known) (fields bool) {
	m := policy.Message{HTTPStatus: l.Answer.HTTPStatus, Header: l.Header, Query: l.Query, Body: src.Body}
	l.Header, l.Query, l.Body = nil, "", nil
	switch l.Answer.Fault {
	case policy.NoFault:
		if src.Read || len(m.Body) > src.MaxBody || len(m.Body)+len(m.Query)+len(m.Header) == 0 {
			return true
		}
		cat, err := src.Catalog(&l.Payment)
		if err != nil {
			return true
		}
		rest, written, ok := r.Cut(cat, &l.Payment, &m, &l.Answer, k)
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
func foreign(l *recorded.Line) bool {
	differs := func(a, b string) bool { return a != "" && b != "" && a != b }
	a, p := &l.Answer, &l.Payment
	return differs(a.OrderID, l.OrderID) || differs(a.RequestID, l.RequestID) || differs(a.ProviderID, l.ProviderID) ||
		a.Amount != 0 && p.Amount != 0 && a.Amount != p.Amount || differs(a.Currency, p.Currency)
}
