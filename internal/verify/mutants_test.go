package verify

import (
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// mutant is one guard, or several at once, that no longer guards.
type mutant struct {
	rules string        // a merchant of testdata/mutation: the contract and the rules under which the guard matters
	want  flow.Property // what breaks without the guard
	at    []mutation

	// spared says why nothing breaks without the guard; empty: something must. The test holds
	// to this as well: a guard that matters after all needs a row that says how.
	spared string
}

// name is what the guards of the mutant are and what happens to them.
func (m *mutant) name() string {
	var parts []string
	for _, c := range m.at {
		parts = append(parts, c.guard+" "+c.op)
	}
	return strings.Join(parts, ", ")
}

// mutants are the guards of flow by the file that they stand in.
func mutants() []mutant {
	return slices.Concat(interlockMutants, fallbackMutants, evidenceMutants, stateMutants, stepMutants, jointMutants)
}

// What an action would break (interlock.go).
var interlockMutants = []mutant{
	{rules: "bold-paid", want: flow.S3, at: forceFalse("success-needs-proof")},
	{rules: "bold-disputes", want: S6, at: forceFalse("success-is-not-disputed")},
	{rules: "bold-failed", want: flow.S2, at: forceFalse("failure-needs-certainty")},
	{rules: "bold-new", want: flow.S1, at: forceFalse("new-request-needs-certainty")},
	{rules: "bold-order", want: flow.S1, at: forceFalseWhen("new-request-needs-certainty", "a == policy.RetryNewOrder")},
	{rules: "bold-same", want: flow.S1, at: forceFalse("repeat-is-safe")},
	{rules: "bold-same", want: flow.S1, at: forceTrue("repeat-needs-dedupe")},
	{
		rules: "bold-replay-new", want: flow.S1, at: skipWhen("other-identities-are-certain", "i != last"),
		spared: "an earlier request is in doubt beside a later one only when the provider withdrew its statement, and by then both are out",
	},
	{
		rules: "bold-twice", want: flow.S1, at: forceTrue("repeat-of-executed"),
		spared: "where a repeat is deduped, that of an executed request executes nothing",
	},
	{rules: "bold-same", want: flow.S1, at: forceTrue("every-identity-is-checked")},
}

// interlock.go: what is done instead, and limits.
var fallbackMutants = []mutant{
	{
		rules: "bold-disputes", want: S4, at: forceFalse("dispute-is-not-asked-about"),
		spared: "without it the flow asks until its queries are spent, and a person decides then",
	},
	{rules: "bold-failed", want: S4, at: forceFalse("fallback-knows-the-time")},
	{rules: "bold-failed", want: S4, at: forceTrue("fallback-counts-queries")},
	{rules: "bold-silent", want: S4, at: forceTrue("fallback-can-query")},
	{rules: "bold-replay", want: S4, at: forceTrue("fallback-counts-sends")},
	{rules: "bold-silent", want: flow.S1, at: forceTrue("fallback-repeats-safely")},
	{rules: "plain", want: S4, at: forceTrue("sends-are-counted")},
	{
		rules: "plain", want: S4, at: forceTrue("withdrawn-sends-nothing"),
		spared: "that nothing is sent after a withdrawal is none of S1 to S6",
	},
	{rules: "plain", want: S4, at: forceTrue("queries-are-counted")},
	{rules: "silent", want: S4, at: forceTrue("query-has-an-identifier")},
	{
		rules: "plain", want: S4, at: forceFalse("send-knows-the-time"),
		spared: "the wait for it, and what is due, check the time again",
	},
	{rules: "bold-failed", want: flow.S2, at: forceFalse("interlock")},
	{rules: "plain", want: S4, at: forceFalse("query-knows-the-time")},
	{rules: "plain", want: S4, at: forceFalse("send-counts-sends")},
	{
		rules: "plain", want: flow.S2, at: forceFalse("spent-send-in-doubt"),
		spared: "without it the flow is escalated, in doubt, one query earlier",
	},
	{rules: "silent", want: S4, at: forceFalse("query-needs-an-identifier")},
	{rules: "plain", want: S4, at: forceFalse("query-counts-queries")},
	{rules: "plain", want: flow.S2, at: forceTrue("spent-is-failed-when-certain")},
	{rules: "plain", want: S4, at: forceFalse("spent-is-failed-when-certain")},
}

// evidence.go: what an answer may prove.
var evidenceMutants = []mutant{
	{
		rules: "hook", want: flow.S2, at: forceFalse("unverified-is-a-hint"),
		spared: "no webhook that is not verified is believed further in, either",
	},
	{
		rules: "hook", want: flow.S2, at: forceFalse("unverified-proves-nothing"),
		spared: "a webhook that is not verified does not come so far",
	},
	{rules: "hook", want: flow.S2, at: all(forceFalse("unverified-is-a-hint"), forceTrue("trusted"))},
	{rules: "grace", want: flow.S2, at: forceTrue("not-found-in-time")},
	{rules: "grace", want: flow.S2, at: forceTrue("not-found-by-query")},
	{rules: "theirs-grace", want: flow.S2, at: forceTrue("not-found-of-all-copies")},
	{rules: "rejected", want: flow.S2, at: forceTrue("refused-replay")},
	{rules: "rejected", want: flow.S2, at: forceTrue("first-result-in-contract")},
	{
		rules: "bold-short", want: flow.S2, at: forceTrue("first-result-in-window"),
		spared: "a repeat that was sent within the window gets the first result whenever its answer arrives",
	},
	{rules: "replay", want: flow.S2, at: forceTrue("first-result-is-a-result")},
	{
		rules: "replay", want: flow.S2, at: forceTrue("first-result-is-no-fault"),
		spared: "no fault has the stage of a result",
	},
	{rules: "replay", want: flow.S2, at: forceFalse("prior-was-certain")},
	{rules: "plain", want: flow.S2, at: forceTrue("late-refusal")},
	{
		rules: "theirs", want: flow.S2, at: forceTrue("refusal-of-a-sure-identity"),
		spared: "only a late reply is unsure, and late-refusal refuses it too; a webhook with an id that the flow does not know names nothing",
	},
	{rules: "plain", want: flow.S2, at: forceTrue("failure-covers-all-copies")},
	{rules: "plain", want: flow.S2, at: operand("copies-are-counted", "1")},
	{rules: "bold-short", want: flow.S2, at: forceTrue("copies-in-window")},
	{rules: "bold-window", want: flow.S1, at: forceFalse("window-of-the-order")},
	{rules: "plain", want: flow.S2, at: forceFalse("others-of-the-order")},
	{
		rules: "plain", want: flow.S2, at: forceFalse("others-of-the-id"),
		spared: "NOT COVERED: captures and cancels of the model ask by the order; the traps of flow ask by the payment's id",
	},
	{
		rules: "plain", want: flow.S2, at: forceFalse("shared-id-is-unsure"),
		spared: "NOT COVERED: no answer of the model names only the payment that captures work on; the traps of flow have one",
	},
	{
		rules: "theirs", want: flow.S2, at: forceFalse("target-is-no-id-of-a-refund"),
		spared: "NOT COVERED: the provider of the mutants has no refunds; the traps of flow have one",
	},
	{rules: "plain", want: flow.S2, at: forceTrue("query-by-order")},
	{
		rules: "grace-request", want: flow.S2, at: forceTrue("late-query"),
		spared: "what refuses late refusals refuses it",
	},
	{rules: "theirs-grace", want: flow.S2, at: forceTrue("provider-id-is-one-copy")},
	{rules: "grace", want: flow.S2, at: forceTrue("webhook-may-be-old")},
	{rules: "grace", want: flow.S2, at: forceTrue("query-sees-all-copies")},
	{
		rules: "plain", want: flow.S2, at: forceTrue("not-found-needs-contract"),
		spared: "without an arrival_grace nothing is known to have arrived; see jointMutants",
	},
	{rules: "lag", want: flow.S2, at: forceTrue("not-found-needs-time")},
	{rules: "grace", want: flow.S2, at: forceTrue("not-found-needs-arrival")},
	{rules: "no-grace", want: flow.S2, at: forceFalse("arrival-needs-contract")},
	{rules: "grace", want: flow.S2, at: forceFalse("arrival-needs-time")},
	{rules: "plain", want: flow.S2, at: forceTrue("only-door-leaves-nothing")},
	{rules: "plain", want: flow.S2, at: forceTrue("late-door")},
	{rules: "plain", want: flow.S2, at: forceTrue("door-is-of-its-call")},
	{
		rules: "plain", want: flow.S2, at: forceTrue("late-reply-identity"),
		spared: "what refuses late refusals refuses it; no other late answer can be about the wrong request while only one may execute",
	},
	{rules: "plain", want: flow.S3, at: before("other-payment", "return len(s.Ledger) - 1, true")},
	{rules: "plain", want: flow.S3, at: forceFalse("other-amount")},
	{rules: "plain+foreign", want: flow.S3, at: forceFalse("unknown-request-of-the-order")},
	{rules: "plain", want: flow.S3, at: forceFalse("webhook-names-the-payment")},
	{rules: "plain", want: flow.S3, at: forceTrue("webhook-id-is-known")},
	{rules: "plain", want: flow.S3, at: forceTrue("order-is-an-order")},
	{
		rules: "plain", want: flow.S3, at: forceFalse("order-of-another-operation"),
		spared: "NOT COVERED: the mutated operation is a payment, and the guard is for captures and cancels",
	},
	{
		rules: "plain", want: flow.S3, at: skip("zero-is-no-id"),
		spared: "an id of zeros is one that the flow does not know, and names nothing: webhook-id-is-known",
	},
	{
		rules: "plain", want: flow.S3, at: forceFalse("target-is-not-the-refund"),
		spared: "NOT COVERED: the mutated operation is a payment, and the guard is for refunds",
	},
	{
		rules: "plain", want: S4, at: forceFalse("first-send-knows-the-time"),
		spared: "NOT COVERED: payments of the model are sent when they are accepted, and have no not_after",
	},
	{
		rules: "plain", want: S4, at: forceFalse("not-after"),
		spared: "NOT COVERED: payments of the model are sent when they are accepted, and have no not_after",
	},
	{
		rules: "plain", want: S4, at: forceFalse("wait-knows-not-after"),
		spared: "NOT COVERED: payments of the model are sent when they are accepted, and have no not_after",
	},
	{rules: "plain", want: flow.S2, at: forceFalse("other-amount-refused")},
	{rules: "theirs", want: flow.S2, at: forceTrue("provider-id-from-sure-answer")},
	{
		rules: "theirs", want: flow.S2, at: forceTrue("provider-id-names-one-identity"),
		spared: "NOT COVERED: no answer of the model names an order and the provider's own id at once",
	},
	{
		rules: "theirs", want: flow.S2, at: forceTrue("provider-id-without-owner"),
		spared: "NOT COVERED: a webhook with such an id names nothing, and of a query's answer the copies of the whole order count",
	},
	{
		rules: "plain", want: flow.S3, at: forceFalse("proof-against-proof"),
		spared: "a provider that proves both contradicts itself; what executed stays executed, and only the alert is lost",
	},
	{rules: "plain+foreign", want: flow.S2, at: forceFalse("contested-stays-open")},
	{rules: "plain+retracts", want: flow.S2, at: forceFalse("reopened")},
	{rules: "disputes", want: S6, at: operand("dispute-stays", "false")},
	{rules: "disputes", want: S6, at: forceFalse("part-is-a-result")},
	{rules: "disputes", want: S6, at: forceFalse("part-stays")},
	{
		rules: "plain", want: flow.S3, at: forceFalse("mismatch-stays"),
		spared: "a provider that names two amounts for one execution contradicts itself",
	},
	{
		rules: "plain", want: flow.S2, at: forceTrue("certainty-stays"),
		spared: "without it what is settled is queried again: queries are lost, and no money",
	},
}

// state.go: what the ledger proves.
var stateMutants = []mutant{
	{rules: "bold-failed", want: flow.S2, at: forceTrue("all-not-executed")},
	{rules: "bold-failed", want: flow.S2, at: operand("executed-is-not-certain", "id.Effect == policy.Executed")},
	{rules: "plain", want: S5, at: forceFalse("doubt-is-seen")},
	{
		rules: "replay", want: S5, at: forceFalse("earlier-doubt-is-seen"),
		spared: "rules that are asked then are shown a conflict (rules-see-conflict), and none of these repeats on it",
	},
	{rules: "plain+foreign", want: flow.S3, at: forceFalse("contested-is-no-proof")},
	{rules: "bold-mismatch", want: flow.S3, at: forceTrue("mismatch-is-no-proof")},
	{rules: "bold-paid", want: flow.S3, at: forceTrue("proof-is-one-execution")},
	{
		rules: "plain", want: flow.S3, at: instead("executions-are-counted", "executed = 1"),
		spared: "by then it was paid twice, which is S1",
	},
	{
		rules: "plain", want: flow.S3, at: forceFalse("later-doubt-is-no-proof"),
		spared: "a later request is sent only when the one before cannot execute any more, which is S1",
	},
}

// decide.go and step.go: what stays allowed, and what the rules see.
var stepMutants = []mutant{
	{rules: "plain+retracts", want: flow.S1, at: forceFalse("due-is-checked-again")},
	{rules: "plain", want: S4, at: forceFalse("due-knows-the-time")},
	{
		rules: "plain", want: S4, at: forceFalse("wait-knows-the-time"),
		spared: "what is due checks the time again",
	},
	{
		rules: "plain", want: S5, at: forceFalse("rules-see-settled"),
		spared: "without it the rules see a doubt, and query again",
	},
	{rules: "plain", want: S5, at: forceFalse("rules-see-execution")},
	{
		rules: "plain", want: S5, at: forceFalse("rules-see-mismatch"),
		spared: "without it they see a conflict, from which they conclude as little",
	},
	{
		rules: "disputes", want: S5, at: forceFalse("rules-see-earlier-mismatch"),
		spared: "without it they see a conflict, from which they conclude as little",
	},
	{rules: "disputes", want: S5, at: forceFalse("rules-see-dispute")},
	{rules: "plain+foreign", want: S5, at: forceFalse("rules-see-conflict")},
	{rules: "hook", want: flow.S2, at: operand("no-webhook-is-no-proof", "policy.MarkFailed")},
	{rules: "plain", want: flow.S1, at: forceTrue("earlier-flow-is-certain")},
	{
		rules: "plain+foreign", want: flow.S1, at: forceTrue("earlier-flow-is-not-contested"),
		spared: "what is contested is never known not to have executed",
	},
	{rules: "plain", want: flow.S3, at: forceTrue("earlier-flow-is-proved")},
	{rules: "disputes", want: S6, at: forceFalse("earlier-flow-is-disputed")},
	{rules: "plain", want: flow.S2, at: before("crash-is-in-doubt", "lost.Fault = policy.NotSent")},
	{rules: "plain", want: flow.S2, at: forceFalse("send-is-in-doubt-again")},
	{rules: "rejected", want: flow.S2, at: skip("prior-is-kept")},
	{rules: "plain", want: flow.S1, at: skip("recorded-before-sent")},
	{rules: "lag", want: flow.S1, at: after("first-sent-is-kept", "id.FirstSent = m.now.At")},
	{rules: "plain", want: flow.S2, at: skipWhen("sent-copies-are-counted", "id.Copies != 0")},
	{rules: "lag", want: flow.S1, at: skipWhen("last-sent-is-kept", "id.Sends != 1")},
	{rules: "grace", want: flow.S1, at: operand("deadline-is-kept", "m.now.At.Add(-m.t.Contract.ArrivalGrace)")},
	{rules: "grace", want: flow.S2, at: operand("late-query-proves-no-absence", "m.now.At")},
	{rules: "plain", want: flow.S2, at: forceFalse("late-reply-is-late")},
	{
		rules: "plain+retracts", want: flow.S1, at: forceTrue("displaced-is-checked"),
		spared: "what is due is checked again; see jointMutants",
	},
	{rules: "plain", want: flow.S2, at: forceTrue("stale-reply")},
	{rules: "plain", want: flow.S2, at: forceFalse("person-and-send-under-way")},
	{rules: "plain", want: flow.S2, at: forceTrue("person-settles-one-identity")},
	{rules: "plain", want: flow.S3, at: forceTrue("person-proves-one-execution")},
	{rules: "disputes", want: S6, at: forceTrue("person-speaks-of-one-identity")},
	{rules: "disputes", want: S6, at: forceTrue("escalation-stays-disputed")},
	{
		rules: "plain+retracts", want: flow.S1, at: forceTrue("repeated-webhook-decides-nothing"),
		spared: "what is due is checked again; see jointMutants",
	},
	{rules: "plain", want: flow.S3, at: forceTrueWhen("escalation-is-settled-by-proof", "fact.Effect == policy.Executed")},
	{rules: "plain", want: flow.S2, at: forceTrue("escalation-fails-when-certain")},
	{rules: "plain", want: S4, at: instead("withdrawn-in-doubt", "v.Action = policy.MarkFailed")},
}

// Guards that cover for each other: no single one is missed.
var jointMutants = []mutant{
	{rules: "plain+retracts", want: flow.S1, at: all(forceFalse("due-is-checked-again"), forceTrue("displaced-is-checked"))},
	{rules: "plain+retracts", want: flow.S1, at: all(forceFalse("due-is-checked-again"), forceTrue("repeated-webhook-decides-nothing"))},
	{rules: "plain", want: flow.S2, at: all(forceTrue("not-found-needs-contract"), forceFalse("arrival-needs-contract"), forceFalse("arrival-needs-time"))},
}

// mill is a payment under the contract and the rules of a merchant of testdata/mutation. Only the court's
// are disputed, so that the searches about the mill's stay small.
func mill(rules string) policy.Payment {
	p := policy.Payment{Provider: "mill", Merchant: rules, Operation: policy.Pay, Amount: 120_000, Currency: "VND"}
	if strings.HasSuffix(rules, "disputes") {
		p.Provider = "court"
	}
	return p
}
