package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// workerConfig is what the test asks of a worker. It is passed in the environment.
type workerConfig struct {
	Database string // URL
	Schema   string
	Rules    string // folder
	Provider string // URL
	Index    int
	Listen   []string // addresses for webhooks, of all workers
	Flows    int      // keys k0, k1, …: this worker's are those of its index, and each tenth is everyone's
	Every    time.Duration
	Lease    time.Duration
	Sabotage string // "", "no fence", "no read-back"
}

const workerVar = "RECOURSE_CHAOS_WORKER"

// sweepEvery is the workers' Config.Sweep.
const sweepEvery = 300 * time.Millisecond

// worker is one of a shop's processes.
type worker struct {
	workerConfig
	http *http.Client
	j    *Journal
	x    *executor.Executor
}

// runWorker is the main function of a worker.
func runWorker(text string) error {
	w := &worker{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}
	if err := json.Unmarshal([]byte(text), &w.workerConfig); err != nil {
		return err
	}
	w.sabotage()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	report := func(err error) {
		fmt.Fprintln(os.Stderr, time.Now().Format("05.000"), err)
		if errors.Is(err, journal.ErrLost) {
			os.Exit(3) // nothing can be stored any more; the next worker goes on
		}
	}
	var err error
	for { // the database may be down
		if w.j, err = Open(ctx, w.Database, &Options{Schema: w.Schema, Lease: w.Lease, OnError: report}); err == nil || ctx.Err() != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	if w.Sabotage == "no read-back" {
		w.j.sql.noteLoss = "SELECT $1::text" // else the first process that is found out stops the others, and nothing is charged at all
	}
	rules, err := engine.Open(w.Rules)
	if err != nil {
		return err
	}
	w.x, err = executor.New(rules, &executor.Config{
		Journal: w.j, Clients: map[string]executor.Client{"momo": w}, Sweep: sweepEvery, OnError: report,
		NewOrder: func(_ context.Context, p *policy.Payment, _ []flow.Identity) (string, error) {
			return newOrder(p.Tags["cart"]), nil
		},
		Breaker: executor.Breaker{Failures: 20, Open: 100 * time.Millisecond},
		Budget:  executor.Budget{Tokens: 5000},
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", w.Listen[w.Index])
	if err != nil {
		return err
	}
	go http.Serve(l, http.HandlerFunc(w.webhook))
	if _, err := w.x.Resume(ctx); err != nil {
		report(err)
	}
	fmt.Println("ready")
	w.pay(ctx)
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(w.x.Close(closing), w.j.Close()); err != nil {
		report(err)
	}
	return nil
}

// sabotage takes a guard of the journal away.
func (w *worker) sabotage() {
	switch w.Sabotage {
	case "no fence":
		follows = func(*stored, int64) error { return nil }
	case "no read-back":
		readBack = func(*Journal, error) (bool, error) { return true, nil }
	}
}

func newOrder(cart string) string { return cart + "." + rand.Text()[:10] }

var merchants = []string{"north", "south", "west"}

// pay starts every flow of this worker that is not stored yet.
func (w *worker) pay(ctx context.Context) {
	known := map[string]bool{}
	for {
		rows, err := w.j.pool.Query(ctx, "SELECT payment FROM "+w.Schema+".flow")
		if err == nil {
			var key string
			for rows.Next() {
				if rows.Scan(&key) == nil {
					known[key] = true
				}
			}
			err = rows.Err()
		}
		if err == nil || ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, 40)
	for i := range w.Flows {
		cart := fmt.Sprintf("k%d", i)
		if known[cart] || i%len(w.Listen) != w.Index && i%10 != 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(mrand.Int64N(int64(2 * w.Every)))):
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			for ctx.Err() == nil && !w.start(ctx, cart, merchants[i%len(merchants)]) {
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	all.Wait()
}

func (w *worker) start(ctx context.Context, cart, merchant string) (ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := w.x.Start(ctx, executor.Request{OrderID: newOrder(cart), Payment: policy.Payment{
		Provider: "momo", Merchant: merchant, Operation: policy.Pay, Key: cart, Amount: 120_000, Currency: "VND",
		Tags: map[string]string{"cart": cart},
	}}, w)
	var doubt *executor.DoubtError
	switch {
	case err == nil:
		fmt.Println("started", cart)
	case errors.As(err, &doubt): // another worker's flow of it has escalated
	default:
		fmt.Fprintln(os.Stderr, "start:", cart, err)
		return false
	}
	return true
}

func (w *worker) webhook(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = w.x.Notify(r.Context(), executor.Webhook{Provider: "momo", Body: body, Verified: mrand.IntN(20) > 0})
	}
	if err != nil && !errors.Is(err, executor.ErrUnknownFlow) {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	out.WriteHeader(http.StatusNoContent)
}

// Send implements [executor.Client]. The webhook goes to any of the workers.
func (w *worker) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return w.post(ctx, "/v2/gateway/api/tokenization/pay", map[string]any{
		"partnerCode": "MOMODEMO", "orderId": a.OrderID, "requestId": a.RequestID, "amount": a.Payment.Amount,
		"ipnUrl": "http://" + w.Listen[mrand.IntN(len(w.Listen))], "requestType": "payWithToken",
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
	return executor.Call(w.http, req)
}
