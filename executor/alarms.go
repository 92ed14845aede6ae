package executor

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/flow"
)

// A flow that waits in the background has no goroutine and no timer of its own: its driver is parked
// in one heap of due times. When its time comes, or an event wakes it, the driver gets a new goroutine
// and looks at the flow again. It trusts nothing that it knew before it was parked.

// reminders are what brings an executor back to flows that have no goroutine.
type reminders struct {
	alarms   alarms
	shelf    shelf
	sweeping atomic.Bool // a sweep of the journal is under way
}

// alarms are the drivers that are parked.
type alarms struct {
	mu    sync.Mutex
	heap  alarmHeap
	start time.Time   // with the monotonic reading
	timer *time.Timer // nil: nothing was ever parked
	set   int64       // when the timer fires, in nanoseconds since start; 0: it is not set
}

// alarmHeap has the earliest alarm first. It implements [heap.Interface].
type alarmHeap []*driver

func (h alarmHeap) Len() int           { return len(h) }
func (h alarmHeap) Less(i, j int) bool { return h[i].at < h[j].at }

func (h alarmHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slot, h[j].slot = int32(i)+1, int32(j)+1
}

// Push implements [heap.Interface].
func (h *alarmHeap) Push(d any) {
	*h = append(*h, d.(*driver))
	(*h)[len(*h)-1].slot = int32(len(*h))
}

// Pop implements [heap.Interface].
func (h *alarmHeap) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	d.slot = 0
	return d
}

// longestAlarm is the longest time that a driver is parked without a look: a sum of times must not overflow.
const longestAlarm = 365 * 24 * time.Hour

// add parks a driver for a while.
func (a *alarms) add(d *driver, wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d.at = int64(time.Since(a.start) + min(wait, longestAlarm))
	if d.slot > 0 {
		heap.Fix(&a.heap, int(d.slot)-1)
	} else {
		heap.Push(&a.heap, d)
	}
	a.reset()
}

// remove takes a driver out; it may have left by itself.
func (a *alarms) remove(d *driver) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d.slot > 0 {
		heap.Remove(&a.heap, int(d.slot)-1)
	}
}

// reset sets the timer to the first alarm. One that fires too early does no harm. The lock is held.
func (a *alarms) reset() {
	if len(a.heap) == 0 {
		return
	}
	first := a.heap[0].at
	switch {
	case a.timer == nil:
		a.timer = time.AfterFunc(time.Duration(first)-time.Since(a.start), a.ring)
	case a.set == 0 || first < a.set:
		a.timer.Reset(time.Duration(first) - time.Since(a.start))
	default:
		return
	}
	a.set = first
}

// ring wakes the drivers whose time has come.
func (a *alarms) ring() {
	var due []*driver
	a.mu.Lock()
	a.set = 0
	for now := int64(time.Since(a.start)); len(a.heap) > 0 && a.heap[0].at <= now; {
		due = append(due, heap.Pop(&a.heap).(*driver))
	}
	a.reset()
	a.mu.Unlock()
	for _, d := range due {
		d.r.mu.Look()
		d.r.plan.unpark(d)
		d.r.mu.Unlock()
	}
}

// park gives up the driver's goroutine until its wait is over. It reports false if an event has come
// since the driver looked at the flow.
func (d *driver) park() bool {
	r := d.r
	r.mu.Look()
	defer r.mu.Unlock()
	if d.woken || r.plan.driver != d || r.x.life.Err() != nil {
		return false
	}
	d.parked = true
	r.slim(r.x.crowded(crowd))
	r.x.reminders.alarms.add(d, d.until.Sub(r.x.clock.now()))
	return true
}

// crowded reports whether more than so many flows are in memory.
func (x *Executor) crowded(most int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.flows) > most
}

// parkWaiting parks a flow that has no driver and waits. It reports false if it has something to do now.
func (r *run) parkWaiting() bool {
	r.mu.Look()
	defer r.mu.Unlock()
	w, waits := r.plan.next.(flow.Wait)
	if !waits || len(r.row.queued) > 0 || r.plan.driver != nil || !r.x.clock.now().Before(w.Until) {
		return false
	}
	d := r.setDriver(r.x.life)
	d.until, d.parked = w.Until, true
	r.x.reminders.alarms.add(d, w.Until.Sub(r.x.clock.now()))
	return true
}

// unpark gives a driver its goroutine back, if it is the flow's and is parked. The lock is held.
func (p *plan) unpark(d *driver) {
	if p.driver != d || !d.parked {
		return
	}
	d.parked = false
	d.r.x.reminders.alarms.remove(d)
	d.r.x.goOn(d)
}

// goOn lets a driver go on in a goroutine of its own.
func (x *Executor) goOn(d *driver) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.closed {
		x.active.Go(func() { x.driveInBackground(d.r, d) })
	}
}
