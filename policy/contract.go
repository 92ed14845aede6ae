package policy

import "time"

// Identifier is one of the names under which a provider knows a payment.
type Identifier string

// The identifiers. RequestID changes with every retry_new_request, OrderID only
// with retry_new_order, ProviderID is the provider's own.
const (
	RequestID  Identifier = "request_id"
	OrderID    Identifier = "order_id"
	ProviderID Identifier = "provider_id"
)

// Replay is what a provider does with a request that it has seen before.
type Replay string

// The replays. An empty Replay is not known and never relied upon.
const (
	FirstResult   Replay = "first_result"   // the stored outcome of the first one
	Rejected      Replay = "rejected"       // a duplicate refusal, which proves nothing of the first
	ExecutedAgain Replay = "executed_again" // a second execution
)

// Contract is what a provider promises about the identities of one operation.
// Zero values are the careful ones: nothing is promised.
type Contract struct {
	Dedupe        []Identifier  `json:"dedupe,omitempty"`          // identifiers under which a second request cannot execute
	DedupeWindow  time.Duration `json:"dedupe_window,omitempty"`   // for how long; 0: not relied upon in doubt
	Replay        Replay        `json:"replay,omitempty"`          // what a repeated request gets
	ReplayCodes   []string      `json:"replay_codes,omitempty"`    // the codes of a duplicate refusal
	QueryBy       []Identifier  `json:"query_by,omitempty"`        // what a status query can ask by; empty: there is no query
	Webhook       bool          `json:"webhook,omitempty"`         // the provider reports the end by itself
	ArrivalGrace  time.Duration `json:"arrival_grace,omitempty"`   // how long past its deadline a request may still arrive; 0: not known
	NotFoundAfter time.Duration `json:"not_found_after,omitempty"` // how long after the last send "not found" proves not_executed; 0: never
	LinkExpiry    time.Duration `json:"link_expiry,omitempty"`     // how long a link or session can be paid; 0: not known
	Timeout       time.Duration `json:"timeout,omitempty"`         // how long to wait for an answer

	// SameProviderID are the phases whose answers name an executed payment by one and the same id of the provider. An
	// answer in another of them that bears another id is about a second payment.
	SameProviderID []Phase `json:"same_provider_id,omitempty"`
}

// ReplaySafe reports whether the same request may be sent again at the given
// time although an earlier copy of it may still execute: the provider dedupes it, and will when the
// repeated one arrives at the latest. First is when the identifier that dedupes was first
// sent. A contract without an arrival grace does not say when a request arrives at the latest.
func (c *Contract) ReplaySafe(first, at time.Time) bool {
	if len(c.Dedupe) == 0 || c.DedupeWindow <= 0 {
		return false
	}
	if c.Replay != FirstResult && c.Replay != Rejected {
		return false
	}
	if c.ArrivalGrace <= 0 {
		return false // the repeat may arrive however late, and then no window holds
	}
	return at.Add(c.CallTimeout() + c.ArrivalGrace).Before(first.Add(c.DedupeWindow))
}

// defaultTimeout bounds a call for which the contract names no timeout. Every send has a
// deadline.
const defaultTimeout = 30 * time.Second

// CallTimeout is how long to wait for an answer.
func (c *Contract) CallTimeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return defaultTimeout
}

// QueryIdentifier returns the identifier that a status query asks by, given
// whether the provider's own one is known. Empty: there is no query to ask.
func (c *Contract) QueryIdentifier(providerIDKnown bool) Identifier {
	for _, by := range c.QueryBy {
		if by != ProviderID || providerIDKnown {
			return by
		}
	}
	return ""
}

// Limits bound a flow. A zero field is not set; package rules fills every one.
type Limits struct {
	MaxAttempts   int           `json:"max_attempts"`    // sends, the first included
	MaxQueries    int           `json:"max_queries"`     // status queries
	MaxElapsed    time.Duration `json:"max_elapsed"`     // from when the payment is accepted to the end
	MaxRetryAfter time.Duration `json:"max_retry_after"` // cap on a wait that the provider asks for
}

// Terms are what holds for one payment: the provider's contract, with the
// merchant's own lines in it, the merchant's limits, and the schedule of the queries
// that no rule asked for.
type Terms struct {
	Contract Contract
	Limits   Limits
	Poll     *Schedule
}
