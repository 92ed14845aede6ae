package flow_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// What the world says is written in the code of its answers; said is what each code
// proves by itself.
var said = map[string]policy.Fact{
	"executed":  {Effect: policy.Executed, Class: policy.Success, Stage: policy.Result},
	"disputed":  {Effect: policy.Executed, Class: policy.Disputed, Stage: policy.Result},
	"failed":    {Effect: policy.NotExecuted, Class: policy.IssuerDeclined, Stage: policy.Result},
	"pending":   {Effect: policy.Pending, Class: policy.Processing, Stage: policy.Result},
	"refused":   {Effect: policy.NotExecuted, Class: policy.Maintenance, Stage: policy.Door},
	"duplicate": {Effect: policy.NotExecuted, Class: policy.DuplicateRequest, Stage: policy.Result},
	"not_found": {Effect: policy.Unknown, Class: policy.NotFound, Stage: policy.Door},
	"odd":       {Effect: policy.Unknown, Class: policy.ProviderError, Stage: policy.Result},
}

// says is what a record is known for at a time.
func (r *record) says(at time.Time) string {
	switch {
	case r.ends.After(at):
		return "pending"
	case r.executes:
		return "executed"
	}
	return "failed"
}

// tell writes an answer about a record, naming it as the names say.
func (w *world) tell(code string, r *record, names []policy.Identifier) policy.Answer {
	a := policy.Answer{Code: code}
	if r == nil {
		return a
	}
	for _, n := range names {
		switch n {
		case policy.OrderID:
			a.OrderID = r.order
		case policy.RequestID:
			a.RequestID = r.request
		case policy.ProviderID:
			a.ProviderID = r.provider
		}
	}
	if code == "executed" {
		if a.Amount = w.amount; r.short {
			a.Amount--
		}
	}
	return a
}

var naming = rapid.SampledFrom([][]policy.Identifier{
	nil, {policy.OrderID}, {policy.OrderID, policy.RequestID}, {policy.OrderID, policy.ProviderID}, {policy.ProviderID},
})

// answer is what comes back for a request, at the earliest at a time, and when.
func (w *world) answer(p *packet, from, deadline time.Time) (policy.Answer, time.Time) {
	at := earlier(from.Add(moments.Draw(w.t, "answer after")), deadline)
	if p.notSent {
		return policy.Answer{Fault: policy.NotSent}, at
	}
	w.pass(at)
	if !p.arrived || rare(w.t, "answer lost", 2) {
		switch {
		case rare(w.t, "reset", 2):
			return policy.Answer{Fault: policy.Reset}, at
		case rare(w.t, "odd", 2):
			return policy.Answer{Code: "odd"}, at
		}
		w.pass(deadline)
		return policy.Answer{Fault: policy.Timeout}, deadline
	}
	if p.says != "" {
		return policy.Answer{Code: p.says}, at
	}
	return w.tell(p.record.says(at), p.record, naming.Draw(w.t, "names")), at
}

// missesSome lets a query find one request under an order and overlook another. The
// machine takes a query that is asked when every request has arrived to see them all;
// switched on, this shows a failed flow whose second request executed.
const missesSome = false

// look answers a query as of now.
func (w *world) look(by policy.Identifier, id *flow.Identity) policy.Answer {
	switch {
	case rare(w.t, "no answer", 4):
		return policy.Answer{Fault: policy.Timeout}
	case rare(w.t, "refused", 4):
		return policy.Answer{Code: "refused"} // the query itself
	case rare(w.t, "about another", 4):
		return policy.Answer{Code: "executed", OrderID: "o-somebody"}
	}
	var found *record
	there := false
	rank := map[string]int{"failed": 1, "pending": 2, "executed": 3}
	for _, r := range w.records {
		match := map[policy.Identifier]bool{
			policy.OrderID: r.order == id.OrderID, policy.RequestID: r.request == id.RequestID, policy.ProviderID: r.provider == id.ProviderID,
		}[by]
		there = there || match
		if match && (!missesSome || !w.overlooks(r)) && (found == nil || rank[r.says(w.clock)] > rank[found.says(w.clock)]) {
			found = r
		}
	}
	switch {
	case !there && by == policy.ProviderID:
		// An id of the provider that is not ours: the payment of another customer, and it is paid.
		return policy.Answer{Code: "executed", ProviderID: id.ProviderID, Amount: w.amount}
	case found == nil || w.overlooks(found):
		return policy.Answer{Code: "not_found"}
	}
	return w.tell(found.says(w.clock), found, naming.Draw(w.t, "names"))
}

// overlooks: until the contract's time, and for ever if it names none, a query may
// not find what is there.
func (w *world) overlooks(r *record) bool {
	early := w.contract.NotFoundAfter == 0 || w.clock.Before(r.findable)
	return early && coin.Draw(w.t, "overlooks")
}

// notice is a webhook: true, forged, or about another payment. ok is false when there is
// nothing to report.
func (w *world) notice(s *flow.State) (a policy.Answer, ok bool) {
	switch {
	case rare(w.t, "forged", 2):
		a = policy.Answer{Code: rapid.SampledFrom([]string{"executed", "failed", "disputed", "pending"}).Draw(w.t, "forged")}
		a.OrderID = s.Ledger[rapid.IntRange(0, len(s.Ledger)-1).Draw(w.t, "of")].OrderID
		if coin.Draw(w.t, "forged id") {
			a.ProviderID = "P-forger"
		}
		return a, true
	case rare(w.t, "about another", 3):
		return policy.Answer{Code: "executed", OrderID: "o-somebody", Verified: true}, true
	case len(w.records) == 0:
		return a, false
	}
	r := w.records[rapid.IntRange(0, len(w.records)-1).Draw(w.t, "about")]
	// What it was known for then, or at any time since: messages overtake each other.
	then := r.from.Add(time.Duration(rapid.IntRange(0, 2).Draw(w.t, "told")) * w.clock.Sub(r.from) / 2)
	names := naming.Filter(func(n []policy.Identifier) bool { return n != nil }).Draw(w.t, "names")
	a = w.tell(r.says(then), r, names)
	a.Verified = true
	return a, true
}
