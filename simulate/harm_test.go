package simulate

import (
	"testing"
	"time"
)

// harmTest is a small recording at MoMo, of payments of 1000 VND.
type harmTest struct {
	name                string
	lines               []string
	recorded, simulated string
	at                  [2]Harms // money at risk: recorded, simulated
}

// harmsByTruth are recordings with reconciliation, or with one answer of each flow.
func harmsByTruth(t *testing.T) []harmTest {
	const s = time.Second
	first := fields{"payment_key": "k"}
	second := fields{"payment_key": "k", "order_id": "o-2", "request_id": "r-2"}
	timeout := fields{"fault": "timeout", "latency_ms": 1000}
	refund := fields{"operation": "refund"}
	return []harmTest{
		{"paid once", []string{
			jsonLine(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
		}, "1 succeeded, 1 sends", "1 succeeded, 1 sends", [2]Harms{}},
		{"executed twice in one flow", []string{
			jsonLine(t, "f", 0, "send", with(timeout, first)), jsonLine(t, "f", 5*s, "send", with(second, code(0))), end(t, "f", 9*s, "succeeded"),
			truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}, [2]string{"o-2", "r-2"}),
		}, "1 succeeded, 1 executed twice, 2 sends", "1 open, 1 proved executed, 1 sends, 1 queries", [2]Harms{{ExecutedTwice: 1000}, {}}},
		{"executed three times: two too many, one payment", []string{
			jsonLine(t, "f", 0, "send", with(timeout, first)), jsonLine(t, "f", 5*s, "send", with(second, code(0))),
			truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}, [2]string{"o-2", "r-2"}, [2]string{"o-2", "r-2"}),
		}, "1 open, 1 executed twice, 2 sends", "1 open, 1 proved executed, 1 sends, 1 queries", [2]Harms{{ExecutedTwice: 2000}, {}}},
		{"executed in two flows of a key", []string{
			jsonLine(t, "f", 0, "send", with(first, code(0))), end(t, "f", s, "succeeded"), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
			jsonLine(t, "g", 60*s, "send", with(second, code(0))), end(t, "g", 61*s, "succeeded"), truth(t, "g", time.Hour, [2]string{"o-2", "r-2"}),
		}, "2 succeeded, 1 executed twice, 2 sends", "1 succeeded, 1 failed, 1 refused, 1 sends", [2]Harms{{ExecutedTwice: 1000}, {}}},
		{"executed in three flows of a key: two too many, one payment", []string{
			jsonLine(t, "f", 0, "send", with(first, code(0))), jsonLine(t, "g", 60*s, "send", with(second, code(0))),
			jsonLine(t, "h", 90*s, "send", with(first, code(0), fields{"order_id": "o-3", "request_id": "r-3"})),
		}, "3 open, 1 executed twice, 3 sends", "1 succeeded, 2 failed, 2 refused, 1 sends", [2]Harms{{ExecutedTwice: 2000}, {}}},
		{"a key of two operations is two keys", []string{
			jsonLine(t, "f", 0, "send", with(first, code(0))), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
			jsonLine(t, "g", 60*s, "send", with(second, refund, code(0))), truth(t, "g", time.Hour, [2]string{"o-2", "r-2"}),
		}, "2 open, 2 sends", "2 succeeded, 2 sends", [2]Harms{}},
		{"a key of two merchants is two keys", []string{
			jsonLine(t, "f", 0, "send", with(first, code(0))), jsonLine(t, "f", 60*s, "send", with(second, code(0), fields{"merchant": "other"})),
		}, "2 open, 2 sends", "2 succeeded, 2 sends", [2]Harms{}},
		{"flows without a key stand alone", []string{
			jsonLine(t, "f", 0, "send", with(code(0), fields{"payment_key": ""})), jsonLine(t, "g", 60*s, "send", with(second, code(0), fields{"payment_key": ""})),
		}, "2 open, 2 sends", "2 succeeded, 2 sends", [2]Harms{}},
		{"failed though executed", []string{
			jsonLine(t, "f", 0, "send", with(timeout)), jsonLine(t, "f", 60*s, "query", code(0)), end(t, "f", 2*s, "failed"),
			truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
		}, "1 failed, 1 failed though executed, 1 sends, 1 queries", "1 succeeded, 1 sends, 1 queries", [2]Harms{{FailedThoughExecuted: 1000}, {}}},
		{"succeeded though not executed", []string{
			jsonLine(t, "f", 0, "send", code(7000)), jsonLine(t, "f", 60*s, "query", code(1006)), end(t, "f", 2*s, "succeeded"), truth(t, "f", time.Hour),
		}, "1 succeeded, 1 succeeded though not executed, 1 sends, 1 queries", "1 failed, 1 sends, 1 queries", [2]Harms{{SucceededThoughNotExecuted: 1000}, {}}},
	}
}

