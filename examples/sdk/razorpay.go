package sdk

import (
	"context"
	"net/http"

	"github.com/razorpay/razorpay-go/constants"
	"github.com/razorpay/razorpay-go/requests"
	"github.com/razorpay/razorpay-go/resources"

	"github.com/recourse-pay/recourse/executor"
)

// Razorpay is razorpay-go v1.3.3. It knows no context, and NewClient keeps the HTTP client in a variable of
// the package, which the next NewClient replaces. So each attempt makes the resource that it needs, with
// the HTTP client of that attempt.
type Razorpay struct {
	Key, Secret string
	URL         string // empty: Razorpay's
	Once        executor.Once
}

func (r *Razorpay) request(hc *http.Client) *requests.Request {
	url := r.URL
	if url == "" {
		url = constants.BASE_URL
	}
	return &requests.Request{
		Auth: requests.Auth{Key: r.Key, Secret: r.Secret}, HTTPClient: hc, BaseURL: url, SDKName: "razorpay-go", Version: "1.3.3",
	}
}

// Send implements [executor.Client]: it gives money back.
func (r *Razorpay) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	data := map[string]any{
		"payment_id": a.ProviderID, "amount": a.Payment.Amount, "receipt": a.OrderID,
		"notes": map[string]any{"request_id": a.RequestID},
	}
	return r.Once.Call(ctx, func(_ context.Context, hc *http.Client) error {
		refund := resources.Refund{Request: r.request(hc)}
		_, err := refund.Create(data, map[string]string{"X-Refund-Idempotency": a.RequestID})
		return err
	})
}

// Query implements [executor.Client]: it lists the refunds of the payment.
func (r *Razorpay) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	if a.ProviderID == "" {
		return executor.Reply{}, errNoID
	}
	return r.Once.Call(ctx, func(_ context.Context, hc *http.Client) error {
		payment := resources.Payment{Request: r.request(hc)}
		_, err := payment.FetchMultipleRefund(a.ProviderID, nil, nil)
		return err
	})
}
