package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// Several processes may use one journal, if the journal says who holds a flow. Then an executor drives the flows that
// its own process holds, and no other. It takes over those whose process has ended, in each sweep. What comes to this
// process for a flow of another one (a webhook, a person's word) is left for that process in the journal.
//
// No promise rests on who holds what: the version of a row refuses the second of two writers, and the deadline in the
// row bounds a call that was decided before.

// shared is what a journal has beside [journal.Journal] when several processes use it at once, as that of package
// journal/postgres. A journal that wraps one must pass these methods on.
type shared interface {
	// Claim is Due of the rows that no other living process holds, and makes this process their owner.
	Claim(ctx context.Context, by time.Time, after journal.Cursor, limit int) ([]journal.Row, error)
	// Take is Get, and makes this process the owner of an open flow unless another living process is; then held is true.
	Take(ctx context.Context, id string) (row journal.Row, held bool, err error)
	// GiveUp lets other processes take a flow over.
	GiveUp(ctx context.Context, id string) error
	// Leave stores a message for the process that holds a flow.
	Leave(ctx context.Context, id string, message []byte) error
	// Collect hands over the messages for flows that this process holds, or none does. One for which apply fails comes
	// again. It returns how many were taken.
	Collect(ctx context.Context, apply func(id string, message []byte) error) (int, error)
}

// together is a shared journal whose panics are errors.
type together struct{ shared }

func (t *together) Claim(ctx context.Context, by time.Time, after journal.Cursor, limit int) (rows []journal.Row, err error) {
	defer recovered(&err)
	return t.shared.Claim(ctx, by, after, limit)
}

func (t *together) Take(ctx context.Context, id string) (row journal.Row, held bool, err error) {
	defer recovered(&err)
	return t.shared.Take(ctx, id)
}

func (t *together) GiveUp(ctx context.Context, id string) (err error) {
	defer recovered(&err)
	return t.shared.GiveUp(ctx, id)
}

func (t *together) Leave(ctx context.Context, id string, message []byte) (err error) {
	defer recovered(&err)
	return t.shared.Leave(ctx, id, message)
}

func (t *together) Collect(ctx context.Context, apply func(string, []byte) error) (n int, err error) {
	defer recovered(&err)
	return t.shared.Collect(ctx, apply)
}

// dueRows are the rows that this process may continue.
func (x *Executor) dueRows(ctx context.Context, by time.Time, after journal.Cursor) ([]journal.Row, error) {
	if x.shared == nil {
		return x.cfg.Journal.Due(ctx, by, after, pageSize)
	}
	return x.shared.Claim(ctx, by, after, pageSize)
}

// sweepUntil bounds the rows that a sweep continues. A row of a process that lives is not among those that a shared
// journal gives, so they need not be overdue: their time comes before the next sweep.
func (x *Executor) sweepUntil() time.Time {
	if x.shared == nil {
		return x.clock.now().Add(-overdue)
	}
	return x.clock.now().Add(x.cfg.Sweep)
}

// giveUp leaves a flow that this process cannot continue to another one, which may have its client, or a newer release.
func (x *Executor) giveUp(ctx context.Context, id string) error {
	if x.shared == nil {
		return nil
	}
	return x.shared.GiveUp(ctx, id)
}

// overtaken reports whether another process has written the flow since this copy was read. The copy is given up then.
func (r *run) overtaken(row *journal.Row) bool {
	if r.x.shared == nil {
		return false
	}
	r.mu.Lock() // not during a write: the row may be its own
	defer r.mu.Unlock()
	if r.row.version >= row.Version {
		return false
	}
	r.markLost()
	return true
}

// load reads the row of a flow. held says that another process holds it.
func (x *Executor) load(ctx context.Context, id string) (row journal.Row, held bool, err error) {
	if x.shared == nil {
		row, err = x.cfg.Journal.Get(ctx, id)
		return row, false, err
	}
	return x.shared.Take(ctx, id)
}

