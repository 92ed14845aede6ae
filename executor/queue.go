package executor

import (
	"fmt"
	"sync"
	"time"
)

// queue runs calls of foreign code one after another, in a goroutine of its own. Whoever adds a call waits
// for it a moment, so that one that is quick is over when the next thing happens; one that stalls keeps
// no other code waiting more than once.
type queue struct {
	mu      sync.Mutex
	calls   []*queued
	now     *queued // under way
	running bool
	stalled bool // a call was not over in time: those behind it are not waited for
	lost    int  // calls that were dropped since the last report
}

// queued is one call.
type queued struct {
	call func()
	over chan struct{}
}

const (
	queueMoment = 200 * time.Millisecond // that a caller waits for its call
	longestWait = 1000                   // calls behind one that stalls; the rest is dropped
)

// add runs a call after those before it. It does not wait, so a lock may be held.
func (q *queue) add(call func()) *queued {
	c := &queued{call: call, over: make(chan struct{})}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.calls) >= longestWait {
		q.lost++
		return c // it is never over
	}
	q.calls = append(q.calls, c)
	if !q.running {
		q.running = true
		go q.run()
	}
	return c
}

// wait waits a moment for a call, without a lock. over is false if it is not over by then, or was dropped:
// what it writes must not be read.
func (q *queue) wait(c *queued) (over bool) {
	q.mu.Lock()
	stalled := q.stalled
	q.mu.Unlock()
	if stalled {
		return false
	}
	moment := time.NewTimer(queueMoment)
	defer moment.Stop()
	select {
	case <-c.over:
		return true
	case <-moment.C:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stalled = q.running
	return false
}

// settle waits a moment for all calls that were added, without a lock.
func (q *queue) settle() {
	if q == nil {
		return
	}
	q.mu.Lock()
	last := q.last()
	q.mu.Unlock()
	if last != nil {
		q.wait(last)
	}
}

// last is the newest call that is not over; nil: there is none. The lock is held.
func (q *queue) last() *queued {
	if n := len(q.calls); n > 0 {
		return q.calls[n-1]
	}
	return q.now
}

// run makes the calls until none is left.
func (q *queue) run() {
	ended := false
	defer func() {
		if !ended { // the call ended this goroutine
			close(q.now.over)
			go q.run()
		}
	}()
	for {
		q.mu.Lock()
		if len(q.calls) == 0 {
			q.running, q.stalled, ended = false, false, true
			q.calls, q.now = nil, nil
			q.mu.Unlock()
			return
		}
		now := q.calls[0]
		q.calls, q.now = q.calls[1:], now
		q.mu.Unlock()
		now.call()
		close(now.over)
	}
}

// dropped returns an error about the calls that were dropped since the last look.
func (q *queue) dropped(what string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.lost
	q.lost = 0
	if n == 0 {
		return nil
	}
	return fmt.Errorf("executor: %s has not returned; %d calls of it were dropped", what, n)
}
