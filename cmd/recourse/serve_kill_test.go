package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/providers"
)

// However often the service is killed, and its callers: no payment executes twice, none is lost, none
// ends failed though it executed, and every one ends.
func TestServiceAndCallersKilled(t *testing.T) {
	flows, kills := testkit.Size(40, 100, 1200), testkit.Size(3, 12, 200)
	killServiceAndCallers(t, flows, kills, filepath.Join(t.TempDir(), "flows.db"))
}

func killServiceAndCallers(t *testing.T, flows, kills int, journal string) {
	t.Helper()
	killServices(t, newServed(t, journal, 1), flows, kills)
}

func killServices(t *testing.T, w *served, flows, kills int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var killer sync.WaitGroup
	var killed int
	killer.Go(func() { killed = w.killer(ctx, kills) })
	results := w.payAll(ctx, flows)
	results = append(results, w.payUntil(ctx, &killer, flows)...)
	cancel()
	killer.Wait()
	a := w.audit(results)
	t.Logf("%d flows, %d kills of the service, %d deaths of callers: %+v", len(results), killed, w.deaths.Load(), a)
	if a.twice+a.failedThoughExecuted+a.succeededThoughNot+a.open > 0 {
		t.Errorf("the ledger does not agree: %+v", a)
	}
	if killed < kills || a.succeeded == 0 || a.failed == 0 || w.deaths.Load() == 0 {
		t.Errorf("the test did not cover what it is for: %d kills of %d, %+v", killed, kills, a)
	}
}

// A caller that would be given another caller's command sends twice: the test must find it.
func TestServedSabotageIsFound(t *testing.T) {
	w := newServed(t, filepath.Join(t.TempDir(), "flows.db"), 1)
	w.sabotage = true
	var results []ended
	var a servedAudit
	for range 10 { // on a busy machine callers may die at other moments than those that matter
		results = append(results, w.payAll(context.Background(), testkit.Size(30, 60, 300))...)
		if a = w.audit(results); a.copies > 0 {
			break
		}
	}
	if a.copies == 0 {
		t.Errorf("callers that share one name were not given the same command: %+v", a)
	}
}

// served is a provider, services that are killed, and callers that die.
type served struct {
	t        *testing.T
	provider *emulator.Provider
	pay      string // the provider's URL
	journal  string
	binary   string
	deaths   atomic.Int64
	calls    sync.Map // how often a request id was sent
	sabotage bool     // every run of a caller has the same name
	begun    atomic.Int64
	services []*oneServed

	harm func(random *rand.Rand) // beside the kills; may be nil
}

// oneServed is one of the services.
type oneServed struct {
	listen string

	mu      sync.Mutex
	process *exec.Cmd
	stderr  bytes.Buffer
}

func newServed(t *testing.T, journal string, services int) *served {
	t.Helper()
	data := "../../journal/sqlite/internal/killtest/testdata"
	text, err := os.ReadFile(data + "/faults.toml")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := emulator.ReadPlan("faults.toml", text)
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
	w := &served{t: t, journal: journal, binary: recourseBinary(t)}
	w.provider = emulator.NewProvider(momo, &emulator.Options{Plan: plan, Seed: 11})
	server := emulator.NewServer(w.provider, &emulator.ServerOptions{})
	web := httptest.NewServer(server)
	w.pay = web.URL
	for range services {
		one := &oneServed{listen: freeAddress(t)}
		w.services = append(w.services, one)
		w.launch(one)
	}
	t.Cleanup(func() {
		for _, one := range w.services {
			one.mu.Lock()
			_ = one.process.Process.Kill()
			_ = one.process.Wait()
			one.mu.Unlock()
		}
		server.Close()
		web.CloseClientConnections()
		web.Close()
	})
	return w
}

