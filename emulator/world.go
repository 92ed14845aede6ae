package emulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Fate is what becomes of the transactions of a world.
type Fate struct {
	Executes    bool          // else it is declined
	Settles     time.Duration // after it arrived; 0: at once, within the call
	Murky       bool          // the call is answered by something that proves nothing
	Refusals    int           // so many arrivals are refused at the door first
	RefusedAs   []policy.Class
	HookDelay   time.Duration // from the end to the first webhook
	HookRepeats int           // further webhooks of the same
}

// Execution is one movement of money.
type Execution struct {
	OrderID   string
	RequestID string
	Amount    int64
	At        time.Time
}

// Hook is a webhook and when it is sent.
type Hook struct {
	At        time.Time
	OrderID   string
	RequestID string
	Answer    policy.Answer
}

// World is one payment at one provider.
type World struct {
	cat      *providers.Catalog
	contract policy.Contract
	payment  policy.Payment
	fate     Fate
	speech   *speech
	rand     *rand.Rand
	made     []*transaction
	refused  int
}

type transaction struct {
	orderID, requestID, providerID string
	arrived, settles               time.Time
	executes                       bool
	first                          policy.Answer                  // to the call
	final                          bool                           // the first answer is the end
	waiting                        *policy.Answer                 // what queries say until then
	ends                           map[policy.Phase]policy.Answer // how its end is told
}

// New makes a world for one payment. keyed: the client sends the optional idempotency
// key. ok is false when the provider has no words for the operation.
func New(cat *providers.Catalog, p policy.Payment, f Fate, keyed bool, r *rand.Rand) (w *World, ok bool) {
	contract := cat.Contract(p.Operation)
	if keyed {
		contract, _ = cat.WithIdempotencyKey(contract)
	}
	w = &World{cat: cat, contract: contract, payment: p, fate: f, speech: speechFor(cat, p), rand: r}
	if !w.speech.canSucceed() {
		w.fate.Executes = false // what could never be told is not done
	}
	_, ok = w.speech.pick(r, policy.Send, func(p *phrase) bool { return p.fact.Effect != policy.Unknown })
	return w, ok
}

// Contract is what the emulated provider keeps to.
func (w *World) Contract() policy.Contract { return w.contract }

// Arrive processes a request that reaches the provider, and returns its answer.
func (w *World) Arrive(at time.Time, orderID, requestID string) policy.Answer {
	if dup := w.duplicate(orderID, requestID); dup != nil {
		return w.replay(dup, at, requestID)
	}
	if w.refused < w.fate.Refusals {
		if p, ok := w.speech.pick(w.rand, policy.Send, effect(policy.NotExecuted, policy.Door, w.fate.RefusedAs...)); ok {
			w.refused++
			return w.name(p.answer, orderID, requestID, "")
		}
		w.refused = w.fate.Refusals
	}
	t := &transaction{
		orderID: orderID, requestID: requestID, providerID: fmt.Sprint(4_000_000_000 + w.rand.Int64N(999_999_999)),
		arrived: at, settles: at.Add(w.fate.Settles), executes: w.fate.Executes, ends: map[policy.Phase]policy.Answer{},
	}
	w.made = append(w.made, t)
	t.first = w.firstAnswer(t)
	return t.first
}

// duplicate finds the transaction that a request repeats, by what the contract dedupes.
func (w *World) duplicate(orderID, requestID string) *transaction {
	for _, t := range w.made {
		for _, by := range w.contract.Dedupe {
			if by == policy.OrderID && t.orderID == orderID || by == policy.RequestID && t.requestID == requestID {
				return t
			}
		}
	}
	return nil
}

// replay answers a request that was seen before.
func (w *World) replay(t *transaction, at time.Time, requestID string) policy.Answer {
	sameRequest := t.requestID == requestID
	if sameRequest && w.contract.Replay == policy.FirstResult && t.over(at) {
		if t.final {
			return t.first
		}
		return w.last(t, policy.Send)
	}
	class := policy.DuplicateOrder
	if sameRequest {
		class = policy.DuplicateRequest
	}
	for _, c := range []policy.Class{class, policy.DuplicateOrder, policy.DuplicateRequest} {
		if p, ok := w.speech.pick(w.rand, policy.Send, func(p *phrase) bool {
			return effect(policy.Unknown, policy.Door, c)(p) && (len(w.contract.ReplayCodes) == 0 || slices.Contains(w.contract.ReplayCodes, p.answer.Code))
		}); ok {
			return w.name(p.answer, t.orderID, requestID, "")
		}
	}
	return w.name(policy.Answer{Phase: policy.Send, HTTPStatus: 409}, t.orderID, requestID, "")
}

func (t *transaction) over(at time.Time) bool { return !at.Before(t.settles) }

func (w *World) firstAnswer(t *transaction) policy.Answer {
	if w.fate.Murky {
		if p, ok := w.speech.pick(w.rand, policy.Send, func(p *phrase) bool {
			return p.fact.Effect == policy.Unknown && misses(p.fact.Class)
		}); ok {
			return w.name(p.answer, t.orderID, t.requestID, "")
		}
	}
	if t.settles.Equal(t.arrived) {
		if a, ok := w.end(t, policy.Send); ok {
			t.final = true
			return a
		}
	}
	if p, ok := w.speech.pick(w.rand, policy.Send, underWay(t.executes)); ok {
		return w.name(p.answer, t.orderID, t.requestID, t.providerID)
	}
	if a, ok := w.end(t, policy.Send); ok { // no words for "in process": it ends at once
		t.settles, t.final = t.arrived, true
		return a
	}
	return w.name(policy.Answer{Phase: policy.Send, HTTPStatus: 200}, t.orderID, t.requestID, "")
}

