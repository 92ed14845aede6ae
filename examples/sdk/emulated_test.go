package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/examples/sdk"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// emulated is Stripe as the emulator plays it.
type emulated struct {
	*httptest.Server
	provider *emulator.Provider
	catalog  *providers.Catalog
	client   *stripe.Client
}

func emulate(t *testing.T, faults, webhooks string) *emulated {
	t.Helper()
	all, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e := &emulated{}
	if e.catalog, err = all.Get("stripe"); err != nil {
		t.Fatal(err)
	}
	plan, err := emulator.ReadPlan("faults.toml", []byte(faults))
	if err != nil {
		t.Fatal(err)
	}
	e.provider = emulator.NewProvider(e.catalog, &emulator.Options{Plan: plan, Seed: 1})
	s := emulator.NewServer(e.provider, &emulator.ServerOptions{Secret: "whsec_1", Webhook: webhooks})
	e.Server = httptest.NewServer(s)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Deliver(ctx) }()
	t.Cleanup(func() { s.Close(); stop(); <-done; e.Server.Close() })
	e.client = stripe.NewClient("sk_test_1", stripe.WithBackends(stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: stripe.String(e.URL), MaxNetworkRetries: stripe.Int64(0), LeveledLogger: &stripe.LeveledLogger{},
	})))
	return e
}

func intent(order, key string) *stripe.PaymentIntentCreateParams {
	p := &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(2000), Currency: stripe.String("usd"), PaymentMethod: stripe.String("pm_card_visa"), Confirm: stripe.Bool(true),
		Metadata: map[string]string{"order_id": order},
	}
	p.SetIdempotencyKey(key)
	return p
}

func TestStripesClientPays(t *testing.T) {
	e := emulate(t, "", "")
	first, err := e.client.V1PaymentIntents.Create(t.Context(), intent("o-1", "k-1"))
	if err != nil || first.Status != stripe.PaymentIntentStatusSucceeded || first.Amount != 2000 || first.Currency != "usd" || first.Metadata["order_id"] != "o-1" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := e.client.V1PaymentIntents.Create(t.Context(), intent("o-1", "k-1"))
	if err != nil || again.ID != first.ID {
		t.Errorf("the same key again: %+v, %v", again, err)
	}
	byID, err := e.client.V1PaymentIntents.Retrieve(t.Context(), first.ID, nil)
	if err != nil || byID.Status != stripe.PaymentIntentStatusSucceeded {
		t.Errorf("asked by its id: %+v, %v", byID, err)
	}
	for order, want := range map[string]int{"o-1": 1, "o-2": 0} {
		p := &stripe.PaymentIntentSearchParams{}
		p.Query = "metadata['order_id']:'" + order + "'"
		found := e.client.V1PaymentIntents.Search(t.Context(), p)
		if found.Err() != nil || len(found.Data()) != want || want > 0 && found.Data()[0].ID != first.ID {
			t.Errorf("the search of %s: %+v, %v", order, found.Data(), found.Err())
		}
	}
	refund := &stripe.RefundCreateParams{PaymentIntent: stripe.String(first.ID), Amount: stripe.Int64(500), Metadata: map[string]string{"order_id": "rf-1"}}
	refund.SetIdempotencyKey("k-2")
	back, err := e.client.V1Refunds.Create(t.Context(), refund)
	if err != nil || back.Amount != 500 || back.Status != stripe.RefundStatusSucceeded {
		t.Errorf("refunded: %+v, %v", back, err)
	}
	if ledger := e.provider.Ledger(time.Now()); len(ledger) != 2 || ledger[0].Amount != 2000 || ledger[0].Currency != "USD" || ledger[1].Operation != policy.Refund {
		t.Errorf("the ledger is %+v", ledger)
	}
}

func TestStripesClientIsDeclined(t *testing.T) {
	e := emulate(t, "[fate]\nexecutes = 0.0", "")
	_, err := e.client.V1PaymentIntents.Create(t.Context(), intent("o-1", "k-1"))
	var refused *stripe.Error
	if !errors.As(err, &refused) || refused.HTTPStatusCode != http.StatusPaymentRequired || refused.Type != stripe.ErrorTypeCard || refused.PaymentIntent == nil {
		t.Fatalf("%v", err)
	}
	if refused.PaymentIntent.Status != stripe.PaymentIntentStatusRequiresPaymentMethod {
		t.Errorf("the intent is %s", refused.PaymentIntent.Status)
	}
	_, err = e.client.V1PaymentIntents.Create(t.Context(), intent("o-1", "k-1"))
	if again := new(stripe.Error); !errors.As(err, &again) || again.DeclineCode != refused.DeclineCode {
		t.Errorf("the same key again: %v", err)
	}
	if len(e.provider.Ledger(time.Now())) > 0 {
		t.Error("money moved")
	}
}

