// Package question holds the form in which one situation is given to the rules: what the command
// and the tests of rules read, and what the analyses write as the input of a finding.
package question

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Question is one answer and what went before it: a line that `recourse decide` reads, what
// the flags of `recourse explain` fill, and what a test of rules gives. Only Provider and
// Operation have to be there. The analyses write the inputs of their findings in this form.
type Question struct {
	Provider     string             `json:"provider"`
	Merchant     string             `json:"merchant,omitempty"`
	Operation    *policy.Operation  `json:"operation"`
	Phase        policy.Phase       `json:"phase,omitempty"`
	Code         Scalar             `json:"code,omitempty"`
	SubCode      Scalar             `json:"sub_code,omitempty"`
	Status       Scalar             `json:"status,omitempty"`
	SubStatus    Scalar             `json:"sub_status,omitempty"`
	HTTPStatus   int                `json:"http_status,omitempty"`
	Fault        policy.Fault       `json:"fault,omitempty"`
	Message      string             `json:"message,omitempty"`
	Headers      map[string]string  `json:"headers,omitempty"`
	QueryString  string             `json:"query_string,omitempty"`
	Body         json.RawMessage    `json:"body,omitempty"`
	Attempt      int                `json:"attempt,omitempty"`
	Queries      int                `json:"queries,omitempty"`
	Fired        map[string]int     `json:"fired,omitempty"`
	ElapsedMS    int64              `json:"elapsed_ms,omitempty"`
	At           time.Time          `json:"at,omitzero"`
	RetryAfterMS int64              `json:"retry_after_ms,omitempty"`
	Amount       int64              `json:"amount,omitempty"`
	Currency     string             `json:"currency,omitempty"`
	Capture      policy.CaptureMode `json:"capture,omitempty"`
	Tags         map[string]string  `json:"tags,omitempty"`
	Replay       bool               `json:"replay,omitempty"`
	InDoubt      bool               `json:"in_doubt,omitempty"`
	Verified     bool               `json:"verified,omitempty"`
	OrderID      string             `json:"order_id,omitempty"`
	RequestID    string             `json:"request_id,omitempty"`
	ProviderID   string             `json:"provider_id,omitempty"`
	PaymentKey   string             `json:"payment_key,omitempty"`
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
	q := new(Question)
	if err := ReadInto(raw, q); err != nil {
		return nil, err
	}
	return q, nil
}

// ReadInto is [Read] into the memory of a question, whatever it was before.
func ReadInto(raw []byte, q *Question) error {
	*q = Question{}
	if readPlain(raw, q) {
		return nil
	}
	*q = Question{}
	return readAny(raw, q)
}
