package emulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// transaction is a request that was let in.
type transaction struct {
	owner                          *Payment
	order                          int // of being made
	orderID, requestID, providerID string
	keyed                          bool // under the provider's optional idempotency key
	amount                         int64
	currency                       string
	notify                         string // where its webhooks go; empty: wherever they go by default
	arrived, settles               time.Time
	hidden                         time.Time // until when queries do not find it
	executes                       bool
	first                          policy.Answer                  // to the call
	final                          bool                           // the first answer is the end
	waiting                        *policy.Answer                 // what queries say until then
	ends                           map[policy.Phase]policy.Answer // the replies that report its end, by phase
}

func (t *transaction) over(at time.Time) bool { return !at.Before(t.settles) }

func (t *transaction) contract() *policy.Contract { return t.owner.promises(t.keyed) }

// dedupes reports whether no second request can have this one's identifier.
func (t *transaction) dedupes(by policy.Identifier) bool {
	return slices.Contains(t.contract().Dedupe, by)
}

// index is every transaction of a provider, by each of its names. The payments of one
// provider share one.
type index struct {
	made                           []*transaction
	byRequest, byOrder, byProvider map[string][]*transaction
}

func newIndex() *index {
	return &index{byRequest: map[string][]*transaction{}, byOrder: map[string][]*transaction{}, byProvider: map[string][]*transaction{}}
}

func (b *index) add(t *transaction) {
	t.order = len(b.made)
	b.made = append(b.made, t)
	b.byRequest[t.requestID] = append(b.byRequest[t.requestID], t)
	b.byOrder[t.orderID] = append(b.byOrder[t.orderID], t)
	b.byProvider[t.providerID] = append(b.byProvider[t.providerID], t)
}

// providerID makes an id that no transaction has.
func (b *index) providerID(r *rand.Rand) string {
	for {
		if id := fmt.Sprint(4_000_000_000 + r.Int64N(999_999_999)); len(b.byProvider[id]) == 0 {
			return id
		}
	}
}

// duplicate finds the first transaction that a request repeats, by what the contract
// dedupes: request ids across all orders, order ids within their space.
func (b *index) duplicate(pay *Payment, in *arrival) *transaction {
	var first *transaction
	look := func(all []*transaction, by policy.Identifier) {
		for _, t := range all {
			if t.dedupes(by) && (by != policy.OrderID || t.owner.space == pay.space) && (first == nil || t.order < first.order) {
				first = t
			}
		}
	}
	for _, by := range pay.promises(in.keyed).Dedupe {
		switch {
		case by == policy.RequestID && in.requestID != "":
			look(b.byRequest[in.requestID], by)
		case by == policy.OrderID && in.orderID != "":
			look(b.byOrder[in.orderID], by)
		}
	}
	return first
}

// queryKey is what a query asks about: the identifiers that it names.
type queryKey struct {
	operations                     []policy.Operation
	orderID, requestID, providerID string
}

// find returns the latest transaction that a queryKey means, of those that have arrived.
func (b *index) find(at time.Time, q *queryKey) *transaction {
	all := b.byOrder[q.orderID]
	switch {
	case q.requestID != "":
		all = b.byRequest[q.requestID]
	case q.orderID == "":
		all = b.byProvider[q.providerID]
	}
	for _, t := range slices.Backward(all) {
		if t.arrived.After(at) || t.hidden.After(at) || !slices.Contains(q.operations, t.owner.of.Operation) {
			continue
		}
		if (q.orderID == "" || q.orderID == t.orderID) && (q.requestID == "" || q.requestID == t.requestID) &&
			(q.providerID == "" || q.providerID == t.providerID) {
			return t
		}
	}
	return nil
}