// harmsByEvidence are recordings in which the answers or a part of the identity are the evidence.
func harmsByEvidence(t *testing.T) []harmTest {
	const s = time.Second
	timeout := fields{"fault": "timeout", "latency_ms": 1000}
	return []harmTest{
		{"without a truth what the answers prove counts", []string{
			jsonLine(t, "f", 0, "send", timeout), jsonLine(t, "f", 60*s, "query", code(0)), end(t, "f", 90*s, "failed"),
		}, "1 failed, 1 failed though executed, 1 sends, 1 queries", "1 succeeded, 1 sends, 1 queries", [2]Harms{{FailedThoughExecuted: 1000}, {}}},
		{"without a truth a success that nothing proves is no harm that is known", []string{
			jsonLine(t, "f", 0, "send", timeout), end(t, "f", 90*s, "succeeded"),
		}, "1 succeeded, 1 sends", "1 off the record, 1 sends, 1 queries", [2]Harms{}},
		{"one proof received twice is one execution", []string{
			jsonLine(t, "f", 0, "send", code(0)), jsonLine(t, "f", 60*s, "query", code(0)), jsonLine(t, "f", 90*s, "webhook", with(code(0), fields{"verified": true})),
		}, "1 open, 1 sends, 1 queries", "1 succeeded, 1 sends", [2]Harms{}},
		{"a webhook that is not verified proves nothing", []string{
			jsonLine(t, "f", 0, "send", timeout), jsonLine(t, "f", 30*s, "webhook", code(0)), end(t, "f", 60*s, "failed"),
		}, "1 failed, 1 sends", "1 off the record, 1 sends, 1 queries, 1 unasked", [2]Harms{}},
		{"the truth outranks the answers", []string{
			jsonLine(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"), truth(t, "f", time.Hour),
		}, "1 succeeded, 1 succeeded though not executed, 1 sends", "1 succeeded, 1 succeeded though not executed, 1 sends",
			[2]Harms{{SucceededThoughNotExecuted: 1000}, {SucceededThoughNotExecuted: 1000}}},
		{"a truth that names the order only", []string{
			jsonLine(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"), truth(t, "f", time.Hour, [2]string{"o-1", ""}),
		}, "1 succeeded, 1 sends", "1 succeeded, 1 sends", [2]Harms{}},
		{"a truth that names the order only, of two requests, the first refused", []string{
			jsonLine(t, "f", 0, "send", code(10)), jsonLine(t, "f", 120*s, "send", with(fields{"request_id": "r-2"}, code(0))),
			truth(t, "f", time.Hour, [2]string{"o-1", ""}),
		}, "1 open, 2 sends", "1 succeeded, 2 sends", [2]Harms{}},
		{"a truth that names the request only", []string{
			jsonLine(t, "f", 0, "send", code(0)), truth(t, "f", time.Hour, [2]string{"", "r-1"}),
		}, "1 open, 1 sends", "1 succeeded, 1 sends", [2]Harms{}},
		{"the same request again executed; the first was not sent", []string{
			jsonLine(t, "f", 0, "send", fields{"fault": "not_sent"}), jsonLine(t, "f", 60*s, "send", code(0)), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
		}, "1 open, 2 sends", "1 succeeded, 2 sends", [2]Harms{}},
	}
}

// The columns and the money at risk count every harm once.
func TestHarms(t *testing.T) {
	for _, tt := range append(harmsByTruth(t), harmsByEvidence(t)...) {
		t.Run(tt.name, func(t *testing.T) {
			r := simulate(t, Options{}, text("r.jsonl", tt.lines...))
			if got := columnText(r.Recorded); got != tt.recorded {
				t.Errorf("recorded:  %s\nwant       %s", got, tt.recorded)
			}
			if got := columnText(r.Simulated); got != tt.simulated {
				t.Errorf("simulated: %s\nwant       %s", got, tt.simulated)
			}
			if len(r.Money) != 1 || r.Money[0].Currency != "VND" {
				t.Fatalf("money: %+v", r.Money)
			}
			if m := r.Money[0]; m.Recorded != tt.at[0] || m.Simulated != tt.at[1] {
				t.Errorf("money at risk: %+v and %+v, want %+v", m.Recorded, m.Simulated, tt.at)
			}
			if holds := tt.at[1] == (Harms{}); r.Holds() != holds {
				t.Errorf("Holds is %v", r.Holds())
			}
		})
	}
}

// A recorded execution that a send of ours did not cause is not ours: the rules gave up
// after the first refusal, and the recorded client's second send of the same identity
// moved the money.
func TestExecutionsOfSendsNotSimulated(t *testing.T) {
	e := withRules(t, map[string]string{"merchants/acme.toml": `
[[rule]]
id = "give-up"
when = 'class == "maintenance" && effect == "not_executed" && !in_doubt'
then = "mark_failed"
reason = "once is enough"
`})
	r := simulate(t, Options{Decider: e, Catalogs: e.Catalogs}, text("r.jsonl",
		jsonLine(t, "f", 0, "send", code(10)),
		jsonLine(t, "f", time.Minute, "send", code(0)),
		jsonLine(t, "f", time.Hour, "truth", fields{"executions": []fields{
			{"order_id": "o-1", "request_id": "r-1", "amount": 1000, "at": startTime.Add(time.Minute).Format(time.RFC3339)}}}),
	))
	if got, want := columnText(r.Simulated), "1 failed, 1 sends"; got != want {
		t.Errorf("simulated: %s, want %s", got, want)
	}
}

// The simulated column counts harm as the recorded one does. The provider answered that the payment
// failed, and reconciliation found its execution.
func TestSimulatedColumnCountsHarm(t *testing.T) {
	r := simulate(t, Options{}, text("r.jsonl",
		jsonLine(t, "f", 0, "send", with(code(1006), fields{"payment_key": "k"})), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
		jsonLine(t, "g", time.Minute, "send", with(code(0), fields{"payment_key": "k", "order_id": "o-2", "request_id": "r-2"})),
		truth(t, "g", time.Hour, [2]string{"o-2", "r-2"}),
	))
	if got, want := columnText(r.Simulated), "1 succeeded, 1 failed, 1 executed twice, 1 failed though executed, 2 sends"; got != want {
		t.Errorf("simulated: %s, want %s", got, want)
	}
	if r.Holds() || len(r.Broken) != 2 || r.Broken[0] != (Count{"executed_twice", 1, "g"}) || r.Broken[1] != (Count{"failed_though_executed", 1, "f"}) {
		t.Errorf("broken: %+v", r.Broken)
	}
}

func TestMoneyByCurrency(t *testing.T) {
	pay := func(flow string, amount int64, currency string, code int) string {
		return jsonLine(t, flow, 0, "send", fields{"amount": amount, "currency": currency, "body": fields{"resultCode": code}})
	}
	r := simulate(t, Options{}, text("r.jsonl",
		pay("a", 500, "VND", 0), pay("b", 70, "VND", 10), pay("c", 9, "VND", 7000),
		pay("d", 3, "USD", 0), jsonLine(t, "d", time.Minute, "webhook", fields{"verified": true, "body": fields{"resultCode": 1006, "amount": 3}}),
		end(t, "d", time.Second, "failed"), pay("e", 40, "USD", 7000), end(t, "e", time.Second, "succeeded"), truth(t, "e", time.Hour),
	))
	off := func(n int64) bound { return bound{0, n} }
	usd := reach{bound{3, 43}, off(40), off(40), off(40), off(40), off(40), off(40), off(40), off(40)}
	vnd := reach{bound{500, 579}, off(79), off(79), off(79), off(79), off(79), off(79), off(79), off(79)}
	want := []Money{
		{Currency: "USD", Volume: 43, Recorded: Harms{FailedThoughExecuted: 3, SucceededThoughNotExecuted: 40}, Open: 40, Proved: 40, Bounds: usd},
		{Currency: "VND", Volume: 579, OffRecord: 79, Bounds: vnd},
	}
	if len(r.Money) != 2 || r.Money[0] != want[0] || r.Money[1] != want[1] {
		t.Errorf("money:\n%+v\nwant\n%+v", r.Money, want)
	}
	if r.Money[0].Recorded.Total() != 43 {
		t.Errorf("in total %d", r.Money[0].Recorded.Total())
	}
}
