package sdk

import (
	"context"
	"net/http"

	"github.com/midtrans/midtrans-go"
	"github.com/midtrans/midtrans-go/coreapi"

	"github.com/recourse-pay/recourse/executor"
)

// Midtrans is midtrans-go v1.3.8. It drops the context that it is given, so each attempt gets a client of
// its own, with the HTTP client of that attempt.
type Midtrans struct {
	ServerKey string
	Env       midtrans.EnvironmentType
	Once      executor.Once
}

// client is one for one attempt. Its errors hold the whole answer, so nothing is logged.
func (m *Midtrans) client(hc *http.Client, requestID string) coreapi.Client {
	return coreapi.Client{
		ServerKey: m.ServerKey, Env: m.Env,
		Options:    &midtrans.ConfigOptions{PaymentIdempotencyKey: &requestID},
		HttpClient: &midtrans.HttpClientImplementation{HttpClient: hc, Logger: &midtrans.LoggerImplementation{}},
	}
}

// Send implements [executor.Client].
func (m *Midtrans) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	var d details
	if err := d.read(a); err != nil {
		return executor.Reply{}, err
	}
	charge := &coreapi.ChargeReq{
		PaymentType:        coreapi.PaymentTypeCreditCard,
		TransactionDetails: midtrans.TransactionDetails{OrderID: a.OrderID, GrossAmt: a.Payment.Amount / 100}, // IDR in rupiah
		CreditCard:         &coreapi.CreditCardDetails{TokenID: d.Token},
	}
	return m.Once.Call(ctx, func(_ context.Context, hc *http.Client) error {
		if _, err := m.client(hc, a.RequestID).ChargeTransaction(charge); err != nil { // a *midtrans.Error: not returned as it is, or nil would not be nil
			return err
		}
		return nil
	})
}

// Query implements [executor.Client].
func (m *Midtrans) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return m.Once.Call(ctx, func(_ context.Context, hc *http.Client) error {
		if _, err := m.client(hc, a.QueryID).CheckTransaction(a.OrderID); err != nil {
			return err
		}
		return nil
	})
}
