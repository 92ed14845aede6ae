package sdk

import (
	"context"
	"net/http"

	"github.com/mercadopago/sdk-go/pkg/config"
	"github.com/mercadopago/sdk-go/pkg/payment"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// MercadoPago is sdk-go v1.8.0, an SDK that mints the idempotency key of every request itself: a retry of
// the same request would be another one to the provider. The attempt's request id takes the key's place.
type MercadoPago struct {
	Token string
	Once  executor.Once
}

func (m *MercadoPago) client(hc *http.Client, requestID string) (payment.Client, error) {
	hc.Transport = withHeader{hc.Transport, "X-Idempotency-Key", requestID}
	c, err := config.New(m.Token, config.WithHTTPClient(hc))
	if err != nil {
		return nil, err
	}
	return payment.NewClient(c), nil
}

// Send implements [executor.Client].
func (m *MercadoPago) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	var d details
	if err := d.read(a); err != nil {
		return executor.Reply{}, err
	}
	decimals, _ := policy.Decimals(a.Payment.Currency)
	amount := float64(a.Payment.Amount)
	for range decimals {
		amount /= 10
	}
	return m.Once.Call(ctx, func(ctx context.Context, hc *http.Client) error {
		c, err := m.client(hc, a.RequestID)
		if err != nil {
			return err
		}
		_, err = c.Create(ctx, payment.Request{
			TransactionAmount: amount, Token: d.Token, ExternalReference: a.OrderID, Installments: 1,
			Payer: &payment.PayerRequest{Email: d.Email},
		})
		return err
	})
}

// Query implements [executor.Client].
func (m *MercadoPago) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return m.Once.Call(ctx, func(ctx context.Context, hc *http.Client) error {
		c, err := m.client(hc, a.QueryID)
		if err != nil {
			return err
		}
		_, err = c.Search(ctx, payment.SearchRequest{Filters: map[string]string{"external_reference": a.OrderID}})
		return err
	})
}
