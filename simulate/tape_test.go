package simulate

import (
	"reflect"
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

// few are texts that recur, so that every way to write one occurs; any are all others.
var (
	few  = rapid.SampledFrom([]string{"", "o-1", "r-1", "o-2", "r-2", "t-1", "SUCCEEDED", "0", "1006"})
	many = rapid.OneOf(few, few, rapid.StringN(0, 300, -1))
	span = rapid.Int64Range(-int64(90*24*time.Hour/time.Microsecond), int64(90*24*time.Hour/time.Microsecond))
	ms   = rapid.Map(rapid.Int64Range(0, 1<<40), func(n int64) time.Duration { return time.Duration(n) * time.Millisecond })
)

func drawLine(t *rapid.T) line {
	l := line{flow: "f", at: moment(1_767_322_800_000_000 + span.Draw(t, "at")), phase: linePhase(rapid.IntRange(0, 4).Draw(t, "phase"))}
	switch l.phase {
	case lineEnd:
		l.outcome = policy.Outcome(rapid.IntRange(0, 3).Draw(t, "outcome"))
		return l
	case lineTruth:
		for range rapid.IntRange(0, 3).Draw(t, "executions") {
			l.executions = append(l.executions, execution{many.Draw(t, "order"), many.Draw(t, "request"),
				rapid.Int64().Draw(t, "amount"), l.at + moment(span.Draw(t, "executed"))})
		}
		return l
	default:
	}
	l.payment = policy.Payment{Provider: "momo", Key: many.Draw(t, "key"), Amount: rapid.Int64().Draw(t, "of"), Currency: few.Draw(t, "in")}
	l.orderID, l.requestID, l.providerID = many.Draw(t, "order"), many.Draw(t, "request"), many.Draw(t, "provider id")
	l.queryBy = policy.Identifier(few.Draw(t, "query by"))
	l.latency = ms.Draw(t, "latency")
	l.answer = policy.Answer{
		Phase: policy.Phase(l.phase), Fault: policy.Fault(rapid.IntRange(0, 4).Draw(t, "fault")), Verified: rapid.Bool().Draw(t, "verified"),
		HTTPStatus: rapid.IntRange(0, 999).Draw(t, "http"), RetryAfter: ms.Draw(t, "retry after"), Amount: rapid.Int64().Draw(t, "amount"),
		Code: many.Draw(t, "code"), SubCode: many.Draw(t, "sub code"), Status: many.Draw(t, "status"), SubStatus: many.Draw(t, "sub status"),
		Message: many.Draw(t, "message"), Currency: few.Draw(t, "currency"), OrderID: many.Draw(t, "its order"),
		RequestID: many.Draw(t, "its request"), ProviderID: many.Draw(t, "its id"),
	}
	return l
}

// plainRecord is the twin of packing: it keeps the lines as they are.
func plainRecord(lines []line) record {
	r := record{flow: lines[0].flow, payment: lines[0].payment}
	var first *line
	for i := range lines {
		l := &lines[i]
		c := call{at: l.at, latency: l.latency, orderID: l.orderID, requestID: l.requestID, providerID: l.providerID, queryBy: l.queryBy, answer: l.answer}
		switch l.phase {
		case lineSend:
			r.sends = append(r.sends, c)
			if first == nil || l.at < first.at {
				first, r.payment = l, l.payment
			}
		case lineQuery:
			r.queries = append(r.queries, c)
		case lineWebhook:
			r.webhooks = append(r.webhooks, c)
		case lineEnd:
			r.ended, r.outcome, r.endAt = true, l.outcome, l.at
		case lineTruth:
			r.hasTruth, r.truth = true, append(r.truth, l.executions...)
		}
	}
	for _, calls := range [][]call{r.sends, r.queries, r.webhooks} {
		sort.SliceStable(calls, func(i, j int) bool { return calls[i].at < calls[j].at })
	}
	for _, calls := range [][]call{r.queries, r.webhooks} {
		for i := range calls {
			for _, s := range r.sends {
				if s.at <= calls[i].at {
					calls[i].after++
				}
			}
		}
	}
	return r
}

func TestPackedEqualsUnpacked(t *testing.T) {
	s := newShelf() // one for all flows, as in a run
	var reused record
	rapid.Check(t, func(t *rapid.T) {
		var lines []line
		tape := &tape{flow: "f"}
		for range rapid.IntRange(1, 12).Draw(t, "lines") {
			lines = append(lines, drawLine(t))
			s.put(tape, &lines[len(lines)-1])
		}
		want := plainRecord(lines)
		reused.unpack(s.texts, tape)
		for _, part := range []struct {
			what      string
			got, want any
		}{
			{"flow", reused.flow, want.flow}, {"sends", listed(reused.sends), listed(want.sends)},
			{"queries", listed(reused.queries), listed(want.queries)}, {"webhooks", listed(reused.webhooks), listed(want.webhooks)},
			{"truth", append([]execution{}, reused.truth...), append([]execution{}, want.truth...)},
			{"end", [3]any{reused.ended, reused.outcome, reused.endAt}, [3]any{want.ended, want.outcome, want.endAt}},
			{"reconciled", reused.hasTruth, want.hasTruth},
		} {
			if !reflect.DeepEqual(part.got, part.want) {
				t.Fatalf("%s unpacked:\n%+v\nwant\n%+v", part.what, part.got, part.want)
			}
		}
	})
}

func listed(calls []call) []call { return append([]call{}, calls...) }

// The payment of a flow is that of its first send, in whatever order its lines come.
func TestTheFirstSendNamesThePayment(t *testing.T) {
	at := func(seconds int64, ph linePhase, amount int64) line {
		return line{flow: "f", at: moment(seconds * 1e6), phase: ph, payment: policy.Payment{Provider: "momo", Amount: amount}}
	}
	lines := []line{at(5, lineQuery, 0), at(7, lineSend, 100), at(10, lineSend, 999)}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s, tape := newShelf(), new(tape)
		for _, i := range order {
			s.put(tape, &lines[i])
		}
		var r record
		if r.unpack(s.texts, tape); r.payment.Amount != 100 {
			t.Errorf("lines in the order %v: the payment is of %d", order, r.payment.Amount)
		}
	}
}

// A shelf that is full writes the text itself.
func TestAFullShelf(t *testing.T) {
	s := newShelf()
	for len(s.texts) < shelfSize {
		s.texts = append(s.texts, "")
	}
	l := line{flow: "f", phase: lineSend, answer: policy.Answer{Code: "a-new-code", Message: "news"}}
	var tape tape
	s.put(&tape, &l)
	var r record
	r.unpack(s.texts, &tape)
	if len(s.texts) > shelfSize || r.sends[0].answer.Code != "a-new-code" || r.sends[0].answer.Message != "news" {
		t.Errorf("%d slots; %+v", len(s.texts), r.sends[0].answer)
	}
}
