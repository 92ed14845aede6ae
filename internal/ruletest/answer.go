package ruletest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// answer is a provider's answer. Its fields in a test are those of `recourse decide`.
type answer struct {
	policy.Answer
	body string // the raw body; it fills the fields that are not given
}

// placed is a text and its position.
type placed struct {
	text source.Text
	pos  source.Pos
}

// at returns the position of the rune at an offset.
func (p placed) at(offset int) source.Pos {
	if pos := p.text.At(offset); pos.Line > 0 {
		return pos
	}
	return p.pos
}

// answerFields reads an answer from the fields of a table.
func (r *reader) answerFields(f fields, cat *providers.Catalog) answer {
	var a answer
	for _, key := range []string{"code", "unlisted", "sub_code", "status", "sub_status"} {
		if v, ok := f[key]; ok {
			r.name(&a, key, r.text(f, key), v.Pos(), cat)
		}
	}
	a.HTTPStatus = int(r.count(f, "http_status"))
	r.word(f, "fault", &a.Fault)
	a.Message, a.RetryAfter, a.Verified = r.text(f, "message"), r.duration(f, "retry_after"), r.yes(f, "verified")
	a.OrderID, a.RequestID, a.ProviderID = r.text(f, "order_id"), r.text(f, "request_id"), r.text(f, "provider_id")
	return a
}

// name sets a code or status. The catalogue must have it, unless the key is unlisted.
func (r *reader) name(a *answer, key, value string, pos source.Pos, cat *providers.Catalog) {
	switch key {
	case "unlisted":
		if cat.HasCode(value) {
			r.fail(pos, "the catalogue of %s has code %q; write it as code", cat.Name, value)
		}
		a.Code = value
	case "code", "sub_code":
		if !cat.HasCode(value) {
			r.unknown(pos, key+" of "+cat.Name, value, codesOf(cat))
			return
		}
		if key == "code" {
			a.Code = value
			return
		}
		a.SubCode = value
	case "status":
		if !cat.HasStatus(value) {
			r.unknown(pos, "status of "+cat.Name, value, statusesOf(cat))
		}
		a.Status = value
	case "sub_status":
		if !cat.HasSubStatus(value) {
			r.unknown(pos, "sub_status of "+cat.Name, value, subStatusesOf(cat))
		}
		a.SubStatus = value
	}
}

func codesOf(cat *providers.Catalog) []string {
	return rowsOf(cat.Codes, func(r *providers.Row) string { return r.Code })
}

func statusesOf(cat *providers.Catalog) []string {
	return rowsOf(cat.Statuses, func(r *providers.Row) string { return r.Status })
}

func subStatusesOf(cat *providers.Catalog) []string {
	return rowsOf(cat.Statuses, func(r *providers.Row) string { return r.SubStatus })
}