// recourseBinary is the path of the command: this test under its name.
func recourseBinary(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "recourse")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// launch starts a service, as a supervisor does: again while it ends before it listens, as one may whose database has just been restarted.
func (w *served) launch(one *oneServed) {
	for tries := 0; !w.listens(one); tries++ {
		_ = one.process.Wait()
		if tries == 20 {
			said := one.stderr.String()
			w.t.Errorf("the service does not start: %s", said[max(0, len(said)-2000):])
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// listens starts a service, and reports whether it listens.
func (w *served) listens(one *oneServed) bool {
	args := []string{"serve", "--journal", w.journal, "--listen", one.listen, "--rules", "../../journal/sqlite/internal/killtest/testdata/rules"}
	if isDatabase(w.journal) {
		args = append(args, "--migrate")
	}
	cmd := exec.Command(w.binary, args...)
	cmd.Stderr = &one.stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Error(err)
		return true
	}
	one.mu.Lock()
	one.process = cmd
	one.mu.Unlock()
	line, _ := bufio.NewReader(out).ReadString('\n')
	return strings.Contains(line, "listens on")
}

// killer kills one service after another and starts it again.
func (w *served) killer(ctx context.Context, times int) (killed int) {
	random := rand.New(rand.NewPCG(16, 2026))
	for killed < times && ctx.Err() == nil {
		time.Sleep(time.Duration(20+random.IntN(250)) * time.Millisecond)
		if w.harm != nil {
			w.harm(random)
		}
		one := w.services[random.IntN(len(w.services))]
		one.mu.Lock()
		cmd := one.process
		one.mu.Unlock()
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			said := one.stderr.String()
			w.t.Errorf("the service ended before it was killed: %v\n…%s", err, said[max(0, len(said)-2000):])
			return killed
		}
		killed++
		w.launch(one)
	}
	return killed
}

// ended is how a payment ended, as its last caller was answered.
type ended struct{ cart, outcome string }

func (w *served) payAll(ctx context.Context, flows int) []ended {
	results := make([]ended, flows)
	var all sync.WaitGroup
	places := make(chan struct{}, 30)
	first := w.begun.Add(int64(flows)) - int64(flows)
	for i := range flows {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			cart := fmt.Sprintf("k%d", first+int64(i))
			results[i] = ended{cart, w.payOne(ctx, cart, rand.New(rand.NewPCG(uint64(i), 3)))}
		})
	}
	all.Wait()
	return results
}

// payUntil makes further payments until the killer has done its work.
func (w *served) payUntil(ctx context.Context, killer *sync.WaitGroup, flows int) (results []ended) {
	over := make(chan struct{})
	go func() {
		killer.Wait()
		close(over)
	}()
	for {
		select {
		case <-over:
			return append(results, w.payAll(ctx, 20)...) // these are not disturbed
		default:
			results = append(results, w.payAll(ctx, flows/4)...)
		}
	}
}

// errDied is the end of one run of a caller.
var errDied = errors.New("the caller dies")

// payOne is a program that pays, and that dies now and then and is started again.
func (w *served) payOne(ctx context.Context, cart string, random *rand.Rand) string {
	kept := fmt.Sprintf("%d-%016x", time.Now().Unix(), random.Uint64())
	for run := range 200 {
		caller := fmt.Sprintf("%d-%016x%04d", time.Now().Unix(), random.Uint64(), run)
		if w.sabotage { // the name is kept on disk
			caller = kept
		}
		outcome, err := w.run(ctx, cart, caller, random)
		if err == nil {
			return outcome
		}
		if !errors.Is(err, errDied) {
			w.t.Errorf("%s: %v", cart, err)
			return "error"
		}
		w.deaths.Add(1)
	}
	return "open"
}

