package executor

import (
	"bytes"
	"container/heap"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
)

// A flow that [Executor.Resume] finds waiting has nothing to do before its time: it stays in the journal,
// and only its id and its time are kept. Its row is read when it is due, or earlier, when a webhook or a
// request of its key needs it: as the row of any flow that is not in memory. If that fails, the sweeper
// comes by and tries again, as for every row that is overdue.

// shelf are the ids of flows to be read from the journal when they are due.
type shelf struct {
	mu      sync.Mutex
	rows    shelfHeap
	timer   *time.Timer // nil: there was never a row
	reading bool        // a goroutine reads rows that are due
}

// shelved is a row that is not read yet. at is when it is due, in nanoseconds since [alarms.start].
type shelved struct {
	at int64
	id string
}

// shelfHeap has the earliest row first. It implements [heap.Interface].
type shelfHeap []shelved

func (h shelfHeap) Len() int           { return len(h) }
func (h shelfHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h shelfHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements [heap.Interface].
func (h *shelfHeap) Push(s any) { *h = append(*h, *s.(*shelved)) }

// Pop implements [heap.Interface].
func (h *shelfHeap) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = shelved{}
	*h = (*h)[:last]
	return &s
}

// shelfAhead is how long before its time a row is not worth to be left where it is.
const shelfAhead = 2 * time.Second

// shelve leaves a row in the journal until it is due. It reports false if the flow must be continued now. A row
// of a journal that several processes use is not left: the lease on it is kept by whoever drives the flow.
func (x *Executor) shelve(row *journal.Row) bool {
	wait := row.Due.Sub(x.clock.now())
	if wait < shelfAhead || x.shared != nil || row.Damaged != nil || x.cfg.Clients[row.Provider] == nil || !storedWaiting(row) {
		return false
	}
	x.reportError(x.clock.sawRow(row.At))
	x.reminders.shelf.mu.Lock()
	defer x.reminders.shelf.mu.Unlock()
	heap.Push(&x.reminders.shelf.rows, &shelved{at: int64(time.Since(x.reminders.alarms.start) + row.Due.Sub(x.clock.now())), id: strings.Clone(row.ID)})
	x.resetShelf()
	return true
}

// storedBegin is how a row of this release begins.
var storedBegin = fmt.Appendf(nil, `{"v":%d,"request":{`, stored.Version)

// storedWaiting reports whether a row is whole, of this release, and says that its flow waits, whoever
// asked for the payment. It reads no more than that: in JSON no text can hold an unescaped quotation mark,
// so what it looks for stands nowhere but where the flow's state does. When in doubt it reports false.
func storedWaiting(row *journal.Row) bool {
	if !bytes.HasPrefix(row.State, storedBegin) || stored.CheckSeal(row.State) != nil || bytes.Contains(row.State, []byte(`"bound":true`)) {
		return false
	}
	var room [200]byte
	of := append(append(room[:0], `},"state":{"payment":{"provider":"`...), row.Provider...)
	if row.Key.Merchant != "" {
		of = append(append(of, `","merchant":"`...), row.Key.Merchant...)
	}
	of = append(append(of, `","operation":"`...), row.Key.Operation.String()...)
	if row.Key.Payment != "" {
		of = append(append(of, `","payment_key":"`...), row.Key.Payment...)
	}
	of = append(of, '"') // a name that JSON escapes is not found so
	_, state, found := bytes.Cut(row.State, of)
	return found && bytes.Contains(state, []byte(`},"stage":"waiting","started":"`))
}

// resetShelf sets the timer to the first row, unless rows are being read. The shelf's lock is held.
func (x *Executor) resetShelf() {
	s := &x.reminders.shelf
	if len(s.rows) == 0 || s.reading {
		return
	}
	wait := time.Duration(s.rows[0].at) - time.Since(x.reminders.alarms.start)
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, x.readShelf)
		return
	}
	s.timer.Reset(wait)
}

// readShelf begins to read the rows that are due.
func (x *Executor) readShelf() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	x.reminders.shelf.mu.Lock()
	defer x.reminders.shelf.mu.Unlock()
	if !x.reminders.shelf.reading {
		x.reminders.shelf.reading = true
		x.active.Go(x.readDueRows)
	}
}

// readDueRows reads one row after the other until none is due.
func (x *Executor) readDueRows() {
	over := false
	defer func() {
		x.reminders.shelf.mu.Lock()
		defer x.reminders.shelf.mu.Unlock()
		x.reminders.shelf.reading = false
		if !over { // the journal ended this goroutine; the sweeper comes by for the row
			go x.reportError(errShelf)
		}
		x.resetShelf()
	}()
	for x.life.Err() == nil {
		id := x.nextDue()
		if id == "" {
			break
		}
		if _, err := x.resumeByID(id, x.clock.now().Add(shelfAhead)); err != nil && x.life.Err() == nil {
			x.reportError(err)
		}
	}
	over = true
}

// nextDue takes the id of a row that is due off the shelf; empty: none is.
func (x *Executor) nextDue() string {
	s := &x.reminders.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rows) == 0 || s.rows[0].at > int64(time.Since(x.reminders.alarms.start)) {
		return ""
	}
	return heap.Pop(&s.rows).(*shelved).id
}

// resumeByID continues a flow that is due by a time, if it is not in memory.
func (x *Executor) resumeByID(id string, by time.Time) (went bool, err error) {
	err = x.reading(func(since looked) error {
		x.mu.Lock()
		live := x.flows[id]
		x.mu.Unlock()
		if live != nil {
			return nil
		}
		row, err := x.cfg.Journal.Get(x.life, id)
		if err != nil {
			return err
		}
		if row.Damaged == nil && (row.Due.IsZero() || row.Due.After(by)) {
			return nil // it was continued, or has ended, and whoever wrote that knows what is next
		}
		went, err = x.resumeDueRow(&row, since)
		return err
	})
	return went, err
}
