package main

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// connectorTable is one connector's part of the table, with the facts of its codes.
type connectorTable struct {
	connector string
	rows      []*row
	codes     []string // in the order of the table, then those that only the facts have
	flows     []string // those of the table, in the order of the operations
	facts     facts
}

// split groups the rows by connector, in the order of the table.
func split(rows []*row, known facts) []*connectorTable {
	var tables []*connectorTable
	by := map[string]*connectorTable{}
	for _, r := range rows {
		b := by[r.connector]
		if b == nil {
			b = &connectorTable{connector: r.connector, facts: known}
			by[r.connector] = b
			tables = append(tables, b)
		}
		b.rows = append(b.rows, r)
		if r.code != anyOf && !slices.Contains(b.codes, r.code) {
			b.codes = append(b.codes, r.code)
		}
		if r.flow != anyOf && !slices.Contains(b.flows, r.flow) {
			b.flows = append(b.flows, r.flow)
		}
	}
	for _, key := range known.inOrder() {
		if b := by[key.connector]; b != nil && !slices.Contains(b.codes, key.code) {
			b.codes = append(b.codes, key.code)
		}
	}
	for _, b := range tables {
		if len(b.flows) == 0 { // only rows for any flow
			b.flows = slices.Collect(maps.Keys(flows))
		}
		slices.SortFunc(b.flows, func(x, y string) int { return cmp.Compare(flows[x], flows[y]) })
	}
	return tables
}

// refused reports whether the facts prove that a row's answer moved no money.
func (b *connectorTable) refused(r *row) bool {
	of := []string{r.flow}
	if r.flow == anyOf {
		of = b.flows
	}
	for _, flow := range of {
		if f := b.facts.of(r.connector, r.code, flow); f == nil || f.effect != policy.NotExecuted {
			return false
		}
	}
	return true
}

func (b *connectorTable) unproved() int {
	n := 0
	for _, r := range b.rows {
		if !b.refused(r) {
			n++
		}
	}
	return n
}

// stepUps reports how many rows ask for a step-up, which rules cannot express.
func (b *connectorTable) stepUps() string {
	n := 0
	for _, r := range b.rows {
		if r.stepUp {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d that want a step-up (said in their reasons)", n)
}

// rules writes one rule for each row, in the order of the table. Of rows that contradict each
// other the first decides.
func (b *connectorTable) rules(o options) []byte {
	var w strings.Builder
	fmt.Fprintf(&w, "# Made from %s by examples/foreign, a rule a row; row-17 is line 17.\nprovider = %s\n", filepath.Base(b.rows[0].file), quote(b.connector))
	for _, r := range b.rows {
		fmt.Fprintf(&w, "\n[[rule]]\nid     = %s\n", quote(fmt.Sprint("row-", r.line)))
		fmt.Fprintf(&w, "when   = %s\n", quote(b.condition(r)))
		fmt.Fprintf(&w, "then   = %s\n", quote(b.action(r, o).String()))
		fmt.Fprintf(&w, "reason = %s\n", quote(reason(r)))
	}
	return []byte(w.String())
}

// condition returns the row's key as a condition. It compares the message only where the table
// has several messages for a code. If the facts prove a refusal, the condition requires it,
// because the same code may answer a repeated request and prove nothing about it. Without a
// fact the rule does what the table says, except after a success: the table is about refusals.
func (b *connectorTable) condition(r *row) string {
	var parts []string
	if r.flow != anyOf {
		parts = append(parts, "operation == "+inner(flows[r.flow].String()))
	}
	parts = append(parts, `phase == "send"`)
	if r.code == anyOf {
		parts = append(parts, `code != ""`) // a timeout has no code
	} else {
		parts = append(parts, "code == "+inner(r.code))
	}
	if b.byMessage(r) {
		parts = append(parts, "message == "+inner(r.message))
	}
	if b.refused(r) {
		parts = append(parts, `effect == "not_executed" && !in_doubt`)
	} else {
		parts = append(parts, `effect != "executed"`)
	}
	return strings.Join(parts, " && ")
}

func (b *connectorTable) byMessage(r *row) bool {
	return r.message != "" && slices.ContainsFunc(b.rows, func(o *row) bool {
		return o.flow == r.flow && o.code == r.code && o.message != r.message && o.message != "" && r.code != anyOf
	})
}

func (b *connectorTable) action(r *row, o options) policy.Action {
	switch {
	case o.careful && !b.refused(r):
		return policy.QueryStatus
	case r.retry:
		return policy.RetryNewRequest
	}
	return policy.MarkFailed
}

func reason(r *row) string {
	decision := "do not retry"
	if r.retry {
		decision = "retry"
	}
	if r.stepUp {
		decision += ", with a step-up"
	}
	return fmt.Sprintf("%s:%d: %s %s, %s: %s", filepath.Base(r.file), r.line, r.flow, inner(r.code), r.message, decision)
}
