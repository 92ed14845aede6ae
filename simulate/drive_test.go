package simulate

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// drawRecord draws a random recording: answers of every provider in any order.
func drawRecord(t *rapid.T) *record {
	e := defaults(t)
	r := &record{flow: "f", payment: policy.Payment{
		Provider:  rapid.SampledFrom(e.Catalogs.Names()).Draw(t, "provider"),
		Merchant:  rapid.SampledFrom([]string{"", "evergreen-box", "midnight-drop", "swift-payouts"}).Draw(t, "merchant"),
		Operation: rapid.SampledFrom(policy.Operations()).Draw(t, "operation"),
		Capture:   rapid.SampledFrom(policy.All[policy.CaptureMode]()).Draw(t, "capture"),
		Amount:    1000, Currency: "VND",
	}}
	cat, err := e.Catalogs.Get(r.payment.Provider)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var codes, statuses []string
	for _, row := range cat.Codes {
		codes = append(codes, row.Code)
	}
	for _, row := range cat.Statuses {
		statuses = append(statuses, row.Status)
	}
	codes, statuses = append(codes, "", "new"), append(statuses, "", "NEW")
	draw := func(what string, ph policy.Phase) []call {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) call {
			c := call{at: moment(startTime.UnixMicro()).plus(time.Duration(rapid.Int64Range(0, int64(30*time.Hour)).Draw(t, "at"))),
				latency: time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "latency"))}
			c.orderID = rapid.SampledFrom([]string{"o-1", "o-1", "o-2"}).Draw(t, "order")
			c.requestID = rapid.SampledFrom([]string{"r-1", "r-1", "r-2", "r-3", ""}).Draw(t, "request")
			c.queryBy = rapid.SampledFrom([]policy.Identifier{policy.OrderID, policy.RequestID, policy.ProviderID}).Draw(t, "by")
			c.answer = policy.Answer{Phase: ph, Code: rapid.SampledFrom(codes).Draw(t, "code"), Status: rapid.SampledFrom(statuses).Draw(t, "status"),
				Fault: rapid.SampledFrom([]policy.Fault{0, 0, 0, policy.NotSent, policy.Timeout}).Draw(t, "fault"), Verified: rapid.Bool().Draw(t, "verified")}
			if ph == policy.Webhook {
				c.answer.OrderID = c.orderID
			}
			return c
		}), 0, 6).Draw(t, what)
	}
	r.sends, r.queries, r.webhooks = draw("sends", policy.Send), draw("queries", policy.Query), draw("webhooks", policy.Webhook)
	r.order()
	return r
}

// A recorded answer is used only where it would have been given, whatever was recorded.
func TestAnswersAreUsedOnlyWhereGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		v := driver{d: defaults(t), r: r}
		sends, last := 0, time.Time{}
		used := map[*call]bool{}
		v.watch = func(s step) {
			if s.at.Before(last) {
				t.Fatalf("time goes back from %s to %s", last, s.at)
			}
			last = s.at
			switch c := s.command.(type) {
			case flow.Send:
				rec := &r.sends[sends]
				if sends++; c.Attempt != sends || c.Identity.OrderID != rec.orderID || c.Identity.RequestID != rec.requestID {
					t.Fatalf("send %d is %+v, recorded %+v", sends, c.Identity, rec)
				}
				if v.now < rec.at {
					t.Fatalf("send %d before the recorded one", sends)
				}
			case flow.Ask:
				if v.s.Attempts != sends {
					t.Fatalf("%d sends, and the flow counts %d", sends, v.s.Attempts)
				}
			}
			if s.event == nil || v.current == nil {
				return
			}
			switch s.event.(type) {
			case flow.Queried, flow.Received:
				if used[v.current] {
					t.Fatalf("an answer was used twice: %+v", v.current)
				}
				used[v.current] = true
				if v.now < v.current.at+v.shift || v.current.after != sends {
					t.Fatalf("after %d sends, at %s, used the answer after %d at %s", sends, v.now.time(), v.current.after, (v.current.at + v.shift).time())
				}
			}
		}
		e := v.run()
		if e.sends != sends || e.sends > len(r.sends) || e.queries > len(r.queries)+1 {
			t.Fatalf("%+v", e)
		}
		if e.departure != onRecord && e.outcome != policy.Open {
			t.Fatalf("off the record, and yet %s", e.outcome)
		}
		if e.corrected != 0 {
			t.Fatalf("the interlock corrected the default rules %d times", e.corrected)
		}
	})
}

