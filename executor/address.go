package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// addressee is a flow that a webhook may be about.
type addressee struct {
	id    string
	key   journal.Key
	exact bool // the webhook names an identity of the flow; else only one of its orders, with an unknown request

	byRequest bool // the webhook names a request, and not only an order or a trade

	// settles says that the webhook would prove what became of that identity.
	settles bool
}

// addressee is the flow as one that a webhook may be about; ok is false when it names nothing of
// the flow. Names are compared within the flow's operation, and each kind of id with its own kind:
// a payout may have the number of a checkout. The lock is held, or the flow is not shared.
func (d *decoding) addressee(r *run, s *flow.State) (to addressee, ok bool) {
	if !d.receives(r.key()) {
		return to, false
	}
	a := d.answer(&r.req.Payment)
	if len(s.Ledger) == 0 { // accepted, and not sent yet
		s = &flow.State{Payment: s.Payment, Ledger: []flow.Identity{{OrderID: r.req.OrderID, RequestID: r.req.RequestID}}}
	}
	exact, order := s.Names(&a)
	effect := r.rules.Judge(&r.req.Payment, &a).Effect
	return addressee{id: r.id, key: r.key(), exact: exact, byRequest: a.RequestID != "", settles: exact && effect.Settled()}, exact || order
}

// receives reports whether the webhook can be about flows of a key: its merchant and its
// operation.
func (d *decoding) receives(k journal.Key) bool {
	w := d.w
	return (w.Merchant == "" || w.Merchant == k.Merchant) && (len(w.Operations) == 0 || slices.Contains(w.Operations, k.Operation))
}

// relevant drops the flows of which only an order is named, if the webhook is another flow's, or
// may be another merchant's: order numbers are unique for one merchant only.
func relevant(all []addressee, w *Webhook) []addressee {
	exact := slices.ContainsFunc(all, func(to addressee) bool { return to.exact })
	return slices.DeleteFunc(all, func(to addressee) bool {
		return !to.exact && (exact || w.Merchant == "" && to.key.Merchant != "")
	})
}

// ambiguous reports whether a webhook would prove something of several payments, although it is
// about one. A capture or a cancel works on the trade of a payment, and news of the trade is news
// of both; news of a request is not.
func ambiguous(all []addressee) bool {
	for i := range all {
		for j := range all[:i] {
			a, b := &all[i], &all[j]
			request := a.byRequest && b.byRequest // it belongs to one of them, whatever it would prove of the other
			switch {
			case !a.settles && !b.settles || a.id == b.id || a.key == b.key && a.key.Payment != "":
			case request || a.key.Merchant != b.key.Merchant:
				return true
			case a.settles && b.settles && !ofTrade(a.key.Operation, b.key.Operation):
				return true
			}
		}
	}
	return false
}

// onTrade reports whether an operation works on the trade of an earlier payment.
func onTrade(op policy.Operation) bool { return op == policy.Capture || op == policy.Cancel }

// ofTrade reports whether one of two operations makes a trade and the other works on it.
func ofTrade(a, b policy.Operation) bool {
	makes := func(op policy.Operation) bool { return op == policy.Pay || op == policy.Checkout }
	return makes(a) && onTrade(b) || makes(b) && onTrade(a)
}

func idsOf(all []addressee) []string {
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].id
	}
	return ids
}

// findFlows lists the flows that a webhook may be about.
func (x *Executor) findFlows(ctx context.Context, d *decoding) ([]addressee, error) {
	w := d.w
	names, known := d.names()
	switch {
	case !known:
		return nil, fmt.Errorf("executor: Webhook.Provider is %q; it must be a provider that the rules know", w.Provider)
	case len(names) == 0:
		return nil, nil
	case x.cfg.Journal != nil:
		return x.findInJournal(ctx, d, names)
	}
	var found []addressee
	for _, r := range x.findByName(w.Provider, names) {
		r.mu.Look()
		to, ok := d.addressee(r, &r.state)
		r.mu.Unlock()
		if ok {
			found = append(found, to)
		}
	}
	return found, nil
}

// findInJournal lists the flows by name, of each payment key only the last that has sent
// something: it knows the identities of all flows before it. A row that cannot be read is an
// error beside the flows of other keys and merchants, and does not keep the message from them.
func (x *Executor) findInJournal(ctx context.Context, d *decoding, names []string) ([]addressee, error) {
	rows, err := x.cfg.Journal.Named(ctx, d.w.Provider, names...)
	errs := []error{err}
	last := map[journal.Key]int{}
	flows := make([]*run, len(rows))
	for i := range rows {
		k := rows[i].Key
		if !d.receives(k) {
			continue
		}
		r, err := x.read(&rows[i])
		if err != nil {
			errs = append(errs, err)
			last[k] = i // it may have sent something
			continue
		}
		flows[i] = r
		if _, known := last[k]; len(r.state.Ledger) > 0 || !known {
			last[k] = i
		}
	}
	var found []addressee
	for i, r := range flows {
		if r == nil || r.req.Key != "" && last[rows[i].Key] != i {
			continue
		}
		if to, ok := d.addressee(r, &r.state); ok {
			found = append(found, to)
		}
	}
	return found, errors.Join(errs...)
}
