package breaker

import (
	"sync"
	"sync/atomic"
	"time"
)

// Result is what a call that was let through turned out to be.
type Result int

// The results of a call.
const (
	Success Result = iota
	Failure        // the provider refuses everything
	NotMade        // the call did not take place: it counts for nothing
)

// Breaker stops calls after a number of failures in a row. After a time it lets one call
// through, the probe: its success closes the breaker, its failure opens it again. It is safe
// for concurrent use. It reads no clock; the caller brings the time.
type Breaker struct {
	failures int           // in a row that open it
	open     time.Duration // before a probe

	// quiet says that the breaker is closed and has counted no failure: then neither Allow nor
	// the result of a success needs the lock, and a payment that goes well pays nothing.
	quiet      atomic.Bool
	generation atomic.Uint64 // grows with every change of state; written with the lock held

	mu      sync.Mutex
	counted int       // failures in a row while closed
	until   time.Time // the end of the open time; zero: closed
	probing bool      // a probe is under way
}

// besideProbe is how often, within an open time, those look again that wait for a probe of another.
const besideProbe = 10

// New returns a closed breaker. failures is at least 1.
func New(failures int, open time.Duration) *Breaker {
	b := &Breaker{failures: failures, open: open}
	b.quiet.Store(true)
	return b
}

// Permit allows one call. Done must be called once, whatever became of the call: a lost
// permit of a probe would keep the breaker open for ever.
type Permit struct {
	of         *Breaker // nil: no permit
	generation uint64
}

// Valid reports whether p allows a call; the zero Permit does not.
func (p Permit) Valid() bool { return p.of != nil }

// Quiet reports whether the breaker is closed and has counted no failure. A call that is made
// then needs no permit, unless it fails.
func (b *Breaker) Quiet() bool { return b.quiet.Load() }

// Allow lets a call through, or says how long to wait before asking again.
func (b *Breaker) Allow(now time.Time) (p Permit, wait time.Duration) {
	if b.quiet.Load() {
		return Permit{b, b.generation.Load()}, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
	case now.Before(b.until):
		return Permit{}, b.until.Sub(now)
	case b.probing: // it may end at any time, and others need not wait as long as after a failure
		return Permit{}, b.open / besideProbe
	default:
		b.probing = true
		b.generation.Add(1) // what was let through before says nothing about now
	}
	return Permit{b, b.generation.Load()}, 0
}

// Done brings the result of the call. A result from before the last change of state is
// dropped: a slow success must not close a breaker that has opened since.
func (p Permit) Done(r Result, now time.Time) {
	b := p.of
	if r == Success && b.quiet.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.generation != b.generation.Load() {
		return
	}
	switch {
	case r == NotMade:
		b.probing = false // the next call is the probe
	case r == Failure && b.counted+1 < b.failures && !b.probing:
		b.counted++
		b.quiet.Store(false)
	case r == Failure:
		b.change(0, now.Add(b.open))
	case b.probing:
		b.change(0, time.Time{})
	default:
		b.counted = 0
		b.quiet.Store(true)
	}
}

// change enters another state. The lock is held.
func (b *Breaker) change(counted int, until time.Time) {
	b.counted, b.until, b.probing = counted, until, false
	b.generation.Add(1)
	b.quiet.Store(until.IsZero())
}
