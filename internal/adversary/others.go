package adversary

import (
	"slices"

	"github.com/recourse-pay/recourse/policy"
)

// nameOther makes an answer one about another payment: of another shopper, or of another operation of
// the same trade.
func (w *walker) nameOther(a *policy.Answer) {
	a.OrderID, a.RequestID = "o-other", one(w.Rand, "", "r-other")
	a.ProviderID = one(w.Rand, "", "theirs-other")
	a.Amount = one(w.Rand, 0, int64(7))
}

// nameStranger makes an answer one about a request of another client under one of our orders.
func (w *walker) nameStranger(a *policy.Answer, order string) {
	a.OrderID, a.RequestID = order, strangersRequest
	if !actsOnTarget(w.payment.Operation) { // else other requests of the order are expected
		w.world.foreign = true
	}
}

// nameEarlier makes an answer that settles nothing one that names an earlier request of the order: as the one that a refused request
// repeats, say.
func (w *walker) nameEarlier(a *policy.Answer, order string) {
	if n := w.mood.earlier; n == 0 || w.IntN(n) > 0 || len(w.state.Ledger) < 2 {
		return
	}
	id := &w.state.Ledger[w.IntN(len(w.state.Ledger)-1)]
	if id.OrderID != order {
		return
	}
	a.OrderID, a.RequestID, a.ProviderID = id.OrderID, id.RequestID, ""
	w.seen.earlier++
}

// strangersRequest names a request of another client.
const strangersRequest = "r-stranger"

// refusesOther reports whether an answer is to be about another amount: a refusal that names one, or a "not found", is about something else,
// so it can come whatever became of our requests, and settles none of them.
func (w *walker) refusesOther(s *said) bool {
	refuses := s.fact.Effect == policy.NotExecuted || s.fact.Class == policy.NotFound && s.fact.Effect == policy.Unknown
	return refuses && s.answer.Fault == policy.NoFault && w.payment.Amount != 0 && w.IntN(10) == 0
}

// missesOne makes "not found" an answer about one request of the order that was asked for, if the provider can say that of it. It says
// nothing of the others.
func (w *walker) missesOne(q *question, a *policy.Answer) bool {
	id := &w.state.Ledger[w.IntN(len(w.state.Ledger))]
	if id.OrderID != q.id.OrderID || slices.ContainsFunc(w.world.records, func(r record) bool {
		return r.order == id.OrderID && r.request == id.RequestID && w.world.mustFind(q, &r)
	}) {
		return false
	}
	a.OrderID, a.RequestID = id.OrderID, id.RequestID
	return true
}
