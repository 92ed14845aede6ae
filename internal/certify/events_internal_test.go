package certify

import (
	"slices"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// What comes to a flow with two requests of an order, the earlier one refused: the names under which the search knows it to come as well.
func TestWhatComes(t *testing.T) {
	const isOpen, isFailed, isDoor = 0, 1, 2
	byOrderID := policy.Contract{QueryBy: []policy.Identifier{policy.OrderID}}
	theirID := policy.Contract{QueryBy: []policy.Identifier{policy.ProviderID}}
	dedupes := policy.Contract{QueryBy: theirID.QueryBy, Dedupe: []policy.Identifier{policy.OrderID}, Replay: policy.FirstResult}
	rejects, again := dedupes, dedupes
	rejects.Replay, again.Replay = policy.Rejected, policy.ExecutedAgain
	for _, one := range []struct {
		name     string
		op       policy.Operation
		contract policy.Contract
		stage    flow.Stage
		askedBy  policy.Identifier
		comes    given
		never    bool
	}{
		{name: "a webhook by the provider's id, where no query is by it", contract: byOrderID, stage: flow.Waiting, comes: given{phase: policy.Webhook, class: isFailed, name: byTheirs}},
		{name: "a query's answer by it", contract: byOrderID, stage: flow.Querying, askedBy: policy.OrderID, comes: given{phase: policy.Query, class: isOpen, name: byTheirs}},
		{name: "a webhook by the payment that is captured", op: policy.Capture, contract: byOrderID, stage: flow.Waiting, comes: given{phase: policy.Webhook, class: isFailed, name: byTheirs, of: -1}},
		{name: "a query's answer by it, of a capture", op: policy.Capture, contract: byOrderID, stage: flow.Querying, askedBy: policy.OrderID, comes: given{phase: policy.Query, class: isFailed, name: byTheirs, of: -1}},
		{name: "the reply to a repeat names what it repeats", contract: byOrderID, stage: flow.Sending, comes: given{phase: policy.Send, class: isOpen, name: byBoth}},
		{name: "so does one at the door", contract: byOrderID, stage: flow.Sending, comes: given{phase: policy.Send, class: isDoor, name: byBoth}},
		{name: "the first result, without dedupe", contract: byOrderID, stage: flow.Sending, comes: given{phase: policy.Send, class: isFailed, name: byBoth}, never: true},
		{name: "the first result", contract: dedupes, stage: flow.Sending, comes: given{phase: policy.Send, class: isFailed, name: byBoth}},
		{name: "the first result to a repeat that is rejected", contract: rejects, stage: flow.Sending, comes: given{phase: policy.Send, class: isFailed, name: byBoth}, never: true},
		{name: "by the provider's id a query finds the first of an order", contract: dedupes, stage: flow.Querying, askedBy: policy.ProviderID, comes: given{phase: policy.Query, class: isFailed, name: byTheirs}},
		{name: "not where each is executed", contract: again, stage: flow.Querying, askedBy: policy.ProviderID, comes: given{phase: policy.Query, class: isFailed, name: byTheirs}, never: true},
		{name: "a late answer to the query of a request with an id", contract: theirID, stage: flow.Waiting, comes: given{phase: policy.Query, class: isFailed, name: byBoth, late: true}},
		{name: "a webhook without a name", contract: byOrderID, stage: flow.Waiting, comes: given{phase: policy.Webhook, of: -1}},
		{name: "a webhook by a stranger's id", contract: byOrderID, stage: flow.Waiting, comes: given{phase: policy.Webhook, name: strangeID, of: -1}},
		{name: "a webhook by what is no id", contract: byOrderID, stage: flow.Waiting, comes: given{phase: policy.Webhook, name: zeroID, of: -1}},
	} {
		c := policy.Terms{Contract: one.contract}
		m := &Machine{Product: &certificate.Product{Terms: c}, payment: policy.Payment{Operation: one.op}, terms: c, ages: make([]time.Duration, 1)}
		for ph := range m.facts {
			m.facts[ph] = []policy.Fact{{}, {Effect: policy.NotExecuted, Stage: policy.Result}, {Effect: policy.NotExecuted, Stage: policy.Door}}
			m.bare[ph] = make([]policy.Answer, len(m.facts[ph]))
		}
		a := certificate.StateOf(&flow.State{Stage: one.stage, AskedBy: one.askedBy})
		a.Count, a.IDs[0] = 2, certificate.Identity{Sends: 1, Copies: 1, Effect: uint8(policy.NotExecuted)}
		a.IDs[1] = certificate.Identity{Sends: 1, Copies: 1}
		m.form = m.forms(&a, []world{1 << 4, 1<<4 | left})[0]
		m.answers(0, false)
		if k := slices.IndexFunc(m.chances, func(c chance) bool { return c.given == one.comes }); (k >= 0 && len(m.chances[k].worlds) > 0) == one.never {
			t.Errorf("%s: %v", one.name, k >= 0)
		}
	}
}
