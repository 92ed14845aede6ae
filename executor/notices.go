package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// notice is one call of a hook that is due: OnAlert, or OnEscalate.
type notice struct {
	Alert *flow.Alert // nil: escalated
}

// renotifyAfter is how long after a failed hook it is called again.
const renotifyAfter = 30 * time.Second

// notices are the notices that are due, in order. They are in the row too: a hook is called
// until it returns nil, if need be by the next process. The flow's lock guards it.
type notices struct {
	list       []notice
	retryAt    int64 // when the sweeper calls again; nanoseconds since 1970
	delivering bool  // one goroutine at a time
	delivered  bool  // the first one, but the row could not be written
}

// replace sets the list after a step. The goroutine that brought the event calls the hook at
// once; the sweeper comes later, in case it failed.
func (n *notices) replace(list []notice, at time.Time) {
	if len(list) > 0 && (len(n.list) == 0 || list[0] != n.list[0]) {
		n.delivered = false
		n.retryAt = at.Add(renotifyAfter).UnixNano()
	}
	n.list = list
}

// noticesAfter are the notices that are due after a step. A hook that is not set gets none.
func (r *run) noticesAfter(commands []flow.Command) []notice {
	list := r.notices.list
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Finish:
			list = nil // proof has settled an escalation
			if c.Outcome == policy.Escalated && r.x.cfg.OnEscalate != nil {
				list = []notice{{}}
			}
		case flow.Alert:
			if r.x.cfg.OnAlert != nil {
				list = append(list[:len(list):len(list)], notice{Alert: &c})
			}
		}
	}
	return list
}

// deliverNotices calls the hooks, in a goroutine of its own, and waits for that a moment: a hook may
// stall. driver is true in a goroutine that Close waits for. It is called without the lock: the hooks may
// use the executor.
func (r *run) deliverNotices(driver bool) {
	r.mu.Look()
	due := len(r.notices.list) > 0 && !r.notices.delivering && r.x.canNotify(r.notices.list[0])
	r.mu.Unlock()
	if !due || !r.x.activate(driver) {
		return
	}
	over := inGoroutine("a hook", r.id, func() (struct{}, error) {
		defer r.x.active.Done()
		r.deliverAll()
		return struct{}{}, nil
	})
	moment := time.NewTimer(grace)
	defer moment.Stop()
	select {
	case <-over:
	case <-moment.C:
	}
}

// activate makes Close wait for a goroutine that is about to start. ok is false if Close does not wait for
// the caller either, and has been called.
func (x *Executor) activate(driver bool) (ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed && !driver {
		return false // with a journal the next process calls the hook
	}
	x.active.Add(1)
	return true
}

// deliverAll calls the hooks until one fails, or until the journal does not take that it succeeded.
func (r *run) deliverAll() {
	for {
		r.mu.Lock()
		if len(r.notices.list) == 0 || r.notices.delivering || !r.x.canNotify(r.notices.list[0]) {
			ended := r.state.Stage == flow.Ended
			r.mu.Unlock()
			if ended {
				r.x.evict(r)
			}
			return
		}
		r.notices.delivering = true
		first, result, delivered := r.notices.list[0], r.resultLocked(), r.notices.delivered
		r.mu.Unlock()
		var err error
		if !delivered {
			err = r.deliverNotice(first, result)
		}
		if err = r.removeNotice(first, err); err != nil {
			if !errors.Is(err, ErrTakenOver) && !errors.Is(err, ErrClosed) {
				r.x.reportError(err)
			}
			return
		}
	}
}

// removeNotice takes the first notice off the list if its hook returned nil, and writes that.
func (r *run) removeNotice(first notice, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := &r.notices
	n.delivering = false
	if err == nil && len(n.list) > 0 && n.list[0] == first { // a step may have replaced the list
		n.delivered = true
		if err = r.put(&r.state, n.list[1:], journal.Lazy); err == nil {
			n.list, n.delivered = n.list[1:], false
		}
	}
	n.retryAt = r.x.clock.now().Add(renotifyAfter).UnixNano()
	if err != nil && r.state.Stage == flow.Ended { // it is held until the hook works
		r.waiters.result = nil // the next call gets a new one
		r.slim(r.x.crowded(crowdOwed))
	}
	return err
}

// deliverNotice calls one hook. One that does not return in time has failed, and is called again: its
// context is over then.
func (r *run) deliverNotice(n notice, result *Result) error {
	name, call := "OnEscalate", func(ctx context.Context) error { return r.x.cfg.OnEscalate(ctx, result) }
	if n.Alert != nil {
		alert := &Alert{Flow: r.id, Reason: n.Alert.Reason, Evidence: n.Alert.Evidence, State: *result.State()}
		name, call = "OnAlert", func(ctx context.Context) error { return r.x.cfg.OnAlert(ctx, alert) }
	}
	select {
	case r.x.hooks <- struct{}{}:
	default:
		select {
		case r.x.hooks <- struct{}{}:
		case <-r.x.life.Done():
			return ErrClosed // the next process calls it
		}
	}
	defer func() { <-r.x.hooks }()
	if r.x.stuck.Load() >= mostStuck {
		return fmt.Errorf("executor: flow %s: %d calls of hooks have not returned; %s is called when one does", r.id, mostStuck, name)
	}
	_, err := patiently(r.x.forever, hookPatience, name, r.id, func(ctx context.Context) (struct{}, error) {
		r.x.stuck.Add(1)
		defer r.x.stuck.Add(-1)
		return struct{}{}, call(ctx)
	})
	return err
}

// Bounds of the calls of OnEscalate and OnAlert.
const (
	hooksAtOnce = 16  // others wait: after an outage thousands of flows escalate together
	mostStuck   = 200 // that have not returned, though they were given up
)

// canNotify reports whether this process has the hook of a notice. The next process may.
func (x *Executor) canNotify(n notice) bool {
	if n.Alert == nil {
		return x.cfg.OnEscalate != nil
	}
	return x.cfg.OnAlert != nil
}
