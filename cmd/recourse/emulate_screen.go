package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/policy"
)

const clock = "15:04:05.000"

// callLine describes one call: the request, the answer and the error.
func callLine(at time.Time, c *emulator.Called) string {
	parts := []string{at.Format(clock), c.Method, c.Path}
	if len(c.Request.Operations) > 0 {
		what := c.Request.Operations[0].String()
		if c.Request.Phase == policy.Query {
			what = "query"
		}
		parts = append(parts, what)
	}
	for _, id := range []string{c.Request.OrderID, c.Request.RequestID, c.Request.ProviderID} {
		if id != "" {
			parts = append(parts, fmt.Sprintf("%.40q", id))
		}
	}
	parts = append(parts, "->", answerText(&c.Answer))
	if c.Fault != "" {
		parts = append(parts, "("+c.Fault+")")
	}
	if c.Err != nil {
		parts = append(parts, "("+c.Err.Error()+")")
	}
	return strings.Join(parts, " ")
}

// answerText returns the short form of an answer.
func answerText(a *policy.Answer) string {
	var said []string
	if a.HTTPStatus > 0 {
		said = append(said, fmt.Sprint(a.HTTPStatus))
	}
	for _, s := range []string{a.Fault.String(), a.Status, a.SubStatus, a.Code, a.SubCode} {
		if s != "" {
			said = append(said, s)
		}
	}
	if len(said) == 0 {
		return "refused"
	}
	return strings.Join(said, " ")
}

func deliveryLine(at time.Time, d *emulator.Delivered) string {
	end := fmt.Sprint(d.HTTPStatus)
	switch {
	case d.Err != nil:
		end = d.Err.Error()
	case d.Acknowledged:
		end += " acknowledged"
	}
	line := fmt.Sprintf("%s webhook %s %.40q %s, delivery %d to %s -> %s", at.Format(clock), d.Operation, d.OrderID,
		answerText(&d.Answer), d.Attempt, d.URL, end)
	if d.Fault != "" {
		line += " (" + d.Fault + ")"
	}
	return line
}

// writeAccount prints a summary of the ledger: sums, and orders that executed more than once.
func writeAccount(w io.Writer, a emulator.Account) {
	fmt.Fprintf(w, "\n%d calls, %d orders, %d executed, %d still pending\n", a.Calls, a.Orders, len(a.Executions), a.Pending)
	if len(a.Faults) > 0 {
		fmt.Fprintf(w, "faults: %s\n", counted(a.Faults))
	}
	type kind struct {
		operation policy.Operation
		currency  string
	}
	type order struct {
		operation policy.Operation
		orderID   string
	}
	sums, counts, times := map[kind]int64{}, map[kind]int{}, map[order]int{}
	for _, x := range a.Executions {
		k := kind{x.Operation, x.Currency}
		sums[k] += x.Amount
		counts[k]++
		times[order{x.Operation, x.OrderID}]++
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, k := range sorted(sums, func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.operation, b.operation), cmp.Compare(a.currency, b.currency))
	}) {
		amount := ""
		if sums[k] > 0 { // a binding has none
			amount = policy.FormatAmount(sums[k], k.currency)
		}
		fmt.Fprintf(tw, "%s\t%d\t%s\t\n", k.operation, counts[k], amount)
	}
	_ = tw.Flush() // a failing standard output cannot be reported
	const shown = 10
	twice := 0
	for _, o := range sorted(times, func(a, b order) int {
		return cmp.Or(cmp.Compare(a.orderID, b.orderID), cmp.Compare(a.operation, b.operation))
	}) {
		if times[o] < 2 {
			continue
		}
		if twice++; twice <= shown {
			fmt.Fprintf(w, "order %q: %s executed %d times\n", o.orderID, o.operation, times[o])
		}
	}
	if twice > shown {
		fmt.Fprintf(w, "and %d more orders that executed more than once\n", twice-shown)
	}
}

func counted(n map[string]int) string {
	var parts []string
	for _, name := range sorted(n, cmp.Compare[string]) {
		parts = append(parts, fmt.Sprintf("%s %d", name, n[name]))
	}
	return strings.Join(parts, ", ")
}

func sorted[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortStableFunc(keys, compare)
	return keys
}
