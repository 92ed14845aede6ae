package advice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Question is one answer and what went before it: a line that `recourse decide` reads, what
// the flags of `recourse explain` fill, and what a test of rules gives. Only Provider and
// Operation have to be there.
type Question struct {
	Provider     string             `json:"provider"`
	Merchant     string             `json:"merchant"`
	Operation    *policy.Operation  `json:"operation"`
	Phase        policy.Phase       `json:"phase"`
	Code         Scalar             `json:"code"`
	SubCode      Scalar             `json:"sub_code"`
	Status       Scalar             `json:"status"`
	SubStatus    Scalar             `json:"sub_status"`
	HTTPStatus   int                `json:"http_status"`
	Fault        policy.Fault       `json:"fault"`
	Message      string             `json:"message"`
	Body         json.RawMessage    `json:"body"`
	Attempt      int                `json:"attempt"`
	Queries      int                `json:"queries"`
	Fired        map[string]int     `json:"fired"`
	ElapsedMS    int64              `json:"elapsed_ms"`
	At           time.Time          `json:"at"`
	RetryAfterMS int64              `json:"retry_after_ms"`
	Amount       int64              `json:"amount"`
	Currency     string             `json:"currency"`
	Capture      policy.CaptureMode `json:"capture"`
	Tags         map[string]string  `json:"tags"`
	Replay       bool               `json:"replay"`
	InDoubt      bool               `json:"in_doubt"`
	Verified     bool               `json:"verified"`
	OrderID      string             `json:"order_id"`
	RequestID    string             `json:"request_id"`
	ProviderID   string             `json:"provider_id"`
	PaymentKey   string             `json:"payment_key"`
}

// Scalar is a text that may be written as a number, as codes often are.
type Scalar string

// UnmarshalJSON reads a string, a number or null.
func (s *Scalar) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(s))
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return errors.New("must be a string or a number")
	}
	*s = Scalar(n)
	return nil
}

// Read reads a question from one JSON object.
func Read(raw []byte) (*Question, error) {
	var q Question
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return nil, fmt.Errorf("not a question: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a question: something follows the object")
	}
	if q.Provider == "" {
		return nil, errors.New("provider is missing")
	}
	if q.Operation == nil {
		return nil, errors.New("operation is missing")
	}
	return &q, nil
}

// check refuses numbers that no flow can have.
func (q *Question) check() error {
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
func (q *Question) Ask(e *ruleset.Engine) (*Advice, error) {
	cat, err := e.Catalogs.Get(q.Provider)
	if err != nil {
		return nil, err
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	a := policy.Answer{
		Phase: q.Phase, Fault: q.Fault, HTTPStatus: q.HTTPStatus, Code: string(q.Code), SubCode: string(q.SubCode),
		Status: string(q.Status), SubStatus: string(q.SubStatus), Message: q.Message,
		RetryAfter: span(q.RetryAfterMS), Verified: q.Verified, Currency: q.Currency,
	}
	if len(q.Body) > 0 && q.Fault == policy.NoFault {
		body := []byte(q.Body)
		if body[0] == '"' {
			var text string
			if err := json.Unmarshal(body, &text); err != nil {
				return nil, err
			}
			body = []byte(text)
		}
		// A body that does not decode is the fault "unreadable", which is an answer.
		_ = cat.Decode(*q.Operation, q.Phase, body, &a)
	}
	at := q.At
	if at.IsZero() {
		at = time.Now().UTC()
	}
	s := q.state(&a, at)
	now := flow.Moment{At: at, Jitter: 0.5}
	var adv Advice
	adv.Situation, adv.Decided = flow.Advise(e, s, a, now)
	if v := adv.Decided.Verdict; v.Schedule != "" {
		// Which turn of its schedule it is follows from what was done so far.
		s.Waits = policy.Counts{{Name: v.Schedule, N: q.turns(e, &s.Payment, &v)}}
		adv.Situation, adv.Decided = flow.Advise(e, s, a, now)
	}
	return &adv, nil
}

// turns counts how often a schedule was used: by the rules that were followed, or, where
// the question does not say, by the queries or sends so far.
func (q *Question) turns(e *ruleset.Engine, p *policy.Payment, v *flow.Verdict) int {
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

// state is a flow that has lived through what the question says of it.
func (q *Question) state(a *policy.Answer, at time.Time) flow.State {
	attempt := max(q.Attempt, 1)
	started := at.Add(-span(q.ElapsedMS))
	s := flow.State{
		Payment: policy.Payment{
			Provider: q.Provider, Merchant: q.Merchant, Operation: *q.Operation, Key: q.PaymentKey,
			Amount: q.Amount, Currency: q.Currency, Capture: q.Capture, Tags: q.Tags,
		},
		Started: started, Attempts: attempt, Queries: q.Queries,
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
	if id.ProviderID == "" && q.Phase == policy.Query {
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
	return s
}
