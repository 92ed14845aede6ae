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

// Resume continues every open flow of the journal. Call it once, at start. A request that was
// being sent when the process died is in doubt, and is queried. Waits go on. It returns how many
// flows continue, and an error for each that cannot. Those stay in the journal. Of a journal that several
// processes use it continues the flows that no other living process holds.
func (x *Executor) Resume(ctx context.Context) (int, error) {
	if x.cfg.Journal == nil {
		return 0, nil
	}
	end := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	return bounded(ctx, x, func() (int, error) {
		return x.resumeDue(ctx, end, func(err error) error { return err })
	}, noResult[int])
}

// pageSize is how many rows are read at a time.
const pageSize = 256

// resumeDue continues the flows that are due by a time and have no driver in this process. report
// may drop an error that was reported before.
func (x *Executor) resumeDue(ctx context.Context, by time.Time, report func(error) error) (n int, err error) {
	var errs []error
	var after journal.Cursor
	for {
		since := x.look()
		rows, err := x.dueRows(ctx, by, after)
		if err != nil {
			return n, errors.Join(append(errs, err)...)
		}
		for i := range rows {
			went, err := x.resumeDueRow(&rows[i], since)
			if errors.Is(err, errBehind) {
				went, err = x.resumeByID(rows[i].ID, by)
			}
			if err != nil {
				err = errors.Join(err, x.giveUp(ctx, rows[i].ID))
			}
			if went {
				n++
			}
			if err != nil {
				errs = append(errs, report(err))
			}
		}
		if len(rows) < pageSize {
			return n, errors.Join(errs...)
		}
		last := &rows[len(rows)-1]
		after = journal.Cursor{Due: last.Due, ID: last.ID}
	}
}

// resumeDueRow continues the flow of a row. The error is errBehind if the row must be read again.
func (x *Executor) resumeDueRow(row *journal.Row, since looked) (went bool, err error) {
	x.mu.Lock()
	live := x.flows[row.ID]
	x.mu.Unlock()
	if live != nil && !live.overtaken(row) { // it has a driver, or a pin: that copy decides
		return false, nil
	}
	x.mu.Lock()
	refused := x.refused[row.ID]
	x.mu.Unlock()
	if row.Open && !refused && x.shelve(row) {
		return true, nil
	}
	r, err := x.read(row)
	if err != nil {
		return false, err
	}
	if row.Open && refused && row.Version == 1 {
		return false, x.withdrawRefused(r)
	}
	if row.Open {
		c := r.client
		if c == nil && r.timeLeft(x.clock.now()) <= 0 {
			c = absentClient{} // nothing is sent or asked after a flow's time: it ends, in doubt escalated
		}
		got, err := x.takeUp(r, c, false, since)
		return got == r, err
	}
	// The flow has ended, and notices of it are due.
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.flows[r.id] != nil || x.closed:
	case x.left.behind(r.id, since):
		return false, errBehind
	default:
		x.addLocked(r)
		x.active.Go(func() {
			r.deliverNotices(true)
			x.evict(r)
		})
	}
	return false, nil
}

// resume tells the machine that another process may have stopped in the middle of a call.
func (r *run) resume(wanted bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Stage == flow.New { // nothing was sent: the driver takes the first step
		return nil
	}
	err := r.apply(flow.Resumed{Moment: r.x.moment()})
	if err != nil || !r.row.bound || wanted {
		return err
	}
	return ignoreMisfit(r.apply(flow.Withdrawn{Moment: r.x.moment(), Why: "the process whose caller waited for it has ended"}))
}

// absentClient stands for the client of a flow that this process has none for.
type absentClient struct{}

func (absentClient) Send(context.Context, *Attempt) (Reply, error) { return Reply{}, errAbsent }

func (absentClient) Query(context.Context, *Attempt) (Reply, error) { return Reply{}, errAbsent }

var errShelf = errors.New("executor: the journal ended the goroutine that reads the flows which are due; the sweeper continues them")

var errAbsent = fmt.Errorf("%w: Config.Clients has no client for the provider", ErrNotSent)

// sayAgain is after how long the sweeper reports an error again that has not gone away.
const sayAgain = time.Hour

func errNoClient(r *run) error {
	return fmt.Errorf("executor: flow %s is open, and Config.Clients has no client for %q", r.id, r.state.Payment.Provider)
}

