package audit

import (
	"maps"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
)

// truth is what reconciliation found of one flow.
type truth struct {
	at         time.Time // of the latest line
	executions []recorded.Execution
}

func (p *payment) reconciled(flow string) *truth {
	if p.truths == nil {
		p.truths = map[string]*truth{}
	}
	if p.truths[flow] == nil {
		p.truths[flow] = &truth{}
	}
	return p.truths[flow]
}

// take adds a line. Lines repeat and extend each other: an execution counts as often as the line that holds it most often.
func (t *truth) take(line []recorded.Execution, at time.Time) {
	t.executions = merged(t.executions, line, same)
	if at.After(t.at) {
		t.at = at
	}
}

func (t *truth) join(o *truth) { t.take(o.executions, o.at) }

// found is what reconciliation found of all flows. What two flows name by the same identifier is there once.
func (p *payment) found() *found {
	f := &found{orders: map[string][]int{}, requests: map[string][]int{}, loose: map[string][]int{}}
	for _, flow := range slices.Sorted(maps.Keys(p.truths)) {
		before := len(f.all)
		taken := map[int]bool{}
		for _, x := range p.truths[flow].executions {
			at := slices.IndexFunc(f.named(x.OrderID, x.RequestID), func(k int) bool { return k < before && !taken[k] && same(&f.all[k], &x) })
			if at < 0 {
				f.add(x)
				continue
			}
			k := f.named(x.OrderID, x.RequestID)[at]
			taken[k] = true
			complete(&f.all[k], &x)
		}
	}
	return f
}

// found is executions by their names.
type found struct {
	all                     []recorded.Execution
	orders, requests, loose map[string][]int // loose: those of a request that name no order
}

func (f *found) add(x recorded.Execution) {
	if x.OrderID != "" {
		f.orders[x.OrderID] = append(f.orders[x.OrderID], len(f.all))
	}
	switch {
	case x.RequestID == "":
	case x.OrderID == "":
		f.loose[x.RequestID] = append(f.loose[x.RequestID], len(f.all))
		fallthrough
	default:
		f.requests[x.RequestID] = append(f.requests[x.RequestID], len(f.all))
	}
	f.all = append(f.all, x)
}

// named are those that an order or a request may name.
func (f *found) named(order, request string) []int {
	if order == "" {
		return f.requests[request]
	}
	if list := f.orders[order]; len(list) > 0 {
		return list
	}
	return f.loose[request]
}

// has reports whether an execution names an identity.
func (f *found) has(i *identity) bool {
	return slices.ContainsFunc(f.named(i.order, i.request), func(k int) bool { return !differ(f.all[k].OrderID, i.order) && !differ(f.all[k].RequestID, i.request) })
}

// maxExecutions bounds those of one flow, each of which is compared with each.
const maxExecutions = 1000

func merged(all, more []recorded.Execution, same func(a, b *recorded.Execution) bool) []recorded.Execution {
	taken := make([]bool, len(all))
	before := len(all)
	for k := range more {
		x, known := more[k], false
		for i := 0; i < before && !known; i++ {
			if known = !taken[i] && same(&all[i], &x); known {
				taken[i] = true
				complete(&all[i], &x)
			}
		}
		if !known && len(all) < maxExecutions {
			all = append(all, x)
		}
	}
	return all
}

// same reports whether two lines may speak of the same execution: nothing that both say differs.
func same(a, b *recorded.Execution) bool {
	return !differ(a.OrderID, b.OrderID) && !differ(a.RequestID, b.RequestID) && !differAmounts(a.Amount, b.Amount) && (a.At.IsZero() || b.At.IsZero() || a.At.Equal(b.At))
}

func complete(x, o *recorded.Execution) {
	if x.OrderID == "" {
		x.OrderID = o.OrderID
	}
	if x.RequestID == "" {
		x.RequestID = o.RequestID
	}
	if x.Amount == 0 {
		x.Amount = o.Amount
	}
	if x.At.IsZero() {
		x.At = o.At
	}
}
