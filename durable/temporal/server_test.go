//go:build server

package temporal

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// These tests need a server: build ./devserver, and name the program in RECOURSE_TEMPORAL_SERVER.

var connect = sync.OnceValues(func() (client.Options, error) {
	path := os.Getenv("RECOURSE_TEMPORAL_SERVER")
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return client.Options{}, err
	}
	if err := cmd.Start(); err != nil {
		return client.Options{}, fmt.Errorf("RECOURSE_TEMPORAL_SERVER=%q: %w", path, err)
	}
	stopServer = func() { cmd.Process.Kill(); cmd.Wait() }
	var o client.Options
	_, err = fmt.Fscan(bufio.NewReader(out), &o.HostPort, &o.Namespace)
	return o, err
})

var stopServer = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopServer()
	os.Exit(code)
}

func dial(t *testing.T) client.Client {
	t.Helper()
	o, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	return dialTo(t, o.HostPort, o.Namespace)
}

func dialTo(t *testing.T, address, namespace string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Namespace: namespace, Identity: "worker", Logger: sdklog.NewStructuredLogger(quiet)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// shop is a driver on a server, with its workers.
type shop struct {
	t       *testing.T
	d       *Driver
	bank    *bank
	j       journal.Journal
	workers []worker.Worker
}

var queues atomic.Int64

func newShop(t *testing.T, b *bank, change func(*Options)) *shop {
	t.Helper()
	o := Options{
		Rules: []RuleSet{quick(t)}, Clients: map[string]executor.Client{"momo": b}, Journal: journal.NewMemory(), Client: dial(t),
		TaskQueue: fmt.Sprintf("test-%d-%d", os.Getpid(), queues.Add(1)),
	}
	if change != nil {
		change(&o)
	}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, d: d, bank: b, j: o.Journal}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *shop) start() {
	s.workers = s.d.Workers(worker.Options{})
	for _, w := range s.workers {
		if err := w.Start(); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *shop) stop() {
	for _, w := range s.workers {
		w.Stop()
	}
	s.workers = nil
}

func (s *shop) pay(key string) *Handle {
	s.t.Helper()
	h, err := s.d.Start(s.t.Context(), request(fmt.Sprintf("%s-%d", key, os.Getpid())))
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

func (s *shop) want(h *Handle, o policy.Outcome, sends, asks int) *Result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 60*time.Second)
	defer cancel()
	r, err := h.Wait(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	s.bank.mu.Lock()
	defer s.bank.mu.Unlock()
	if r.Outcome != o || len(s.bank.sent) != sends || len(s.bank.asked) != asks {
		s.t.Errorf("%s ended %s (%s) after %d sends and %d queries; want %s, %d, %d", h.Flow, r.Outcome, r.Reason, len(s.bank.sent), len(s.bank.asked), o, sends, asks)
	}
	return r
}

// save keeps a history for the replay test, with -update.
func (s *shop) save(id, name string) {
	s.t.Helper()
	var all history.History
	for it := s.d.o.Client.GetWorkflowHistory(s.t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
		e, err := it.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		all.Events = append(all.Events, e)
	}
	s.t.Logf("%s: %d events", name, len(all.Events))
	if os.Getenv("RECOURSE_SAVE_HISTORIES") == "" {
		return
	}
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&all)
	if err != nil {
		s.t.Fatal(err)
	}
	if host, err := os.Hostname(); err == nil {
		text = bytes.ReplaceAll(text, []byte(`"`+host+`:`), []byte(`"host:`)) // of sticky queues
	}
	if err := os.WriteFile(filepath.Join("testdata", "histories", name+".json"), text, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func TestServerPays(t *testing.T) {
	s := newShop(t, &bank{sends: []reply{{code: "0"}}}, nil)
	h := s.pay("paid")
	s.want(h, policy.Succeeded, 1, 0)
	s.save(h.Flow, "paid")
	again := s.pay("paid")
	if r := s.want(again, policy.Succeeded, 1, 0); !r.Repeated {
		t.Error("the second request of a paid key is no repeat")
	}
}

func TestServerAsks(t *testing.T) {
	s := newShop(t, &bank{sends: []reply{{err: context.DeadlineExceeded}}, asks: []reply{{code: "7000"}, {code: "0"}}}, nil)
	h := s.pay("asked")
	s.want(h, policy.Succeeded, 1, 2)
	s.save(h.Flow, "asked")
}

// waitFor polls until something is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}

func (b *bank) count() (sends, asks int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sent), len(b.asked)
}

// reset sends a workflow back to before the last event of a type that a condition holds for.
func (s *shop) reset(id string, before func(*history.HistoryEvent) bool) {
	s.t.Helper()
	ctx, o := s.t.Context(), s.d.o.Client
	var task int64
	for it := o.GetWorkflowHistory(ctx, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
		e, err := it.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		if before(e) {
			break
		}
		if e.EventType == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			task = e.EventId
		}
	}
	options, err := connect()
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = o.WorkflowService().ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: options.Namespace, WorkflowExecution: &common.WorkflowExecution{WorkflowId: id}, Reason: "a test",
		WorkflowTaskFinishEventId: task, RequestId: fmt.Sprint(time.Now().UnixNano()),
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// A run that is reset to before its send comes to the send again, and the journal refuses it.
func TestServerResetSendsNothingAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		save   string
		asks   []reply
		before string // the activity whose scheduling the reset undoes
	}{
		"ended, to before the send":     {"reset-ended", nil, sendActivity},
		"ended, to before the journal":  {"reset-ended-early", nil, openActivity},
		"waiting, to before the send":   {"reset-send", []reply{{code: "7000"}, {code: "7000"}, {code: "7000"}, {code: "7000"}, {code: "0"}}, sendActivity},
		"waiting, to before a query":    {"reset-query", []reply{{code: "7000"}, {code: "7000"}, {code: "7000"}, {code: "7000"}, {code: "0"}}, queryActivity},
		"waiting, to before everything": {"reset-early", []reply{{code: "7000"}, {code: "7000"}, {code: "7000"}, {code: "7000"}, {code: "0"}}, openActivity},
	} {
		t.Run(name, func(t *testing.T) {
			b := &bank{sends: []reply{{code: "0"}}, asks: tt.asks}
			if tt.asks != nil {
				b.sends = []reply{{code: "7000"}}
			}
			s := newShop(t, b, nil)
			h := s.pay(name)
			if tt.asks == nil {
				s.want(h, policy.Succeeded, 1, 0)
			} else {
				waitFor(t, "two queries", func() bool { _, asks := b.count(); return asks >= 2 })
			}
			s.reset(h.Flow, func(e *history.HistoryEvent) bool {
				a := e.GetActivityTaskScheduledEventAttributes()
				return a != nil && a.ActivityType.Name == tt.before
			})
			h = &Handle{Flow: h.Flow, run: s.d.o.Client.GetWorkflow(t.Context(), h.Flow, "")}
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			r, err := h.Wait(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if sends, asks := b.count(); sends != 1 || r.Outcome != policy.Succeeded {
				t.Errorf("it ended %s (%s) after %d sends and %d queries", r.Outcome, r.Reason, sends, asks)
			}
			s.save(h.Flow, tt.save)
		})
	}
}

