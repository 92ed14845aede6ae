package sdk

import (
	"context"
	"net/http"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// Stripe is stripe-go v85. It keeps contexts, so one client of it serves all attempts.
type Stripe struct {
	once   executor.Once
	client *stripe.Client
}

// NewStripe returns a client of an account. url is Stripe's, or that of a test.
func NewStripe(key, url string, transport http.RoundTripper) *Stripe {
	s := &Stripe{once: executor.Once{Transport: transport}}
	s.client = stripe.NewClient(key, stripe.WithBackends(stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		HTTPClient:        &http.Client{Transport: &s.once},
		URL:               stripe.String(url),
		MaxNetworkRetries: stripe.Int64(0), // its retries would be refused one by one, with waits between
	})))
	return s
}

// Send implements [executor.Client].
func (s *Stripe) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	var d details
	if err := d.read(a); err != nil {
		return executor.Reply{}, err
	}
	p := &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(a.Payment.Amount), Currency: stripe.String(a.Payment.Currency),
		PaymentMethod: stripe.String(d.Token), Confirm: stripe.Bool(true),
		Metadata: map[string]string{"order_id": a.OrderID},
	}
	p.SetIdempotencyKey(a.RequestID)
	return s.once.Call(ctx, func(ctx context.Context, _ *http.Client) error {
		_, err := s.client.V1PaymentIntents.Create(ctx, p)
		return err
	})
}

// Query implements [executor.Client]: it asks by the intent's id, or searches for the order's. A quote in an order id
// would end the search's text, so ids are escaped as Stripe's page on searching says.
func (s *Stripe) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	if a.By == policy.OrderID {
		p := &stripe.PaymentIntentSearchParams{}
		p.Query = "metadata['order_id']:'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(a.OrderID) + "'"
		return s.once.Call(ctx, func(ctx context.Context, _ *http.Client) error {
			return s.client.V1PaymentIntents.Search(ctx, p).Err()
		})
	}
	if a.ProviderID == "" {
		return executor.Reply{}, errNoID
	}
	return s.once.Call(ctx, func(ctx context.Context, _ *http.Client) error {
		_, err := s.client.V1PaymentIntents.Retrieve(ctx, a.ProviderID, nil)
		return err
	})
}
