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

// Resume picks up every open flow of the journal; call it once, at start. What was being
// sent when the process died is in doubt, and is asked for; waits go on. It returns how
// many flows go on, and one error for each that cannot: they stay in the journal.
func (x *Executor) Resume(ctx context.Context) (int, error) {
	if x.cfg.Journal == nil {
		return 0, nil
	}
	end := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	return x.resumeDue(ctx, end, func(err error) error { return err })
}

// page is how many rows are read at a time.
const pageSize = 256

// pickUp goes on with the flows that are due by a time and that nobody drives here.
func (x *Executor) resumeDue(ctx context.Context, by time.Time, worth func(error) error) (n int, err error) {
	var errs []error
	var after journal.Cursor
	for {
		rows, err := x.cfg.Journal.Due(ctx, by, after, pageSize)
		if err != nil {
			return n, errors.Join(append(errs, err)...)
		}
		for i := range rows {
			went, err := x.resumeDueRow(&rows[i])
			if went {
				n++
			}
			if err != nil {
				errs = append(errs, worth(err))
			}
		}
		if len(rows) < pageSize {
			return n, errors.Join(errs...)
		}
		last := &rows[len(rows)-1]
		after = journal.Cursor{Due: last.Due, ID: last.ID}
	}
}

func (x *Executor) resumeDueRow(row *journal.Row) (went bool, err error) {
	x.mu.Lock()
	live := x.flows[row.ID]
	x.mu.Unlock()
	if live != nil {
		return false, nil
	}
	r, err := x.read(row)
	if err != nil {
		return false, err
	}
	x.mu.Lock()
	disowned := x.refused[row.ID]
	x.mu.Unlock()
	if row.Open && disowned && row.Version == 1 {
		return false, x.withdrawRefused(r)
	}
	if row.Open {
		got, err := x.takeUp(r, r.client, false)
		return got == r, err
	}
	x.mu.Lock()
	if x.flows[r.id] == nil && !x.closed {
		x.addLocked(r)
		x.active.Go(func() {
			r.deliverNotices()
			x.evict(r)
		})
	}
	x.mu.Unlock()
	return false, nil
}

// resume goes on where another process stopped.
func (r *run) resume(wanted bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Stage == flow.New {
		return nil
	}
	err := r.apply(flow.Resumed{Moment: r.x.moment()})
	if err != nil || !r.row.bound || wanted {
		return err
	}
	return ignoreMisfit(r.apply(flow.Withdrawn{Moment: r.x.moment(), Why: "the process that waited for it is gone"}))
}

func errNoClient(r *run) error {
	return fmt.Errorf("executor: flow %s is open, and there is no client for %s", r.id, r.state.Payment.Provider)
}

// sweep looks now and then for what nobody looks after: flows that are overdue in the
// journal, calls that do not return, and people who have not been told.
func (x *Executor) sweep() {
	tick := time.NewTicker(x.cfg.Sweep)
	defer tick.Stop()
	said := map[string]bool{}
	once := func(err error) error {
		if said[err.Error()] {
			return nil
		}
		if len(said) > 1000 {
			clear(said)
		}
		said[err.Error()] = true
		return err
	}
	for {
		select {
		case <-x.life.Done():
			return
		case <-tick.C:
		}
		x.sweepMemory()
		if x.cfg.Journal != nil {
			_, err := x.resumeDue(x.life, wallClock().Add(-overdue), once)
			if x.life.Err() == nil {
				x.reportError(err)
			}
		}
	}
}

const (
	overdue   = 15 * time.Second // of a row that nobody drives
	callGrace = 5 * time.Second  // of a call past its deadline
)

// watch looks at the flows in memory.
func (x *Executor) sweepMemory() {
	now := wallClock()
	for _, r := range x.inMemory() {
		if hung, err := r.endHungCall(now); hung {
			x.reportError(err)
			x.background(r)
		}
		r.mu.Lock()
		owes, ended := len(r.notices.list) > 0 && !r.notices.delivering && now.UnixNano() > r.notices.retryAt, r.state.Stage == flow.Ended
		over := ended && len(r.notices.list) == 0 && r.calls.current == nil
		r.mu.Unlock()
		if over {
			x.evict(r)
		}
		if owes {
			x.active.Go(func() { // it may take its time
				r.deliverNotices()
				if ended {
					x.evict(r)
				}
			})
		}
	}
}

// hangs ends a call whose client does not return although its time is over. The flow goes
// on in another goroutine; if the call ever returns, its answer is a late one.
func (r *run) endHungCall(now time.Time) (hung bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls.current
	if c == nil || now.Before(c.attempt.Deadline.Add(callGrace)) {
		return false, nil
	}
	if c.permit != nil {
		c.permit(callUnavailable)
		c.permit = nil
	}
	r.calls.current = nil
	if r.state.Stage == flow.Ended {
		return false, nil
	}
	r.plan.driver = new(driver) // nobody's, until one takes it up
	c.ctx.end(context.DeadlineExceeded)
	lost := policy.Answer{Phase: c.phase, Fault: policy.Timeout}
	r.calls.last, r.calls.lastErr = &lost, context.DeadlineExceeded
	var e flow.Event = flow.Answered{Moment: r.x.moment(), Answer: lost, Attempt: c.attempt.Number}
	if c.phase == policy.Query {
		e = flow.Queried{Moment: r.x.moment(), Answer: lost, Query: c.attempt.Number}
	}
	err = fmt.Errorf("executor: the client of flow %s has not returned from %s %d; the flow goes on without it",
		r.id, c.phase, c.attempt.Number)
	return true, errors.Join(err, r.applyOrQueue(e))
}
