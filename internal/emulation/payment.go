package emulation

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Fate is what becomes of the transactions of a payment.
type Fate struct {
	Executes     bool           // else it is declined
	Settles      time.Duration  // after it arrived; 0: at once, within the call
	Murky        bool           // the call is answered by something that proves nothing
	Refusals     int            // so many arrivals are refused at the door first
	RefusedAs    []policy.Class // for one of these reasons; none: for any
	WebhookDelay time.Duration  // from the end to the webhook
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

// Webhook is a webhook and when it is sent. Answer.Verified says whether its signature is good.
type Webhook struct {
	At        time.Time
	Operation policy.Operation
	OrderID   string
	RequestID string
	URL       string // that the request named; empty: none
	Answer    policy.Answer
	Header    map[string]string
	Body      []byte // as it is sent, before it is signed; a query string where the provider's notices are one
	Fault     FaultKind
}

// Payment is one payment at one provider, in virtual time and without faults. It is not
// safe for concurrent use; [Provider] is.
type Payment struct {
	cat      *providers.Catalog
	contract policy.Contract
	keyed    bool
	withKey  policy.Contract
	space    string // of order ids
	of       policy.Payment
	fate     Fate
	replies  *replySet
	rand     *rand.Rand
	index    *index
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

// NewPayment makes one payment at a provider. keyed: the client sends the optional idempotency
// key. ok is false when the catalogue has no replies for the operation.
func NewPayment(cat *providers.Catalog, p policy.Payment, f Fate, keyed bool, r *rand.Rand) (pay *Payment, ok bool) {
	pay, ok = newPayment(cat, p, f, r, newIndex())
	pay.keyed = keyed
	return pay, ok
}

func newPayment(cat *providers.Catalog, p policy.Payment, f Fate, r *rand.Rand, b *index) (pay *Payment, ok bool) {
	pay = &Payment{
		cat: cat, contract: cat.Contract(p.Operation), space: cat.OrderIDSpace(p.Operation),
		of: p, fate: f, replies: repliesFor(cat, p), rand: r, index: b,
	}
	pay.withKey, _ = cat.WithIdempotencyKey(pay.contract)
	if !pay.replies.canSucceed() {
		pay.fate.Executes = false // an execution that no reply can report does not happen
	}
	_, ok = pay.replies.pick(r, policy.Send, func(p *sample) bool { return p.fact.Effect != policy.Unknown })
	return pay, ok
}

// Contract is what the emulated provider follows.
func (pay *Payment) Contract() policy.Contract { return *pay.promises(pay.keyed) }

func (pay *Payment) promises(keyed bool) *policy.Contract {
	if keyed {
		return &pay.withKey
	}
	return &pay.contract
}

// Arrive processes a request that reaches the provider, and returns its answer.
func (pay *Payment) Arrive(at time.Time, orderID, requestID string) policy.Answer {
	a, _ := pay.arrive(at, &arrival{
		orderID: orderID, requestID: requestID, keyed: pay.keyed, amount: pay.of.Amount, currency: pay.of.Currency,
	})
	return a
}

// arrive is Arrive; made is the transaction, if the request was let in and is no repetition.
func (pay *Payment) arrive(at time.Time, in *arrival) (a policy.Answer, made *transaction) {
	if dup := pay.index.duplicate(pay, in); dup != nil {
		return pay.replay(dup, at, in), nil
	}
	if pay.refused < pay.fate.Refusals {
		if p, ok := pay.replies.pick(pay.rand, policy.Send, effect(policy.NotExecuted, policy.Door, pay.fate.RefusedAs...)); ok {
			pay.refused++
			return name(p.answer, in.orderID, in.requestID), nil
		}
		pay.refused = pay.fate.Refusals
	}
	t := &transaction{
		owner: pay, orderID: in.orderID, requestID: in.requestID, providerID: in.providerID, keyed: in.keyed,
		amount: in.amount, currency: in.currency, notify: in.notify, arrived: at, settles: at.Add(pay.fate.Settles),
		hidden: at.Add(in.hidden), executes: pay.fate.Executes, ends: map[policy.Phase]policy.Answer{},
	}
	if t.providerID == "" {
		t.providerID = pay.index.providerID(pay.rand)
	}
	pay.index.add(t)
	t.first = pay.firstAnswer(t)
	return t.first, t
}

// replay answers a request that was seen before.
func (pay *Payment) replay(t *transaction, at time.Time, in *arrival) policy.Answer {
	contract, sameRequest := pay.promises(in.keyed), t.requestID == in.requestID
	if sameRequest && t.owner.of.Operation == pay.of.Operation && contract.Replay == policy.FirstResult && t.over(at) {
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
		if p, ok := pay.replies.pick(pay.rand, policy.Send, func(p *sample) bool {
			return effect(policy.Unknown, policy.Door, c)(p) && (len(contract.ReplayCodes) == 0 || slices.Contains(contract.ReplayCodes, p.answer.Code))
		}); ok {
			return name(p.answer, t.orderID, in.requestID)
		}
	}
	return name(policy.Answer{Phase: policy.Send, HTTPStatus: 409}, t.orderID, in.requestID)
}

// Query answers a queryKey about an order, or about one request of it.
func (pay *Payment) Query(at time.Time, orderID, requestID string) policy.Answer {
	q := &queryKey{operations: []policy.Operation{pay.of.Operation}, orderID: orderID, requestID: requestID}
	if t := pay.index.find(at, q); t != nil {
		return t.queryReply(at)
	}
	return pay.replies.notFound(pay.rand, q)
}

// Webhooks lists the webhooks that the provider sends, in no order.
func (pay *Payment) Webhooks() []Webhook {
	var all []Webhook
	for _, t := range pay.index.made {
		if h, ok := t.hook(); ok {
			all = append(all, h)
		}
	}
	return all
}

// Ledger lists the money that has moved by a time.
func (pay *Payment) Ledger(until time.Time) []Execution { return pay.index.ledger(until) }

// Body writes an answer in the provider's envelope; ok is false where it has none.
func (pay *Payment) Body(a *policy.Answer, at time.Time) (body []byte, ok bool) {
	return pay.cat.Body(pay.of.Operation, a, at)
}

// name says which request a refusal is about.
func name(a policy.Answer, orderID, requestID string) policy.Answer {
	a.OrderID, a.RequestID = orderID, requestID
	return a
}
