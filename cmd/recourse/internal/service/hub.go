package service

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// hub stands between the executor, whose client and observer it is, and the callers, who carry out
// what the executor would have called.
type hub struct {
	executor.NoopObserver

	mu       sync.Mutex
	seats    map[string]*seat // by flow
	reported *recent[string, report]
	draining bool // no command is given out
	stopped  bool // no call waits for a caller
}

// seat is a flow that has a command, or for whose next step a caller waits.
type seat struct {
	current *command
	waiting int           // callers
	changed chan struct{} // closed when something happens, and replaced
}

// command is one call that a caller has to make.
type command struct {
	id        string // never made twice, by no process
	phase     policy.Phase
	attempt   *executor.Attempt
	published time.Time
	taker     string // the caller that took it; empty: none yet
	over      bool   // reported, or its deadline has passed
	outcome   chan outcome
}

// outcome is what becomes of a command: a reply, or an error.
type outcome struct {
	reply executor.Reply
	err   error
}

// report is what is remembered of a report, so that a repeated one changes nothing.
type report struct {
	flow   string
	digest [sha256.Size]byte
}

const rememberedReports = 1 << 16

func newHub() *hub {
	return &hub{seats: map[string]*seat{}, reported: newRecent[string, report](rememberedReports)}
}

// Send implements executor.Client.
func (h *hub) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return h.call(ctx, policy.Send, a)
}

// Query implements executor.Client.
func (h *hub) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return h.call(ctx, policy.Query, a)
}

func (h *hub) call(ctx context.Context, phase policy.Phase, a *executor.Attempt) (executor.Reply, error) {
	c := &command{id: commandID(a.Deadline), phase: phase, attempt: a, published: time.Now(), outcome: make(chan outcome, 1)}
	if !h.publish(c) {
		return executor.Reply{}, errStopping
	}
	select {
	case o := <-c.outcome:
		return o.reply, o.err
	case <-ctx.Done():
	}
	taken := h.close(c)
	select {
	case o := <-c.outcome: // at the last moment
		return o.reply, o.err
	default:
	}
	if !taken {
		return executor.Reply{}, untriedError{"no caller took the command in time"}
	}
	return executor.Reply{}, ctx.Err()
}

// publish offers a command to callers.
func (h *hub) publish(c *command) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	s := h.seat(c.attempt.Flow)
	s.current = c
	s.change()
	return true
}

// close ends a command that was not reported, and says whether a caller had taken it.
func (h *hub) close(c *command) (taken bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.over = true
	h.leave(c)
	return c.taker != ""
}

// leave takes a command from its seat. The lock is held.
func (h *hub) leave(c *command) {
	flow := c.attempt.Flow
	if s := h.seats[flow]; s != nil && s.current == c {
		s.current = nil
		s.change()
		h.sweep(flow, s)
	}
}

// seat is that of a flow. The lock is held.
func (h *hub) seat(flow string) *seat {
	s := h.seats[flow]
	if s == nil {
		s = &seat{changed: make(chan struct{})}
		h.seats[flow] = s
	}
	return s
}

// sweep removes a seat that has no use. The lock is held.
func (h *hub) sweep(flow string, s *seat) {
	if s.current == nil && s.waiting == 0 {
		delete(h.seats, flow)
	}
}

// change wakes those who wait. The hub's lock is held.
func (s *seat) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait counts a caller that waits for a flow. done takes it away.
func (h *hub) wait(flow string) (done func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seat(flow)
	s.waiting++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		s.waiting--
		h.sweep(flow, s)
	}
}

// standing is what a flow has for a caller.
type standing struct {
	mine    *command        // to be carried out by this caller
	again   bool            // mine was given to it before
	other   *command        // with another caller, or too close to its deadline
	changed <-chan struct{} // closed when this is old
}

// take gives a caller the flow's command, if there is one for it. From notAfter on nothing is sent; zero: there is no such limit. The caller
// counts as waiting.
func (h *hub) take(flow, caller string, notAfter time.Time) standing {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.seat(flow)
	st := standing{changed: s.changed}
	c := s.current
	switch {
	case c == nil || c.over:
	case c.taker == caller && caller != "" && time.Now().Before(c.latest(notAfter)):
		st.mine, st.again = c, true
	case c.taker == "" && caller != "" && !h.draining && c.enoughTime(notAfter):
		c.taker = caller
		st.mine = c
	default:
		st.other = c
	}
	return st
}