// sweep looks at regular times for flows that are overdue in the journal, calls that do not
// return, and notices that are due. It is the guarantee behind every wake-up that can be lost.
func (x *Executor) sweep() {
	tick := time.NewTicker(x.cfg.Sweep)
	defer tick.Stop()
	reported := map[string]time.Time{}
	slept := x.clock.sleeps()
	stuck := 0 // of the sweep of the journal, in its goroutine
	// A flow without a client would report the same error in every sweep.
	once := func(err error) error {
		stuck++
		now := time.Now()
		if last, known := reported[err.Error()]; known && now.Sub(last) < sayAgain {
			return nil
		}
		if len(reported) > 1000 {
			clear(reported)
		}
		reported[err.Error()] = now
		return err
	}
	for {
		select {
		case <-x.life.Done():
			return
		case <-tick.C:
		}
		if now := x.clock.sleeps(); now != slept { // timers stood still meanwhile
			slept = now
			x.wakeAll()
		}
		x.reportError(x.clock.diverged())
		x.sweepMemory()
		if x.cfg.Journal != nil && x.reminders.sweeping.CompareAndSwap(false, true) { // it may stall
			x.active.Go(func() {
				defer x.reminders.sweeping.Store(false)
				_, err := x.resumeDue(x.life, x.sweepUntil(), once)
				err = errors.Join(err, x.prune())
				if x.life.Err() == nil {
					x.reportError(err)
				}
				x.vitals.pass(stuck)
				stuck = 0
			})
		} else if x.cfg.Journal == nil {
			x.vitals.pass(0)
		}
	}
}

// pruneEvery is how often the journal is pruned. A process that lives shorter leaves it to the next one.
const pruneEvery = time.Hour

// prune removes flows that have ended long ago, at most once an hour. Only one sweep runs at a time.
func (x *Executor) prune() error {
	now := time.Since(x.vitals.started)
	if x.cfg.Keep < 0 || now-x.vitals.pruned < pruneEvery {
		return nil
	}
	x.vitals.pruned = now // also if it fails: the next hour tries again
	_, err := x.cfg.Journal.Prune(x.life, x.clock.now().Add(-x.cfg.Keep))
	if err != nil {
		return fmt.Errorf("executor: the journal was not pruned: %w", err)
	}
	return nil
}

// The sweeper leaves a row alone for a while after it is due: the process that wrote it may be
// slow, and is not dead.
const (
	overdue   = 15 * time.Second // of a row without a driver
	callGrace = 5 * time.Second  // of a call past its deadline
)

// sweepMemory looks at the flows in memory. What may wait for the journal is done elsewhere: one flow
// whose row is not taken must not keep the others.
func (x *Executor) sweepMemory() {
	now := x.clock.now()
	for _, r := range x.inMemory() {
		r.mu.Look()
		if r.hungLocked(now) {
			x.active.Go(func() {
				if hung, err := r.endHungCall(now); hung {
					x.reportError(err)
					x.background(r)
				}
			})
		}
		notify, ended := len(r.notices.list) > 0 && !r.notices.delivering && now.UnixNano() > r.notices.retryAt, r.state.Stage == flow.Ended
		over := ended && len(r.notices.list) == 0 && r.calls.current == nil
		r.mu.Unlock()
		if over {
			x.evict(r)
		}
		if notify {
			x.active.Go(func() { r.deliverNotices(true) })
		}
	}
}

// hungLocked reports whether the call under way should have returned. The lock is held.
func (r *run) hungLocked(now time.Time) bool {
	c := r.calls.current
	return c != nil && !now.Before(c.attempt.Deadline.Add(callGrace))
}

// endHungCall gives up a call whose client does not return after its deadline. The flow goes on
// in another goroutine. If the call ever returns, its answer is applied as a late one.
func (r *run) endHungCall(now time.Time) (hung bool, err error) {
	if !r.mu.TryLock() { // the journal writes; the next sweep looks again
		return false, nil
	}
	defer r.mu.Unlock()
	if !r.hungLocked(now) {
		return false, nil
	}
	c := r.calls.current
	if c.permit != nil { // a hung probe must not keep the breaker open for ever
		c.permit(callUnavailable)
		c.permit = nil
	}
	r.calls.current = nil
	if r.state.Stage == flow.Ended {
		return false, nil
	}
	r.plan.driver = new(driver) // the hung goroutine must not go on; background sets the next
	c.ctx.end(context.DeadlineExceeded)
	lost := policy.Answer{Phase: c.phase, Fault: policy.Timeout}
	r.calls.last, r.calls.lastErr = &lost, context.DeadlineExceeded
	var e flow.Event = flow.Answered{Moment: r.x.moment(), Answer: lost, Attempt: c.attempt.Number}
	if c.phase == policy.Query {
		e = flow.Queried{Moment: r.x.moment(), Answer: lost, Query: c.attempt.Number}
	}
	err = fmt.Errorf("executor: flow %s: the client has not returned from %s %d, %s after its deadline; the flow goes on without it",
		r.id, c.phase, c.attempt.Number, callGrace)
	return true, errors.Join(err, r.applyOrQueue(e))
}
