package adversary

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// world is a provider with a ledger of the truth. It keeps the promises of the contract, each
// exactly as the catalogue states it, and no others:
//
//   - facts: an answer that is judged executed, not_executed or pending is given only where that is
//     true of the request that it answers, or of the record that it speaks of. Unknown is given always.
//   - dedupe: an identifier that dedupes is remembered for the window, counted from the arrival of the
//     first request that has it, however that was answered, but for a refusal at the door. A request
//     with a remembered identifier makes no second record. It gets the first result, or a duplicate
//     refusal. Where dedupe, window or replay is not promised, a repeat may be executed again.
//   - arrival_grace: a request arrives before its deadline and the grace have passed, or never.
//     Where none is declared it may arrive up to farLate after the deadline.
//   - not_found_after: a query that is asked so long after the last send finds every record that
//     had arrived by then. Before that, or without the promise, it may overlook any of them.
//   - amounts: who executes another amount or currency than the payment's says so in every answer
//     that says executed: by the amount that it names, or by a fact of the class mismatch alone where
//     the payment's amount and currency are not known. A refusal that names another amount is about something else: it comes
//     at any time, and settles nothing.
//   - names: the reply to the call under way is about its request or about another payment. A late reply, the answer to a query by the order and a
//     webhook may also say that a request of another client executed under one of our orders.
//     What settles nothing, and a refusal at the door, may name an earlier request of the order, as the one that it repeats.
//   - webhooks: a verified one is the provider's, and is true of a record now or was at some time.
//     It comes late, repeated, in any order, or never. An unverified one may hold anything.
//   - a person, and a cancel that worked, are right.
//
// What a record comes to is open until an answer says it. So a walk needs no luck: at each send and
// each end the worst that can still come of the open records and of the requests on their way counts.
type world struct {
	contract *policy.Contract
	payment  *policy.Payment
	wires    []wire
	records  []record
	memories []memory
	foreign  bool // another client's request was reported as executed under one of our orders
	disputed bool // an answer about one of the orders said so
	made     int  // names a record
	coin     func(n int) bool
}

// farLate stands for "however late". A request lives in queues and proxies for so long and no
// longer: without a bound, no window of any length would be of use.
const farLate = 48 * time.Hour

// wire is one copy of a request on its way.
type wire struct {
	order, request string
	sent, latest   time.Time
	over           bool // it arrived, was refused, or is lost
	record         int  // the record that it made or that answers it; -1: none
	refused        bool // as a duplicate
}

// memory is an identifier that the provider remembers: an order's, or a request's.
type memory struct {
	order, request string // one of them
	from           time.Time
	record         int
}

// record is a request that the provider stored.
type record struct {
	order, request, provider string
	from                     time.Time
	truth                    policy.Effect // Pending: open
	other                    bool          // another amount or currency
	settled                  time.Time     // when the truth was known at the latest; an answer of before may still say pending
}

func (w *world) reset(c *policy.Contract, p *policy.Payment) {
	w.contract, w.payment, w.foreign, w.disputed, w.made = c, p, false, false, 0
	w.wires, w.records, w.memories = w.wires[:0], w.records[:0], w.memories[:0]
}

// send puts a request on its way.
func (w *world) send(id *flow.Identity) {
	grace := w.contract.ArrivalGrace
	if grace <= 0 {
		grace = farLate
	}
	w.wires = append(w.wires, wire{
		order: id.OrderID, request: id.RequestID, sent: id.LastSent, latest: id.Deadline.Add(grace - 1), record: -1,
	})
}

// dedupes reports whether the contract promises anything for a repeat.
func (w *world) dedupes() bool {
	c := w.contract
	return len(c.Dedupe) > 0 && c.DedupeWindow > 0 && (c.Replay == policy.FirstResult || c.Replay == policy.Rejected)
}

// covering is the memory that a request would meet at a time; -1: none.
func (w *world) covering(order, request string, at time.Time) int {
	for i := range w.memories {
		if m := &w.memories[i]; at.Before(m.from.Add(w.contract.DedupeWindow)) && (m.order == order && order != "" || m.request == request && request != "") {
			return i
		}
	}
	return -1
}

// remember keeps the identifiers of a request that arrives, where they are not remembered already.
func (w *world) remember(c *wire, at time.Time, record int) {
	if slices.Contains(w.contract.Dedupe, policy.OrderID) && w.covering(c.order, "", at) < 0 {
		w.memories = append(w.memories, memory{order: c.order, from: at, record: record})
	}
	if slices.Contains(w.contract.Dedupe, policy.RequestID) && w.covering("", c.request, at) < 0 {
		w.memories = append(w.memories, memory{request: c.request, from: at, record: record})
	}
}