// takeUpWanted continues the open flow of a payment key for a caller. If another process holds it, the copy that is
// returned follows that one.
func (x *Executor) takeUpWanted(ctx context.Context, old *run, c Client, since looked) (*run, error) {
	if x.shared == nil {
		return x.takeUp(old, c, true, since)
	}
	if live := x.pin(old.id, nil, atAnyRate); live != nil { // this process has it
		defer x.unpin(live)
		return live, live.takeUpCopy(c, true)
	}
	since = x.look()
	row, held, err := x.shared.Take(ctx, old.id)
	if err != nil {
		return nil, err
	}
	if old, err = x.read(&row); err != nil {
		return nil, err
	}
	old.elsewhere = held
	if held || !row.Open {
		return old, nil
	}
	return x.takeUp(old, c, true, since)
}

// openElsewhere reports whether a request was refused because another process, or another executor of this one, has begun a flow of its
// key at the same moment. The request then joins that one.
func (x *Executor) openElsewhere(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	if isUnseen(err) {
		return ctx.Err() == nil
	}
	if x.shared == nil {
		return false
	}
	open := (*journal.OpenError)(nil)
	return (errors.As(err, &open) || isServed(err)) && ctx.Err() == nil
}

// flowMet is the flow of an error by which a request gives way to another one of its key; before, if it names none. The
// request joins that flow, and if it has failed by then, that is the result: who asks once must not pay by a second flow.
func flowMet(err error, before string) string {
	open, served := (*journal.OpenError)(nil), (*servedError)(nil)
	switch {
	case errors.As(err, &served) && served.by != nil:
		return served.by.id
	case errors.As(err, &open):
		return open.ID
	}
	return before
}

// servedError says that another process has served the payment key between the look at it and the first row of a flow.
// Nothing was sent. The request then means what became of the other flow.
type servedError struct {
	error
	by *run // a copy of the other flow; nil: the key could not be read
}

func (e *servedError) Unwrap() error { return e.error }

func isServed(err error) bool {
	if err == nil { // most calls: what follows is on the heap
		return false
	}
	served := (*servedError)(nil)
	return errors.As(err, &served)
}

// isUnseen reports whether the journal knows a flow of the key that this one's look has not found.
func isUnseen(err error) bool {
	open := (*journal.OpenError)(nil)
	return errors.As(err, &open) && open.Unseen
}

// yield gives a flow up before its first send if another process has meanwhile served its payment key to the end, whatever
// that was, or begun a payment that has its order, or is alike: this process looked before the other one had written. A flow
// that failed counts too: this one may have its identity, and the request was made while it was open. From the first row
// on no other flow of the key begins, so that this look is the last one that is needed. Of two that begin at one
// moment, each that finds the other gives up.
func (r *run) yield() error {
	if r.x.shared == nil {
		return nil
	}
	ctx := r.x.life
	served := r.servedMeanwhile(ctx)
	var err error
	if served != nil {
		err = served
	} else {
		err = r.x.orderFree(ctx, r)
	}
	if err == nil {
		err = r.x.alikeFree(ctx, r)
	}
	if err == nil || ctx.Err() != nil { // a closed executor sends nothing anyway, and the flow goes on later
		return nil
	}
	if served != nil {
		r.referTo(served.by)
	}
	r.x.reportError(errors.Join(err, r.unsent(), r.withdraw(err.Error())))
	if served != nil {
		return served
	}
	return nil
}

// servedMeanwhile looks for a flow of the key that holds it, or of which this one did not know when it began.
func (r *run) servedMeanwhile(ctx context.Context) *servedError {
	flows, err := r.x.flowsOfKey(ctx, r)
	if err != nil {
		return &servedError{error: err}
	}
	for _, old := range flows {
		if err := old.holdsKey(); err != nil {
			return &servedError{err, old}
		}
	}
	for _, old := range flows {
		if slices.ContainsFunc(old.state.Ledger, func(id flow.Identity) bool { return id.Sends > 0 && stored.IndexOf(r.earlier.ledger, &id) < 0 }) {
			return &servedError{fmt.Errorf("executor: flow %s of payment key %q was made at the same moment, and has failed", old.id, r.req.Key), old}
		}
	}
	return nil
}

