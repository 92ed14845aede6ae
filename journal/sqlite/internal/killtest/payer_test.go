package killtest_test

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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
)

// config is what the test asks of a payer. It is passed in the environment.
type config struct {
	Journal  string // path
	Provider string // URL
	Listen   string // address for webhooks
	Flows    int    // keys k0, k1, …
	AtOnce   int
	Sabotage string // "", "no write-ahead", "no query", "ignores its context"
	KillAt   string // "", "before send", "after send", "in commit"; "pause before send"
	KillNth  int64
}

// endTimeout is longer than the rules' max_elapsed.
const endTimeout = 40 * time.Second

const configVar = "RECOURSE_KILLTEST_CONFIG"

func TestMain(m *testing.M) {
	text, child := os.LookupEnv(configVar)
	if !child {
		os.Exit(m.Run())
	}
	var c config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	if err := (&payer{config: c, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}).run(); err != nil {
		fmt.Fprintln(os.Stderr, "payer:", err)
		os.Exit(1)
	}
}

// payer is a shop's process.
type payer struct {
	config
	http    *http.Client
	journal journal.Journal
	x       *executor.Executor
	nth     atomic.Int64
}

func (p *payer) run() error {
	ctx := context.Background()
	j, err := sqlite.Open(p.Journal, nil)
	if err != nil {
		return err
	}
	p.journal = p.wrap(j)
	rules, err := engine.Open("testdata/rules")
	if err != nil {
		return err
	}
	p.x, err = executor.New(rules, &executor.Config{
		Journal: p.journal, Clients: map[string]executor.Client{"momo": p}, Sweep: time.Second,
		NewOrder: func(_ context.Context, pay *policy.Payment, _ []flow.Identity) (string, error) {
			return newOrder(pay.Tags["cart"]), nil
		},
		OnError: func(err error) { fmt.Fprintln(os.Stderr, "payer:", err) },
		OnEscalate: func(_ context.Context, r *executor.Result) error {
			fmt.Println("escalated", r.State().Payment.Tags["cart"], r.Reason)
			return nil
		},
		Breaker: executor.Breaker{Failures: 20, Open: 100 * time.Millisecond},
		Budget:  executor.Budget{Tokens: 5000},
	})
	if err != nil {
		return err
	}
	again, err := p.abandoned(ctx)
	if err != nil {
		return err
	}
	if err := p.listen(); err != nil {
		return err
	}
	if _, err := p.x.Resume(ctx); err != nil {
		return err
	}
	fmt.Println("ready")
	if err := p.pay(ctx, again); err != nil {
		return err
	}
	if err := errors.Join(p.x.Close(ctx), p.journal.Close()); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}

func newOrder(cart string) string { return cart + "." + rand.Text()[:10] }

// pay starts every flow that is not stored yet, and waits until all flows have ended.
func (p *payer) pay(ctx context.Context, again []string) error {
	var wait sync.WaitGroup
	failed := make(chan error, 1)
	slots := make(chan struct{}, p.AtOnce)
	start := func(cart, key string) {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if err := p.payOne(ctx, cart, key); err != nil {
				select {
				case failed <- fmt.Errorf("%s: %w", key, err):
				default:
				}
			}
		})
	}
	for _, cart := range again {
		start(cart, cart+"-again-"+rand.Text()[:6])
	}
	for i := range p.Flows {
		cart := fmt.Sprintf("k%d", i)
		start(cart, cart)
	}
	wait.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func (p *payer) payOne(ctx context.Context, cart, key string) error {
	k := journal.Key{Merchant: "shop", Operation: policy.Pay, Payment: key}
	rows, err := p.journal.ByKey(ctx, k)
	if err != nil {
		return err
	}
	var h *executor.Handle
	if len(rows) > 0 {
		if !rows[len(rows)-1].Open {
			return nil
		}
		h, err = p.x.Handle(ctx, rows[len(rows)-1].ID)
	} else {
		h, err = p.x.Start(ctx, executor.Request{OrderID: newOrder(cart), Payment: policy.Payment{
			Provider: "momo", Merchant: "shop", Operation: policy.Pay, Key: key, Amount: 120_000, Currency: "VND",
			Tags: map[string]string{"cart": cart},
		}}, p)
		if err == nil {
			fmt.Println("started", key)
		}
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if _, err = h.Wait(ctx); errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the flow has not ended: %+v", h.State())
	}
	return err
}

// listen receives the provider's webhooks.
func (p *payer) listen() error {
	l, err := net.Listen("tcp", p.Listen)
	if err != nil {
		return err
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = p.x.Notify(r.Context(), executor.Webhook{Provider: "momo", Body: body, Verified: mrand.IntN(20) > 0})
		}
		if err != nil && !errors.Is(err, executor.ErrUnknownFlow) {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	return nil
}

// Send implements [executor.Client] with net/http.
func (p *payer) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	p.killPoint("before send")
	if p.Sabotage == "ignores its context" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
	}
	reply, err := p.post(ctx, "/v2/gateway/api/tokenization/pay", map[string]any{
		"partnerCode": "MOMODEMO", "orderId": a.OrderID, "requestId": a.RequestID, "amount": a.Payment.Amount,
		"ipnUrl": "http://" + p.Listen, "requestType": "payWithToken",
	})
	p.killPoint("after send")
	return reply, err
}

// Query implements [executor.Client].
func (p *payer) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return p.post(ctx, "/v2/gateway/api/query", map[string]any{
		"partnerCode": "MOMODEMO", "orderId": a.OrderID, "requestId": a.QueryID,
	})
}

func (p *payer) post(ctx context.Context, path string, fields map[string]any) (executor.Reply, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return executor.Reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Provider+path, bytes.NewReader(body))
	if err != nil {
		return executor.Reply{}, err
	}
	return executor.Call(p.http, req)
}

// killPoint kills or pauses this process if the config asks for it at this point.
func (p *payer) killPoint(point string) {
	if p.KillAt == point && p.nth.Add(1) == p.KillNth {
		killSelf()
	}
	if p.KillAt == "pause before send" && point == "before send" && p.nth.Add(1) == p.KillNth {
		fmt.Println("pausing")
		pause()
	}
}

func killSelf() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}
