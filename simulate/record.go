package simulate

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// execution is one movement of money that reconciliation found.
type execution struct {
	orderID, requestID string
	amount             int64  // 0: not said
	at                 moment // where undated: of the line
	undated            bool   // the line does not say when
}

// same reports whether two lines of reconciliation may speak of one execution. What one of
// them does not say does not tell them apart.
func (x *execution) same(o *execution) bool {
	return x.orderID == o.orderID && x.requestID == o.requestID &&
		(x.amount == o.amount || x.amount == 0 || o.amount == 0) && (x.at == o.at || x.undated || o.undated)
}

// record is a decoded log, in the order of time.
type record struct {
	flow     string
	payment  policy.Payment
	sends    []call
	queries  []call
	webhooks []call
	ended    bool
	outcome  policy.Outcome
	endAt    moment
	hasTruth bool
	truth    []execution // of identities that the recorded client sent
	unsent   []execution // of others
	repeated int         // lines that an earlier one equals

	proved      []proof
	provedBy    *judge     // who found them; nil: they are not known
	concluded   conclusion // of the recorded client
	concludedBy *judge
}

// decode fills r and reuses its slices.
func (r *record) decode(kinds []*kind, t *flowLog) {
	begins := max(t.names, t.key.to, t.order.to, t.request.to, t.provider.to) // nearly all texts stand there, and of the rest nearly nothing is text
	d := decoder{kinds: kinds, t: t, texts: string(t.data[:begins]), data: t.data[t.names:]}
	names := d.texts[:t.names]
	*r = record{
		flow: names[t.merchant+1:], payment: policy.Payment{
			Provider: t.of.provider, Merchant: names[:t.merchant], Operation: t.of.operation, Key: d.at(t.key), Amount: t.amount,
			Currency: t.of.currency, Capture: t.of.capture, Tags: t.tags(),
		},
		sends: r.sends[:0], queries: r.queries[:0], webhooks: r.webhooks[:0], truth: r.truth[:0], unsent: r.unsent[:0], proved: r.proved[:0],
	}
	for len(d.data) > 0 {
		k := d.kind()
		at := t.first + moment(d.number())
		switch k.phase {
		case recorded.End:
			r.end(k.outcome, at)
		case recorded.Truth:
			r.hasTruth = true
			r.reconcile(&d, at)
		case recorded.Send:
			r.sends = d.call(r.sends, k, at)
		case recorded.Query:
			r.queries = d.call(r.queries, k, at)
		case recorded.Webhook:
			r.webhooks = d.call(r.webhooks, k, at)
		}
	}
	r.order()
	r.setUnsentAside()
}

// end takes what the recorded client concluded. Of several conclusions the latest holds; of one
// time the one with the greater number, so that the order of the lines does not matter.
func (r *record) end(o policy.Outcome, at moment) {
	switch {
	case !r.ended || at > r.endAt:
	case at == r.endAt && o == r.outcome:
		r.repeated++
		return
	case at < r.endAt || o < r.outcome:
		return
	}
	r.ended, r.outcome, r.endAt = true, o, at
}

// reconcile takes a line of reconciliation. Lines repeat each other: a later one may hold all that
// an earlier one held. Each execution counts as often as the line that holds it most often.
func (r *record) reconcile(d *decoder, at moment) {
	before := len(r.truth)
	taken := make([]bool, before) // by an execution of this line
	for n := d.number(); n > 0; n-- {
		x := execution{orderID: d.text(), requestID: d.text(), amount: d.number(), at: at, undated: true}
		if d.byte() == 1 {
			x.at, x.undated = d.t.first+moment(d.number()), false
		}
		known := false
		for i := range before {
			if known = !taken[i] && r.truth[i].same(&x); known {
				taken[i] = true
				r.truth[i].complete(&x)
				break
			}
		}
		if !known {
			r.truth = append(r.truth, x)
		}
	}
}

// complete adds what another line says of the same execution.
func (x *execution) complete(o *execution) {
	if x.amount == 0 {
		x.amount = o.amount
	}
	switch {
	case x.undated && !o.undated:
		x.at, x.undated = o.at, false
	case x.undated:
		x.at = min(x.at, o.at)
	}
}

// setUnsentAside takes the executions out of the truth that are of no identity that was sent. They
// are no doing of this flow's as recorded, nor of its simulation.
func (r *record) setUnsentAside() {
	kept := r.truth[:0]
	for i := range r.truth {
		x := r.truth[i]
		if r.wasSent(&x) {
			kept = append(kept, x)
		} else {
			r.unsent = append(r.unsent, x)
		}
	}
	r.truth = kept
	for _, all := range [][]execution{r.truth, r.unsent} {
		slices.SortFunc(all, func(a, b execution) int {
			return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.orderID, b.orderID), strings.Compare(a.requestID, b.requestID), cmp.Compare(a.amount, b.amount))
		})
	}
}

func (r *record) wasSent(x *execution) bool {
	for i := range r.sends {
		if x.names(r.sends[i].orderID, r.sends[i].requestID) {
			return true
		}
	}
	return false
}

// names reports whether an execution may be of an identity.
func (x *execution) names(orderID, requestID string) bool {
	return (x.orderID == "" || x.orderID == orderID) && (x.requestID == "" || x.requestID == requestID)
}

// order sorts the calls, drops repeated lines and counts the sends before each.
func (r *record) order() {
	for _, calls := range []*[]call{&r.sends, &r.queries, &r.webhooks} {
		all := *calls
		if !inTime(all) {
			sort.SliceStable(all, func(i, j int) bool { return all[i].at < all[j].at })
		}
		*calls = unrepeated(all)
		r.repeated += len(all) - len(*calls)
	}
	for _, calls := range [][]call{r.queries, r.webhooks} {
		sent := 0
		for i := range calls {
			for sent < len(r.sends) && r.sends[sent].at <= calls[i].at {
				sent++
			}
			calls[i].after = sent
		}
	}
}

// same reports whether two lines are the same. One of two that are may have been read by a pattern which leaves out what the other has.
func (c *call) same(o *call) bool {
	other := *o
	other.kind = c.kind
	return *c == other && c.kind.like(o.kind)
}

func inTime(all []call) bool {
	for i := 1; i < len(all); i++ {
		if all[i].at < all[i-1].at {
			return false
		}
	}
	return true
}

// unrepeated drops calls that equal an earlier one, its time to the microsecond included: a log that
// is written at least once holds a line twice.
func unrepeated(all []call) []call {
	kept := all[:0]
next:
	for i := range all {
		for k := len(kept) - 1; k >= 0 && kept[k].at == all[i].at; k-- {
			if kept[k].same(&all[i]) {
				continue next
			}
		}
		kept = append(kept, all[i])
	}
	return kept
}