// latest is until when a caller may begin its call.
func (c *command) latest(notAfter time.Time) time.Time {
	if c.phase == policy.Send && !notAfter.IsZero() && notAfter.Before(c.attempt.Deadline) {
		return notAfter
	}
	return c.attempt.Deadline
}

// enoughTime reports whether a caller can still make the call: a second is left, or a quarter of a
// shorter time.
func (c *command) enoughTime(notAfter time.Time) bool {
	latest := c.latest(notAfter)
	left, whole := time.Until(latest), latest.Sub(c.published)
	return left > 0 && left >= min(time.Second, whole/4)
}

// untriedError is the outcome of a command that no caller has taken: nothing was sent, and it says nothing about the provider.
type untriedError struct{ why string }

// Error implements error.
func (e untriedError) Error() string { return executor.ErrNotSent.Error() + ": " + e.why }

// Unwrap says that nothing was sent.
func (e untriedError) Unwrap() error { return executor.ErrNotSent }

// NotTried tells the executor's breaker that the provider is not to blame.
func (e untriedError) NotTried() bool { return true }

var errStopping = untriedError{"the service stops"}

// Errors of a report.
type reportError string

// Error implements error.
func (e reportError) Error() string { return string(e) }

const (
	errOver      = reportError("the command is over: its deadline passed before it was reported, or the service was started anew; the flow finds out by itself what became of it")
	errOtherwise = reportError("the command was reported before, with another content; the first report counts")
	errNotTaken  = reportError("the command is with another caller")
)

// report hands in what came of a command. again: the same report came before, and nothing was done.
func (h *hub) report(flow, caller, id string, digest [sha256.Size]byte, reply executor.Reply) (again bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if before, known := h.reported.get(id); known && before.flow == flow { // of another flow's command nothing is said
		if before.digest != digest {
			return false, errOtherwise
		}
		return true, nil
	}
	s := h.seats[flow]
	if s == nil || s.current == nil || s.current.id != id || s.current.over {
		return false, errOver
	}
	c := s.current
	if c.taker != caller {
		return false, errNotTaken
	}
	c.over = true
	c.outcome <- outcome{reply: reply}
	h.reported.put(id, report{flow, digest})
	h.leave(c)
	return false, nil
}

// drain gives out no command any more, and returns when callers have reported what they have, or ctx is over. Flows
// whose next call comes meanwhile wait with it.
func (h *hub) drain(ctx context.Context) {
	h.mu.Lock()
	h.draining = true
	h.mu.Unlock()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for h.taken() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// taken is how many commands are with callers.
func (h *hub) taken() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.seats {
		if c := s.current; c != nil && c.taker != "" {
			n++
		}
	}
	return n
}

// stop ends all calls. What no caller has taken was not sent.
func (h *hub) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining, h.stopped = true, true
	for _, s := range h.seats {
		if c := s.current; c != nil && c.taker == "" && !c.over {
			c.over = true
			c.outcome <- outcome{err: errStopping}
		}
	}
}

// woken wakes the callers that wait for a flow.
func (h *hub) woken(flow string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.seats[flow]; s != nil {
		s.change()
	}
}

// Waiting implements executor.Observer.
func (h *hub) Waiting(_ context.Context, e *executor.WaitEvent) { h.woken(e.Flow) }

// Ended implements executor.Observer.
func (h *hub) Ended(_ context.Context, e *executor.EndEvent) { h.woken(e.Flow) }

// Called implements executor.Observer.
func (h *hub) Called(_ context.Context, e *executor.CallEvent) { h.woken(e.Flow) }

// recent remembers the newest values, up to a number.
type recent[K comparable, V any] struct {
	values map[K]V
	order  []K
	next   int
}

func newRecent[K comparable, V any](most int) *recent[K, V] {
	return &recent[K, V]{values: make(map[K]V), order: make([]K, most)}
}

func (r *recent[K, V]) get(k K) (V, bool) {
	v, ok := r.values[k]
	return v, ok
}

func (r *recent[K, V]) put(k K, v V) {
	delete(r.values, r.order[r.next])
	r.order[r.next] = k
	r.values[k] = v
	r.next = (r.next + 1) % len(r.order)
}
