package river_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/providers"
)

// Times are short, so that the test ends in seconds.
const quickRules = `
[limits]
max_attempts    = 4
max_queries     = 60
max_elapsed     = "40s"
max_retry_after = "200ms"

[contract]
timeout         = "1s"
arrival_grace   = "2s"
not_found_after = "3s"

[schedule.poll]
initial_interval     = "15ms"
multiplier           = 1.6
randomization_factor = 0.3
max_interval         = "300ms"

[schedule.retry]
intervals = ["10ms", "50ms"]

[schedule.lost]
intervals = ["50ms", "200ms"]

[schedule.closed]
intervals = ["50ms", "200ms"]

[[rule]]
id     = "gone"
when   = 'class == "not_found" && effect == "not_executed" && !in_doubt && fired < 2'
then   = "retry_new_request"
reason = "it never arrived"
`

// A provider on a bad day, within what the rules say of it.
const quickFaults = `
patience = "1s"

[latency]
send  = ["2ms", "60ms"]
query = ["1ms", "15ms"]

[fate]
executes      = 0.9
settles       = [{ weight = 3 }, { weight = 2, for = ["20ms", "1500ms"] }]
webhook_after = [{ for = ["1ms", "300ms"] }]

[[fault]]
kind        = "drop_response"
probability = 0.06

[[fault]]
kind        = "drop_request"
probability = 0.04

[[fault]]
kind        = "execute_late"
for         = ["20ms", "500ms"]
probability = 0.04

[[fault]]
kind        = "lost_webhook"
probability = 0.3
`

// emulated is a client of an emulated provider.
type emulated struct {
	url string

	mu   sync.Mutex
	hook string // for webhooks; it moves with the sites
}

func (p *emulated) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	p.mu.Lock()
	hook := p.hook
	p.mu.Unlock()
	return p.post(ctx, "/v2/gateway/api/tokenization/pay", map[string]any{
		"partnerCode": "MOMODEMO", "orderId": a.OrderID, "requestId": a.RequestID, "amount": a.Payment.Amount, "ipnUrl": hook, "requestType": "payWithToken",
	})
}

func (p *emulated) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return p.post(ctx, "/v2/gateway/api/query", map[string]any{"partnerCode": "MOMODEMO", "orderId": a.OrderID, "requestId": a.QueryID})
}

func (p *emulated) post(ctx context.Context, path string, fields map[string]any) (executor.Reply, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return executor.Reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, bytes.NewReader(body))
	if err != nil {
		return executor.Reply{}, err
	}
	return executor.Call(http.DefaultClient, req)
}

// emulate starts a provider.
func emulate(t *testing.T) (*emulator.Provider, *emulated) {
	t.Helper()
	plan, err := emulator.ReadPlan("faults.toml", []byte(quickFaults))
	if err != nil {
		t.Fatal(err)
	}
	catalogs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	momo, err := catalogs.Get("momo")
	if err != nil {
		t.Fatal(err)
	}
	p := emulator.NewProvider(momo, &emulator.Options{Plan: plan, Seed: 17})
	l, err := emulator.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	server := emulator.NewServer(p, &emulator.ServerOptions{Attempts: 3, Backoff: 100 * time.Millisecond})
	go func() {
		defer close(over)
		_ = server.Serve(ctx, l) // ends when it is stopped
	}()
	t.Cleanup(func() { cancel(); <-over })
	return p, &emulated{url: "http://" + l.Addr().String()}
}

// listens gives the site a URL for webhooks, and the provider's client that URL.
func (s *site) listens(t *testing.T, p *emulated) {
	t.Helper()
	l := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = s.x.Notify(r.Context(), executor.Webhook{Provider: "momo", Merchant: "acme", Body: body, Verified: true})
		}
		if err != nil && !errors.Is(err, executor.ErrUnknownFlow) {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(l.Close)
	p.mu.Lock()
	p.hook = l.URL
	p.mu.Unlock()
}

