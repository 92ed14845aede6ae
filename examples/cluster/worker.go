//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal/postgres"
	"github.com/recourse-pay/recourse/policy"
)

//go:embed rules
var rules embed.FS

// workerConfig is what a worker is started with. It is passed in the environment.
type workerConfig struct {
	Database, Schema, Provider string
	Index, Flows               int
}

const workerVar = "RECOURSE_CLUSTER_WORKER"

// worker is one of the shop's processes.
type worker struct {
	workerConfig
	x    *executor.Executor
	hook string // URL for webhooks
}

// work is the main function of a worker. It pays until it is killed.
func work(text string) error {
	w := &worker{}
	if err := json.Unmarshal([]byte(text), &w.workerConfig); err != nil {
		return err
	}
	ctx := context.Background()
	report := func(err error) { fmt.Fprintf(os.Stderr, "worker %d: %v\n", w.Index, err) }
	j, err := postgres.Open(ctx, w.Database, &postgres.Options{Schema: w.Schema, OnError: report})
	if err != nil {
		return err
	}
	folder, err := fs.Sub(rules, "rules")
	if err != nil {
		return err
	}
	rules, err := engine.OpenFS(folder)
	if err != nil {
		return err
	}
	w.x, err = executor.New(rules, &executor.Config{
		Journal: j, Clients: map[string]executor.Client{"momo": w}, Sweep: time.Second, OnError: report,
		NewOrder: func(_ context.Context, p *policy.Payment, _ []flow.Identity) (string, error) {
			return newOrder(p.Key), nil
		},
	})
	if err != nil {
		return err
	}
	if w.hook, err = listen(w.webhook); err != nil {
		return err
	}
	n, err := w.x.Resume(ctx) // what no living process holds
	if err != nil {
		return err
	}
	fmt.Printf("ready, %d flows resumed\n", n)
	return w.pay(ctx)
}

func newOrder(cart string) string { return cart + "." + rand.Text()[:10] }

// pay starts all payments: both workers are asked for each, as by a shopper who clicks twice.
func (w *worker) pay(ctx context.Context) error {
	for i := range w.Flows {
		cart := fmt.Sprintf("cart-%d", i)
		_, err := w.x.Start(ctx, executor.Request{OrderID: newOrder(cart), Payment: policy.Payment{
			Provider: "momo", Merchant: "shop", Operation: policy.Pay, Key: cart, Amount: 120_000, Currency: "VND",
		}}, w)
		if doubt := (*executor.DoubtError)(nil); err != nil && !errors.As(err, &doubt) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	select {} // the flows go on
}

func (w *worker) webhook(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil { // the emulator is trusted here; a shop checks the signature (package webhook)
		err = w.x.Notify(r.Context(), executor.Webhook{Provider: "momo", Merchant: "shop", Body: body, Verified: true})
	}
	if err != nil && !errors.Is(err, executor.ErrUnknownFlow) {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	out.WriteHeader(http.StatusNoContent)
}

// Send implements [executor.Client].
func (w *worker) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return w.post(ctx, "/v2/gateway/api/tokenization/pay", map[string]any{
		"partnerCode": "MOMODEMO", "orderId": a.OrderID, "requestId": a.RequestID, "amount": a.Payment.Amount, "ipnUrl": w.hook, "requestType": "payWithToken",
	})
}

// Query implements [executor.Client].
func (w *worker) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return w.post(ctx, "/v2/gateway/api/query", map[string]any{"partnerCode": "MOMODEMO", "orderId": a.OrderID, "requestId": a.QueryID})
}

func (w *worker) post(ctx context.Context, path string, fields map[string]any) (executor.Reply, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return executor.Reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Provider+path, bytes.NewReader(body))
	if err != nil {
		return executor.Reply{}, err
	}
	return executor.Call(http.DefaultClient, req)
}