func (w *served) run(ctx context.Context, cart, caller string, random *rand.Rand) (string, error) {
	dies := func() bool { return random.IntN(12) == 0 }
	step, err := w.ask(ctx, http.MethodPost, "/v1/flows?wait_ms=200", map[string]any{
		"caller": caller, "provider": "momo", "merchant": "shop", "operation": "pay", "payment_key": cart, "order_id": cart, "amount": 50_000, "currency": "VND",
	})
	for err == nil && step.Do != "end" {
		at := "/v1/flows/" + step.Flow
		if step.Do != "send" && step.Do != "query" {
			time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			step, err = w.ask(ctx, http.MethodGet, at+"?wait_ms=500&caller="+caller, nil)
			continue
		}
		if dies() {
			return "", errDied // and has sent nothing
		}
		report := w.carryOut(step)
		if dies() {
			return "", errDied // and has sent
		}
		report["caller"], report["command"] = caller, step.Command
		step, err = w.ask(ctx, http.MethodPost, at+"/reports?wait_ms=200", report)
		if errors.Is(err, errConflict) {
			step, err = w.ask(ctx, http.MethodGet, at+"?wait_ms=200&caller="+caller, nil)
		}
	}
	if err != nil {
		return "", err
	}
	return step.Outcome, nil
}

// carryOut makes the call that a step asks for, once.
func (w *served) carryOut(step *service.Step) map[string]any {
	path, body := "/v2/gateway/api/query", map[string]any{"orderId": step.OrderID, "requestId": step.QueryID}
	if step.Do == "send" {
		n, _ := w.calls.LoadOrStore(step.Command, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		path = "/v2/gateway/api/tokenization/pay"
		body = map[string]any{"orderId": step.OrderID, "requestId": step.RequestID, "amount": step.Payment.Amount}
	}
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(step.LeftMS)*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.pay+path, bytes.NewReader(text))
	if err != nil {
		w.t.Error(err)
		return map[string]any{"fault": "reset"}
	}
	r.Header.Set("Content-Type", "application/json")
	reply, err := executor.Call(http.DefaultClient, r)
	if err != nil {
		return map[string]any{"fault": executor.FaultOf(err).String()}
	}
	return map[string]any{"http_status": reply.HTTPStatus, "headers": reply.Header, "body": string(reply.Body)}
}

var errConflict = errors.New("conflict")

// ask asks the service until it answers: every call of it can be repeated.
func (w *served) ask(ctx context.Context, method, path string, body any) (*service.Step, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	for range 3000 {
		r, err := http.NewRequestWithContext(ctx, method, "http://"+w.services[rand.IntN(len(w.services))].listen+path, bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		got, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		switch {
		case err != nil || answer.StatusCode == http.StatusServiceUnavailable:
			time.Sleep(10 * time.Millisecond)
		case answer.StatusCode == http.StatusConflict:
			return nil, fmt.Errorf("%w: %s", errConflict, got)
		case answer.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("%s %s: %s %s", method, path, answer.Status, got)
		default:
			step := new(service.Step)
			return step, json.Unmarshal(got, step)
		}
	}
	return nil, errors.New("the service does not answer")
}

// servedAudit is what the provider's ledger says of the results, in numbers of payments.
type servedAudit struct {
	succeeded, failed, escalated, open              int
	twice, failedThoughExecuted, succeededThoughNot int
	copies                                          int // commands that were carried out more than once
}

func (w *served) audit(results []ended) (a servedAudit) {
	executed := map[string]int{}
	for _, e := range w.provider.Ledger(time.Now().AddDate(1, 0, 0)) {
		cart, _, _ := strings.Cut(e.OrderID, ".")
		executed[cart]++
	}
	for _, r := range results {
		n := executed[r.cart]
		if n > 1 {
			a.twice++
		}
		switch r.outcome {
		case "succeeded":
			a.succeeded++
			if n == 0 {
				a.succeededThoughNot++
			}
		case "failed":
			a.failed++
			if n > 0 {
				a.failedThoughExecuted++
			}
		case "escalated":
			a.escalated++
		default:
			a.open++
		}
	}
	w.calls.Range(func(_, n any) bool {
		if n.(*atomic.Int64).Load() > 1 {
			a.copies++
		}
		return true
	})
	if a.copies > 0 && !w.sabotage {
		w.t.Errorf("%d commands were carried out more than once", a.copies)
	}
	return a
}
