package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse-pay/recourse/journal"
)

// Each payment is looked for by its key and by its names, before its first row and after it. With many at once these
// reads cost more than the rows do. So reads that come while others are under way are sent together, as rows are.

const (
	lookupsAtOnce  = 2                     // statements of a kind under way; each takes a connection
	lookupSlow     = 10 * time.Millisecond // after which a second one is sent beside the first; until then what comes rides in the next
	lookupMany     = 4                     // in one statement: others will follow at once
	lookupGather   = time.Millisecond      // how long the next statement then waits for them
	lookupPatience = 5 * time.Second       // for one try: a connection that hangs must not stop all reads
	mostLookups    = 200                   // in one statement
)

// lookups are the reads of one kind: of flows by one of their digests.
type lookups struct {
	query string // takes digests, and returns rows each with one of them, the oldest first

	mu      sync.Mutex
	waiting []*lookup
	busy    int       // goroutines that read
	began   time.Time // when the last one took up its group
	many    bool      // that group was large
	watched bool      // a timer looks whether it is slow
}

// lookup is one caller's read.
type lookup struct {
	ctx     context.Context // of the caller
	digests [][]byte
	rows    []journal.Row
	err     error
	done    chan struct{} // closed when rows and err are set
}

// look returns the flows that have one of the digests, the oldest first, each once.
func (j *Journal) look(ctx context.Context, all *lookups, digests ...[]byte) ([]journal.Row, error) {
	if err := j.queue.WaitLazy(ctx); err != nil {
		return nil, err
	}
	l := &lookup{ctx: ctx, digests: digests, done: make(chan struct{})}
	all.mu.Lock()
	all.waiting = append(all.waiting, l)
	j.lookSoon(all)
	all.mu.Unlock()
	select {
	case <-l.done:
		return l.rows, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lookSoon sees to it that those who wait are read for: now, or when the statement under way turns out to be slow. Its connection may hang, and
// another caller need not come. The lock is held.
func (j *Journal) lookSoon(all *lookups) {
	switch {
	case len(all.waiting) == 0 || all.busy >= lookupsAtOnce:
	case all.busy == 0 || time.Since(all.began) > lookupSlow:
		all.busy++
		go j.lookAll(all)
	case !all.watched:
		all.watched = true
		time.AfterFunc(lookupSlow, func() {
			all.mu.Lock()
			defer all.mu.Unlock()
			all.watched = false
			j.lookSoon(all)
		})
	}
}

// lookAll reads for all callers that wait, until none does.
func (j *Journal) lookAll(all *lookups) {
	for {
		all.mu.Lock()
		all.began = time.Now()
		if all.many { // the server plans each statement anew, which costs more than one more digest does
			all.mu.Unlock()
			time.Sleep(lookupGather)
			all.mu.Lock()
		}
		all.waiting = slices.DeleteFunc(all.waiting, func(l *lookup) bool { return l.ctx.Err() != nil })
		n := min(len(all.waiting), mostLookups)
		group := slices.Clone(all.waiting[:n])
		all.waiting = slices.Delete(all.waiting, 0, n)
		if n == 0 {
			all.busy--
			all.mu.Unlock()
			return
		}
		all.many = n >= lookupMany
		all.mu.Unlock()
		err := j.lookTogether(all.query, group)
		for _, l := range group {
			if l.err = err; n > 1 && oneOf(err) {
				l.err = j.lookTogether(all.query, []*lookup{l})
			}
			close(l.done)
		}
	}
}

// oneOf reports whether one of several reads may be why all of them failed. If the server does not answer, none is.
func oneOf(err error) bool {
	scan := pgx.ScanArgError{}
	return err != nil && (!transient(err) || errors.As(err, &scan))
}

// lookTogether reads for a group in one statement.
func (j *Journal) lookTogether(query string, group []*lookup) error {
	var digests [][]byte
	of := map[string][]*lookup{}
	for _, l := range group {
		l.rows = nil
		for _, d := range l.digests {
			if with := of[string(d)]; !slices.Contains(with, l) {
				of[string(d)] = append(with, l)
			}
		}
		digests = append(digests, l.digests...)
	}
	type found struct {
		row    journal.Row
		digest []byte
	}
	rows, err := retried(j.life, j, func() ([]found, error) {
		ctx, cancel := context.WithTimeout(j.life, lookupPatience)
		defer cancel()
		rows, err := j.pool.Query(ctx, query, bytesText(digests))
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, func(row pgx.CollectableRow) (f found, err error) {
			f.row, err = scanRow(row, &f.digest)
			return f, err
		})
	})
	if err != nil {
		return err
	}
	for _, f := range rows {
		for _, l := range of[string(f.digest)] {
			if !slices.ContainsFunc(l.rows, func(r journal.Row) bool { return r.ID == f.row.ID }) {
				l.rows = append(l.rows, owned(f.row))
			}
		}
	}
	return nil
}

// owned is a copy of a row that a caller may write to.
func owned(r journal.Row) journal.Row {
	r.Names, r.State = slices.Clone(r.Names), bytes.Clone(r.State)
	return r
}
