package executor

import (
	"cmp"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/internal/breaker"
	"github.com/recourse-pay/recourse/policy"
)

// Budget bounds the retries that a provider gets from all flows of a merchant together, as a bucket of tokens. Clients of two accounts
// at one provider share it, and the breakers, unless Payment.Merchant tells them apart.
// When it is empty a retry waits. Queries are free, because they settle a doubt. Zero fields take
// the defaults.
type Budget struct {
	Tokens  float64       // the bucket's size; 500
	Retry   float64       // what sending again costs; 5
	Timeout float64       // what it costs after silence; 10
	Success float64       // what a call that is answered gives back; 1
	Every   time.Duration // a token comes back by itself in this time, or retries alone could starve; 1 s
	Off     bool
}

// Breaker stops the sends, or the queries, of one operation of a merchant while the provider refuses all of them: in maintenance,
// limiting the rate, or unreachable. Calls then wait. Timeouts do not open it, because they leave
// requests in doubt, and those need queries. Zero fields take the defaults.
type Breaker struct {
	Failures int           // in a row, before it opens; 5
	Open     time.Duration // before one call is let through to see; 15 s
	Off      bool
}

func (b Budget) withDefaults() Budget {
	b.Tokens, b.Retry = cmp.Or(b.Tokens, breaker.DefaultTokens), cmp.Or(b.Retry, breaker.DefaultRetry)
	b.Timeout, b.Success = cmp.Or(b.Timeout, breaker.DefaultTimeout), cmp.Or(b.Success, breaker.DefaultSuccess)
	b.Every = cmp.Or(b.Every, breaker.DefaultEvery)
	return b
}

func (b Breaker) withDefaults() Breaker {
	b.Failures, b.Open = cmp.Or(b.Failures, breaker.DefaultFailures), cmp.Or(b.Open, breaker.DefaultOpen)
	return b
}

func (b Budget) validate() error {
	if b.Tokens < 0 || b.Retry < 0 || b.Timeout < 0 || b.Success < 0 || b.Every < 0 {
		return fmt.Errorf("executor: the fields of Config.Budget must not be negative: %+v", b)
	}
	if b.Retry > b.Tokens || b.Timeout > b.Tokens {
		return fmt.Errorf("executor: Config.Budget.Retry and Timeout must be at most Tokens (%g), not %g: no retry could ever be made", b.Tokens, max(b.Retry, b.Timeout))
	}
	return nil
}

func (b Breaker) validate() error {
	if b.Failures < 0 || b.Open < 0 {
		return fmt.Errorf("executor: the fields of Config.Breaker must not be negative: %+v", b)
	}
	return nil
}

// bucket is the retry budget of one provider.
type bucket struct {
	terms Budget
	*breaker.Bucket
}

func newBucket(terms Budget) bucket {
	return bucket{terms, breaker.NewBucket(terms.Tokens, terms.Every)}
}

// take charges a retry. If the tokens do not suffice it charges nothing, and returns how long
// they take to come back.
func (b *bucket) take(cost float64, now time.Time) (wait time.Duration) {
	if b.terms.Off {
		return 0
	}
	return b.Take(cost, now)
}

// give puts tokens back.
func (b *bucket) give(tokens float64) {
	if !b.terms.Off {
		b.Give(tokens)
	}
}

// gate is the breaker of one operation of a provider, and the slots that its calls share with those of
// others.
type gate struct {
	terms     Breaker
	breaker   *breaker.Breaker
	slots     *slots
	countOnly permit // of calls that are made without a permit
	slotOnly  permit // of calls that have a slot, and need nothing else
}

// permit reports the outcome of a call that the breaker let through. Call it once.
type permit func(callResult)

// callResult is the outcome of a call, for the breaker.
type callResult int

const (
	callAnswered    callResult = iota
	callUnavailable            // the provider refuses everything
	callNotMade
)

// delayCause is what delays a call longer than the rules asked.
type delayCause uint8

const (
	notDelayed delayCause = iota
	byBudget
	byBreaker
	byLimit
)

