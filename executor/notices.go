package executor

import (
	"errors"
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

// deliverNotices calls the hooks until one fails, or until the journal does not take that it
// succeeded. The hooks are called without the lock: they may use the executor.
func (r *run) deliverNotices() {
	for {
		r.mu.Lock()
		if len(r.notices.list) == 0 || r.notices.delivering || !r.x.canNotify(r.notices.list[0]) {
			r.mu.Unlock()
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
			if !errors.Is(err, ErrTakenOver) {
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
		if err = r.put(n.list[1:], journal.Lazy); err == nil {
			n.list, n.delivered = n.list[1:], false
		}
	}
	n.retryAt = r.x.clock.now().Add(renotifyAfter).UnixNano()
	return err
}

func (r *run) deliverNotice(n notice, result *Result) error {
	if n.Alert == nil {
		return r.x.hook("OnEscalate", r.id, func() error { return r.x.cfg.OnEscalate(r.x.forever, result) })
	}
	alert := &Alert{Flow: r.id, Reason: n.Alert.Reason, Evidence: n.Alert.Evidence, State: *result.State()}
	return r.x.hook("OnAlert", r.id, func() error { return r.x.cfg.OnAlert(r.x.forever, alert) })
}

// canNotify reports whether this process has the hook of a notice. The next process may.
func (x *Executor) canNotify(n notice) bool {
	if n.Alert == nil {
		return x.cfg.OnEscalate != nil
	}
	return x.cfg.OnAlert != nil
}
