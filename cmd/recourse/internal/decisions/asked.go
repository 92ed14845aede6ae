package decisions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// asked is what a line holds of a decision besides the answer and the payment.
type asked struct {
	At        time.Time      `json:"at,omitzero"` // of the decision, where it is not the line's
	Attempt   int            `json:"attempt,omitempty"`
	Queries   int            `json:"queries,omitempty"`
	Fired     map[string]int `json:"fired,omitempty"`
	ElapsedMS int64          `json:"elapsed_ms,omitempty"` // of a question
	InDoubt   bool           `json:"in_doubt,omitempty"`
	Replay    bool           `json:"replay,omitempty"`

	Flow *inFlow `json:"flow,omitempty"` // of a flow's decision

	// NotAgain is why the decision cannot be made again from the line.
	NotAgain string `json:"not_again,omitempty"`
}

// inFlow is what a flow's decision has besides. The rules' part of it can be made again; the interlock's needs the whole flow.
type inFlow struct {
	ElapsedNS int64        `json:"elapsed_ns,omitempty"`
	Fact      *policy.Fact `json:"fact,omitempty"` // that the flow took from the answer, where it is another than the answer's own
	Wanted    ruled        `json:"wanted"`
}

// ruled is what rules said.
type ruled struct {
	Action   policy.Action `json:"action"`
	Rule     string        `json:"rule"`
	Source   string        `json:"source"`
	Reason   string        `json:"reason"`
	Schedule string        `json:"schedule"`
	Judged   *policy.Fact  `json:"judged"` // what the answer proves by itself
}

// Why a decision cannot be made again.
const (
	leftOut  = "what is left out of the line counts for the decision"
	flowsOwn = "the flow decided, not the rules"
	setGone  = "the rules that decided were not at hand any more when the line was written"
)

// Line is what came of a decision that was made again.
type Line struct {
	Rules    string          // the digest of those that decided
	NotAgain string          // why it cannot be made again
	Was, Is  json.RawMessage // the decision of the line, and that of now
	Same     bool
}

// ErrNone is of a line that holds no decision.
var ErrNone = errors.New("the line holds no decision")

// Reader makes the decisions of lines again. It is for one goroutine.
type Reader struct {
	lines *recorded.Reader
	plain fastjson.Parser
}

// NewReader returns a reader.
func NewReader() *Reader { return &Reader{lines: recorded.NewReader()} }

// Again makes the decision of a line again, by the rules e. A line without one is [ErrNone].
func (r *Reader) Again(e *ruleset.Engine, raw []byte) (Line, error) {
	var l recorded.Line
	body, err := r.lines.Read(raw, &l)
	if err != nil {
		return Line{}, err
	}
	before, decided := r.lines.Decision()
	if before == nil && decided == nil {
		return Line{}, ErrNone
	}
	if before == nil || decided == nil {
		return Line{}, errors.New("a decision needs both asked and decided")
	}
	if key := r.lines.Twice(); key != "" {
		return Line{}, fmt.Errorf("the key %q is there twice", key)
	}
	var a asked
	d := json.NewDecoder(bytes.NewReader(before.MarshalTo(nil)))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return Line{}, fmt.Errorf("asked: %w", err)
	}
	out := Line{Rules: l.Rules, NotAgain: a.NotAgain, Was: decided.MarshalTo(nil)}
	if a.NotAgain != "" {
		return out, nil
	}
	var text []byte
	if body != nil {
		text = body.MarshalTo(nil)
	}
	if a.Flow != nil {
		err = r.flow(e, &l, &a, text, &out)
	} else {
		err = r.question(e, &l, &a, text, &out)
	}
	return out, err
}

// question asks again what a caller asked.
func (r *Reader) question(e *ruleset.Engine, l *recorded.Line, a *asked, body []byte, out *Line) error {
	p, n := &l.Payment, &l.Answer
	q := advice.Question{
		Provider: p.Provider, Merchant: p.Merchant, Operation: &p.Operation, Phase: policy.Phase(l.Phase),
		Code: advice.Scalar(n.Code), SubCode: advice.Scalar(n.SubCode), Status: advice.Scalar(n.Status), SubStatus: advice.Scalar(n.SubStatus),
		HTTPStatus: n.HTTPStatus, Fault: n.Fault, Message: n.Message, Headers: l.Header, QueryString: l.Query, Body: body,
		Attempt: a.Attempt, Queries: a.Queries, Fired: a.Fired, ElapsedMS: a.ElapsedMS, At: a.time(l), RetryAfterMS: n.RetryAfter.Milliseconds(),
		Amount: p.Amount, Currency: p.Currency, Capture: p.Capture, Tags: p.Tags, Replay: a.Replay, InDoubt: a.InDoubt, Verified: n.Verified,
		OrderID: l.OrderID, RequestID: l.RequestID, ProviderID: l.ProviderID, PaymentKey: p.Key,
	}
	adv, err := advice.Ask(e, &q)
	if err != nil {
		return err
	}
	d := adv.Decision()
	is, err := r.plain.ParseBytes(d.AppendJSON(nil))
	if err != nil {
		return err
	}
	out.Is = is.MarshalTo(nil)
	out.Same = alike(out.Was, out.Is)
	return nil
}

