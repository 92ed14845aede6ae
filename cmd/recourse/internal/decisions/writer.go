package decisions

import (
	"bytes"
	"time"
)

const (
	sayAgain  = 10 * time.Second // between two words about what is lost
	tryAgain  = time.Second      // after a write that failed
	keptSpare = 4 << 20          // bytes of memory that are kept for the next lines
)

// writer is the goroutine's own.
type writer struct {
	l       *Log
	chunk   []byte // what it has taken
	spare   []byte
	next    time.Time // not to be tried before; zero: the last write succeeded
	said    time.Time
	lost    int64 // that were said
	failing bool  // said
}

// writing writes until the log is closed.
func (l *Log) writing() {
	defer close(l.stopped)
	w := writer{l: l}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-l.wake:
		case <-timer.C:
		}
		last := w.turn()
		w.say(last)
		if last {
			return
		}
		timer.Reset(w.pause())
	}
}

// turn writes what waits. It reports whether that was the last time.
func (w *writer) turn() (last bool) {
	w.take()
	l := w.l
	l.mu.Lock()
	last = l.closed
	l.mu.Unlock()
	if !last && time.Now().Before(w.next) {
		return false
	}
	w.next = time.Time{}
	for len(w.chunk) > 0 {
		n, err := l.files.write(w.chunk, time.Now())
		w.wrote(n, err)
		if err != nil {
			w.next = time.Now().Add(tryAgain)
			break
		}
		w.take()
	}
	if last {
		w.take()
		if err := l.files.close(); err != nil && l.err == nil {
			l.err = err
		}
		rest := bytes.Count(w.chunk, []byte("\n"))
		l.mu.Lock()
		rest += bytes.Count(l.waiting, []byte("\n")) // the chunk is behind a write that failed
		l.stats.Dropped[unwritten] += int64(rest)
		l.waiting, l.held = nil, 0
		l.mu.Unlock()
	}
	return last
}

// take takes what waits, if what was taken before is written.
func (w *writer) take() {
	if len(w.chunk) > 0 {
		return
	}
	l := w.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if cap(w.spare) > keptSpare {
		w.spare = nil
	}
	w.chunk, l.waiting = l.waiting, w.spare[:0]
	w.spare = w.chunk
	l.held = len(w.chunk)
}

// wrote counts what was written.
func (w *writer) wrote(n int, err error) {
	lines := int64(bytes.Count(w.chunk[:n], []byte("\n")))
	w.chunk = w.chunk[n:]
	l := w.l
	l.err = err
	l.mu.Lock()
	l.stats.Written += lines
	l.stats.Failing = err != nil
	l.held = len(w.chunk)
	l.mu.Unlock()
}

// say says what is lost, now and then, and that writing fails or works again.
func (w *writer) say(last bool) {
	l := w.l
	if failing := l.err != nil; failing != w.failing {
		w.failing = failing
		if failing {
			l.o.Say.Error("decision log: lines cannot be written; they wait, and are dropped when too many do", "error", l.err.Error())
		} else {
			l.o.Say.Info("decision log: lines are written again")
		}
	}
	s := l.Stats()
	lost := s.lost()
	if lost > w.lost && (last || time.Since(w.said) >= sayAgain) {
		l.o.Say.Error("decision log: decisions were not written", "lines", lost-w.lost, "in_all", s.why())
		w.lost, w.said = lost, time.Now()
	}
}

// pause is how long the goroutine may sleep when nothing comes.
func (w *writer) pause() time.Duration {
	s := w.l.Stats()
	switch {
	case !w.next.IsZero():
		return tryAgain
	case s.lost() > w.lost:
		return max(time.Millisecond, sayAgain-time.Since(w.said))
	}
	return time.Hour
}
