package verify

import (
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	src "github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// windowAdvice explains a violation that comes from a dedupe window which is over before the flow is: a repeat in doubt is then sent
// when the provider no longer tells it apart. It names each number with its place, and the number to change. Empty: that is not why.
func windowAdvice(e *ruleset.Engine, v *Violation) string {
	terms := e.Terms(&v.payment)
	c, most := &terms.Contract, terms.Limits.MaxElapsed
	dedupes := len(c.Dedupe) > 0 && c.DedupeWindow > 0 && (c.Replay == policy.FirstResult || c.Replay == policy.Rejected)
	safe := c.DedupeWindow - c.CallTimeout() - c.ArrivalGrace // after the first send; see policy.Contract.ReplaySafe
	if !dedupes || safe >= most || !v.repeatsInDoubt(safe) {
		return ""
	}
	at := func(table, key string) string { return wherever(e, &v.payment, table, key) }
	if c.ArrivalGrace <= 0 {
		return fmt.Sprintf("the contract has a dedupe_window of %s (%s) and no arrival_grace: a repeat may arrive however late, so no window makes it safe; "+
			"write arrival_grace if the provider says how late a request can arrive", short(c.DedupeWindow), at("contract", "dedupe_window"))
	}
	text := fmt.Sprintf("the dedupe window is over before the flow is: dedupe_window is %s (%s); less the call's timeout of %s (%s) and arrival_grace of %s (%s), "+
		"a repeat in doubt is safe for %s after the first send, and max_elapsed is %s (%s)",
		short(c.DedupeWindow), at("contract", "dedupe_window"), short(c.CallTimeout()), at("contract", "timeout"),
		short(c.ArrivalGrace), at("contract", "arrival_grace"), short(max(safe, 0)), short(most), at("limits", "max_elapsed"))
	needed := "dedupe_window longer than " + short(most+c.CallTimeout()+c.ArrivalGrace) + " if the provider promises that"
	if fits := safe.Truncate(time.Minute); fits > 0 {
		return text + fmt.Sprintf("; write max_elapsed = %q, or %s", short(fits), needed)
	}
	return text + "; write " + needed
}

// repeatsInDoubt reports whether a story ends with a repeat of its only request, in doubt, at a time when that is no longer safe.
func (v *Violation) repeatsInDoubt(safe time.Duration) bool {
	requests, sends, last := v.sent()
	if len(requests) != 1 || last == nil || last.Decision.Action != policy.RetrySame || last.Fact.Effect.Settled() {
		return false
	}
	if v.Property != S5 && (v.Property != flow.S1 || sends < 2) {
		return false
	}
	if n := len(v.replayed); v.Replayed && v.Property == S5 && n > 0 { // its times are known: the repeat comes too late
		for i := range v.replayed {
			for _, c := range v.replayed[i].commands {
				if d, ok := c.(flow.Decided); ok && !d.Due && d.Decision.Source == v.Source {
					return v.replayed[i].at.Sub(base) >= safe
				}
			}
		}
	}
	return true
}

// sent returns the requests of a story, how often any was sent, and its last decision about an answer.
func (v *Violation) sent() (requests map[string]bool, sends int, last *flow.Decided) {
	requests = map[string]bool{}
	for i := range v.trace.steps {
		for _, c := range v.trace.steps[i].commands {
			switch c := c.(type) {
			case flow.Send:
				requests[c.Identity.RequestID] = true
				sends++
			case flow.Decided:
				if !c.Due {
					last = &c
				}
			default:
			}
		}
	}
	return requests, sends, last
}

// wherever says where a number is written, by FILE:LINE:COLUMN where that can be found: in the first layer of the merchant's rules that
// has it, else, a line of a contract, in the provider's catalogue.
func wherever(e *ruleset.Engine, p *policy.Payment, table, key string) string {
	layers := e.Rules.Layers(p.Provider, p.Merchant)
	if at := layers.ContractAt(p.Operation, key); table == "contract" && at.Line > 0 {
		return at.String()
	}
	for _, f := range layers {
		if table == "contract" {
			break // no layer has it
		}
		if at := placeOf(f.Name, f.Text, p.Operation, table, key); at != "" {
			return at
		}
	}
	cat, err := e.Catalog(p)
	if table != "contract" || err != nil {
		return "by default"
	}
	if at := cat.ContractAt(p.Operation, e.Rules.Layers(p.Provider, p.Merchant).IdempotentKey(), key); at.Line > 0 {
		return at.String()
	}
	return "by default"
}

// placeOf returns the place of an operation's number in a file, else of the number for all operations; empty: it has neither.
func placeOf(file string, data []byte, op policy.Operation, table, key string) string {
	doc, err := src.Parse(file, data)
	if err != nil {
		return ""
	}
	var ignored src.List
	general, ok := doc.Root().Table(&ignored, table)
	if !ok {
		return ""
	}
	if general.Has(op.String()) {
		if own, _ := general.Table(&ignored, op.String()); own.Has(key) {
			return own.ValuePos(key).String()
		}
	}
	if general.Has(key) {
		return general.ValuePos(key).String()
	}
	return ""
}