// referTo refers those who joined a flow, and those who will, to the one that has served its key: that this one is withdrawn
// says nothing about the payment.
func (r *run) referTo(other *run) {
	if other == nil {
		return
	}
	other.elsewhere = other.state.Stage != flow.Ended
	other.repeats = other.state.Outcome == policy.Succeeded
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Stage != flow.Ended && r.waiters.err == nil {
		r.waiters.err = &movedError{other}
		r.waiters.broadcast()
	}
}

// makeWay takes a flow that yield has withdrawn out of the way of its key, and returns why. If the journal has not taken the
// withdrawal yet, the flow goes on until it has.
func (r *run) makeWay(why error) error {
	r.releasePermit()
	r.mu.Look()
	ended := r.state.Stage == flow.Ended
	r.mu.Unlock()
	if ended {
		r.x.evict(r)
	} else {
		r.x.background(r)
	}
	return why
}

// How often a process looks at what others write.
const (
	collectEvery = 50 * time.Millisecond  // for messages
	followFirst  = 50 * time.Millisecond  // at a flow that another process holds, for a caller here
	followMost   = 500 * time.Millisecond // then less often
)

// follow waits for a flow that another process holds, until it has ended there, is here, or is done. It returns a copy
// that is not older.
func (r *run) follow(ctx context.Context, done func(*run) bool) (*run, error) {
	for wait := followFirst; r.elsewhere && !done(r); wait = min(followMost, wait*3/2) {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, r.pendingError(ctx.Err())
		case <-r.x.life.Done():
			timer.Stop()
			return nil, r.pendingError(ErrClosed)
		}
		fresh, unpin, err := r.x.find(ctx, r.id)
		switch {
		case errors.Is(err, ErrTakenOver): // by another process, at this moment
		case err != nil:
			return nil, r.pendingError(err)
		default:
			unpin()
			r = fresh
		}
	}
	return r, nil
}

// message is what one process has for the process that holds a flow, as JSON. One of its fields is set.
type message struct {
	V         int             `json:"v"`
	Received  *stored.Answer  `json:"received,omitempty"` // by a webhook
	Resolved  *storedResolved `json:"resolved,omitempty"`
	Override  bool            `json:"override,omitempty"`  // what is resolved may contradict a proof
	Withdrawn *string         `json:"withdrawn,omitempty"` // why
	Unbound   bool            `json:"unbound,omitempty"`   // a caller wants the payment whether the first one waits or not
}

// messageVersion is that of the messages that this program leaves, and the only one that it reads.
const messageVersion = 1

// storedResolved is a person's word.
type storedResolved struct {
	Identity int           `json:"identity"`
	Effect   policy.Effect `json:"effect"`
	Who      string        `json:"who"`
	Why      string        `json:"why"`
	Sends    int           `json:"sends,omitempty"` // of the identity, when the person spoke; 0: not kept
}

// leave leaves an event for the process that holds the flow. It is stored when leave returns. override goes with a person's word: what
// it contradicts may come before it is applied.
func (r *run) leave(ctx context.Context, event func(*run) flow.Event, override bool) error {
	m := message{V: messageVersion, Override: override}
	r.mu.Lock()
	e := event(r)
	sends := 0
	if w, ok := e.(flow.Resolved); ok && w.Identity >= 0 && w.Identity < len(r.state.Ledger) {
		sends = r.state.Ledger[w.Identity].Sends
	}
	r.mu.Unlock()
	switch e := e.(type) {
	case nil:
		return nil
	case flow.Received:
		m.Received = (*stored.Answer)(&e.Answer)
	case flow.Resolved:
		m.Resolved = &storedResolved{Identity: e.Identity, Effect: e.Effect, Who: e.Who, Why: e.Why, Sends: sends}
	case flow.Withdrawn:
		m.Withdrawn = &e.Why
	default:
		return fmt.Errorf("executor: flow %s: another process holds it, and %T is no event for that", r.id, e)
	}
	return r.leaveMessage(ctx, &m)
}

func (r *run) leaveMessage(ctx context.Context, m *message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("executor: flow %s: %w", r.id, err)
	}
	return r.x.shared.Leave(ctx, r.id, text)
}

