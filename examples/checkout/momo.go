package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// momo is the shop's own client for MoMo. It sends one request and returns the reply. It
// neither retries nor reads the answer.
type momo struct {
	http *http.Client
	url  string
	ipn  string // where MoMo sends its webhooks
}

// momoRequest is a request to MoMo. A real one is signed, as MoMo's documentation describes;
// the emulator does not check it.
type momoRequest struct {
	PartnerCode string `json:"partnerCode"`
	RequestType string `json:"requestType,omitempty"`
	OrderID     string `json:"orderId"`
	RequestID   string `json:"requestId"`
	Amount      int64  `json:"amount,omitempty"` // dong: VND has no minor unit
	OrderInfo   string `json:"orderInfo,omitempty"`
	IPNURL      string `json:"ipnUrl,omitempty"`
	Token       string `json:"token,omitempty"`
	Lang        string `json:"lang"`
	Signature   string `json:"signature"`
}

// Send implements [executor.Client].
func (m *momo) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	var d details
	if err := json.Unmarshal(a.Data, &d); err != nil {
		return executor.Reply{}, fmt.Errorf("%w: %w", executor.ErrNotSent, err)
	}
	r := momoRequest{
		OrderID: a.OrderID, RequestID: a.RequestID, Amount: a.Payment.Amount, OrderInfo: d.What, IPNURL: m.ipn,
	}
	switch a.Payment.Operation {
	case policy.Checkout:
		r.RequestType = "captureWallet"
		return m.post(ctx, "/v2/gateway/api/create", r)
	case policy.Pay:
		r.RequestType = "payWithToken"
		r.Token = tokenOf(d.Shopper)
		return m.post(ctx, "/v2/gateway/api/tokenization/pay", r)
	default:
		return executor.Reply{}, fmt.Errorf("%w: this shop does no %s", executor.ErrNotSent, a.Payment.Operation)
	}
}

// Query implements [executor.Client].
func (m *momo) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return m.post(ctx, "/v2/gateway/api/query", momoRequest{OrderID: a.OrderID, RequestID: a.QueryID})
}

func (m *momo) post(ctx context.Context, path string, r momoRequest) (executor.Reply, error) {
	r.PartnerCode, r.Lang, r.Signature = "MOMODEMO", "en", "as in MoMo's documents"
	body, err := json.Marshal(r)
	if err != nil {
		return executor.Reply{}, fmt.Errorf("%w: %w", executor.ErrNotSent, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+path, bytes.NewReader(body))
	if err != nil {
		return executor.Reply{}, fmt.Errorf("%w: %w", executor.ErrNotSent, err)
	}
	req.Header.Set("Content-Type", "application/json")
	return executor.Call(m.http, req)
}

// tokenOf stands for the token vault. Tokens are kept there, not in the journal.
func tokenOf(shopper string) string { return "token-of-" + shopper }