// The answer to a query that is late counts for when it was asked, with the shift of the
// send before it.
func TestLateQueryCountsFromRecordedTime(t *testing.T) {
	at := func(d time.Duration) moment { return moment(startTime.UnixMicro()).plus(d) }
	v := driver{d: defaults(t), now: at(time.Hour), shift: moment(time.Minute / time.Microsecond), r: &record{
		payment: policy.Payment{Provider: "momo", Operation: policy.Pay},
		queries: []call{{at: at(time.Minute), orderID: "o", after: 1}, {at: at(30 * time.Minute), orderID: "o", after: 1}, {at: at(2 * time.Hour), orderID: "o", after: 1}},
	}}
	v.s = flow.State{Attempts: 1, Ledger: []flow.Identity{{OrderID: "o"}}}
	if v.ask(); v.asked != at(31*time.Minute) || v.query != 2 {
		t.Errorf("asked as of %s (query %d), want 31m past", v.asked.time(), v.query)
	}
	v.query = 3
	if v.ask(); v.end.departure != queriesMore {
		t.Errorf("nothing is left to ask, and it is %q", v.end.departure)
	}
}

// There is a story of every flow of that name, one a merchant, in the order of their names.
func TestStoriesOfManyMerchants(t *testing.T) {
	var lines []string
	for i := range 300 { // over several goroutines
		lines = append(lines, jsonLine(t, "f", time.Duration(i), "send", with(code(0), fields{"merchant": fmt.Sprintf("m-%03d", 299-i)})))
	}
	stories := simulate(t, Options{Flow: "f"}, text("r", lines...)).Stories()
	if len(stories) != 300 {
		t.Fatalf("%d stories", len(stories))
	}
	for i, s := range stories {
		if want := fmt.Sprintf("m-%03d", i); s.Payment.Merchant != want {
			t.Fatalf("story %d is of %s, want %s", i, s.Payment.Merchant, want)
		}
	}
	if one := simulate(t, Options{Flow: "f", Merchant: "m-007"}, text("r", lines...)).Stories(); len(one) != 1 || one[0].Payment.Merchant != "m-007" {
		t.Errorf("of one merchant: %d", len(one))
	}
}

// Flows that one runner simulates, in memory that is used again, end as those with memory of their own, also when all are compared
// at the end.
func TestARunnersFlowsDoNotShareMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := defaults(t)
		total := newTally(e.Catalogs)
		r := runner{o: &Options{Decider: e, Catalogs: e.Catalogs}, t: total}
		var shared, own []ending
		for range 3 {
			rec := drawRecord(t)
			shared = append(shared, r.drive(e, rec, nil, total))
			alone := driver{d: e, r: rec}
			own = append(own, alone.run())
		}
		if got, want := fmt.Sprintf("%+v", shared), fmt.Sprintf("%+v", own); got != want {
			t.Fatalf("with shared memory\n%s\nand with their own\n%s", got, want)
		}
	})
}

// A recorded client that goes back to an order of before, or names no request, does what no flow does: the flow leaves the record. It was a panic.
func TestIdentifiersThatWereUsedBefore(t *testing.T) {
	for _, c := range []struct {
		action policy.Action
		sent   [][2]string // order and request of each send
	}{
		{policy.RetryNewOrder, [][2]string{{"o-1", "r-1"}, {"o-2", "r-2"}, {"o-1", "r-3"}}},
		{policy.RetryNewRequest, [][2]string{{"o-1", "r-1"}, {"o-1", "r-2"}, {"o-1", ""}}},
		{policy.RetryNewRequest, [][2]string{{"o-1", "r-1"}, {"o-1", "r-2"}, {"o-1", "r-1"}}},
	} {
		r := &record{flow: "f", payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 1000, Currency: "VND"}}
		at := moment(startTime.UnixMicro())
		for i, ids := range c.sent {
			send := call{at: at.plus(time.Duration(i) * time.Hour), latency: time.Second, answer: policy.Answer{Phase: policy.Send, Code: "1001"}}
			send.orderID, send.requestID = ids[0], ids[1]
			r.sends = append(r.sends, send)
		}
		r.order()
		v := driver{d: always{defaults(t), c.action}, r: r}
		v.run()
		if v.end.departure != sendsOther || v.s.Attempts != 2 {
			t.Errorf("%s after %v: %q after %d sends", c.action, c.sent, v.end.departure, v.s.Attempts)
		}
	}
}

// always decides alike.
type always struct {
	policy.Decider
	action policy.Action
}

func (d always) Decide(*policy.Situation) policy.Decision {
	return policy.Decision{Action: d.action, Rule: "always"}
}