func rowsOf(rows []*providers.Row, name func(*providers.Row) string) []string {
	all := make([]string, 0, len(rows))
	for _, r := range rows {
		all = append(all, name(r))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// answerWords are the keys of an answer in its short form, key=value.
var answerWords = []string{
	"code", "unlisted", "sub_code", "status", "sub_status", "http_status", "message", "retry_after", "order_id", "request_id", "provider_id",
	"amount", "currency", "body",
}

// said reads an answer in its short form: "timeout", "1001", "FAILED 4701", "http_status=503
// unlisted=99", or a raw body.
func (r *reader) said(p placed, cat *providers.Catalog) answer {
	var a answer
	words, err := split(p.text.Value)
	if err != nil {
		r.fail(p.pos, "%s", err)
		return a
	}
	for _, w := range words {
		pos := p.at(w.at)
		key, value, named := strings.Cut(w.text, "=")
		switch {
		case w.body:
			a.body = w.text
		case w.text == "verified":
			a.Verified = true
		case w.text == "unverified":
			a.Verified = false
		case named && contains(answerWords, key):
			r.named(&a, key, unquote(value), pos, cat)
		case named:
			r.unknown(pos, "word", key, answerWords)
		default:
			r.bareWord(&a, w.text, pos, cat)
		}
	}
	if len(words) == 0 {
		r.fail(p.pos, "an answer is missing, such as a fault (timeout), a code or a status of %s, or a body", cat.Name)
	}
	return a
}

// bareWord reads a word without a key: a fault, a code, a status or STATUS/SUB_STATUS.
func (r *reader) bareWord(a *answer, word string, pos source.Pos, cat *providers.Catalog) {
	var fault policy.Fault
	status, sub, both := strings.Cut(word, "/")
	switch {
	case fault.UnmarshalText([]byte(word)) == nil:
		a.Fault = fault
	case cat.HasCode(word) && a.Code == "":
		a.Code = word
	case cat.HasCode(word):
		r.fail(pos, "%q is a second code; write sub_code=%s", word, word)
	case cat.HasStatus(word):
		a.Status = word
	case both && cat.HasStatus(status):
		a.Status = status
		r.name(a, "sub_status", sub, pos, cat)
	default:
		known := append(codesOf(cat), statusesOf(cat)...)
		for _, f := range policy.All[policy.Fault]() {
			known = append(known, f.String())
		}
		r.unknown(pos, "answer of "+cat.Name, word, append(known, "verified"))
	}
}

// named reads key=value.
func (r *reader) named(a *answer, key, value string, pos source.Pos, cat *providers.Catalog) {
	number := func() int64 {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			r.fail(pos, "%s must be a whole number from 0 up", key)
		}
		return n
	}
	switch key {
	case "http_status":
		a.HTTPStatus = int(number())
	case "amount":
		a.Amount = number()
	case "currency":
		a.Currency = value
	case "message":
		a.Message = value
	case "retry_after":
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			r.fail(pos, `retry_after must be a duration such as "90s"`)
		}
		a.RetryAfter = d
	case "order_id":
		a.OrderID = value
	case "request_id":
		a.RequestID = value
	case "provider_id":
		a.ProviderID = value
	case "body":
		a.body = value
	default:
		r.name(a, key, value, pos, cat)
	}
}

// join fills the fields that are not set from another answer.
func (a *answer) join(b answer) {
	for _, t := range []struct{ to, from *string }{
		{&a.Code, &b.Code}, {&a.SubCode, &b.SubCode}, {&a.Status, &b.Status}, {&a.SubStatus, &b.SubStatus}, {&a.Message, &b.Message},
		{&a.OrderID, &b.OrderID}, {&a.RequestID, &b.RequestID}, {&a.ProviderID, &b.ProviderID}, {&a.Currency, &b.Currency}, {&a.body, &b.body},
	} {
		*t.to = cmp.Or(*t.to, *t.from)
	}
	a.HTTPStatus, a.Fault = cmp.Or(a.HTTPStatus, b.HTTPStatus), cmp.Or(a.Fault, b.Fault)
	a.RetryAfter, a.Amount = cmp.Or(a.RetryAfter, b.RetryAfter), cmp.Or(a.Amount, b.Amount)
	a.Verified = a.Verified || b.Verified
}

// ask writes the answer into a question.
func (a *answer) ask(q *advice.Question) {
	q.Code, q.SubCode = advice.Scalar(a.Code), advice.Scalar(a.SubCode)
	q.Status, q.SubStatus = advice.Scalar(a.Status), advice.Scalar(a.SubStatus)
	q.HTTPStatus, q.Fault, q.Message = a.HTTPStatus, a.Fault, a.Message
	q.RetryAfterMS, q.Verified = a.RetryAfter.Milliseconds(), a.Verified
	q.OrderID, q.RequestID, q.ProviderID = a.OrderID, a.RequestID, a.ProviderID
	if a.body != "" {
		q.Body, _ = json.Marshal(a.body) // a string always marshals
	}
}

// String returns the answer in its short form, for the name of a test.
func (a *answer) String() string {
	parts := []string{a.Fault.String(), strings.TrimSuffix(a.Status+"/"+a.SubStatus, "/"), a.Code, a.SubCode}
	if a.HTTPStatus != 0 {
		parts = append(parts, fmt.Sprintf("HTTP %d", a.HTTPStatus))
	}
	parts = append(parts, a.Message)
	if a.body != "" {
		parts = append(parts, "a body")
	}
	return cmp.Or(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), "an answer that says nothing")
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }
