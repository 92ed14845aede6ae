package emulation

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Options are what a [Provider] is made with. The zero value is a provider where nothing
// goes wrong.
type Options struct {
	Plan  *Plan     // nil: nothing goes wrong
	Seed  uint64    // of all randomness
	Start time.Time // from when repeating maintenance counts; zero: from the first call
}

// Provider is a whole payment provider in virtual time: every payment that was queryReply of
// it, its faults and its ledger. What becomes of an order, and what goes wrong with its
// calls, follows from the plan, the seed and the order's own calls; other orders do not
// change it (limits of rate and counts over the provider apart). It is safe for
// concurrent use.
//
// Times are the caller's. Calls of one order are to come in the order of time.
type Provider struct {
	cat  *providers.Catalog
	plan *Plan
	seed uint64

	mu          sync.Mutex
	start       time.Time
	index       *index
	payments    map[paymentKey]*Payment
	orders      map[string]*orderState
	counts      map[int]int // of faults counted over the provider
	late        events[late]
	hooks       events[Webhook]
	period      time.Time // of the rate limit
	inside      int       // calls in it
	calls       int
	faultCounts map[FaultKind]int
}

type paymentKey struct {
	operation policy.Operation
	orderID   string
}

// orderState is the state of one order: its random source, its fault counts, its calls.
type orderState struct {
	rand   *rand.Rand  // of its calls
	hooks  *rand.Rand  // of its webhooks' faults, which are then the same whatever calls come between
	counts map[int]int // by the number of the fault
	calls  []CallRecord
}

// late is a request that is on its way.
type late struct {
	request providers.Request
	hidden  time.Duration
}

// NewProvider makes a provider. o may be nil.
func NewProvider(cat *providers.Catalog, o *Options) *Provider {
	if o == nil {
		o = &Options{}
	}
	plan := o.Plan
	if plan == nil {
		plan = &Plan{}
	}
	return &Provider{
		cat: cat, plan: plan, seed: o.Seed, start: o.Start, index: newIndex(), payments: map[paymentKey]*Payment{},
		orders: map[string]*orderState{}, counts: map[int]int{}, faultCounts: map[FaultKind]int{},
	}
}

// Catalog is what the provider hasFact by.
func (p *Provider) Catalog() *providers.Catalog { return p.cat }

// Contract is what the provider follows for an operation, for a client that does not
// send its optional idempotency key.
func (p *Provider) Contract(op policy.Operation) policy.Contract { return p.cat.Contract(op) }

// random makes the randomness of a thing from its name.
func (p *Provider) random(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return rand.New(rand.NewPCG(p.seed, h.Sum64()))
}

func (p *Provider) orderState(orderID string) *orderState {
	c := p.orders[orderID]
	if c == nil {
		c = &orderState{rand: p.random("order " + orderID), hooks: p.random("webhooks of " + orderID), counts: map[int]int{}}
		p.orders[orderID] = c
	}
	return c
}

// paymentOf finds or makes the payment that a request is of. ok is false when the provider
// has no reply for it.
func (p *Provider) paymentOf(r *providers.Request) (w *Payment, ok bool) {
	key := paymentKey{r.Operations[0], r.OrderID}
	if w := p.payments[key]; w != nil {
		return w, true
	}
	payment := policy.Payment{Provider: p.cat.Name, Operation: r.Operations[0], Amount: r.Amount, Currency: r.Currency, Capture: r.Capture}
	random := p.random(key.operation.String() + " " + key.orderID)
	w, ok = newPayment(p.cat, payment, p.plan.fate(key.operation, repliesFor(p.cat, payment), random), random, p.index)
	if ok {
		p.payments[key] = w
	}
	return w, ok
}

// locate fills in the order of a request that names its payment by the provider's id or
// by its request id only.
func (p *Provider) locate(r *providers.Request) {
	if r.OrderID != "" {
		return
	}
	switch {
	case len(p.index.byProvider[r.ProviderID]) > 0:
		r.OrderID = p.index.byProvider[r.ProviderID][0].orderID
	case r.Phase == policy.Query && len(p.index.byRequest[r.RequestID]) > 0:
		r.OrderID = p.index.byRequest[r.RequestID][0].orderID
	case r.Phase == policy.Send && r.ProviderID != "":
		r.OrderID = r.ProviderID
	case r.Phase == policy.Send:
		r.OrderID = r.RequestID
	}
}

// Ledger lists what has executed by a time, in the order of arrival.
func (p *Provider) Ledger(until time.Time) []Execution {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrivals(until)
	return p.index.ledger(until)
}

// arrivals lets in the requests that were on their way and have arrived by a time.
func (p *Provider) arrivals(until time.Time) {
	for {
		at, l, ok := p.late.pop(until)
		if !ok {
			return
		}
		p.process(at, &l.request, l.hidden)
	}
}

// Next returns when something happens by itself next: a request arrives that was on its
// way, or a webhook is sent. ok is false when nothing is due.
func (p *Provider) Next() (at time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok = p.late.next()
	if h, due := p.hooks.next(); due && (!ok || h.Before(at)) {
		return h, true
	}
	return at, ok
}

// NextWebhook takes the next webhook that is sent by a time. ok is false when there is
// none.
func (p *Provider) NextWebhook(until time.Time) (h Webhook, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		first := until
		if at, ok := p.hooks.next(); ok && at.Before(until) {
			first = at
		}
		at, l, arrived := p.late.pop(first)
		if !arrived {
			_, h, ok = p.hooks.pop(until)
			return h, ok
		}
		p.process(at, &l.request, l.hidden)
	}
}

// schedule queues the webhook about a transaction, with its faults.
func (p *Provider) schedule(t *transaction) {
	h, ok := t.hook()
	if !ok {
		return
	}
	m, ok := p.cat.Message(h.Operation, &h.Answer, h.At)
	if !ok {
		return
	}
	h.Header, h.Body = m.Header, m.Body
	var again []time.Duration
	for _, s := range p.hits(p.orderState(t.orderID), h.Operation, policy.Webhook, t.orderID) {
		p.faultCounts[s.kind]++
		h.Fault = s.kind
		switch s.kind {
		case LostWebhook:
			return
		case LateWebhook:
			h.At = h.At.Add(s.lasts)
		case UnverifiedWebhook:
			h.Answer.Verified = false
		case DuplicateWebhook:
			again = append(again, s.lasts)
		default: // the other kinds hit calls
		}
	}
	p.hooks.push(h.At, h)
	for _, later := range again {
		h.Fault, h.At = DuplicateWebhook, h.At.Add(later)
		p.hooks.push(h.At, h)
	}
}

// events are things that happen at a time. Those of one time keep their order.
type events[T any] struct {
	all []event[T]
}

type event[T any] struct {
	at   time.Time
	what T
}

func (e *events[T]) push(at time.Time, what T) {
	i, _ := slices.BinarySearchFunc(e.all, at, func(x event[T], at time.Time) int {
		if x.at.After(at) {
			return 1
		}
		return -1
	})
	e.all = slices.Insert(e.all, i, event[T]{at, what})
}

func (e *events[T]) next() (at time.Time, ok bool) {
	if len(e.all) == 0 {
		return at, false
	}
	return e.all[0].at, true
}

func (e *events[T]) pop(until time.Time) (at time.Time, what T, ok bool) {
	if len(e.all) == 0 || e.all[0].at.After(until) {
		return at, what, false
	}
	first := e.all[0]
	e.all = e.all[1:]
	return first.at, first.what, true
}
