package executor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Rules decide, and read what providers answer. [github.com/recourse-pay/recourse/engine.Engine]
// implements it. Rules must be safe for concurrent use.
type Rules interface {
	policy.Decider
	// For returns the decider of one payment. With an error nothing is sent. A flow and its
	// result keep the decider, and its decisions must not change: rules that are loaded anew
	// are another decider.
	For(p *policy.Payment) (policy.Decider, error)
	// Read decodes a message of the payment's provider: the answer, and what the shopper must
	// do next. An error is the fault unreadable. The result may depend on the payment's
	// provider, operation and currency only: one decoding of a webhook serves several flows. It
	// leaves in the message the headers that it reads; observers see no others.
	Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error)
}

// Config holds the parts of an executor. The zero value works, in memory only.
type Config struct {
	// Journal is where flows are written ahead. Nil: flows are lost with the process, in doubt or
	// not, and a payment key is guarded only while a flow of it is open.
	Journal journal.Journal

	// Clients, by provider, make the calls of flows that another process began. A flow without one is
	// reported every hour, and ends at its max_elapsed: escalated if it is in doubt.
	Clients map[string]Client

	// NewRequestID makes the request id of every new identity. It must never return an id twice.
	// Nil: 26 random letters and digits.
	NewRequestID func(p *policy.Payment) string

	// NewOrder makes an order id when the rules decide retry_new_order. All identities in the
	// ledger are known not to have executed. Nil, or an empty id or an error: the flow ends
	// failed, and State.NewOrderPossible is set.
	NewOrder func(ctx context.Context, p *policy.Payment, ledger []flow.Identity) (string, error)

	// VerifyWebhook checks the signature of a webhook. An error: the webhook proves nothing, and
	// at most brings a query forward. Nil: [Webhook.Verified] counts.
	VerifyWebhook func(ctx context.Context, w *Webhook) error

	// OnEscalate hands a flow to a person, with the evidence. It is called until it returns nil,
	// with a journal also by the next process. So it may be called twice for one escalation. A
	// flow that escalates while this is nil causes no call later.
	OnEscalate func(ctx context.Context, r *Result) error

	// OnAlert reports an answer that contradicts the end of a flow. As OnEscalate, it is called
	// until it returns nil.
	OnAlert func(ctx context.Context, a *Alert) error

	// OnError reports errors that no caller waits for: a journal that cannot be written, a flow
	// without a client. Nil: they are dropped.
	OnError func(err error)

	// Duplicate refuses or holds a payment that is like another one of the last while, though its
	// payment key is another. Zero: off.
	Duplicate Duplicates

	// AtOnce bounds the calls that are under way at once at a provider for one merchant: so many sends,
	// and so many queries. The others wait in line, what is in doubt first. 0: 256; negative: no bound.
	AtOnce int

	// Keep is how long ended flows stay in the journal with all that is known of them; then they are pruned,
	// and of those that executed the journal keeps that their key is paid. Flows that ended in doubt
	// stay. 0: 180 days; negative: all stay.
	Keep time.Duration

	// AdminHosts are the names by which AdminHandler is reached, such as admin.example.com; a request by another name is
	// refused, as a web page could have made that name resolve to here. IP addresses and localhost are always allowed. "*"
	// allows all: for what asks for a token that browsers do not add by themselves.
	AdminHosts []string

	// AdminWho says who a request of AdminHandler comes from, for example by a header that the proxy before it sets. An error
	// refuses the request. Nil: who is what people type.
	AdminWho func(r *http.Request) (string, error)

	// TwoPersons makes of each resolve of AdminHandler a proposal that a second person confirms. The method Resolve is the
	// program's own, and does not ask for one.
	TwoPersons bool

	Observers []Observer
	Budget    Budget           // of retries, per provider and merchant
	Breaker   Breaker          // per provider, merchant and operation, and of queries apart
	Jitter    func() float64   // uniform in [0, 1), to spread waits; nil: math/rand/v2
	WallClock func() time.Time // for tests, and for machines with a better clock; nil: time.Now
	Sweep     time.Duration    // how often to look for overdue flows and notices; 0: 5 s
}

// Executor makes payments until they have ended. It is safe for concurrent use.
type Executor struct {
	rules     Rules
	cfg       Config
	guards    *guards
	clock     *clock
	forged    bucket // of webhooks that are not verified
	vitals    vitals
	errors    queue // of calls of OnError
	reminders reminders
	hooks     chan struct{} // a place for each call of OnEscalate and OnAlert
	shared    *together     // the journal, if several processes use it; else nil
	stuck     atomic.Int64  // such calls that have not returned

	forever context.Context // for writes and hooks that must not be broken off
	life    context.Context // ends with Close
	close   context.CancelFunc
	active  sync.WaitGroup // drivers and the sweeper

	mu      sync.Mutex
	closed  bool
	flows   map[string]*run // in memory, by id
	byKey   map[journal.Key]*run
	byOrder map[order]*run    // open flows
	byName  map[name][]*run   // without a journal
	byAlike map[string][]*run // open flows, by what alike payments have in common
	refused map[string]bool   // ids of flows whose first write failed, and whose row may exist
	left    departures

	ids idSource
}

