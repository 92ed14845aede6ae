package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// meeting is a process whose requests meet the flow of another one at a chosen moment.
type meeting struct {
	t    *testing.T
	c    *momo
	a    *site
	x    *executor.Executor
	j    *hooked
	ctx  context.Context
	sent int
}

func newMeeting(t *testing.T) *meeting {
	t.Helper()
	schema, c := newSchema(), &momo{}
	m := &meeting{t: t, c: c, a: newSite(t, schema, c), j: &hooked{Journal: newSite(t, schema, c).j}, ctx: within(t, 20*time.Second)}
	rules, err := engine.OpenFS(testkit.Door)
	if err != nil {
		t.Fatal(err)
	}
	if m.x, err = executor.New(rules, &executor.Config{Journal: m.j, Clients: map[string]executor.Client{"momo": c}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.x.Close(context.Background()) })
	return m
}

// begin begins the other process's flow, and sends it.
func (m *meeting) begin(q executor.Request) *executor.Handle {
	h, err := m.a.x.Start(m.ctx, q, m.c)
	if err != nil {
		m.t.Error(err)
		return nil
	}
	m.sent++
	waitFor(m.t, "the send", func() bool { return len(m.c.attempts()) == m.sent })
	return h
}

// fail ends it: a person says that it did not execute.
func (m *meeting) fail(h *executor.Handle, q executor.Request) {
	err := h.Withdraw("the shopper has left")
	if err == nil {
		err = m.a.x.Resolve(m.ctx, h.Flow(), executor.Resolution{OrderID: q.OrderID, Effect: policy.NotExecuted, Who: "an", Why: "seen in the portal"})
	}
	if r, wait := h.Wait(m.ctx); err != nil || wait != nil || r.Outcome != policy.Failed {
		m.t.Errorf("the other flow ended %v, %v, %v", r, err, wait)
	}
}

// pay ends it otherwise.
func (m *meeting) pay(h *executor.Handle, _ executor.Request) {
	at := m.c.attempts()[m.sent-1]
	err := m.a.x.Notify(m.ctx, paid(&at))
	if r, wait := h.Wait(m.ctx); err != nil || wait != nil || r.Outcome != policy.Succeeded {
		m.t.Errorf("the other flow ended %v, %v, %v", r, err, wait)
	}
}

// ways are those of asking for a payment.
func (m *meeting) ways() map[string]func(executor.Request) (*executor.Result, error) {
	return map[string]func(executor.Request) (*executor.Result, error){
		"Do": func(q executor.Request) (*executor.Result, error) { return m.x.Do(m.ctx, q, m.c) },
		"Start": func(q executor.Request) (*executor.Result, error) {
			h, err := m.x.Start(m.ctx, q, m.c)
			if err != nil {
				return nil, err
			}
			return h.Wait(m.ctx)
		},
	}
}

// want holds a result to that of the other process's flow, and to one send.
func (m *meeting) want(way string, flow string, o policy.Outcome, r *executor.Result, err error) {
	m.t.Helper()
	if err != nil || r.Flow != flow || r.Outcome != o {
		m.t.Errorf("%s: %+v, %v; want flow %s, %s", way, r, err, flow, o)
	}
	if got := m.c.attempts(); len(got) != m.sent {
		m.t.Errorf("%s: %d sends, want %d", way, len(got), m.sent)
		m.sent = len(got)
	}
}

// A request meets the open flow of another process, which fails before the request looks at it: that is its result. It was made
// once, and no second flow is begun for it. A request that comes afterwards begins one.
func TestAFlowThatWasMetFails(t *testing.T) {
	m := newMeeting(t)
	for way, ask := range m.ways() {
		q := purchase(way)
		var h *executor.Handle
		m.j.set(func() { h = m.begin(q) }, func(flow string) {
			if flow != h.Flow() {
				t.Errorf("flow %s kept the row out", flow)
			}
			m.fail(h, q)
		})
		r, err := ask(q)
		m.want(way, h.Flow(), policy.Failed, r, err)
		again, err := m.x.Start(m.ctx, q, m.c)
		if err != nil || again.Flow() == h.Flow() {
			t.Errorf("%s: a later request: %v, %v", way, again, err)
		}
		m.sent++
		waitFor(t, "the send of the later request", func() bool { return len(m.c.attempts()) == m.sent })
		if a := m.c.attempts(); a[m.sent-1].RequestID == a[m.sent-2].RequestID {
			t.Errorf("%s: two flows sent the same request", way)
		}
	}
}

// The other flow begins and fails between a process's look at the key and its first row. That row has the same order and request,
// by which the failed flow would have executed.
func TestAKeyHasFailedBetweenLookAndRow(t *testing.T) {
	m := newMeeting(t)
	for way, ask := range m.ways() {
		q := purchase(way)
		q.RequestID = "request-" + way
		var h *executor.Handle
		m.j.set(func() { h = m.begin(q); m.fail(h, q) }, nil)
		r, err := ask(q)
		m.want(way, h.Flow(), policy.Failed, r, err)
	}
}

// A second request of this process joins the flow that makes way for that of the other process. It gets what the other flow came
// to, and not that this one was withdrawn: the key is paid.
func TestWhoJoinedAFlowThatMakesWay(t *testing.T) {
	m := newMeeting(t)
	for first, begin := range m.ways() {
		for second, join := range m.ways() {
			way := fmt.Sprintf("%s joins %s", second, first)
			q := purchase(way)
			type result struct {
				r   *executor.Result
				err error
			}
			joined := make(chan result, 1)
			var h *executor.Handle
			m.j.set(func() {
				go func() { // if it comes too late to join, it finds the key paid
					r, err := join(q)
					joined <- result{r, err}
				}()
				h = m.begin(q)
				m.pay(h, q)
			}, nil)
			r, err := begin(q)
			m.want(way, h.Flow(), policy.Succeeded, r, err)
			got := <-joined
			m.want(way+", the second", h.Flow(), policy.Succeeded, got.r, got.err)
		}
	}
}
