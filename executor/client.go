package executor

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Client makes the calls to a provider. A team wraps its own client in two methods; [Call] makes a
// [Reply] of a request of net/http, [Once] of what an SDK sends.
//
// Neither method retries, and each makes at most one request: the executor retries. They return
// when ctx is done. An error says that no answer was read. [FaultOf] decides what it proves. A
// client that knows that nothing was sent wraps [ErrNotSent]. If the reason was not the provider's, such as a queue of
// the client's own, the error has a method NotTried() bool that returns true: the breaker does not count the call.
type Client interface {
	// Send makes the payment request under the identifiers of a.
	Send(ctx context.Context, a *Attempt) (Reply, error)
	// Query asks for the status by the identifier a.By.
	Query(ctx context.Context, a *Attempt) (Reply, error)
}

// Attempt is one call that is to be made. What it holds is a copy, for this call alone.
type Attempt struct {
	Flow    string          // the flow's id
	Payment *policy.Payment // amounts in ISO 4217 minor units
	Data    []byte          // Request.Data, as it was given

	OrderID    string
	RequestID  string
	ProviderID string            // the provider's own id, once it is known
	By         policy.Identifier // of a query: what to ask by
	QueryID    string            // of a query: a fresh id, for providers that want every request named

	Number   int           // of the sends, or of the queries; 1 is the flow's first
	Action   policy.Action // what asked for this send; of the first it means nothing
	Deadline time.Time     // stop listening then; ctx ends with it
}

// Reply is what a provider answered: a raw response, which the catalogue reads, or one
// that the client has read.
type Reply struct {
	HTTPStatus int
	RetryAfter time.Duration // what the provider asked for; 0: what Header says, if that
	Body       []byte        // raw

	// Header holds the headers, several lines of one name joined by ", ". Observers see those that
	// the catalogue reads.
	Header map[string]string

	Answer *policy.Answer // set: Body is only kept for recordings, and this is what was said

	// What the shopper must do next, as far as the client knows more than the catalogue.
	Shopper policy.ShopperAction
}

// message is the reply for the catalogue.
func (r *Reply) message() *policy.Message {
	return &policy.Message{HTTPStatus: r.HTTPStatus, Header: r.Header, Body: r.Body}
}

// joined is a header in the form of [Reply].
func joined(h http.Header) map[string]string {
	if len(h) == 0 {
		return nil
	}
	all := make(map[string]string, len(h))
	for name, values := range h {
		all[name] = strings.Join(values, ", ")
	}
	return all
}