// name is an identifier at a provider.
type name struct{ provider, text string }

// New returns an executor. c may be nil. Close it.
func New(rules Rules, c *Config) (*Executor, error) {
	x := &Executor{flows: map[string]*run{}, byKey: map[journal.Key]*run{}, byOrder: map[order]*run{}, byName: map[name][]*run{}, byAlike: map[string][]*run{}, refused: map[string]bool{}}
	x.left.clients = map[string]Client{}
	if c != nil {
		x.cfg = *c
	}
	x.rules = newCarefulRules(x, rules)
	cfg := &x.cfg
	cfg.Budget, cfg.Breaker = cfg.Budget.withDefaults(), cfg.Breaker.withDefaults()
	if cfg.Jitter == nil {
		cfg.Jitter = mrand.Float64
	} else {
		cfg.Jitter = carefulFunc(x, "Config.Jitter", cfg.Jitter, half)
	}
	if cfg.WallClock != nil {
		cfg.WallClock = carefulFunc(x, "Config.WallClock", cfg.WallClock, time.Now)
	}
	cfg.AtOnce = cmp.Or(cfg.AtOnce, 256)
	cfg.Sweep = cmp.Or(cfg.Sweep, 5*time.Second)
	cfg.Keep = cmp.Or(cfg.Keep, 180*24*time.Hour)
	if err := cfg.validate(rules); err != nil {
		return nil, err
	}
	if j, is := cfg.Journal.(shared); is {
		x.shared = &together{j}
	}
	quick, _ := cfg.Journal.(taker)
	if cfg.Journal != nil {
		cfg.Journal = steady{cfg.Journal}
	}
	x.forged = newBucket(Budget{Tokens: forgedAtOnce, Every: forgedEvery})
	x.clock = newClock(cfg.WallClock)
	x.vitals.started = time.Now()
	x.reminders.alarms.start = x.vitals.started
	if cfg.Journal != nil {
		x.vitals.journal = &measured{Journal: cfg.Journal, start: x.vitals.started, taker: quick}
		cfg.Journal = x.vitals.journal
	}
	x.hooks = make(chan struct{}, hooksAtOnce)
	x.guards = newGuards(cfg.Budget, cfg.Breaker, cfg.AtOnce)
	x.forever = context.Background()
	x.life, x.close = context.WithCancel(context.Background())
	x.active.Go(x.sweep)
	if x.shared != nil {
		x.active.Go(x.collect)
	}
	return x, nil
}

// validate reports every mistake at once, each by its field.
func (c *Config) validate(rules Rules) error {
	errs := []error{c.Budget.validate(), c.Breaker.validate(), c.Duplicate.validate()}
	if rules == nil {
		errs = append(errs, errors.New("executor: the rules must not be nil"))
	}
	if c.Sweep < 0 {
		errs = append(errs, fmt.Errorf("executor: Config.Sweep is %s; it must not be negative", c.Sweep))
	}
	errs = append(errs, validateHosts(c.AdminHosts)...)
	for p, client := range c.Clients {
		if client == nil {
			errs = append(errs, fmt.Errorf("executor: Config.Clients[%q] must not be nil", p))
		}
	}
	return errors.Join(errs...)
}

// Close stops the executor. No call begins any more. Close waits for calls under way until ctx
// is over. Open flows stay in the journal, for the next process. Without a journal they are
// lost, and the error says how many. Close does not close the journal.
func (x *Executor) Close(ctx context.Context) error {
	// closed comes before the context: a flow that is registered after it would have no driver.
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.close()
	x.wakeAll()
	done := make(chan struct{})
	go func() { x.active.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("executor: calls, hooks or writes are still under way: %w", ctx.Err())
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cfg.Journal == nil && len(x.flows) > 0 {
		return fmt.Errorf("executor: closed with %d flows open, and no journal to keep them", len(x.flows))
	}
	return nil
}

// wakeAll lets all drivers look at the clock.
func (x *Executor) wakeAll() {
	for _, r := range x.inMemory() {
		r.mu.Look()
		r.plan.wake()
		r.mu.Unlock()
	}
}

// reportError calls OnError, in a goroutine of its own: it may stall, and may use the executor.
func (x *Executor) reportError(err error) {
	if err == nil || x.cfg.OnError == nil {
		return
	}
	call := x.errors.add(func() {
		if dropped := x.errors.dropped("OnError"); dropped != nil {
			err = errors.Join(err, dropped)
		}
		_ = x.hook("OnError", "", func() error { // what it panics with cannot be reported to it
			x.cfg.OnError(err)
			return nil
		})
	})
	x.errors.wait(call)
}

// moment is now, with a number to spread waits by.
func (x *Executor) moment() flow.Moment {
	m := x.clock.moment()
	m.Jitter = unit(x.cfg.Jitter())
	return m
}
