package executor

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// rowState is what the journal has of a flow, and what it has not accepted yet. The flow's lock
// guards it.
type rowState struct {
	version     int64
	names       []string     // under which the provider may speak of the flow; only grows
	queued      []flow.Event // that the journal did not accept
	standing    string       // how the flow stands, for lists
	since       time.Time    // and since when
	storedNames int32        // how many of them the journal has
	bound       bool         // by the context of a Do, which ends what is sent
	unsure      bool         // the first write failed, and may be stored nevertheless
}

// putStep writes the flow after a step, and takes the step over when it is written. The lock is held.
func (r *run) putStep(next flow.State, due []notice, d journal.Durability) error {
	if err := r.put(&next, due, d); err != nil {
		return err
	}
	r.state = next
	return nil
}

// indexNames adds new names to the index, without a journal. The lock is held.
func (r *run) indexNames(s *flow.State) {
	if s.Attempts < 2 && s.Stage == flow.Sending || s.Stage == flow.Ended {
		return // most flows end with the first answer, and no webhook asks for them
	}
	if names := r.names(s); len(names) > int(r.row.storedNames) {
		r.x.index(r, names[r.row.storedNames:])
		r.row.storedNames = int32(len(names))
	}
}

// put writes the flow in a state, with the notices that are due. The lock is held, and given away
// while the journal writes.
func (r *run) put(s *flow.State, due []notice, d journal.Durability) error {
	j := r.x.cfg.Journal
	if j == nil {
		r.indexNames(s)
		return nil
	}
	m := rowMemories.Get().(*rowMemory)
	row, err := r.nextRow(s, due, m)
	if err != nil {
		return fmt.Errorf("executor: flow %s cannot be written: %w", r.id, err)
	}
	names := len(r.row.names)
	// Not the caller's context: if it ended during the write, the result would be unknown.
	r.mu.during(func() { err = j.Put(r.x.forever, &row, d) })
	// Three outcomes: stored; another write came first; or unclear. An unclear first write is
	// remembered, because the row may exist although the request is refused.
	switch {
	case err == nil:
		if len(row.State) <= largestRow {
			m.text = row.State // Put has returned, and does not keep it
			rowMemories.Put(m)
		}
		r.row.version++
		r.row.standing, r.row.since = row.Standing, row.Since
		r.row.storedNames = int32(names)
	case errors.Is(err, journal.ErrConflict), errors.Is(err, journal.ErrLost):
		r.markLost()
		return fmt.Errorf("%w: %w", ErrTakenOver, err)
	default:
		r.row.unsure = row.Version == 1
	}
	return err
}

// rowMemory is what a row is made in. It is used again: a flow is written some four times, and rows are most of what it needs.
type rowMemory struct {
	flow stored.Flow
	text []byte
}

var rowMemories = sync.Pool{New: func() any { return new(rowMemory) }}

// largestRow is the size from which on a row's memory is not kept.
const largestRow = 16 << 10

// nextRow is the row of the flow in a state, made in m. The lock is held.
func (r *run) nextRow(s *flow.State, due []notice, m *rowMemory) (row journal.Row, err error) {
	names := r.names(s)
	row = journal.Row{
		ID: r.id, Version: r.row.version + 1, Key: r.key(), Provider: s.Payment.Provider, Names: names[r.row.storedNames:],
		Open: s.Stage != flow.Ended, Due: r.due(s, due), At: r.x.clock.stamp(),
	}
	if row.Version == 1 {
		row.Seen = r.earlier.flows
	}
	row.Standing, row.Since = stored.Standing(s, r.row.standing, r.row.since, row.At)
	r.store(&m.flow, s, due)
	if row.State, err = m.flow.SealedIn(m.text); err != nil {
		return row, err
	}
	if row.Due.IsZero() { // no other row is pruned
		row.Tombstone, err = r.tombstone(s)
	}
	return row, err
}

// store puts the flow into the stored form. The lock is held.
func (r *run) store(to *stored.Flow, s *flow.State, due []notice) {
	to.V = stored.Version
	to.Request = stored.Request{
		OrderID: r.req.OrderID, RequestID: r.req.RequestID, ProviderID: r.req.ProviderID, Data: r.req.Data, Bound: r.row.bound,
	}
	to.State.Set(s)
	to.Shopper, to.Notices = stored.Shopper(r.action()), to.Notices[:0]
	for _, o := range due {
		n := stored.Notice{}
		if o.Alert != nil {
			n.Alert = &stored.Alert{Reason: o.Alert.Reason, Evidence: stored.EvidenceOf(&o.Alert.Evidence)}
		}
		to.Notices = append(to.Notices, n)
	}
}

// tombstone is what the journal keeps of a flow when it prunes the row.
func (r *run) tombstone(s *flow.State) ([]byte, error) {
	return stored.Tombstone(stored.Request{OrderID: r.req.OrderID, RequestID: r.req.RequestID, ProviderID: r.req.ProviderID, Digest: r.digest()}, s)
}

// digest stands for Request.Data where that is not kept.
func (r *run) digest() []byte {
	if len(r.dataDigest) > 0 {
		return []byte(r.dataDigest)
	}
	sum := sha256.Sum256(r.req.Data)
	return sum[:]
}