// misses reports whether a reason can be said of a request that was processed.
func misses(c policy.Class) bool {
	switch c {
	case policy.ProviderError, policy.ChannelError, policy.NetworkError, policy.Processing:
		return true
	default:
		return false
	}
}

// end is how a settled transaction is told in a phase.
func (w *World) end(t *transaction, ph policy.Phase) (policy.Answer, bool) {
	if a, ok := t.ends[ph]; ok {
		return a, true
	}
	want := effect(policy.Executed, policy.Result, policy.Success, policy.Authorized, policy.Cancelled, policy.AlreadyDone)
	if !t.executes {
		want = effect(policy.NotExecuted, policy.Result)
		for _, said := range t.ends { // the same reason in every phase, if it has one
			reason := said
			if p, ok := w.speech.pick(w.rand, ph, func(p *phrase) bool {
				return p.fact.Effect == policy.NotExecuted && p.answer.Code == reason.Code && p.answer.SubCode == reason.SubCode && p.answer.Status == reason.Status
			}); ok {
				return w.name(p.answer, t.orderID, t.requestID, t.providerID), true
			}
		}
	}
	p, ok := w.speech.pick(w.rand, ph, want)
	if !ok {
		return policy.Answer{}, false
	}
	a := w.name(p.answer, t.orderID, t.requestID, t.providerID)
	t.ends[ph] = a
	return a, true
}

// last is what the provider says of a settled transaction, in a phase that may have no
// words for its end.
func (w *World) last(t *transaction, ph policy.Phase) policy.Answer {
	if a, ok := w.end(t, ph); ok {
		return a
	}
	if p, ok := w.speech.pick(w.rand, ph, func(p *phrase) bool { return !p.fact.Effect.Settled() && p.fact.Stage == policy.Result }); ok {
		return w.name(p.answer, t.orderID, t.requestID, t.providerID)
	}
	return w.name(policy.Answer{Phase: ph, HTTPStatus: 200}, t.orderID, t.requestID, t.providerID)
}

// Query answers a question about an order, or about one request of it.
func (w *World) Query(at time.Time, orderID, requestID string) policy.Answer {
	var found *transaction
	for _, t := range w.made {
		if t.orderID == orderID && !t.arrived.After(at) && (requestID == "" || requestID == t.requestID) {
			found = t
		}
	}
	switch {
	case found == nil:
		if p, ok := w.speech.pick(w.rand, policy.Query, effect(policy.Unknown, policy.Door, policy.NotFound)); ok {
			return w.name(p.answer, orderID, requestID, "")
		}
		return w.name(policy.Answer{Phase: policy.Query, HTTPStatus: 404}, orderID, requestID, "")
	case found.over(at):
		return w.last(found, policy.Query)
	}
	return w.underWay(found)
}

// underWay is what a query says of a transaction before its end, the same every time
// but for a shopper's try that failed.
func (w *World) underWay(t *transaction) policy.Answer {
	tries := func(p *phrase) bool { return p.fact.Reach == policy.OneAttempt }
	if w.rand.IntN(8) == 0 {
		if p, ok := w.speech.pick(w.rand, policy.Query, tries); ok {
			return w.name(p.answer, t.orderID, t.requestID, t.providerID)
		}
	}
	if t.waiting == nil {
		p, ok := w.speech.pick(w.rand, policy.Query, underWay(t.executes))
		if !ok {
			p, ok = w.speech.pick(w.rand, policy.Query, effect(policy.Unknown, policy.Result, policy.NotYet, policy.Processing))
		}
		if !ok {
			p.answer = policy.Answer{Phase: policy.Query, HTTPStatus: 200}
		}
		t.waiting = &p.answer
	}
	return w.name(*t.waiting, t.orderID, t.requestID, t.providerID)
}

// Hooks lists the webhooks that the world sends, in no order.
func (w *World) Hooks() []Hook {
	var all []Hook
	if !w.contract.Webhook {
		return nil
	}
	for _, t := range w.made {
		if t.final {
			continue // it was told in the answer
		}
		a, ok := w.end(t, policy.Webhook)
		if !ok {
			continue
		}
		a.Verified = true
		for i := range 1 + w.fate.HookRepeats {
			at := t.settles.Add(w.fate.HookDelay).Add(time.Duration(i) * 7 * time.Minute)
			all = append(all, Hook{At: at, OrderID: t.orderID, RequestID: t.requestID, Answer: a})
		}
	}
	return all
}

// Ledger lists the money that has moved by a time.
func (w *World) Ledger(until time.Time) []Execution {
	var all []Execution
	for _, t := range w.made {
		if t.executes && !t.settles.After(until) {
			all = append(all, Execution{OrderID: t.orderID, RequestID: t.requestID, Amount: w.payment.Amount, At: t.settles})
		}
	}
	return all
}

// Body writes an answer in the provider's envelope; ok is false where it has none.
func (w *World) Body(a *policy.Answer, at time.Time) (body []byte, ok bool) {
	return w.cat.Body(w.payment.Operation, a, at)
}

func (w *World) name(a policy.Answer, orderID, requestID, providerID string) policy.Answer {
	a.OrderID, a.RequestID, a.ProviderID = orderID, requestID, providerID
	if providerID != "" {
		a.Amount, a.Currency = w.payment.Amount, w.payment.Currency
	}
	return a
}