func (a *asked) time(l *recorded.Line) time.Time {
	if !a.At.IsZero() {
		return a.At
	}
	return l.At
}

// flow asks the rules again what they were asked in a flow.
func (r *Reader) flow(e *ruleset.Engine, l *recorded.Line, a *asked, body []byte, out *Line) error {
	answer, err := answerOf(e, l, body)
	if err != nil {
		return err
	}
	judged := e.Judge(&l.Payment, &answer)
	s := policy.Situation{
		Payment: &l.Payment, Answer: &answer, Fact: judged, InDoubt: a.InDoubt, Attempt: a.Attempt, Queries: a.Queries,
		Elapsed: time.Duration(a.Flow.ElapsedNS), At: a.time(l),
	}
	for name, n := range a.Fired {
		s.Fired = append(s.Fired, policy.Count{Name: name, N: n})
	}
	if a.Flow.Fact != nil {
		s.Fact = *a.Flow.Fact
	}
	is := ruledBy(e.Decide(&s), &judged)
	decided := out.Was
	if out.Was, err = json.Marshal(a.Flow.Wanted); err != nil {
		return err
	}
	if out.Is, err = json.Marshal(is); err != nil {
		return err
	}
	out.Same = alike(out.Was, out.Is)
	if out.Same && !a.Flow.Wanted.became(decided, &s.Fact) {
		out.Same, out.Was = false, decided // it says otherwise than what the rules wanted, and not that the flow replaced it
	}
	return nil
}

// became reports whether a flow's decision can have come of what rules said: it has their rule and reason, and their action or why
// that was replaced.
func (w *ruled) became(decided []byte, fact *policy.Fact) bool {
	var d struct {
		Action               policy.Action
		Rule, Source, Reason string
		Effect               policy.Effect
		Class                policy.Class
		Final                policy.Finality
		Limit                string
		Interlock            *struct{ Wanted policy.Action }
	}
	if json.Unmarshal(decided, &d) != nil {
		return false
	}
	acts := d.Action == w.Action || d.Limit != ""
	if d.Interlock != nil {
		acts = d.Interlock.Wanted == w.Action
	}
	return acts && d.Rule == w.Rule && d.Source == w.Source && d.Reason == w.Reason && d.Effect == fact.Effect && d.Class == fact.Class && d.Final == fact.Final
}

func ruledBy(d policy.Decision, judged *policy.Fact) ruled {
	r := ruled{Action: d.Action, Rule: d.Rule, Source: d.Source, Reason: d.Reason, Judged: judged}
	if d.Schedule != nil {
		r.Schedule = d.Schedule.Name
	}
	return r
}

// answerOf decodes the answer of a flow's line, as package simulate does.
func answerOf(e *ruleset.Engine, l *recorded.Line, body []byte) (policy.Answer, error) {
	a := l.Answer
	a.Phase = policy.Phase(l.Phase)
	a.ProviderID, a.Currency = l.ProviderID, l.Payment.Currency
	if l.Phase == recorded.Webhook {
		a.OrderID, a.RequestID = l.OrderID, l.RequestID
	}
	cat, err := e.Catalog(&l.Payment)
	if err != nil {
		return a, err
	}
	if a.Fault == policy.NoFault && len(body)+len(l.Query)+len(l.Header) > 0 {
		if len(body) > 0 && body[0] == '"' {
			var text string
			if err := json.Unmarshal(body, &text); err != nil {
				return a, err
			}
			body = []byte(text)
		}
		// A message that does not decode is the fault "unreadable", which is an answer.
		_ = cat.DecodeMessage(l.Payment.Operation, a.Phase, &policy.Message{HTTPStatus: a.HTTPStatus, Header: l.Header, Query: l.Query, Body: body}, &a)
	}
	return a, nil
}

// alike reports whether two decisions are the same, byte by byte. Of the source the path below the folder of rules counts, since that
// folder may stand elsewhere by now, or be a bundle.
func alike(was, is []byte) bool {
	if bytes.Equal(was, is) {
		return true
	}
	var a, b map[string]json.RawMessage
	if json.Unmarshal(was, &a) != nil || json.Unmarshal(is, &b) != nil || len(a) != len(b) {
		return false
	}
	for key, value := range a {
		other, ok := b[key]
		if !ok || !bytes.Equal(value, other) && !(key == "source" && sameSource(value, other)) {
			return false
		}
	}
	return true
}

// sameSource compares the ends of two places FILE:LINE, from the name of a folder of rules on, or the name of a file in it.
func sameSource(was, is json.RawMessage) bool {
	var a, b string
	return json.Unmarshal(was, &a) == nil && json.Unmarshal(is, &b) == nil && below(a) == below(b)
}

// below is a place in a rules folder, without where that folder stands.
func below(place string) string {
	place = strings.ReplaceAll(place, `\`, "/")
	parts := strings.Split(place, "/")
	n := len(parts)
	if n >= 2 && (parts[n-2] == "merchants" || parts[n-2] == "providers") {
		return parts[n-2] + "/" + parts[n-1]
	}
	return parts[n-1]
}