// do is one payment through the executor, by the client of this package.
func do(t *testing.T, e *emulated) *executor.Result {
	t.Helper()
	rules, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	x, err := executor.New(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close(context.Background()) })
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 2 * time.Second
	t.Cleanup(transport.CloseIdleConnections)
	result, err := x.Do(ctx, executor.Request{
		Payment: policy.Payment{Provider: "stripe", Operation: policy.Pay, Key: "cart-1", Amount: 2000, Currency: "USD"},
		OrderID: "o-1", RequestID: "k-1", Data: []byte(`{"token":"pm_card_visa"}`),
	}, sdk.NewStripe("sk_test_1", e.URL, transport))
	if err != nil {
		t.Logf("Do: %v", err)
	}
	return result
}

// The answer to the payment is lost; the search of the order's id finds the intent.
func TestStripeTimesOutAndIsFoundOut(t *testing.T) {
	e := emulate(t, "[[fault]]\nkind = \"drop_response\"\nphase = \"send\"\nfirst = 1", "")
	if r := do(t, e); r == nil || r.Outcome != policy.Succeeded {
		t.Errorf("%+v", r)
	}
	if ledger := e.provider.Ledger(time.Now()); len(ledger) != 1 {
		t.Errorf("the ledger is %+v", ledger)
	}
}

func TestAStripeDeclineEndsFailed(t *testing.T) {
	e := emulate(t, "[fate]\nexecutes = 0.0", "")
	if r := do(t, e); r == nil || r.Outcome != policy.Failed {
		t.Errorf("%+v", r)
	}
}

// Stripe's package takes what the emulator signs, and refuses it under another secret.
func TestStripesWebhookPackageTakesTheEmulators(t *testing.T) {
	type hook struct {
		header string
		body   []byte
	}
	hooks := make(chan hook, 8)
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hooks <- hook{r.Header.Get("Stripe-Signature"), body}
	}))
	t.Cleanup(shop.Close)
	e := emulate(t, "[fate]\nsettles = [{ weight = 1, for = \"10ms\" }]", shop.URL)
	created, err := e.client.V1PaymentIntents.Create(t.Context(), intent("o-1", "k-1"))
	if err != nil || created.Status == stripe.PaymentIntentStatusSucceeded {
		t.Fatalf("%+v, %v", created, err)
	}
	var got hook
	select {
	case got = <-hooks:
	case <-time.After(time.Minute):
		t.Fatal("no webhook came")
	}
	o := webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true, Tolerance: webhook.DefaultTolerance}
	event, err := webhook.ConstructEventWithOptions(got.body, got.header, "whsec_1", o)
	if err != nil || event.Type != stripe.EventTypePaymentIntentSucceeded || event.Data.Object["id"] != created.ID {
		t.Errorf("%+v, %v\n%s", event, err, got.body)
	}
	if _, err := webhook.ConstructEventWithOptions(got.body, got.header, "whsec_2", o); err == nil {
		t.Error("another secret is taken")
	}
}

// What Stripe's package signs is taken here, within the tolerance.
func TestWhatStripesPackageSignsIsTaken(t *testing.T) {
	all, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, _ := all.Get("stripe")
	shape, ok := c.Webhook()
	if !ok {
		t.Fatal("no webhook")
	}
	now := time.Now()
	body := []byte(`{"id":"evt_1","type":"payment_intent.succeeded"}`)
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: "whsec_1", Timestamp: now})
	request := func(header string) *providers.HTTPRequest {
		return &providers.HTTPRequest{Method: "POST", Path: "/hooks", Body: body, Header: func(name string) string {
			if name == "Stripe-Signature" {
				return header
			}
			return ""
		}}
	}
	for name, row := range map[string]struct {
		header, secret string
		at             time.Time
		taken          bool
	}{
		"as signed":              {signed.Header, "whsec_1", now, true},
		"beside an older secret": {signed.Header + ",v1=" + fmt.Sprintf("%064x", 1), "whsec_1", now, true},
		"another secret":         {signed.Header, "whsec_2", now, false},
		"six minutes later":      {signed.Header, "whsec_1", now.Add(6 * time.Minute), false},
		"another scheme":         {"t=1,v0=00", "whsec_1", now, false},
		"none":                   {"", "whsec_1", now, false},
	} {
		if err := shape.Check(request(row.header), row.at, 0, row.secret); (err == nil) != row.taken {
			t.Errorf("%s: %v", name, err)
		}
	}
}
