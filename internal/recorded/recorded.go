// Package recorded holds the lines of a recording as our own tools write them: those that
// generate traffic, and those that save a counterexample. Package recording writes what was
// seen in production, and redacts as it writes; package simulate reads without building lines.
package recorded

import "encoding/json"

// Line is one line of a recording, in the form that docs/simulate.md describes.
type Line struct {
	V            int               `json:"v"`
	Flow         string            `json:"flow"`
	At           string            `json:"at"`
	Phase        string            `json:"phase"`
	Provider     string            `json:"provider,omitempty"`
	Merchant     string            `json:"merchant"`
	Operation    string            `json:"operation,omitempty"`
	PaymentKey   string            `json:"payment_key,omitempty"`
	QueryBy      string            `json:"query_by,omitempty"`
	OrderID      string            `json:"order_id,omitempty"`
	RequestID    string            `json:"request_id,omitempty"`
	ProviderID   string            `json:"provider_id,omitempty"`
	Amount       int64             `json:"amount,omitempty"` // ISO 4217 minor units
	Currency     string            `json:"currency,omitempty"`
	Capture      string            `json:"capture,omitempty"`
	LatencyMS    int64             `json:"latency_ms,omitempty"`
	Fault        string            `json:"fault,omitempty"`
	HTTPStatus   int               `json:"http_status,omitempty"`
	RetryAfterMS int64             `json:"retry_after_ms,omitempty"`
	Verified     bool              `json:"verified,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
	Outcome      string            `json:"outcome,omitempty"`
	Executions   *[]Execution      `json:"executions,omitempty"` // of the line "truth"
	Body         json.RawMessage   `json:"body,omitempty"`
}

// Execution is money that moved.
type Execution struct {
	OrderID   string `json:"order_id"`
	RequestID string `json:"request_id"`
	Amount    int64  `json:"amount"`
	At        string `json:"at"`
}
