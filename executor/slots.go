package executor

import (
	"sync"
	"sync/atomic"
	"time"
)

// slots bound the calls that are under way at once. A flow that gets none waits in a line, and is woken
// when it has one. What is in doubt has a line of its own, and comes first. Nil: nothing is bounded.
type slots struct {
	limit  int64
	used   atomic.Int64
	inLine atomic.Int64 // tickets that wait

	mu    sync.Mutex
	lines [2][]*ticket // of what is in doubt, and of the rest
}

// ticket is a flow's place in a line. The lock of its slots guards it.
type ticket struct {
	of      *slots
	wake    func() // called without a lock
	granted bool
	left    bool // the flow does not want it any more
}

// lineLook is how often a flow in a line looks by itself, in case it was not woken.
const lineLook = 5 * time.Second

func newSlots(limit int) *slots {
	if limit <= 0 {
		return nil
	}
	return &slots{limit: int64(limit)}
}

// take takes a slot, or a place in the line: t is the flow's place so far, or nil. ok says that it has a
// slot; else the ticket is its place.
func (s *slots) take(t *ticket, inDoubt bool, wake func() func()) (place *ticket, ok bool) {
	switch {
	case s == nil:
		return nil, true
	case t != nil:
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.granted {
			return nil, true
		}
		return t, false
	case s.inLine.Load() == 0 && s.tryTake():
		return nil, true
	}
	t = &ticket{of: s, wake: wake()}
	s.mu.Lock()
	defer s.mu.Unlock()
	line := 1
	if inDoubt {
		line = 0
	}
	s.lines[line] = append(s.lines[line], t)
	s.inLine.Add(1) // before the look: a slot that is given back meanwhile sees it, or is seen
	s.grantLocked(t)
	if t.granted {
		return nil, true
	}
	return t, false
}

func (s *slots) tryTake() bool {
	for {
		n := s.used.Load()
		if n >= s.limit {
			return false
		}
		if s.used.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// give gives a slot back.
func (s *slots) give() {
	if s == nil {
		return
	}
	s.used.Add(-1)
	if s.inLine.Load() > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.grantLocked(nil)
	}
}

// grantLocked grants free slots to the first in line. It wakes them, but for the caller's own ticket.
func (s *slots) grantLocked(own *ticket) {
	for i := range s.lines {
		for len(s.lines[i]) > 0 {
			t := s.lines[i][0]
			if !t.left && !s.tryTake() {
				return
			}
			s.lines[i][0] = nil
			s.lines[i] = s.lines[i][1:]
			if t.left {
				continue
			}
			s.inLine.Add(-1)
			t.granted = true
			if t != own {
				go t.wake() // it takes the flow's lock, and one flow's is held here
			}
		}
	}
}

// leave gives up a place, or the slot that it has become.
func (t *ticket) leave() {
	if t == nil {
		return
	}
	t.of.mu.Lock()
	granted, waits := t.granted, !t.granted && !t.left
	t.granted, t.left = false, true
	if waits {
		if t.of.inLine.Add(-1) == 0 { // the lines hold none but those who left
			t.of.lines = [2][]*ticket{}
		}
	}
	t.of.mu.Unlock()
	if granted {
		t.of.give()
	}
}
