package recording

import (
	"fmt"
	"time"
)

// maxHang is how long a call can keep the lines after it from being written.
const maxHang = 10 * time.Minute

// run is the one goroutine that redacts, orders and writes.
func (r *Recorder) run() {
	defer close(r.stopped)
	var o orderer
	for range r.wake {
		w := r.take()
		for _, h := range w.lines {
			if line := r.render(h); line != nil {
				o.add(h.At, line)
			}
		}
		r.write(&o, w.oldest)
		if w.last {
			r.fail(r.sink.close())
		} else {
			r.fail(r.sink.flush())
		}
		for _, ack := range w.acks {
			close(ack)
		}
		if w.last {
			return
		}
	}
}

// work is what waited when the writer looked.
type work struct {
	lines  []*entry
	oldest time.Time // when the oldest call under way began; zero: none is
	acks   []chan struct{}
	last   bool
}

// take empties the queue. Calls and queue are seen at one moment: the line of a call that is
// not under way any more is in the queue, or before it.
func (r *Recorder) take() work {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := work{lines: r.queue, acks: r.acks, last: r.closed}
	r.queue, r.bytes, r.acks = nil, 0, nil
	if w.last {
		clear(r.calls)
	}
	for call, start := range r.calls {
		switch {
		case r.now.Sub(start) > maxHang:
			delete(r.calls, call)
		case w.oldest.IsZero() || start.Before(w.oldest):
			w.oldest = start
		}
	}
	return w
}

// render makes a line. A body may hold anything: a panic over one must not end the process that pays.
func (r *Recorder) render(h *entry) (line []byte) {
	r.mu.Lock()
	skip := r.lost.has(h)
	r.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			line = nil
		}
		if line == nil {
			r.mu.Lock()
			r.lose(h)
			r.mu.Unlock()
		}
	}()
	if skip {
		return nil
	}
	return h.line(r.redact, r.o.MaxBody)
}

func (r *Recorder) write(o *orderer, oldest time.Time) {
	for {
		h, ok := o.next(oldest, r.o.Buffer)
		if !ok {
			return
		}
		if r.Err() != nil {
			r.mu.Lock()
			r.lines++
			r.mu.Unlock()
			continue
		}
		r.fail(r.sink.write(h.at, h.line))
	}
}

func (r *Recorder) fail(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = fmt.Errorf("recording: %w", err)
	}
}

// lostFlows remembers flows that lost a line, in two generations so that it stays bounded.
type lostFlows struct {
	young, old map[string]bool
	flows      int64
}

const maxLost = 1 << 16

func (l *lostFlows) key(h *entry) string { return h.Payment.Merchant + "\x00" + h.Flow }

func (l *lostFlows) has(h *entry) bool {
	if len(l.young)+len(l.old) == 0 {
		return false
	}
	key := l.key(h)
	return l.young[key] || l.old[key]
}

func (l *lostFlows) add(h *entry) {
	if l.has(h) {
		return
	}
	if l.young == nil || len(l.young) >= maxLost {
		l.young, l.old = map[string]bool{}, l.young
	}
	l.young[l.key(h)] = true
	l.flows++
}
