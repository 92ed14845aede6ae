package executor_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// fate is what becomes of a request that is sent.
type fate struct {
	lost     bool          // it never arrives
	shut     bool          // refused at the door: maintenance
	broke    bool          // refused for good, of insufficient funds
	refused  bool          // refused for good
	executes bool          // after a while
	takes    time.Duration // until it has executed or was refused for good
	mute     bool          // no answer comes to the send
	hooks    int           // webhooks about the end, at once
}

// till is a provider that dedupes nothing and keeps a ledger, and the client for it. A request
// more than there are fates executes.
type till struct {
	fates  []fate
	around func(call func())
	notify func(executor.Webhook) error

	mu   sync.Mutex
	sent []request
	log  []logged
}

type request struct {
	fate
	order, id string
	at        time.Time
}

// logged is a call that reached the provider.
type logged struct {
	send      bool
	order, id string
	at        time.Time
}

// said is how a request stands.
func (r *request) said(now time.Time) string {
	switch over := !now.Before(r.at.Add(r.takes)); {
	case r.shut:
		return "10"
	case !over:
		return "7000"
	case r.broke:
		return "1001"
	case r.refused:
		return "1002"
	}
	return "0"
}

func (w *till) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	said, mute := "", true
	w.reach(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		r := request{fate: fate{executes: true}, order: a.OrderID, id: a.RequestID, at: time.Now()}
		if n := len(w.sent); n < len(w.fates) {
			r.fate = w.fates[n]
		}
		w.sent = append(w.sent, r)
		w.log = append(w.log, logged{true, a.OrderID, a.RequestID, r.at})
		said, mute = r.said(r.at), r.mute || r.lost
		for range r.hooks {
			time.AfterFunc(r.takes+time.Second, func() { w.deliver(&r) })
		}
	})
	return w.reply(ctx, said, mute)
}

// deliver sends a webhook until it arrives.
func (w *till) deliver(r *request) {
	hook := hook(r.order, r.said(time.Now()), true)
	hook.Answer.RequestID = r.id
	w.mu.Lock()
	notify := w.notify
	w.mu.Unlock()
	if notify(hook) != nil && time.Since(r.at) < 24*time.Hour {
		time.AfterFunc(10*time.Minute, func() { w.deliver(r) })
	}
}

func (w *till) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	said := ""
	w.reach(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.log = append(w.log, logged{false, a.OrderID, a.QueryID, time.Now()})
		said = "42"
		for i := range w.sent {
			if r := &w.sent[i]; r.order == a.OrderID && !r.lost && !r.shut {
				said = r.said(time.Now())
			}
		}
	})
	return w.reply(ctx, said, said == "")
}

func (w *till) reach(call func()) {
	w.mu.Lock()
	around := w.around
	w.mu.Unlock()
	around(call)
}

func (w *till) reply(ctx context.Context, said string, mute bool) (executor.Reply, error) {
	if mute {
		<-ctx.Done()
		return executor.Reply{}, ctx.Err()
	}
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: said}}, nil
}

// serve makes a process the one that calls and gets the webhooks.
func (w *till) serve(around func(call func()), notify func(executor.Webhook) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.around, w.notify = around, notify
}

// calls are those that reached the provider so far.
func (w *till) calls() []logged {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log[:len(w.log):len(w.log)]
}

// executions counts the movements of money that have been, or will be.
func (w *till) executions() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.sent {
		if r := &w.sent[i]; r.executes && !r.lost && !r.shut && !r.broke && !r.refused {
			n++
		}
	}
	return n
}

func decodeState(t *testing.T, row *journal.Row) flow.State {
	t.Helper()
	var e struct {
		State flow.State `json:"state"`
	}
	if err := json.Unmarshal(row.State, &e); err != nil {
		t.Fatal(err)
	}
	return e.State
}
