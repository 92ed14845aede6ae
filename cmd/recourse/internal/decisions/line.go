package decisions

import (
	"encoding/json"
	"maps"
	"strconv"
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
	m, _ := l.memories.Get().(*memory)
	defer l.memories.Put(m)
	m.asked = asked{Attempt: q.Attempt, Queries: q.Queries, Fired: fired(q.Fired), ElapsedMS: q.ElapsedMS, InDoubt: q.InDoubt, Replay: q.Replay}
	m.line = recorded.Line{
		At: q.At, Phase: recorded.Phase(q.Phase),
		Payment: policy.Payment{
			Provider: q.Provider, Merchant: q.Merchant, Operation: *q.Operation, Key: q.PaymentKey,
			Amount: q.Amount, Currency: q.Currency, Capture: q.Capture, Tags: q.Tags,
		},
		OrderID: q.OrderID, RequestID: q.RequestID, ProviderID: q.ProviderID,
		Answer: *a.Situation.Answer, Header: maps.Clone(q.Headers), Query: q.QueryString,
		Rules: e.Digest(), Decided: decided,
	}
	line, b := &m.line, &m.asked
	line.Answer.Verified = q.Verified
	b.place(line, q.At)
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
	l.redact.Line(line, &redact.Source{Body: body, MaxBody: maxBody, Catalog: e.Catalog})
	masked := line.Payment.Currency != q.Currency || !maps.Equal(line.Payment.Tags, q.Tags) || !maps.Equal(b.Fired, q.Fired)
	fits := line.Payment.Amount <= recorded.MaxAmount && line.Answer.RetryAfter <= recorded.MaxLatency
	if !fits {
		line.Payment.Amount = min(line.Payment.Amount, recorded.MaxAmount) // else the line could not be read
	}
	beside := len(q.Body) > 0 || len(q.Headers) > 0 || q.QueryString != "" || q.Verified || q.Fault != policy.NoFault
	l.finish(e, m, beside || line.Answer != was || !fits || masked)
}

// memory is what a line is made in.
type memory struct {
	line  recorded.Line
	asked asked
	text  []byte // of asked
	whole []byte
}

// fired are the counts of a question, by names that a caller chose.
func fired(counts map[string]int) map[string]int {
	var plain map[string]int
	for name, n := range counts {
		if plain == nil {
			plain = make(map[string]int, len(counts))
		}
		plain[redact.Cards(name)] = n
	}
	return plain
}

// finish writes a line. Where it is doubtful whether the decision can be made again from it, that is tried.
func (l *Log) finish(e *ruleset.Engine, m *memory, doubtful bool) {
	err := m.append()
	if err == nil && doubtful && m.asked.NotAgain == "" {
		r := l.readers.Get().(*Reader)
		again, wrong := r.Again(e, m.whole)
		l.readers.Put(r)
		if wrong != nil || !again.Same {
			m.asked.NotAgain = leftOut
			err = m.append()
		}
	}
	if err != nil {
		l.unwritable()
		return
	}
	l.offer(m.whole, m.asked.NotAgain != "")
}

// append makes the line anew.
func (m *memory) append() (err error) {
	if m.text, err = m.asked.append(m.text[:0]); err != nil {
		return err
	}
	m.line.Asked = m.text
	m.whole = m.line.Append(m.whole[:0])
	return nil
}

// append appends what encoding/json makes of it. What most decisions have is written without it.
func (b *asked) append(dst []byte) ([]byte, error) {
	if !b.At.IsZero() || len(b.Fired) > 0 || b.Flow != nil || b.NotAgain != "" {
		text, err := json.Marshal(b)
		return append(dst, text...), err
	}
	dst = append(dst, '{')
	for _, n := range [...]struct {
		name  string
		value int64
	}{{`"attempt":`, int64(b.Attempt)}, {`"queries":`, int64(b.Queries)}, {`"elapsed_ms":`, b.ElapsedMS}} {
		if n.value != 0 {
			dst = append(strconv.AppendInt(append(dst, n.name...), n.value, 10), ',')
		}
	}
	for _, t := range [...]struct {
		text  string
		holds bool
	}{{`"in_doubt":true,`, b.InDoubt}, {`"replay":true,`, b.Replay}} {
		if t.holds {
			dst = append(dst, t.text...)
		}
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}'), nil
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
		return q.Provider + " " + q.Operation.String() + " key " + q.PaymentKey
	case q.OrderID != "":
		return q.Provider + " " + q.Operation.String() + " order " + q.OrderID
	}
	return l.run + "-" + strconv.FormatInt(l.questions.Add(1), 10)
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
