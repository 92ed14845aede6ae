package decisions

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// maxBody is how long a body may be that is written; of a longer one what the catalogue reads stands in its place.
const maxBody = 64 << 10

// Asked writes a decision about a question, which has its time. Decided is the decision as it was answered. A log that is nil writes
// nothing.
func (l *Log) Asked(e *ruleset.Engine, q *advice.Question, a *advice.Advice, decided []byte) {
	if l == nil {
		return
	}
	defer l.caught()
	b := asked{Attempt: q.Attempt, Queries: q.Queries, Fired: q.Fired, ElapsedMS: q.ElapsedMS, InDoubt: q.InDoubt, Replay: q.Replay}
	line := recorded.Line{
		At: q.At, Phase: recorded.Phase(q.Phase),
		Payment: policy.Payment{
			Provider: q.Provider, Merchant: q.Merchant, Operation: *q.Operation, Key: q.PaymentKey,
			Amount: q.Amount, Currency: q.Currency, Capture: q.Capture, Tags: q.Tags,
		},
		OrderID: q.OrderID, RequestID: q.RequestID, ProviderID: q.ProviderID,
		Answer: *a.Situation.Answer, Header: maps.Clone(q.Headers), Query: q.QueryString,
		Rules: e.Digest(), Decided: decided,
	}
	line.Answer.Verified = q.Verified
	b.place(&line, q.At)
	line.Flow = l.flowOf(q)
	body, err := bodyOf(q)
	if err != nil { // advice has read it
		l.unwritable()
		return
	}
	if quoted := a.Situation.Answer.SetAside; quoted != "" {
		d := a.Decision()
		d.SetAside = l.redact.Text(quoted, &redact.Known{IDs: []string{q.OrderID, q.RequestID, q.ProviderID}})
		line.Decided = d.AppendJSON(nil)
	}
	was := line.Answer
	l.redact.Line(&line, &redact.Source{Body: body, MaxBody: maxBody, Catalog: e.Catalog})
	fits := line.Payment.Amount <= recorded.MaxAmount && line.Answer.RetryAfter <= recorded.MaxLatency
	if !fits {
		line.Payment.Amount = min(line.Payment.Amount, recorded.MaxAmount) // else the line could not be read
	}
	beside := len(q.Body) > 0 || len(q.Headers) > 0 || q.QueryString != "" || q.Verified || q.Fault != policy.NoFault
	l.finish(e, &line, &b, beside || line.Answer != was || !fits)
}

// finish writes a line. Where it is doubtful whether the decision can be made again from it, that is tried.
func (l *Log) finish(e *ruleset.Engine, line *recorded.Line, b *asked, doubtful bool) {
	text, err := appended(line, b)
	if err == nil && doubtful && b.NotAgain == "" {
		r := l.readers.Get().(*Reader)
		again, wrong := r.Again(e, text)
		l.readers.Put(r)
		if wrong != nil || !again.Same {
			b.NotAgain = leftOut
			text, err = appended(line, b)
		}
	}
	if err != nil {
		l.unwritable()
		return
	}
	l.offer(text, b.NotAgain != "")
}

func appended(line *recorded.Line, b *asked) ([]byte, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	line.Asked = text
	return line.Append(make([]byte, 0, 512+len(line.Body)+len(line.Decided)+len(text))), nil
}

// place sets the time of a line, which has microseconds and years of four digits, and keeps that of the decision where it is another.
func (b *asked) place(line *recorded.Line, decided time.Time) {
	line.At = line.At.UTC().Truncate(time.Microsecond)
	if year := line.At.Year(); year < 1 || year > 9999 {
		line.At = time.Now().UTC().Truncate(time.Microsecond)
	}
	if !line.At.Equal(decided) {
		b.At = decided
	}
}

// flowOf is the payment that a question is about, as far as the caller says: its lines are the flow of a recording.
func (l *Log) flowOf(q *advice.Question) string {
	switch {
	case q.PaymentKey != "":
		return fmt.Sprintf("%s %s key %s", q.Provider, q.Operation, q.PaymentKey)
	case q.OrderID != "":
		return fmt.Sprintf("%s %s order %s", q.Provider, q.Operation, q.OrderID)
	}
	return fmt.Sprintf("%s-%d", l.run, l.questions.Add(1))
}

// bodyOf is the body of a question as it came.
func bodyOf(q *advice.Question) ([]byte, error) {
	if len(q.Body) == 0 || q.Body[0] != '"' {
		return q.Body, nil
	}
	var text string
	err := json.Unmarshal(q.Body, &text)
	return []byte(text), err
}
