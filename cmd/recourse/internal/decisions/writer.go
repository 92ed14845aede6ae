package decisions

import (
	"bytes"
	"time"
)

const (
	sayAgain = 10 * time.Second     // between two words about what is lost
	tryAgain = time.Second          // after a write that failed
	gather   = 2 * time.Millisecond // for which lines are gathered into one write
)

// writer is the goroutine's own.
type writer struct {
	l       *Log
	pieces  [][]byte  // what it has taken
	piece   []byte    // what is left of the first of them
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
		l.gathered()
		last := w.turn()
		w.say(last)
		if last {
			return
		}
		timer.Reset(w.pause())
	}
}

// gathered waits for a moment, so that a write takes many lines. Once the log is closed nothing more comes.
func (l *Log) gathered() {
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if !closed {
		time.Sleep(gather)
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
	for len(w.pieces) > 0 {
		n, err := l.files.write(w.piece, time.Now())
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
		rest := 0
		if len(w.pieces) > 0 { // a write failed
			w.pieces[0] = w.piece
		}
		l.mu.Lock()
		for _, piece := range append(w.pieces, l.waiting...) {
			rest += bytes.Count(piece, []byte("\n"))
		}
		l.stats.Dropped[unwritten] += int64(rest)
		l.waiting, l.spare, l.bytes = nil, nil, 0
		l.mu.Unlock()
	}
	return last
}

// take takes what waits, if what was taken before is written.
func (w *writer) take() {
	if len(w.pieces) > 0 {
		return
	}
	l := w.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 {
		w.pieces, l.waiting = l.waiting, nil
		w.piece = w.pieces[0]
	}
}

// wrote counts what was written.
func (w *writer) wrote(n int, err error) {
	lines := int64(bytes.Count(w.piece[:n], []byte("\n")))
	w.piece = w.piece[n:]
	l := w.l
	l.err = err
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Written += lines
	l.stats.Failing = err != nil
	l.bytes -= n
	if len(w.piece) > 0 {
		return
	}
	if written := w.pieces[0]; len(l.spare) < mostSpares && cap(written) == pieceSize {
		l.spare = append(l.spare, written)
	}
	if w.pieces = w.pieces[1:]; len(w.pieces) > 0 {
		w.piece = w.pieces[0]
	}
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
