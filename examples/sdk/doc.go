// Package sdk shows payment SDKs as clients of the executor: one file for each. docs/wrap-an-sdk.md tells
// what each of them does beneath its caller.
package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/recourse-pay/recourse/executor"
)

// details are what a shop keeps in [executor.Request.Data] to make the same request again.
type details struct {
	Token string `json:"token,omitempty"` // of the shopper's card, at the provider
	Email string `json:"email,omitempty"`
}

func (d *details) read(a *executor.Attempt) error {
	if len(a.Data) == 0 {
		return nil
	}
	if err := json.Unmarshal(a.Data, d); err != nil {
		return fmt.Errorf("%w: Request.Data: %w", executor.ErrNotSent, err)
	}
	return nil
}

// errNoID is a query that cannot be made: the provider finds a payment by its own id only.
var errNoID = fmt.Errorf("%w: %w", executor.ErrNotSent, errors.New("no answer gave the provider's id"))

// withHeader sets a header of every request: it takes the place of an id that an SDK mints.
type withHeader struct {
	next        http.RoundTripper
	name, value string
}

// RoundTrip implements [http.RoundTripper].
func (h withHeader) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set(h.name, h.value)
	return h.next.RoundTrip(req)
}