// joinElsewhere adds the caller of another request to a flow that another process holds.
func (r *run) joinElsewhere(other *run) error {
	if !r.row.bound || other.row.bound {
		return nil
	}
	return r.leaveMessage(r.x.life, &message{V: messageVersion, Unbound: true})
}

// collect applies the messages that other processes have left.
func (x *Executor) collect() {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	var said time.Time
	for {
		select {
		case <-x.life.Done():
			return
		case <-tick.C:
		}
		_, err := x.shared.Collect(x.life, x.applyMessage)
		if err != nil && x.life.Err() == nil && time.Since(said) > time.Minute {
			said = time.Now()
			x.reportError(fmt.Errorf("executor: what other processes have left cannot be taken: %w", err))
		}
	}
}

// applyMessage applies a message. With an error it comes again.
func (x *Executor) applyMessage(id string, text []byte) error {
	var m message
	if err := stored.Strictly(text, &m); err != nil {
		return fmt.Errorf("executor: flow %s: a message of another process: %w", id, err)
	}
	if m.V != messageVersion {
		return fmt.Errorf("executor: flow %s: a message of another process has version %d; this release reads %d", id, m.V, messageVersion)
	}
	var err error
	if m.Unbound {
		err = x.unbind(id)
	} else {
		err = x.applyLeft(id, &m)
	}
	if errors.Is(err, ErrUnknownFlow) { // pruned meanwhile
		x.reportError(fmt.Errorf("executor: flow %s is not in the journal any more, and a message for it is dropped", id))
		return nil
	}
	return err
}

// applyLeft applies the event of a message. A person's word that contradicts a proof by now is refused, as it would have been in one
// process: a key that is paid must not become free by it. So is the word that nothing executed, if the request was sent again since.
func (x *Executor) applyLeft(id string, m *message) error {
	var refused error
	err := ignoreMisfit(x.applyOrLeave(x.life, id, m.Override, func(r *run) flow.Event {
		refused = nil
		if w := m.Resolved; w != nil && w.Identity >= 0 && w.Identity < len(r.state.Ledger) {
			refused = r.resent(w.Identity, &Resolution{Effect: w.Effect, sends: w.Sends})
			if refused == nil && !m.Override {
				refused = r.contradicts(w.Identity, w.Effect)
			}
			if refused != nil {
				return nil
			}
		}
		return m.event(x.moment())
	}))
	if err != nil || refused == nil {
		return err
	}
	w := m.Resolved
	x.reportError(fmt.Errorf("executor: the word of %s, left at another process, was not applied: %w", w.Who, refused))
	asked := map[string]string{"who": w.Who, "why": w.Why, "effect": w.Effect.String()}
	a := admin{x: x}
	if err := a.onTheTrail(x.life, "resolve", id, asked, func(*trailEntry) error { return refused }); !errors.Is(err, refused) {
		return err // the trail could not be written
	}
	return nil
}

// event is what the message brings.
func (m *message) event(at flow.Moment) flow.Event {
	switch {
	case m.Received != nil:
		return flow.Received{Moment: at, Answer: policy.Answer(*m.Received)}
	case m.Resolved != nil:
		return flow.Resolved{Moment: at, Identity: m.Resolved.Identity, Effect: m.Resolved.Effect, Who: m.Resolved.Who, Why: m.Resolved.Why}
	case m.Withdrawn != nil:
		return flow.Withdrawn{Moment: at, Why: *m.Withdrawn}
	}
	return nil
}

// unbind lets a flow go on when its callers have left: a caller at another process wants the payment.
func (x *Executor) unbind(id string) error {
	r, unpin, err := x.find(x.life, id)
	if err != nil {
		return err
	}
	defer unpin()
	if r.elsewhere { // it has moved meanwhile
		return r.leaveMessage(x.life, &message{V: messageVersion, Unbound: true})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiters.background = true
	if !r.row.bound || r.state.Stage == flow.Ended {
		return nil
	}
	r.row.bound = false
	if err := r.put(&r.state, r.notices.list, journal.Synced); err != nil {
		r.row.bound = true
		return err
	}
	return nil
}
