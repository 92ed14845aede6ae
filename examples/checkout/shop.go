package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/webhook"
)

// shop holds what the shop needs to sell.
type shop struct {
	momo   *momo
	x      *executor.Executor
	hooks  *providers.WebhookShape
	secret string
	out    *printer
}

// cart is what a shopper wants to buy. Its name is the payment key, and the first order id.
type cart struct {
	name      string
	operation policy.Operation
	amount    int64
	clicks    int // on the button
}

// details are what momo.go needs to make a payment's request again, in whatever process.
type details struct {
	What    string `json:"what"`
	Shopper string `json:"shopper"`
}

func (c *cart) request() executor.Request {
	data, err := json.Marshal(details{What: "what is in " + c.name, Shopper: "shopper-of-" + c.name})
	if err != nil {
		panic(err) // cannot happen: two strings always marshal
	}
	return executor.Request{
		OrderID: c.name,
		Data:    data,
		Payment: policy.Payment{
			Provider: "momo", Merchant: "shop", Operation: c.operation, Key: c.name, Amount: c.amount, Currency: "VND",
		},
	}
}

// sell makes the payment of one cart.
func (s *shop) sell(ctx context.Context, c *cart) (*executor.Result, error) {
	if c.operation == policy.Checkout {
		return s.checkout(ctx, c)
	}
	return s.charge(ctx, c)
}

// checkout shows a link, and waits until the payment has ended.
func (s *shop) checkout(ctx context.Context, c *cart) (*executor.Result, error) {
	h, err := s.x.Start(ctx, c.request(), s.momo)
	if err != nil {
		return nil, err
	}
	next, err := h.Shopper(ctx)
	if err != nil {
		return nil, err
	}
	if next.PayURL != "" {
		s.out.printf("%-14s  pay here: %s\n", c.name, next.PayURL)
	}
	return h.Wait(ctx)
}

// patience is how long the shopper waits on the page.
const patience = 1500 * time.Millisecond

// charge takes the money by a stored token while the shopper waits.
func (s *shop) charge(ctx context.Context, c *cart) (*executor.Result, error) {
	spinner, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := s.x.Do(spinner, c.request(), s.momo)
	pending := (*executor.PendingError)(nil)
	if !errors.As(err, &pending) || ctx.Err() != nil {
		return r, err
	}
	s.out.printf("%-14s  not known yet; the shopper will get a mail\n", c.name)
	h, err := s.x.Handle(ctx, pending.Flow)
	if err != nil {
		return nil, err
	}
	return h.Wait(ctx)
}

// webhooks serves MoMo's webhooks. MoMo sends one again until it is answered with 204.
func (s *shop) webhooks() http.Handler {
	return &webhook.Handler{
		Notify: func(ctx context.Context, w executor.Webhook) error { return s.x.Notify(ctx, w) }, // s.x is opened later
		About:  executor.Webhook{Provider: "momo"}, Shape: s.hooks, Secrets: []string{s.secret},
		OnError: func(err error) { s.out.printf("%s\n", err) },
	}
}

// newOrder is [executor.Config.NewOrder]: the cart's name with the next number.
func (s *shop) newOrder(_ context.Context, p *policy.Payment, ledger []flow.Identity) (string, error) {
	return fmt.Sprintf("%s.%d", p.Key, len(ledger)+1), nil
}

// escalate is [executor.Config.OnEscalate]. A real shop opens a ticket here.
func (s *shop) escalate(_ context.Context, r *executor.Result) error {
	s.out.ticket(r)
	return nil
}

// alert is [executor.Config.OnAlert].
func (s *shop) alert(_ context.Context, a *executor.Alert) error {
	s.out.printf("%-14s  contradicted after its end: %s\n", a.State.Payment.Key, a.Reason)
	return nil
}
