package breaker

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// What a budget and a breaker are where their user says nothing else. The executor and the simulation of an
// outage share them.
const (
	DefaultTokens   = 500.0
	DefaultRetry    = 5.0  // what sending again costs
	DefaultTimeout  = 10.0 // what it costs after silence
	DefaultSuccess  = 1.0  // what a call that is answered gives back
	DefaultEvery    = time.Second
	DefaultFailures = 5
	DefaultOpen     = 15 * time.Second
)

// Bucket is a retry budget: tokens that retries take, and that come back with time and with answers.
// It is safe for concurrent use. It reads no clock; the caller brings the time.
type Bucket struct {
	size  float64
	every time.Duration // a token comes back by itself in this time

	mu     sync.Mutex
	tokens float64
	filled time.Time
	full   atomic.Bool // nothing was taken that has not come back
}

// NewBucket returns a full bucket.
func NewBucket(size float64, every time.Duration) *Bucket {
	b := &Bucket{size: size, every: every, tokens: size}
	b.full.Store(true)
	return b
}

// fill adds the tokens that have come back since the last time.
func (b *Bucket) fill(now time.Time) {
	if !b.filled.IsZero() {
		d := now.Sub(b.filled)
		if d <= 0 {
			return // of two flows at once the later one may come first: a time does not pass twice
		}
		b.tokens = min(b.size, b.tokens+float64(d)/float64(b.every))
	}
	b.filled = now
}

// Take charges a retry. If the tokens do not suffice it charges nothing, and returns how long
// they take to come back.
func (b *Bucket) Take(cost float64, now time.Time) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full.Store(false)
	b.fill(now)
	if b.tokens >= cost {
		b.tokens -= cost
		return 0
	}
	return time.Duration(math.Ceil((cost - b.tokens) * float64(b.every))) // a wait of nothing would be a grant that charges nothing
}

// Give puts tokens back. A full bucket takes no lock: most calls succeed, and find it full.
func (b *Bucket) Give(tokens float64) {
	if b.full.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.size, b.tokens+tokens)
	b.full.Store(b.tokens == b.size)
}

// Left is how many tokens there are. It changes nothing.
func (b *Bucket) Left(now time.Time) float64 {
	if b.full.Load() {
		return b.size
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.filled.IsZero() {
		return b.tokens
	}
	return min(b.size, b.tokens+max(0, float64(now.Sub(b.filled))/float64(b.every)))
}
