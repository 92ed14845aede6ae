package executor

import (
	"errors"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// owing is what has to be told after a step, to whoever wants to be told.
func (r *run) noticesAfter(commands []flow.Command) []notice {
	list := r.owes
	for _, c := range commands {
		switch c := c.(type) {
		case flow.Finish:
			list = nil // an escalation that proof has settled
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

// tell delivers what is owed, until somebody does not take it, or it cannot be written that
// he did.
func (r *run) deliverNotices() {
	for {
		r.mu.Lock()
		if len(r.owes) == 0 || r.telling || !r.x.canNotify(r.owes[0]) {
			r.mu.Unlock()
			return
		}
		r.telling = true
		item, result, told := r.owes[0], r.resultLocked(), r.told
		r.mu.Unlock()
		var err error
		if !told {
			err = r.deliverNotice(item, result)
		}
		r.mu.Lock()
		r.telling = false
		if err == nil && len(r.owes) > 0 && r.owes[0] == item {
			r.told = true
			if err = r.put(r.owes[1:], journal.Lazy); err == nil {
				r.owes, r.told = r.owes[1:], false
			}
		}
		r.tellAt = wallClock().Add(renotifyAfter).UnixNano()
		r.mu.Unlock()
		if err != nil {
			if !errors.Is(err, ErrTakenOver) {
				r.x.reportError(err)
			}
			return
		}
	}
}

func (r *run) deliverNotice(item notice, result *Result) error {
	if item.Alert == nil {
		return r.x.hook("OnEscalate", r.id, func() error { return r.x.cfg.OnEscalate(r.x.forever, result) })
	}
	alert := &Alert{Flow: r.id, Reason: item.Alert.Reason, Evidence: item.Alert.Evidence, State: *result.State()}
	return r.x.hook("OnAlert", r.id, func() error { return r.x.cfg.OnAlert(r.x.forever, alert) })
}

// tellable reports whether there is anybody to be told of what is owed. The next process may
// have him.
func (x *Executor) canNotify(o notice) bool {
	if o.Alert == nil {
		return x.cfg.OnEscalate != nil
	}
	return x.cfg.OnAlert != nil
}
