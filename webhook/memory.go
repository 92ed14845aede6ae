package webhook

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// memory remembers nonces in this process. It holds a bounded number. One that would still have to be
// known is never dropped for a new one: which of the two is a copy could not be said.
type memory struct {
	now  func() time.Time
	most int

	mu    sync.Mutex
	known map[string]uint64 // nonces, each with the number of its entry
	order []entry           // oldest first; entries whose nonce was freed stand in it until they are dropped
	count uint64
}

type entry struct {
	nonce  string
	number uint64
	until  time.Time // the zero time: for ever, or until there is no room
}

func (h *Handler) nonces() interface {
	Take(ctx context.Context, nonce string, keep time.Duration) (bool, error)
	Free(ctx context.Context, nonce string) error
} {
	if h.Nonces != nil {
		return h.Nonces
	}
	h.once.Do(func() { h.own = &memory{now: h.now, most: mostNonces, known: map[string]uint64{}} })
	return h.own
}

// Take remembers a nonce.
func (m *memory) Take(_ context.Context, nonce string, keep time.Duration) (isNew bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.forget(now, m.most+1)
	if _, known := m.known[nonce]; known {
		return false, nil
	}
	m.forget(now, m.most)
	if len(m.known) >= m.most {
		return false, fmt.Errorf("%d nonces are remembered, and each of them still has to be", m.most)
	}
	m.count++
	e := entry{nonce: nonce, number: m.count}
	if keep > 0 {
		e.until = now.Add(keep)
	}
	m.known[nonce] = e.number
	if m.order = append(m.order, e); len(m.order) > 2*m.most {
		m.order = slices.DeleteFunc(m.order, m.freed)
	}
	return true, nil
}

func (m *memory) freed(e entry) bool { return m.known[e.nonce] != e.number }

// forget drops what is over; and the oldest that have no end, while there are as many as full.
func (m *memory) forget(now time.Time, full int) {
	for len(m.order) > 0 {
		e := m.order[0]
		switch forever := e.until.IsZero(); {
		case m.freed(e):
		case !forever && now.After(e.until), forever && len(m.known) >= full:
			delete(m.known, e.nonce)
		default:
			return
		}
		m.order = m.order[1:]
	}
}

// Free forgets a nonce.
func (m *memory) Free(_ context.Context, nonce string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, nonce)
	return nil
}