// markLost stops a flow whose row another process, or a fresher copy, has written. The lock is
// held.
func (r *run) markLost() {
	// What was granted goes back first: this copy makes no call any more.
	r.life = lost
	r.releasePermitLocked()
	// The sweeper does not see this copy any more. If its call never returns, a probe's permit
	// would keep the breaker open for ever.
	if c := r.calls.current; c != nil && c.permit != nil {
		c.permit(callNotMade)
		c.permit = nil
	}
	r.x.drop(r)
	r.waiters.broadcast()
	r.plan.wake()
}

// names lists the identifiers under which the provider may speak of the flow.
func (r *run) names(s *flow.State) []string {
	if r.row.names == nil {
		r.row.names = make([]string, 0, 2+len(s.Ledger)) // most flows have an order and a request
	}
	r.row.names = stored.AddName(r.row.names, r.req.OrderID)
	if r.alike.text != "" && r.x.cfg.Journal != nil {
		r.row.names = stored.AddName(r.row.names, r.alike.name(r.alike.at))
	}
	for i := range s.Ledger {
		id := &s.Ledger[i]
		r.row.names = stored.AddName(stored.AddName(stored.AddName(r.row.names, id.OrderID), id.RequestID), id.ProviderID)
	}
	return r.row.names
}

// due is when another process has to look at the flow if this one does not. A zero time is
// never, and lets the journal prune the row.
func (r *run) due(s *flow.State, due []notice) time.Time {
	terms := r.rules.Terms(&s.Payment)
	switch s.Stage {
	case flow.New:
		return r.x.clock.now() // accepted while the breaker was open
	case flow.Sending:
		// The deadline bounds the send: before it another process must not assume that it is over.
		return s.Ledger[len(s.Ledger)-1].Deadline
	case flow.Querying:
		return s.Asked.Add(terms.Contract.CallTimeout())
	case flow.Waiting:
		return s.Next.At
	case flow.Ended:
		switch {
		case len(due) > 0:
			return r.x.clock.now().Add(renotifyAfter)
		case s.Outcome != policy.Succeeded && !noneExecuted(s.Ledger):
			return never
		}
	}
	return time.Time{}
}

// never is the due time of a flow that has ended in doubt.
var never = stored.Never

// readStored reads the state of a row, and holds it to the row's other columns.
func readStored(row *journal.Row) (*stored.Flow, error) {
	if row.Damaged != nil {
		return nil, row.Damaged
	}
	e, err := stored.Decode(row.State)
	if err != nil {
		return nil, err
	}
	p := &e.State.Payment
	if k := (journal.Key{Merchant: p.Merchant, Operation: p.Operation, Payment: p.Key}); k != row.Key || p.Provider != row.Provider {
		return nil, fmt.Errorf("it is of %s at %q, and stands under %s at %q", k, p.Provider, row.Key, row.Provider)
	}
	return e, nil
}

// unreadableError is of a row that cannot be read.
type unreadableError struct {
	flow  string
	cause error
}

// Error says which, and why.
func (e *unreadableError) Error() string {
	return fmt.Sprintf("executor: flow %s in the journal is left as it is, and its payment key stays taken: %s", e.flow, e.cause)
}

// Unwrap gives the cause.
func (e *unreadableError) Unwrap() error { return e.cause }

// read makes a flow of a row.
func (x *Executor) read(row *journal.Row) (*run, error) {
	e, err := readStored(row)
	if err != nil {
		return nil, &unreadableError{row.ID, err}
	}
	if err := x.clock.sawRow(row.At); err != nil {
		go x.reportError(err) // a lock may be held
	}
	r := x.newRun(Request{
		Payment: policy.Payment(e.State.Payment),
		OrderID: e.Request.OrderID, RequestID: e.Request.RequestID, ProviderID: e.Request.ProviderID, Data: e.Request.Data,
	}, false)
	r.id, r.row.version, r.life = row.ID, row.Version, accepted
	r.row.standing, r.row.since = row.Standing, row.Since
	r.dataDigest = string(e.Request.Digest)
	r.row.bound, r.waiters.background = e.Request.Bound, !e.Request.Bound
	for _, n := range e.Notices {
		o := notice{}
		if n.Alert != nil {
			o.Alert = &flow.Alert{Reason: n.Alert.Reason, Evidence: n.Alert.Evidence.Evidence()}
		}
		r.notices.list = append(r.notices.list, o)
	}
	if shopper := policy.ShopperAction(e.Shopper); !shopper.IsZero() {
		r.shopper = &shopper
	}
	r.state = e.State.State()
	if r.state.Stage == flow.New && r.state.Started.IsZero() { // written before version 3
		r.state.Started = row.At
	}
	if r.rules.Decider, _ = x.rules.For(&r.req.Payment); r.rules.Decider == nil { // the rules have changed since, and refuse the payment now
		r.rules.Decider = x.rules
	}
	r.alike = x.like(&r.req, r.state.Started)
	r.row.storedNames = int32(len(r.names(&r.state)))
	r.guard = x.guards.of(&r.req.Payment)
	r.client = x.clientOf(r)
	if r.state.Stage == flow.Ended {
		r.plan.next = flow.Finish{Outcome: r.state.Outcome, Reason: r.state.Reason}
	}
	return r, nil
}