func (h delayCause) String() string {
	switch h {
	case byBudget:
		return "budget"
	case byBreaker:
		return "breaker"
	case byLimit:
		return "limit"
	case notDelayed:
	}
	return ""
}

// newGate makes a closed breaker.
func newGate(terms Breaker, s *slots) *gate {
	g := &gate{terms: terms, breaker: breaker.New(terms.Failures, terms.Open), slots: s}
	g.countOnly = g.countFailure
	g.slotOnly = func(f callResult) {
		s.give()
		g.countFailure(f)
	}
	return g
}

// allow returns a permit for one call, which has a slot, or how long to wait. Without a permit the slot
// is given back.
func (g *gate) allow() (over permit, wait time.Duration) {
	if g.terms.Off || g.breaker.Quiet() {
		return g.slotOnly, 0
	}
	permit, wait := g.breaker.Allow(time.Now())
	if !permit.Valid() {
		g.slots.give()
		return nil, wait
	}
	return func(f callResult) {
		g.slots.give()
		switch f {
		case callUnavailable:
			permit.Done(breaker.Failure, time.Now())
		case callNotMade:
			permit.Done(breaker.NotMade, time.Now())
		case callAnswered:
			permit.Done(breaker.Success, time.Now())
		}
	}, 0
}

// countFailure counts the failure of a call that was made without a permit. A success without one
// changes nothing.
func (g *gate) countFailure(f callResult) {
	if g.terms.Off || f != callUnavailable {
		return
	}
	if permit, _ := g.breaker.Allow(time.Now()); permit.Valid() {
		permit.Done(breaker.Failure, time.Now())
	}
}

// unavailable reports whether an answer says that the provider refuses all calls, or is not
// there. A timeout does not: its flow is in doubt and has to query.
func unavailable(a *policy.Answer, c policy.Class) bool {
	return c == policy.Maintenance || c == policy.RateLimited || a.Fault == policy.NotSent
}

// guards are the budgets and breakers of all providers.
type guards struct {
	budget    Budget
	breaker   Breaker
	atOnce    int
	providers atomic.Pointer[map[account]*providerGuard] // replaced, never written to
	mu        sync.Mutex
}

var operations = len(policy.Operations())

// account is a merchant's at a provider. What a dead host or a spent budget does to one merchant is
// no matter of another's.
type account struct{ provider, merchant string }

// providerGuard is the budget and the breakers of one account.
type providerGuard struct {
	bucket bucket
	sends  []*gate // by operation
	asks   []*gate // of queries, by operation: they settle doubts, and do not wait for sends
}

// guard is the budget and the breakers of one operation of an account.
type guard struct {
	*bucket
	sends, asks *gate
}

// gate is that of a call.
func (g *guard) gate(query bool) *gate {
	if query {
		return g.asks
	}
	return g.sends
}

func newGuards(b Budget, k Breaker, atOnce int) *guards {
	g := &guards{budget: b, breaker: k, atOnce: atOnce}
	g.providers.Store(&map[account]*providerGuard{})
	return g
}

// of returns what guards a payment's provider and operation.
func (g *guards) of(p *policy.Payment) guard {
	at := account{p.Provider, p.Merchant}
	found := (*g.providers.Load())[at]
	if found == nil {
		found = g.add(at)
	}
	return guard{&found.bucket, found.sends[p.Operation], found.asks[p.Operation]}
}

// add makes the guards of an account. The map is copied, so that of reads it without a lock.
func (g *guards) add(at account) *providerGuard {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := maps.Clone(*g.providers.Load())
	if known[at] == nil {
		n := &providerGuard{bucket: newBucket(g.budget), sends: make([]*gate, operations), asks: make([]*gate, operations)}
		sends, asks := newSlots(g.atOnce), newSlots(g.atOnce) // hung sends must not keep a doubt from being settled
		for i := range operations {
			n.sends[i], n.asks[i] = newGate(g.breaker, sends), newGate(g.breaker, asks)
		}
		known[at] = n
		g.providers.Store(&known)
	}
	return known[at]
}