// A run that is terminated in doubt goes on when its payment is started again.
func TestServerTerminatedGoesOn(t *testing.T) {
	b := &bank{sends: []reply{{err: context.DeadlineExceeded}}, asks: []reply{{code: "7000"}, {code: "7000"}, {code: "0"}}}
	s := newShop(t, b, nil)
	h := s.pay("terminated")
	waitFor(t, "a query", func() bool { _, asks := b.count(); return asks >= 1 })
	if err := s.d.o.Client.TerminateWorkflow(t.Context(), h.Flow, "", "a test"); err != nil {
		t.Fatal(err)
	}
	other := request("terminated")
	other.Key = fmt.Sprintf("terminated-%d", os.Getpid())
	other.Amount++
	if _, err := s.d.Start(t.Context(), other); err == nil {
		t.Error("the key of a terminated run was taken by another amount")
	}
	h = s.pay("terminated")
	s.want(h, policy.Succeeded, 1, 3)
	s.save(h.Flow, "terminated")
}

// What comes after the end reaches the flow: a webhook that contradicts it, and a person. The payment is not started again.
func TestServerAfterTheEnd(t *testing.T) {
	var alerts, escalations atomic.Int64
	b := &bank{sends: []reply{{code: "1001"}}}
	s := newShop(t, b, func(o *Options) {
		o.OnAlert = func(context.Context, *executor.Alert) error {
			if alerts.Add(1) == 1 {
				return fmt.Errorf("the first call fails")
			}
			return nil
		}
		o.OnEscalate = func(context.Context, *executor.Result) error { escalations.Add(1); return nil }
	})
	h := s.pay("after")
	s.want(h, policy.Failed, 1, 0)
	paid := executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "0", OrderID: b.sent[0].OrderID, RequestID: b.sent[0].RequestID, Amount: 120_000, Currency: "VND"}}
	for range 3 {
		if err := s.d.Notify(t.Context(), paid); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "the alert", func() bool { return alerts.Load() >= 2 })
	if r, err := s.d.Look(t.Context(), h.Flow); err != nil || r.Outcome != policy.Failed {
		t.Errorf("the outcome has changed: %+v, %v", r, err)
	}
	s.save(afterID(h.Flow), "after")
	// The key is not free: money moved.
	again := request("after")
	again.Key = fmt.Sprintf("after-%d", os.Getpid())
	again.OrderID = b.sent[0].OrderID
	if _, err := s.d.Start(t.Context(), again); err == nil {
		t.Error("the key of a flow that failed and was paid nevertheless was started again")
	}
	if sends, _ := b.count(); sends != 1 {
		t.Errorf("%d sends", sends)
	}
}

// A worker that is stopped in mid-send cancels its call. The provider has executed it, and the next worker asks.
func TestServerStoppedWorker(t *testing.T) {
	began, over := make(chan struct{}), make(chan struct{})
	b := &bank{asks: []reply{{code: "0"}}}
	b.sends = []reply{{err: context.Canceled, do: func(*executor.Attempt) { close(began); <-over }}}
	s := newShop(t, b, nil)
	s.stop()
	s.workers = s.d.Workers(worker.Options{WorkerStopTimeout: 10 * time.Millisecond})
	for _, w := range s.workers {
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
	}
	h := s.pay("stopped")
	<-began
	s.stop()
	close(over)
	s.start()
	s.want(h, policy.Succeeded, 1, 1)
}
