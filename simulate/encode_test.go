package simulate

import (
	"reflect"
	"slices"
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// few are texts that recur, so that every way to write one occurs; any are all others.
var (
	few  = rapid.SampledFrom([]string{"", "o-1", "r-1", "o-2", "r-2", "t-1", "SUCCEEDED", "0", "1006"})
	many = rapid.OneOf(few, few, rapid.StringN(0, 300, -1))
	span = rapid.Int64Range(-int64(90*24*time.Hour/time.Microsecond), int64(90*24*time.Hour/time.Microsecond))
	ms   = rapid.Map(rapid.Int64Range(0, 1<<40), func(n int64) time.Duration { return time.Duration(n) * time.Millisecond })
)

// log begins the log of a flow.
func (e *encoder) log(flow string) *flowLog {
	t := new(flowLog)
	e.begin(t, append([]byte{0}, flow...), 0, 0)
	return t
}

// addLine encodes a line as a reader hands it over.
func (e *encoder) addLine(all kinds, t *flowLog, l *line) {
	var b batch
	b.take(all, l)
	e.add(t, &b, &b.lines[0])
}

func drawLine(t *rapid.T) line {
	l := line{Line: recorded.Line{
		Flow: "f", At: moment(1_767_322_800_000_000 + span.Draw(t, "at")).time(), Phase: recorded.Phase(rapid.IntRange(0, 4).Draw(t, "phase")),
	}}
	switch l.Phase {
	case recorded.End:
		l.Outcome = policy.Outcome(rapid.IntRange(0, 3).Draw(t, "outcome"))
		return l
	case recorded.Truth:
		for range rapid.IntRange(0, 3).Draw(t, "executions") {
			l.Executions = append(l.Executions, recorded.Execution{OrderID: many.Draw(t, "order"), RequestID: many.Draw(t, "request"),
				Amount: rapid.Int64().Draw(t, "amount"), At: (momentOf(l.At) + moment(span.Draw(t, "executed"))).time()})
		}
		return l
	default:
	}
	l.Payment = policy.Payment{Provider: "momo", Key: many.Draw(t, "key"), Amount: rapid.Int64().Draw(t, "of"), Currency: few.Draw(t, "in")}
	l.OrderID, l.RequestID, l.ProviderID = many.Draw(t, "order"), many.Draw(t, "request"), many.Draw(t, "provider id")
	l.QueryBy = policy.Identifier(few.Draw(t, "query by"))
	l.Latency = ms.Draw(t, "latency")
	l.Answer = policy.Answer{
		Phase: policy.Phase(l.Phase), Fault: policy.Fault(rapid.IntRange(0, 4).Draw(t, "fault")), Verified: rapid.Bool().Draw(t, "verified"),
		HTTPStatus: rapid.IntRange(0, 999).Draw(t, "http"), RetryAfter: ms.Draw(t, "retry after"), Amount: rapid.Int64().Draw(t, "amount"),
		Code: many.Draw(t, "code"), SubCode: many.Draw(t, "sub code"), Status: many.Draw(t, "status"), SubStatus: many.Draw(t, "sub status"),
		Message: many.Draw(t, "message"), Currency: few.Draw(t, "currency"), OrderID: many.Draw(t, "its order"),
		RequestID: many.Draw(t, "its request"), ProviderID: many.Draw(t, "its id"),
	}
	return l
}

// recordOf is the oracle of encoding: it keeps the lines as they are.
func recordOf(lines []line) record {
	r := record{flow: lines[0].Flow, payment: lines[0].Payment}
	var first *line
	for i := range lines {
		l := &lines[i]
		c := call{at: momentOf(l.At), latency: l.Latency, orderID: l.OrderID, requestID: l.RequestID, providerID: l.ProviderID, queryBy: l.QueryBy, answer: l.Answer}
		switch l.Phase {
		case recorded.Send:
			r.sends = append(r.sends, c)
			if first == nil || l.At.Before(first.At) {
				first, r.payment = l, l.Payment
			}
		case recorded.Query:
			if l.QueryBy != policy.RequestID {
				c.requestID = "" // the query's own id
			}
			r.queries = append(r.queries, c)
		case recorded.Webhook:
			r.webhooks = append(r.webhooks, c)
		case recorded.End:
			if at := momentOf(l.At); !r.ended || at > r.endAt || at == r.endAt && l.Outcome > r.outcome {
				r.ended, r.outcome, r.endAt = true, l.Outcome, at
			}
		case recorded.Truth:
			r.hasTruth = true
			for _, x := range l.Executions {
				r.truth = append(r.truth, execution{x.OrderID, x.RequestID, x.Amount, momentOf(x.At), false})
			}
		}
	}
	for _, calls := range [][]call{r.sends, r.queries, r.webhooks} {
		sort.SliceStable(calls, func(i, j int) bool { return calls[i].at < calls[j].at })
	}
	all := r.truth
	r.truth = nil
	for _, x := range all {
		if slices.ContainsFunc(r.sends, func(c call) bool {
			return (x.orderID == "" || x.orderID == c.orderID) && (x.requestID == "" || x.requestID == c.requestID)
		}) {
			r.truth = append(r.truth, x)
		}
	}
	sort.Slice(r.truth, func(i, j int) bool { return r.truth[i].at < r.truth[j].at })
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

func TestEncodeDecodeRoundTrip(t *testing.T) {
	s, all := new(encoder), newKinds(true) // one for all flows, as in a run
	var reused record
	rapid.Check(t, func(t *rapid.T) {
		var lines []line
		log := s.log("f")
		for range rapid.IntRange(1, 12).Draw(t, "lines") {
			lines = append(lines, drawLine(t))
			s.addLine(all, log, &lines[len(lines)-1])
		}
		want := recordOf(lines)
		reused.decode(s.kinds, log)
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

// listed is calls without what only the encoder knows of them.
func listed(calls []call) []call {
	all := append([]call{}, calls...)
	for i := range all {
		all[i].kind = nil
	}
	return all
}

// The payment of a flow is that of its first send, in whatever order its lines come.
func TestPaymentIsThatOfFirstSend(t *testing.T) {
	at := func(seconds int64, ph recorded.Phase, amount int64) line {
		return line{Line: recorded.Line{Flow: "f", At: moment(seconds * 1e6).time(), Phase: ph, Payment: policy.Payment{Provider: "momo", Amount: amount}}}
	}
	lines := []line{at(5, recorded.Query, 0), at(7, recorded.Send, 100), at(10, recorded.Send, 999)}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s, all := new(encoder), newKinds(true)
		log := s.log("f")
		for _, i := range order {
			s.addLine(all, log, &lines[i])
		}
		var r record
		if r.decode(s.kinds, log); r.payment.Amount != 100 {
			t.Errorf("lines in the order %v: the payment is of %d", order, r.payment.Amount)
		}
	}
}

// Where the list of kinds is full, a flow keeps those of its lines itself, and lines that repeat are still found.
func TestFullListOfKinds(t *testing.T) {
	s, all := new(encoder), newKinds(true)
	for i := range mostKinds {
		all.of(&line{Line: recorded.Line{Answer: policy.Answer{HTTPStatus: i}}})
	}
	l := line{Line: recorded.Line{Flow: "f", Phase: recorded.Send, Answer: policy.Answer{Code: "a-new-code", Message: "news"}}}
	log := s.log("f")
	s.addLine(all, log, &l)
	s.addLine(all, log, &l)
	var r record
	r.decode(s.kinds, log)
	if len(all.known) > mostKinds || len(s.kinds) > 0 || r.sends[0].answer.Code != "a-new-code" || r.sends[0].answer.Message != "news" {
		t.Errorf("%d kinds; %+v", len(all.known), r.sends[0].answer)
	}
	if len(r.sends) != 1 || r.repeated != 1 {
		t.Errorf("%d sends, %d repeated", len(r.sends), r.repeated)
	}
}