// mistreatments are what may happen to a job: each picks one that is not over.
var mistreatments = map[string]string{
	"completed":  "UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id = $1",
	"cancelled":  "UPDATE river_job SET state = 'cancelled', finalized_at = now() WHERE id = $1",
	"lost":       "DELETE FROM river_job WHERE id = $1",
	"late":       "UPDATE river_job SET state = 'scheduled', scheduled_at = now() + interval '1 hour' WHERE id = $1",
	"rescued":    "UPDATE river_job SET state = 'available', scheduled_at = now() WHERE id = $1",
	"exhausted":  "UPDATE river_job SET state = 'discarded', attempt = max_attempts, finalized_at = now() WHERE id = $1",
	"aged":       "UPDATE river_job SET created_at = now() - interval '3 days' WHERE id = $1",
	"doubled":    "INSERT INTO river_job (args, kind, max_attempts, priority, queue, state) SELECT args, kind, 5, 1, queue, 'available' FROM river_job WHERE id = $1",
	"misstarted": "UPDATE river_job SET attempt = attempt + 3, attempted_at = now() - interval '1 day' WHERE id = $1",
}

// mistreat mistreats jobs until the context ends, and counts what it did.
func (s *shop) mistreat(ctx context.Context) map[string]int {
	done := map[string]int{}
	for ctx.Err() == nil {
		for what, sql := range mistreatments {
			var id int64
			err := s.pool.QueryRow(ctx, "SELECT id FROM river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded') ORDER BY random() LIMIT 1").Scan(&id)
			if err == nil {
				_, err = s.pool.Exec(ctx, sql, id)
			}
			if err == nil { // else there is no job just now
				done[what]++
			}
			time.Sleep(time.Duration(mrand.IntN(10)) * time.Millisecond)
		}
	}
	return done
}

// Jobs are lost, doubled, cancelled, completed too early, rescued beside their runs, and late; processes die and are stopped. Money
// does not notice: every flow ends, and nothing is executed twice.
func TestMistreatedJobs(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p, c := emulate(t)
	rules, err := engine.Open(testkit.Dir(t, map[string]string{"merchants/acme.toml": quickRules}))
	if err != nil {
		t.Fatal(err)
	}
	set := settings{waker: true, rules: rules, sweep: 300 * time.Millisecond}
	sites := []*site{s.site(c, set), s.site(c, set), s.site(c, set)}
	sites[0].listens(t, c)
	ctx, stop := context.WithCancel(t.Context())
	counted := make(chan map[string]int)
	go func() { counted <- s.mistreat(ctx) }()
	n := testkit.Size(40, 120, 1000)
	for i := range n {
		q := purchase(fmt.Sprint(i))
		q.OrderID = fmt.Sprintf("%d.%s", i, rand.Text()[:10])
		if at := sites[i%len(sites)]; i%2 == 0 {
			at.begin(q)
		} else if _, err := at.x.Start(t.Context(), q, c); err != nil {
			t.Fatal(err)
		}
		switch i {
		case n / 3: // a process dies
			sites[2].kill()
			sites[2] = s.site(c, set)
		case n / 2: // and one is deployed anew
			sites[1].close()
			sites[1] = s.site(c, set)
			sites[1].listens(t, c)
		}
	}
	waitFor(t, "the end of all flows", func() bool { return s.count("SELECT count(*) FROM recourse.flow WHERE open") == 0 })
	stop()
	t.Logf("%d flows; jobs were mistreated: %v", n, <-counted)
	executed := map[string]int{}
	account := p.Account(time.Now().AddDate(1, 0, 0))
	for _, e := range account.Executions {
		key, _, _ := strings.Cut(e.OrderID, ".")
		executed[key]++
	}
	for key, times := range executed {
		if times > 1 {
			t.Errorf("payment %s was executed %d times", key, times)
		}
		if wrong := s.count("SELECT count(*) FROM recourse.flow WHERE payment = $1 AND standing = 'failed'", key); wrong > 0 {
			t.Errorf("payment %s was executed, and its flow has failed", key)
		}
	}
	if got := s.count("SELECT count(*) FROM recourse.flow WHERE standing = 'succeeded'"); got > len(executed) || got < len(executed)/2 {
		t.Errorf("%d flows have succeeded, and %d payments were executed", got, len(executed))
	}
	t.Logf("%d calls, faults %v", account.Calls, account.Faults)
}
