package simulate

import (
	"testing"
	"time"
)

// Money and harm, by small recordings at MoMo of 1000 VND a payment.
func TestHarms(t *testing.T) {
	const s = time.Second
	first := fields{"payment_key": "k"}
	second := fields{"payment_key": "k", "order_id": "o-2", "request_id": "r-2"}
	timeout := fields{"fault": "timeout", "latency_ms": 1000}
	refund := fields{"operation": "refund"}
	tests := []struct {
		name                string
		lines               []string
		recorded, simulated string
		at                  [2]Harms // recorded, simulated
	}{
		{"paid once", []string{
			say(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
		}, "1 succeeded, 1 sends", "1 succeeded, 1 sends", [2]Harms{}},
		{"executed twice in one flow", []string{
			say(t, "f", 0, "send", with(timeout, first)), say(t, "f", 5*s, "send", with(second, code(0))), end(t, "f", 9*s, "succeeded"),
			truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}, [2]string{"o-2", "r-2"}),
		}, "1 succeeded, 1 executed twice, 2 sends", "1 off the record, 1 sends, 1 queries", [2]Harms{{ExecutedTwice: 1000}, {}}},
		{"executed three times: two too many, one payment", []string{
			say(t, "f", 0, "send", with(timeout, first)), say(t, "f", 5*s, "send", with(second, code(0))),
			truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}, [2]string{"o-2", "r-2"}, [2]string{"o-2", "r-2"}),
		}, "1 open, 1 executed twice, 2 sends", "1 off the record, 1 sends, 1 queries", [2]Harms{{ExecutedTwice: 2000}, {}}},
		{"executed in two flows of a key", []string{
			say(t, "f", 0, "send", with(first, code(0))), end(t, "f", s, "succeeded"), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
			say(t, "g", 60*s, "send", with(second, code(0))), end(t, "g", 61*s, "succeeded"), truth(t, "g", time.Hour, [2]string{"o-2", "r-2"}),
		}, "2 succeeded, 1 executed twice, 2 sends", "1 succeeded, 1 off the record, 1 sends", [2]Harms{{ExecutedTwice: 1000}, {}}},
		{"executed in three flows of a key: two too many, one payment", []string{
			say(t, "f", 0, "send", with(first, code(0))), say(t, "g", 60*s, "send", with(second, code(0))),
			say(t, "h", 90*s, "send", with(first, code(0), fields{"order_id": "o-3", "request_id": "r-3"})),
		}, "3 open, 1 executed twice, 3 sends", "1 succeeded, 2 off the record, 1 sends", [2]Harms{{ExecutedTwice: 2000}, {}}},
		{"a key of two operations is two keys", []string{
			say(t, "f", 0, "send", with(first, code(0))), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
			say(t, "g", 60*s, "send", with(second, refund, code(0))), truth(t, "g", time.Hour, [2]string{"o-2", "r-2"}),
		}, "2 open, 2 sends", "2 succeeded, 2 sends", [2]Harms{}},
		{"a key of two merchants is two keys", []string{
			say(t, "f", 0, "send", with(first, code(0))), say(t, "f", 60*s, "send", with(second, code(0), fields{"merchant": "other"})),
		}, "2 open, 2 sends", "2 succeeded, 2 sends", [2]Harms{}},
		{"flows without a key stand alone", []string{
			say(t, "f", 0, "send", with(code(0), fields{"payment_key": ""})), say(t, "g", 60*s, "send", with(second, code(0), fields{"payment_key": ""})),
		}, "2 open, 2 sends", "2 succeeded, 2 sends", [2]Harms{}},
		{"failed though executed", []string{
			say(t, "f", 0, "send", with(timeout)), say(t, "f", 60*s, "query", code(0)), end(t, "f", 2*s, "failed"),
			truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
		}, "1 failed, 1 failed though executed, 1 sends, 1 queries", "1 succeeded, 1 sends, 1 queries", [2]Harms{{FailedThoughExecuted: 1000}, {}}},
		{"succeeded though not executed", []string{
			say(t, "f", 0, "send", code(7000)), say(t, "f", 60*s, "query", code(1006)), end(t, "f", 2*s, "succeeded"), truth(t, "f", time.Hour),
		}, "1 succeeded, 1 succeeded though not executed, 1 sends, 1 queries", "1 failed, 1 sends, 1 queries", [2]Harms{{SucceededThoughNotExecuted: 1000}, {}}},
		{"without a truth what the answers prove counts", []string{
			say(t, "f", 0, "send", timeout), say(t, "f", 60*s, "query", code(0)), end(t, "f", 90*s, "failed"),
		}, "1 failed, 1 failed though executed, 1 sends, 1 queries", "1 succeeded, 1 sends, 1 queries", [2]Harms{{FailedThoughExecuted: 1000}, {}}},
		{"without a truth a success that nothing proves is no harm that is known", []string{
			say(t, "f", 0, "send", timeout), end(t, "f", 90*s, "succeeded"),
		}, "1 succeeded, 1 sends", "1 off the record, 1 sends, 1 queries", [2]Harms{}},
		{"one proof told twice is one execution", []string{
			say(t, "f", 0, "send", code(0)), say(t, "f", 60*s, "query", code(0)), say(t, "f", 90*s, "webhook", with(code(0), fields{"verified": true})),
		}, "1 open, 1 sends, 1 queries", "1 succeeded, 1 sends", [2]Harms{}},
		{"a webhook that nobody verified proves nothing", []string{
			say(t, "f", 0, "send", timeout), say(t, "f", 30*s, "webhook", code(0)), end(t, "f", 60*s, "failed"),
		}, "1 failed, 1 sends", "1 off the record, 1 sends, 1 queries, 1 unasked", [2]Harms{}},
		{"the truth outranks what the answers said", []string{
			say(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"), truth(t, "f", time.Hour),
		}, "1 succeeded, 1 succeeded though not executed, 1 sends", "1 succeeded, 1 succeeded though not executed, 1 sends",
			[2]Harms{{SucceededThoughNotExecuted: 1000}, {SucceededThoughNotExecuted: 1000}}},
		{"a truth that names the order only", []string{
			say(t, "f", 0, "send", code(0)), end(t, "f", s, "succeeded"), truth(t, "f", time.Hour, [2]string{"o-1", ""}),
		}, "1 succeeded, 1 sends", "1 succeeded, 1 sends", [2]Harms{}},
		{"a truth that names the order only, of two requests, the first refused", []string{
			say(t, "f", 0, "send", code(10)), say(t, "f", 120*s, "send", with(fields{"request_id": "r-2"}, code(0))),
			truth(t, "f", time.Hour, [2]string{"o-1", ""}),
		}, "1 open, 2 sends", "1 succeeded, 2 sends", [2]Harms{}},
		{"a truth that names the request only", []string{
			say(t, "f", 0, "send", code(0)), truth(t, "f", time.Hour, [2]string{"", "r-1"}),
		}, "1 open, 1 sends", "1 succeeded, 1 sends", [2]Harms{}},
		{"the same request again executed; the first was refused at the door", []string{
			say(t, "f", 0, "send", fields{"fault": "not_sent"}), say(t, "f", 60*s, "send", code(0)), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
		}, "1 open, 2 sends", "1 succeeded, 2 sends", [2]Harms{}},
	}
	for _, tt := range tests {
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
func TestSendsThatTheSimulationDidNotMake(t *testing.T) {
	e := withRules(t, map[string]string{"merchants/acme.toml": `
[[rule]]
id = "give-up"
when = 'class == "maintenance" && effect == "not_executed" && !in_doubt'
then = "mark_failed"
reason = "once is enough"
`})
	r := simulate(t, Options{Decider: e, Catalogs: e.Catalogs}, text("r.jsonl",
		say(t, "f", 0, "send", code(10)),
		say(t, "f", time.Minute, "send", code(0)),
		say(t, "f", time.Hour, "truth", fields{"executions": []fields{
			{"order_id": "o-1", "request_id": "r-1", "amount": 1000, "at": dawn.Add(time.Minute).Format(time.RFC3339)}}}),
	))
	if got, want := columnText(r.Simulated), "1 failed, 1 sends"; got != want {
		t.Errorf("simulated: %s, want %s", got, want)
	}
}

// Rules that are wrong are seen to be wrong: the column of these rules is not made of
// goodwill. The provider said that it failed, and reconciliation knows better.
func TestTheSimulatedColumnCanFail(t *testing.T) {
	r := simulate(t, Options{}, text("r.jsonl",
		say(t, "f", 0, "send", with(code(1006), fields{"payment_key": "k"})), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}),
		say(t, "g", time.Minute, "send", with(code(0), fields{"payment_key": "k", "order_id": "o-2", "request_id": "r-2"})),
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
		return say(t, flow, 0, "send", fields{"amount": amount, "currency": currency, "body": fields{"resultCode": code}})
	}
	r := simulate(t, Options{}, text("r.jsonl",
		pay("a", 500, "VND", 0), pay("b", 70, "VND", 10), pay("c", 9, "VND", 7000),
		pay("d", 3, "USD", 0), say(t, "d", time.Minute, "webhook", fields{"verified": true, "body": fields{"resultCode": 1006}}),
		end(t, "d", time.Second, "failed"), pay("e", 40, "USD", 7000), end(t, "e", time.Second, "succeeded"), truth(t, "e", time.Hour),
	))
	want := []Money{
		{Currency: "USD", Volume: 43, Recorded: Harms{FailedThoughExecuted: 3, SucceededThoughNotExecuted: 40}, OffRecord: 40},
		{Currency: "VND", Volume: 579, OffRecord: 79},
	}
	if len(r.Money) != 2 || r.Money[0] != want[0] || r.Money[1] != want[1] {
		t.Errorf("money:\n%+v\nwant\n%+v", r.Money, want)
	}
	if r.Money[0].Recorded.Total() != 43 {
		t.Errorf("in total %d", r.Money[0].Recorded.Total())
	}
}