// arrive lets a copy reach the provider now. It reports whether the copy is there.
func (w *world) arrive(k int, now time.Time) bool {
	c := &w.wires[k]
	switch {
	case c.over:
		return c.record >= 0 || c.refused
	case now.After(c.latest):
		c.over = true
		return false
	}
	c.over = true
	i, replay := -1, w.contract.Replay
	if w.dedupes() {
		if m := w.covering(c.order, c.request, now); m >= 0 {
			i = w.memories[m].record
			w.remember(c, now, i)
		}
	} else if w.coin(4) { // it dedupes, though it does not promise to
		for k := range w.records {
			if r := &w.records[k]; r.request == c.request && r.order == c.order {
				i, replay = k, policy.FirstResult
			}
		}
	}
	switch {
	case i >= 0 && replay == policy.FirstResult:
		c.record = i
	case i >= 0:
		c.refused = true
	default:
		c.record = len(w.records)
		w.made++
		provider := "theirs-" + string(rune('0'+w.made))
		if actsOnTarget(w.payment.Operation) {
			provider = target
		}
		w.records = append(w.records, record{order: c.order, request: c.request, provider: provider, from: now, truth: policy.Pending})
		if w.dedupes() {
			w.remember(c, now, c.record)
		}
	}
	return true
}

// target is the provider's id of the payment that a capture, a cancel or a refund works on.
const target = "theirs"

func actsOnTarget(op policy.Operation) bool { return op == policy.Capture || op == policy.Cancel }

// settle makes a record's truth what an answer says. It reports whether that can be true of a time
// between asked and now: the answer may have been on its way since.
func (w *world) settle(i int, f policy.Fact, asked, now time.Time) bool {
	r := &w.records[i]
	switch f.Effect {
	case policy.Pending:
		return r.truth == policy.Pending || !asked.After(r.settled)
	case policy.NotExecuted:
		if r.truth == policy.Pending {
			r.truth, r.settled = policy.NotExecuted, now
		}
		return r.truth == policy.NotExecuted
	case policy.Executed:
		hasAmount := w.payment.Amount != 0 || w.payment.Currency != ""
		if r.truth == policy.Pending {
			r.truth, r.settled, r.other = policy.Executed, now, f.Class == policy.Mismatch || hasAmount && w.coin(4)
		}
		says := f.Class == policy.Mismatch
		return r.truth == policy.Executed && (!says || r.other) && (says || !r.other || hasAmount)
	default:
		return true
	}
}

// reply reports whether the provider can give an answer to a copy now, and takes what it says for
// the truth.
func (w *world) reply(k int, a *policy.Answer, f policy.Fact, now time.Time) bool {
	c := &w.wires[k]
	switch {
	case f.Effect == policy.Unknown:
		return true
	case f.Effect == policy.NotExecuted && (a.Fault == policy.NotSent || f.Stage == policy.Door):
		if c.over {
			return c.refused && a.Fault == policy.NoFault
		}
		c.over = true
		return true
	case !w.arrive(k, now):
		return false
	case c.refused:
		return f.Effect == policy.NotExecuted && slices.Contains(w.contract.ReplayCodes, a.Code)
	}
	return w.settle(c.record, f, c.sent, now)
}

// question is a query under way.
type question struct {
	by    policy.Identifier
	asked time.Time
	id    flow.Identity
}

func (w *world) matches(q *question, r *record) bool {
	switch q.by {
	case policy.OrderID:
		return r.order == q.id.OrderID
	case policy.RequestID:
		return r.request == q.id.RequestID
	default:
		return r.provider == q.id.ProviderID
	}
}

// mustFind reports whether the query finds a record for certain.
func (w *world) mustFind(q *question, r *record) bool {
	after := w.contract.NotFoundAfter
	if after <= 0 || r.from.After(q.asked) {
		return false
	}
	for i := range w.wires {
		if c := &w.wires[i]; c.order == r.order && q.asked.Before(c.sent.Add(after)) {
			return false
		}
	}
	return true
}

