package policy

import "time"

// Payment is one operation that a merchant wants carried out exactly once.
type Payment struct {
	Provider  string            `json:"provider"`
	Merchant  string            `json:"merchant,omitempty"`
	Operation Operation         `json:"operation"`
	Key       string            `json:"payment_key,omitempty"` // the merchant's intent, which several flows may serve
	Amount    int64             `json:"amount,omitempty"`      // ISO 4217 minor units of Currency; 0: not known
	Currency  string            `json:"currency,omitempty"`    // ISO 4217 code
	Capture   CaptureMode       `json:"capture"`
	Tags      map[string]string `json:"tags,omitempty"`
}

// Answer is what came back for a payment: a decoded response, or a fault.
type Answer struct {
	Phase      Phase         `json:"phase"`
	Fault      Fault         `json:"fault,omitempty"`
	HTTPStatus int           `json:"http_status,omitempty"` // 0: none known
	Code       string        `json:"code,omitempty"`
	SubCode    string        `json:"sub_code,omitempty"`
	Status     string        `json:"status,omitempty"`
	SubStatus  string        `json:"sub_status,omitempty"`
	Message    string        `json:"message,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"` // what the provider asked for; 0: nothing
	Verified   bool          `json:"verified,omitempty"`    // a webhook whose signature was checked

	// What the answer says about which payment it speaks of. Empty: it does not say.
	OrderID    string `json:"order_id,omitempty"`
	RequestID  string `json:"request_id,omitempty"`
	ProviderID string `json:"provider_id,omitempty"`
	Amount     int64  `json:"amount,omitempty"` // ISO 4217 minor units; 0: not said; or OddAmount
	Currency   string `json:"currency,omitempty"`

	// SetAside says why the body is no evidence, whatever code or status stands in it: it names no order
	// where it must, speaks of another kind of event, or holds what cannot be compared. Empty: it is
	// not set aside.
	SetAside string `json:"set_aside,omitempty"`
}

// OddAmount is the amount of an answer that names one which cannot be a payment's: zero,
// below zero, or no number. It differs from every amount that can be asked for.
const OddAmount int64 = -1

// Fact is what an answer proves about one identity of one operation.
type Fact struct {
	Effect Effect   `json:"effect"`
	Class  Class    `json:"class"`
	Stage  Stage    `json:"stage"`
	Reach  Reach    `json:"reach"`
	Basis  Basis    `json:"basis"`
	Final  Finality `json:"final"`
}

// Message is an answer or a notice as it came, before a catalogue reads it.
type Message struct {
	HTTPStatus int               // of an answer; 0: not known
	Header     map[string]string // names in any case; several lines of one name are joined by ", "
	Query      string            // of the URL that a notice came to, without the "?"
	Body       []byte            // raw
}
