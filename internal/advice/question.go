package advice

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/question"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Question is what the rules are asked about.
type Question = question.Question

// Scalar is a text that may be written as a number, as codes often are.
type Scalar = question.Scalar

// Read reads a question from one JSON object.
func Read(raw []byte) (*Question, error) { return question.Read(raw) }

// ReadInto is [Read] into the memory of a question.
func ReadInto(raw []byte, q *Question) error { return question.ReadInto(raw, q) }

// check refuses numbers that no flow can have.
func check(q *Question) error {
	least := min(int64(q.Attempt), int64(q.Queries), q.ElapsedMS, q.RetryAfterMS, q.Amount)
	for _, n := range q.Fired {
		least = min(least, int64(n))
	}
	if least < 0 {
		return errors.New("attempt, queries, fired, elapsed, retry_after and amount count from 0 up")
	}
	return nil
}

// span turns milliseconds into a duration; one longer than durations are is the longest.
func span(ms int64) time.Duration {
	if ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}

// Advice is what would be done, and why.
type Advice struct {
	Situation policy.Situation // what the rules were shown
	Decided   flow.Decided
}

// Ask puts a question to the rules, through the machine that runs in production. An error says
// that the provider is unknown, or that the question has a number that no flow can have.
func Ask(e *ruleset.Engine, q *Question) (*Advice, error) { return new(Asker).Ask(e, q) }

// Asker asks one question after the other, in the same memory: an advice holds until the next question. It is for one
// goroutine; the zero value is ready.
type Asker struct {
	advice  Advice
	adviser flow.Adviser
	answer  policy.Answer
	state   flow.State
	ledger  [2]flow.Identity
}

// Ask is the function [Ask].
func (x *Asker) Ask(e *ruleset.Engine, q *Question) (*Advice, error) {
	cat, err := e.Catalog(&policy.Payment{Provider: q.Provider, Merchant: q.Merchant})
	if err != nil {
		return nil, err
	}
	if err := check(q); err != nil {
		return nil, err
	}
	a := &x.answer
	*a = policy.Answer{
		Phase: q.Phase, Fault: q.Fault, HTTPStatus: q.HTTPStatus, Code: string(q.Code), SubCode: string(q.SubCode),
		Status: string(q.Status), SubStatus: string(q.SubStatus), Message: q.Message,
		RetryAfter: span(q.RetryAfterMS), Verified: q.Verified, Currency: q.Currency,
	}
	if raw(q) && q.Fault == policy.NoFault {
		body := []byte(q.Body)
		if len(body) > 0 && body[0] == '"' {
			var text string
			if err := json.Unmarshal(body, &text); err != nil {
				return nil, err
			}
			body = []byte(text)
		}
		m := policy.Message{HTTPStatus: q.HTTPStatus, Header: q.Headers, Query: q.QueryString, Body: body}
		// A message that does not decode is the fault "unreadable", which is an answer.
		_ = cat.DecodeMessage(*q.Operation, q.Phase, &m, a)
	}
	at := q.At
	if at.IsZero() {
		at = time.Now().UTC()
	}
	s := &x.state
	x.fill(q, at)
	nameWebhook(s, a, raw(q))
	now := flow.Moment{At: at, Jitter: 0.5}
	x.advise(e, now)
	if v := x.advice.Decided.Verdict; v.Schedule != "" {
		// Which turn of its schedule it is follows from what was done so far.
		if n := turns(q, e, &s.Payment, &v); n > 0 { // the first turn is what was just looked at
			s.Waits = policy.Counts{{Name: v.Schedule, N: n}}
			x.advise(e, now)
		}
	}
	return &x.advice, nil
}

func (x *Asker) advise(e *ruleset.Engine, now flow.Moment) {
	situation, decided := x.adviser.Advise(e, &x.state, &x.answer, now)
	x.advice.Situation, x.advice.Decided = *situation, *decided
}

// raw reports whether a question holds a message as it came.
func raw(q *Question) bool { return len(q.Body) > 0 || len(q.Headers) > 0 || q.QueryString != "" }

// turns counts how often a schedule was used: by the rules that were followed, or, where
// the question does not say, by the queries or sends so far.
func turns(q *Question, e *ruleset.Engine, p *policy.Payment, v *flow.Verdict) int {
	switch {
	case len(q.Fired) > 0:
		n := 0
		for id, times := range q.Fired {
			if e.ScheduleName(p, id) == v.Schedule {
				n += times
			}
		}
		return n
	case v.Action.Sends():
		return max(q.Attempt, 1) - 1
	}
	return q.Queries
}

// nameWebhook makes a webhook that gives neither a body nor a name one about the payment in
// question: the flow takes no other for evidence.
func nameWebhook(s *flow.State, a *policy.Answer, hasBody bool) {
	if a.Phase != policy.Webhook || hasBody || a.OrderID != "" || a.RequestID != "" || a.ProviderID != "" {
		return
	}
	id := &s.Ledger[len(s.Ledger)-1]
	id.OrderID = cmp.Or(id.OrderID, "this order")
	a.OrderID, a.RequestID = id.OrderID, id.RequestID
}

// fill makes the state a flow that has lived through what the question says of it.
func (x *Asker) fill(q *Question, at time.Time) {
	a, s := &x.answer, &x.state
	attempt := max(q.Attempt, 1)
	started := at.Add(-span(q.ElapsedMS))
	*s = flow.State{
		Payment: policy.Payment{
			Provider: q.Provider, Merchant: q.Merchant, Operation: *q.Operation, Key: q.PaymentKey,
			Amount: q.Amount, Currency: q.Currency, Capture: q.Capture, Tags: q.Tags,
		},
		Started: started, Attempts: attempt, Queries: q.Queries, Ledger: x.ledger[:0],
	}
	for rule, n := range q.Fired {
		s.Fired = append(s.Fired, policy.Count{Name: rule, N: n})
	}
	if q.InDoubt {
		s.Ledger = append(s.Ledger, flow.Identity{OrderID: "an earlier one", Sends: 1, FirstSent: started, LastSent: started, Deadline: at})
	}
	id := flow.Identity{
		OrderID: q.OrderID, RequestID: q.RequestID, ProviderID: q.ProviderID,
		Sends: 1, FirstSent: started, LastSent: started, Deadline: at, Prior: policy.NotExecuted,
	}
	if q.Replay {
		id.Sends, id.Prior = 2, policy.Unknown
	}
	if id.OrderID == "" {
		id.OrderID = a.OrderID
	}
	if id.RequestID == "" {
		id.RequestID = a.RequestID
	}
	if id.ProviderID == "" && q.Phase != policy.Send {
		id.ProviderID = a.ProviderID
	}
	if id.ProviderID == "" && q.Phase == policy.Query {
		id.ProviderID = "asked by" // it can be asked once more
	}
	s.Ledger = append(s.Ledger, id)
	switch q.Phase {
	case policy.Send:
		s.Stage = flow.Sending
	case policy.Query:
		s.Stage = flow.Querying
	case policy.Webhook:
		s.Stage = flow.Waiting
	}
}
