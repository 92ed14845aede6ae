package emulator

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Fate is what becomes of the transactions of a payment.
type Fate struct {
	Executes  bool           // else it is declined
	Settles   time.Duration  // after it arrived; 0: at once, within the call
	Murky     bool           // the call is answered by something that proves nothing
	Refusals  int            // so many arrivals are refused at the door first
	RefusedAs []policy.Class // for one of these reasons; none: for any
	HookDelay time.Duration  // from the end to the webhook
}

// Execution is one movement of money, or whatever else an operation brings about.
type Execution struct {
	Operation  policy.Operation `json:"operation"`
	OrderID    string           `json:"order_id"`
	RequestID  string           `json:"request_id"`
	ProviderID string           `json:"provider_id"`
	Amount     int64            `json:"amount"` // ISO 4217 minor units; 0: the request named none
	Currency   string           `json:"currency,omitempty"`
	At         time.Time        `json:"at"`
}

// Hook is a webhook and when it is sent. Answer.Verified says whether its signature is good.
type Hook struct {
	At        time.Time
	Operation policy.Operation
	OrderID   string
	RequestID string
	URL       string // that the request named; empty: none
	Answer    policy.Answer
	Body      []byte // as it is sent, before it is signed
	Fault     FaultKind
}

// World is one payment at one provider, in virtual time and without faults. It is not
// safe for concurrent use; [Provider] is.
type World struct {
	cat      *providers.Catalog
	contract policy.Contract
	keyed    bool
	withKey  policy.Contract
	space    string // of order ids
	payment  policy.Payment
	fate     Fate
	speech   *speech
	rand     *rand.Rand
	book     *book
	refused  int
}

// arrival is a request that reaches the provider.
type arrival struct {
	orderID, requestID, providerID string
	keyed                          bool
	amount                         int64
	currency                       string
	notify                         string
	hidden                         time.Duration // after it arrived; queries find nothing until then
}

// New makes a world for one payment. keyed: the client sends the optional idempotency
// key. ok is false when the provider has no words for the operation.
func New(cat *providers.Catalog, p policy.Payment, f Fate, keyed bool, r *rand.Rand) (w *World, ok bool) {
	w, ok = newWorld(cat, p, f, r, newBook())
	w.keyed = keyed
	return w, ok
}

func newWorld(cat *providers.Catalog, p policy.Payment, f Fate, r *rand.Rand, b *book) (w *World, ok bool) {
	w = &World{
		cat: cat, contract: cat.Contract(p.Operation), space: cat.OrderIDSpace(p.Operation),
		payment: p, fate: f, speech: speechFor(cat, p), rand: r, book: b,
	}
	w.withKey, _ = cat.WithIdempotencyKey(w.contract)
	if !w.speech.canSucceed() {
		w.fate.Executes = false // what could never be told is not done
	}
	_, ok = w.speech.pick(r, policy.Send, func(p *phrase) bool { return p.fact.Effect != policy.Unknown })
	return w, ok
}

// Contract is what the emulated provider keeps to.
func (w *World) Contract() policy.Contract { return *w.promises(w.keyed) }

func (w *World) promises(keyed bool) *policy.Contract {
	if keyed {
		return &w.withKey
	}
	return &w.contract
}

// Arrive processes a request that reaches the provider, and returns its answer.
func (w *World) Arrive(at time.Time, orderID, requestID string) policy.Answer {
	a, _ := w.arrive(at, &arrival{
		orderID: orderID, requestID: requestID, keyed: w.keyed, amount: w.payment.Amount, currency: w.payment.Currency,
	})
	return a
}

// arrive is Arrive; made is the transaction, if the request was let in and is no repetition.
func (w *World) arrive(at time.Time, in *arrival) (a policy.Answer, made *transaction) {
	if dup := w.book.duplicate(w, in); dup != nil {
		return w.replay(dup, at, in), nil
	}
	if w.refused < w.fate.Refusals {
		if p, ok := w.speech.pick(w.rand, policy.Send, effect(policy.NotExecuted, policy.Door, w.fate.RefusedAs...)); ok {
			w.refused++
			return name(p.answer, in.orderID, in.requestID), nil
		}
		w.refused = w.fate.Refusals
	}
	t := &transaction{
		world: w, orderID: in.orderID, requestID: in.requestID, providerID: in.providerID, keyed: in.keyed,
		amount: in.amount, currency: in.currency, notify: in.notify, arrived: at, settles: at.Add(w.fate.Settles),
		hidden: at.Add(in.hidden), executes: w.fate.Executes, ends: map[policy.Phase]policy.Answer{},
	}
	if t.providerID == "" {
		t.providerID = w.book.providerID(w.rand)
	}
	w.book.add(t)
	t.first = w.firstAnswer(t)
	return t.first, t
}

// replay answers a request that was seen before.
func (w *World) replay(t *transaction, at time.Time, in *arrival) policy.Answer {
	contract, sameRequest := w.promises(in.keyed), t.requestID == in.requestID
	if sameRequest && t.world.payment.Operation == w.payment.Operation && contract.Replay == policy.FirstResult && t.over(at) {
		if t.final {
			return t.first
		}
		return t.last(policy.Send)
	}
	class := policy.DuplicateOrder
	if sameRequest {
		class = policy.DuplicateRequest
	}
	for _, c := range []policy.Class{class, policy.DuplicateOrder, policy.DuplicateRequest} {
		if p, ok := w.speech.pick(w.rand, policy.Send, func(p *phrase) bool {
			return effect(policy.Unknown, policy.Door, c)(p) && (len(contract.ReplayCodes) == 0 || slices.Contains(contract.ReplayCodes, p.answer.Code))
		}); ok {
			return name(p.answer, t.orderID, in.requestID)
		}
	}
	return name(policy.Answer{Phase: policy.Send, HTTPStatus: 409}, t.orderID, in.requestID)
}

// Query answers a question about an order, or about one request of it.
func (w *World) Query(at time.Time, orderID, requestID string) policy.Answer {
	q := &question{operations: []policy.Operation{w.payment.Operation}, orderID: orderID, requestID: requestID}
	if t := w.book.find(at, q); t != nil {
		return t.asked(at)
	}
	return w.speech.notFound(w.rand, q)
}

// Hooks lists the webhooks that the world sends, in no order.
func (w *World) Hooks() []Hook {
	var all []Hook
	for _, t := range w.book.made {
		if h, ok := t.hook(); ok {
			all = append(all, h)
		}
	}
	return all
}

// Ledger lists the money that has moved by a time.
func (w *World) Ledger(until time.Time) []Execution { return w.book.ledger(until) }

// Body writes an answer in the provider's envelope; ok is false where it has none.
func (w *World) Body(a *policy.Answer, at time.Time) (body []byte, ok bool) {
	return w.cat.Body(w.payment.Operation, a, at)
}

// name says which request a refusal is about.
func name(a policy.Answer, orderID, requestID string) policy.Answer {
	a.OrderID, a.RequestID = orderID, requestID
	return a
}