// look reports whether the provider can give an answer to a query now, and about which record; -1: about none.
func (w *world) look(q *question, f policy.Fact, now time.Time) (about int, ok bool) {
	if f.Effect == policy.Unknown {
		for i := range w.records {
			if r := &w.records[i]; f.Class == policy.NotFound && w.matches(q, r) && w.mustFind(q, r) {
				return -1, false
			}
		}
		return -1, true
	}
	about = w.choose(now, func(r *record) bool {
		return w.matches(q, r) && (r.truth == policy.Pending || r.truth == f.Effect || f.Effect == policy.Pending && !q.asked.After(r.settled))
	})
	if about < 0 {
		return -1, false
	}
	if f.Effect == policy.NotExecuted {
		for i := range w.records { // an execution that the query finds outranks the rest, and what goes on outranks a failure
			r := &w.records[i]
			if i == about || !w.matches(q, r) || !w.mustFind(q, r) {
				continue
			}
			switch {
			case r.truth == policy.Executed:
				return -1, false
			case r.truth == policy.Pending:
				r.truth, r.settled = policy.NotExecuted, now
			}
		}
	}
	return about, w.settle(about, f, q.asked, now)
}

// choose is a record that fits, or a request on its way that becomes one; -1: none.
func (w *world) choose(now time.Time, fits func(*record) bool) int {
	found := -1
	for i := range w.records {
		if r := &w.records[i]; fits(r) && (found < 0 || w.coin(2)) {
			found = i
		}
	}
	if found >= 0 {
		return found
	}
	for k := range w.wires {
		c := &w.wires[k]
		would := record{order: c.order, request: c.request, truth: policy.Pending}
		if actsOnTarget(w.payment.Operation) {
			would.provider = target
		}
		if !c.over && fits(&would) && w.arrive(k, now) && c.record >= 0 && fits(&w.records[c.record]) {
			return c.record
		}
	}
	return -1
}

// notice reports whether the provider can send a webhook now, and about which record.
func (w *world) notice(f policy.Fact, now time.Time) (about int, ok bool) {
	e := f.Effect
	if e == policy.Unknown || e == policy.Pending { // it may be out of date
		if len(w.records) == 0 {
			return w.choose(now, func(*record) bool { return true }), len(w.records) > 0
		}
		for i := range w.records {
			if about < i && w.coin(2) {
				about = i
			}
		}
		return about, true
	}
	about = w.choose(now, func(r *record) bool { return r.truth == policy.Pending || r.truth == e })
	return about, about >= 0 && w.settle(about, f, now, now)
}

// most is how many executions there can be in all: those that are known, the open records, and the
// requests on their way, each at the worst time.
func (w *world) most(now time.Time) int {
	n := 0
	for i := range w.records {
		if w.records[i].truth != policy.NotExecuted {
			n++
		}
	}
	known := len(w.memories)
	defer func() { w.memories = w.memories[:known] }()
	for range w.wires {
		next := w.mostUrgent(now)
		if next < 0 {
			break
		}
		c := &w.wires[next]
		c.record = counted
		at := now
		for w.dedupes() {
			i := w.covering(c.order, c.request, at)
			if i < 0 {
				break
			}
			at = w.memories[i].from.Add(w.contract.DedupeWindow)
		}
		if !at.After(c.latest) {
			n++
			if w.dedupes() {
				w.remember(c, at, -1)
			}
		}
	}
	for k := range w.wires {
		if w.wires[k].record == counted {
			w.wires[k].record = -1
		}
	}
	return n
}

// mostUrgent returns the copy on its way that has the least time and was not counted; -1: there is none.
func (w *world) mostUrgent(now time.Time) int {
	next := -1
	for k := range w.wires {
		if c := &w.wires[k]; !c.over && c.record != counted && !c.latest.Before(now) && (next < 0 || c.latest.Before(w.wires[next].latest)) {
			next = k
		}
	}
	return next
}

// counted marks a copy that [world.most] has counted.
const counted = -2

// paid reports whether the payment was executed as it was asked for.
func (w *world) paid() bool {
	return slices.ContainsFunc(w.records, func(r record) bool { return r.truth == policy.Executed && !r.other })
}

// resolve reports whether a person can say an effect of an identity, and takes it for the truth.
func (w *world) resolve(id *flow.Identity, e policy.Effect, under int) bool {
	if e == policy.Executed {
		for i := range w.records {
			if r := &w.records[i]; r.order == id.OrderID && r.request == id.RequestID && r.truth != policy.NotExecuted && !r.other {
				r.truth = policy.Executed
				return true
			}
		}
		return false
	}
	for i := range w.records {
		if r := &w.records[i]; r.order == id.OrderID && r.request == id.RequestID && r.truth == policy.Executed {
			return false
		}
	}
	for k := range w.wires {
		if c := &w.wires[k]; c.order == id.OrderID && c.request == id.RequestID && !c.over {
			if k == under {
				return false
			}
			c.over = true // the cancel reached it
		}
	}
	for i := range w.records {
		if r := &w.records[i]; r.order == id.OrderID && r.request == id.RequestID {
			r.truth = policy.NotExecuted
		}
	}
	return true
}
