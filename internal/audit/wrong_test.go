package audit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// at is a line of any provider and operation.
func at(minute int, phase, provider, operation, rest string) string {
	return fmt.Sprintf(`{"v":1,"at":"2026-01-02T%02d:%02d:00Z","phase":%q,"merchant":"acme","provider":%q,"operation":%q,%s}`+"\n", 3+minute/60, minute%60, phase, provider, operation, rest)
}

const (
	nameless = `"flow":"f","payment_key":"k","amount":1000,"currency":"VND",`
	shop     = `"payment_key":"k","order_id":"o-1","request_id":"r-1","amount":1000,"currency":"TWD",`
	ended    = `"flow":"f","outcome":`
)

// truthOf is a truth line with executions.
func truthOf(minute int, flow, executions string) string {
	return line(minute, "truth", fmt.Sprintf(`"flow":%q,"executions":[%s]`, flow, executions))
}

const (
	done = `"code":"0"`
	no   = `"code":"1080"`
)

// part is a refund of a part of an order, without a payment key.
func part(minute int, request string, amount int, answer string) string {
	id := ""
	if request != "" {
		id = fmt.Sprintf(`"request_id":%q,`, request)
	}
	return at(minute, "send", "momo", "refund", fmt.Sprintf(`"flow":"f","order_id":"o-1",%s"amount":%d,"currency":"VND",%s`, id, amount, answer))
}

// keyed is a line of flow f with a payment key.
func keyed(key, line string) string {
	return strings.Replace(line, `"flow":"f"`, fmt.Sprintf(`"flow":"f","payment_key":%q`, key), 1)
}

// nameless300 is a refund at a provider that dedupes by a request, which the log does not have.
func nameless300(minute int) string {
	return at(minute, "send", "stripe", "refund", `"flow":"f","order_id":"o-1","amount":300,"currency":"USD","http_status":200,"status":"succeeded"`)
}

// asks is a query that is answered: executed. Amount is what the log says that it is about; 0: it does not say.
func asks(minute, amount int) string {
	return at(minute, "query", "momo", "refund", fmt.Sprintf(`"flow":"f","query_by":"order_id","order_id":"o-1","amount":%d,"currency":"VND","code":"0"`, amount))
}

// verdict is what is found in a log.
type verdict struct {
	name, lines string
	want        Kind
	certain     bool
	amount      int64
}

// holdVerdicts audits logs, each in several forms that say the same.
func holdVerdicts(t *testing.T, all []verdict) {
	t.Helper()
	e := engine(t)
	tail := line(late, "send", `"flow":"z","order_id":"z","request_id":"z","amount":1,"currency":"VND","body":{"orderId":"z","requestId":"z","amount":1,"resultCode":0}`) +
		line(late+1, "end", `"flow":"z","outcome":"succeeded"`)
	for _, tt := range all {
		for form, texts := range map[string][]string{
			"as it is": {tt.lines + tail}, "twice": {tt.lines + tt.lines + tail}, "backwards": {backwards(tt.lines) + tail}, "two files": split(tt.lines, tail),
		} {
			r := audited(t, e, nil, texts...)
			var got Finding
			if len(r.Findings) > 0 {
				got = *r.Findings[0]
			}
			if got.Kind != tt.want || got.Certain != tt.certain || got.Amount != tt.amount || len(r.Findings) > 1 {
				t.Errorf("%s, %s: %q, certain %v, %d; not %q, %v, %d", tt.name, form, got.Kind, got.Certain, got.Amount, tt.want, tt.certain, tt.amount)
			}
		}
	}
}

// Logs whose verdict was wrong once: a charge missed, or a clean payment called harmed.
func TestVerdicts(t *testing.T) {
	one := `{"order_id":"o-1","request_id":"r-1","amount":1000}`
	captured := func(id string) string {
		return `"status":"SUCCEEDED","sub_status":"CAPTURED","provider_id":"` + id + `"`
	}
	holdVerdicts(t, []verdict{
		{"two providers, the same identifiers", line(0, "send", asked+","+paid) + at(5, "send", "shopline", "pay", `"flow":"g",`+shop+`"http_status":200,`+captured("t-1")), ChargedTwice, true, 1000},
		{"two providers, lost at the first", line(0, "send", asked+","+lost) + at(5, "send", "shopline", "pay", `"flow":"g",`+shop+`"http_status":200,`+captured("t-1")), MayBeChargedTwice, false, 1000},
		{"two sends without identifiers, both paid", line(0, "send", nameless+`"code":"0"`) + line(1, "send", nameless+`"code":"0"`), ChargedTwice, true, 1000},
		{"two sends without identifiers, the first lost", line(0, "send", nameless+lost) + line(1, "send", nameless+`"code":"0"`), MayBeChargedTwice, false, 1000},
		{"the request is not in the log, and the provider dedupes by it", at(0, "send", "stripe", "pay", `"flow":"f","order_id":"o-1","amount":1000,"currency":"USD","fault":"timeout"`) +
			at(1, "send", "stripe", "pay", `"flow":"f","order_id":"o-1","amount":1000,"currency":"USD","http_status":200,"status":"succeeded"`), MayBeChargedTwice, false, 1000},
		{"one identity, two payments at the provider", line(0, "send", asked+`,"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":0,"transId":1}`) +
			line(1, "send", asked+`,"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":0,"transId":2}`), MayBeChargedTwice, false, 1000},
		{"sent again after it was settled, and lost", line(0, "send", asked+","+lost) + line(5, "webhook", `"flow":"f","verified":true,"order_id":"o-1","request_id":"r-1",`+refused) +
			line(9, "send", asked+","+lost) + line(12, "end", ended+`"failed"`), FailedInDoubt, false, 1000},
		{"over, and then it goes on", line(0, "send", asked+","+refused) + line(5, "query", `"flow":"f","query_by":"order_id","order_id":"o-1","body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":1000}`) +
			line(9, "end", ended+`"failed"`), FailedInDoubt, false, 1000},
		{"the key comes after the end", line(0, "end", ended+`"failed"`) + line(1, "send", asked+","+lost) + line(3, "send", again+","+paid2), MayBeChargedTwice, false, 1000},
		{"the truth of one flow says nothing of another", line(0, "send", asked+","+paid) + line(2, "send", again+","+paid2) + truthOf(late, "f", one), ChargedTwice, true, 1000},
		{"nothing found for one flow, the other paid", line(0, "send", asked+","+lost) + line(2, "send", again+","+paid2) + truthOf(late, "f", ""), "", false, 0},
		{"one line of truth with the same execution twice", line(0, "send", asked+","+paid) + truthOf(late, "f", one+","+one), ChargedTwice, true, 1000},
		{"truth that says more later", line(0, "send", asked+","+paid) + truthOf(9, "f", `{"order_id":"o-1","request_id":"r-1"}`) + truthOf(late, "f", one), "", false, 0},
		{"truth of the whole key in both flows", line(0, "send", asked+","+paid) + line(2, "send", again+`,"fault":"not_sent"`) + truthOf(late, "f", one) + truthOf(late, "g", one), "", false, 0},
		{"truth without names in two flows", line(0, "send", asked+","+paid) + line(2, "send", again+","+paid2) + truthOf(late, "f", `{"amount":1000}`) + truthOf(late, "g", `{"amount":1000}`), ChargedTwice, true, 1000},
		{"truth without amounts", line(0, "send", asked+","+paid) + line(2, "send", again+","+paid2) + truthOf(late, "f", `{"order_id":"o-1","request_id":"r-1"},{"order_id":"o-2","request_id":"r-2"}`), ChargedTwice, true, 1000},
		{"reconciled too early", line(0, "send", asked+`,"fault":"not_sent"`) + truthOf(1, "f", "") + line(2, "send", asked2+","+paid2) + line(4, "end", ended+`"failed"`), FailedThoughExecuted, true, 1000},
		{"the clock of the notices is behind", line(3, "webhook", `"flow":"f","verified":true,"order_id":"o-1","request_id":"r-1",`+paid) + line(5, "send", asked+","+lost) + line(9, "end", ended+`"failed"`), FailedThoughExecuted, true, 1000},
		{"a notice names the payment in its body only", line(0, "send", asked+","+lost) + line(5, "webhook", `"flow":"f","verified":true,`+paid) + line(9, "end", ended+`"failed"`), FailedThoughExecuted, true, 1000},
		{"a notice of an order whose send is missing", line(0, "send", asked+","+paid) + line(5, "webhook", `"flow":"f","verified":true,"order_id":"o-2","request_id":"r-2",`+paid2), MayBeChargedTwice, false, 1000},
		{"a query of another amount", line(0, "send", asked+","+lost) + line(5, "query", `"flow":"f","query_by":"order_id","order_id":"o-1","body":{"orderId":"o-1","amount":7,"resultCode":1001}`) + line(9, "end", ended+`"failed"`), FailedInDoubt, false, 1000},
		{"a second request of the order, and the provider has one payment", line(0, "send", asked+`,"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":0,"transId":1}`) +
			line(2, "send", `"flow":"f","payment_key":"k","order_id":"o-1","request_id":"r-9","amount":1000,"currency":"VND","body":{"orderId":"o-1","requestId":"r-9","amount":1000,"resultCode":0,"transId":1}`), "", false, 0},
		{"a second currency", line(0, "send", asked+","+paid) + line(2, "send", `"flow":"g","payment_key":"k","order_id":"o-2","request_id":"r-2","amount":5,"currency":"USD","code":"0"`), ChargedTwice, true, 5},
		{"several merchants with one order", line(0, "send", asked+","+paid) + strings.ReplaceAll(line(1, "send", asked+","+paid), "acme", "other"), "", false, 0},
		{"an operation each", line(0, "send", asked+","+paid) + at(1, "send", "momo", "refund", `"flow":"g","payment_key":"k","order_id":"o-1","request_id":"r-1","amount":1000,"currency":"VND",`+paid), "", false, 0},
		{"a refund twice", at(0, "send", "momo", "refund", `"flow":"f","payment_key":"k","order_id":"o-1","request_id":"r-1","amount":1000,"currency":"VND",`+paid) +
			at(1, "send", "momo", "refund", `"flow":"g","payment_key":"k","order_id":"o-2","request_id":"r-2","amount":1000,"currency":"VND",`+paid2), ChargedTwice, true, 1000},
		{"a notice alone", line(5, "webhook", `"flow":"f","verified":true,"order_id":"o-1","request_id":"r-1",`+paid), "", false, 0},
	})
}

// Orders that are captured or refunded in parts, and flows of several operations.
func TestVerdictsOfParts(t *testing.T) {
	thePay := at(0, "send", "momo", "pay", `"flow":"f","order_id":"o-1","request_id":"r-0","amount":1000,"currency":"VND",`+done)
	holdVerdicts(t, []verdict{
		{"two partial refunds without keys", part(0, "r-1", 300, done) + part(9, "r-2", 200, done), "", false, 0},
		{"two partial refunds without keys or names", part(0, "", 300, done) + part(9, "", 200, done), "", false, 0},
		{"two refunds alike without keys", part(0, "r-1", 300, done) + part(9, "r-2", 300, done), MayBeChargedTwice, false, 300},
		{"two refunds alike without keys or names, and the provider dedupes by the order", part(0, "", 300, done) + part(9, "", 300, done), "", false, 0},
		{"two refunds alike without keys or names", nameless300(0) + nameless300(9), MayBeChargedTwice, false, 300},
		{"two partial refunds without keys or names, of a provider that dedupes by requests", nameless300(0) + strings.Replace(nameless300(9), "300", "200", 1), "", false, 0},
		{"a refund without an amount beside one without a key", part(0, "r-1", 300, done) + part(9, "r-2", 0, done), MayBeChargedTwice, false, 300},
		{"a partial refund lost, another paid", part(0, "r-1", 300, lost) + part(9, "r-2", 200, done), LeftOpen, false, 300},
		{"a partial refund lost, sent again as another request, beside another part", part(0, "r-1", 300, lost) + part(5, "r-2", 300, done) + part(9, "r-3", 200, done), MayBeChargedTwice, false, 300},
		{"a partial refund lost, found by its amount", part(0, "r-1", 300, lost) + part(9, "r-2", 200, done) + asks(20, 300), "", false, 0},
		{"a partial refund lost, and an answer that may be about either", part(0, "", 300, lost) + part(9, "", 200, done) + asks(20, 0), LeftOpen, false, 300},
		{"partial refunds of which reconciliation found one", part(0, "r-1", 300, lost) + part(9, "r-2", 200, done) + truthOf(late, "f", `{"order_id":"o-1","request_id":"r-2","amount":200}`), "", false, 0},
		{"partial refunds, one executed twice", part(0, "r-1", 300, done) + part(9, "r-2", 200, done) +
			truthOf(late, "f", `{"order_id":"o-1","request_id":"r-2","amount":200},{"order_id":"o-1","request_id":"r-2","amount":200},{"order_id":"o-1","request_id":"r-1","amount":300}`), ChargedTwice, true, 200},
		{"partial refunds of which one failed", part(0, "r-1", 300, done) + part(9, "r-2", 200, no) + line(20, "end", ended+`"failed"`), "", false, 0},
		{"partial refunds that both executed, marked failed", part(0, "r-1", 300, done) + part(9, "r-2", 200, done) + line(20, "end", ended+`"failed"`), FailedThoughExecuted, true, 300},
		{"partial refunds of which one was refused, marked succeeded", part(0, "r-1", 300, no) + part(9, "r-2", 200, done) + line(20, "end", ended+`"succeeded"`), "", false, 0},
		{"a payment and its refund in one flow without a key", at(0, "send", "momo", "pay", `"flow":"f","order_id":"o-1","request_id":"r-0","amount":1000,"currency":"VND",`+done) + part(9, "r-2", 1000, done), "", false, 0},
		{"two payments in one flow without a key", at(0, "send", "momo", "pay", `"flow":"f","order_id":"o-1","request_id":"r-1","amount":300,"currency":"VND",`+done) +
			at(9, "send", "momo", "pay", `"flow":"f","order_id":"o-2","request_id":"r-2","amount":200,"currency":"VND",`+done), ChargedTwice, true, 200},
		{"two refunds alike, one without its currency", part(0, "r-1", 300, done) + strings.Replace(part(9, "r-2", 300, done), `"currency":"VND",`, "", 1), MayBeChargedTwice, false, 300},
		{"two refunds alike, in two currencies", part(0, "r-1", 300, done) + strings.Replace(part(9, "r-2", 300, done), "VND", "USD", 1), "", false, 0},
		{"a payment and its refund in one flow, with a key", keyed("k", thePay) + keyed("k", part(9, "r-2", 1000, done)), "", false, 0},
		{"a payment with a key and its refund without one", keyed("k", thePay) + part(9, "r-2", 1000, done), "", false, 0},
		{"a payment marked failed, and a refund that was refused later", thePay + line(5, "end", ended+`"failed"`) + part(9, "r-2", 1000, no), FailedThoughExecuted, true, 1000},
		{"a payment, and a refund that was refused and marked failed", thePay + part(9, "r-2", 1000, no) + line(20, "end", ended+`"failed"`), "", false, 0},
		{"a payment marked succeeded, and a refund that is lost later", thePay + line(5, "end", ended+`"succeeded"`) + part(9, "r-2", 1000, lost), LeftOpen, false, 1000},
		{"a payment refused and marked succeeded, and a refund of it later", strings.Replace(thePay, done, `"code":"1001"`, 1) + line(5, "end", ended+`"succeeded"`) + part(9, "r-2", 300, done), SucceededThoughNot, true, 1000},
		{"a payment and its refund, both paid and marked failed before by another clock", line(0, "end", ended+`"failed"`) + strings.Replace(thePay, "03:00", "03:01", 1) + part(9, "r-2", 1000, done), FailedThoughExecuted, true, 1000},
		{"a payment twice beside its refund, with a key", keyed("k", thePay) + keyed("k", strings.Replace(thePay, "r-0", "r-1", 1)) + keyed("k", part(9, "r-2", 1000, done)), ChargedTwice, true, 1000},
		{"a payment with a key, and its refund, of which reconciliation names no request", keyed("k", thePay) + keyed("k", part(9, "r-2", 1000, done)) +
			truthOf(late, "f", `{"order_id":"o-1","amount":1000,"at":"2026-01-02T03:00:00Z"},{"order_id":"o-1","amount":1000,"at":"2026-01-02T03:09:00Z"}`), MayBeChargedTwice, false, 1000},
		{"two refunds in one flow, with a key each", keyed("k1", part(0, "r-1", 300, done)) + keyed("k2", part(9, "r-2", 200, done)), "", false, 0},
		{"two refunds alike in one flow, with a key each", keyed("k1", part(0, "r-1", 300, done)) + keyed("k2", part(9, "r-2", 300, done)), "", false, 0},
		{"two refunds in one flow, with a key each, found by their amounts", keyed("k1", part(0, "r-1", 300, done)) + keyed("k2", part(9, "r-2", 200, done)) +
			truthOf(late, "f", `{"order_id":"o-1","amount":200},{"order_id":"o-1","amount":300}`), "", false, 0},
		{"partial refunds of which reconciliation has one by its request with another amount", part(0, "r-1", 300, done) + part(9, "r-2", 200, done) + line(20, "end", ended+`"succeeded"`) +
			truthOf(late, "f", `{"order_id":"o-1","request_id":"r-1","amount":250},{"order_id":"o-1","request_id":"r-2","amount":200}`), PaidAnotherAmount, true, 300},
		{"partial refunds of which reconciliation has a third amount", part(0, "r-1", 300, done) + part(9, "r-2", 200, done) + truthOf(late, "f", `{"order_id":"o-1","amount":250},{"order_id":"o-1","amount":200}`), MayBeChargedTwice, false, 200},
		{"two refunds with a key each, one lost, and a query of its key", keyed("k1", part(0, "r-1", 300, done)) + keyed("k2", part(9, "r-2", 300, lost)) + keyed("k2", asks(20, 300)), "", false, 0},
		{"two refunds with a key each, one lost, and a query of the other", keyed("k1", part(0, "r-1", 300, done)) + keyed("k2", part(9, "r-2", 300, lost)) + keyed("k1", asks(20, 300)), LeftOpen, false, 300},
		{"two refunds with a key each, one executed twice", keyed("k1", part(0, "r-1", 300, done)) + keyed("k2", part(9, "r-2", 200, done)) + keyed("k2", part(12, "r-3", 200, done)), ChargedTwice, true, 200},
		{"two refunds in one flow, one with a key", keyed("k1", part(0, "r-1", 300, done)) + part(9, "r-2", 300, done), MayBeChargedTwice, false, 300},
		{"a payment, and then a checkout, in one flow without a key", thePay + strings.NewReplacer(`"pay"`, `"checkout"`, "r-0", "r-1").Replace(thePay), MayBeChargedTwice, false, 1000},
		{"a payment lost, and then a checkout, in one flow without a key", strings.Replace(thePay, done, lost, 1) + strings.NewReplacer(`"pay"`, `"checkout"`, "r-0", "r-1").Replace(thePay), MayBeChargedTwice, false, 1000},
	})
}

const asked2 = `"flow":"f","payment_key":"k","order_id":"o-2","request_id":"r-2","amount":1000,"currency":"VND"`

// A mapping that names the wrong column may give every line one payment key.
func TestOneKeyForAll(t *testing.T) {
	e := engine(t)
	var all strings.Builder
	const sends = 5_000
	for i := range sends {
		day := time.Date(2026, 1, 2, 3, 0, i, 0, time.UTC).Format(time.RFC3339)
		fmt.Fprintf(&all, `{"v":1,"at":%q,"phase":"send","merchant":"acme","provider":"momo","operation":"pay","flow":"f%d","payment_key":"k","order_id":"o-%d","request_id":"r","amount":1,"currency":"VND","code":"0"}`+"\n", day, i, i)
		fmt.Fprintf(&all, `{"v":1,"at":%q,"phase":"webhook","merchant":"acme","provider":"momo","operation":"pay","flow":"f%d","verified":true,"payment_key":"k","order_id":"o-%d","request_id":"r","amount":1,"currency":"VND","code":"0"}`+"\n", day, i, i)
		fmt.Fprintf(&all, `{"v":1,"at":%q,"phase":"truth","merchant":"acme","flow":"f%d","executions":[{"order_id":"o-%d","request_id":"r","amount":1}]}`+"\n", day, i, i)
	}
	r := audited(t, e, nil, all.String())
	if len(r.Findings) != 1 || r.Findings[0].Amount != sends-1 || len(r.Findings[0].Story) > 1000 {
		t.Errorf("%+v", r.Totals)
	}
}

// A line with more executions than can be compared is passed over and named; several lines of them end.
func TestManyExecutions(t *testing.T) {
	e := engine(t)
	var all strings.Builder
	for i := range 40 {
		all.WriteString(truthOf(i, "f", strings.Repeat(fmt.Sprintf(`{"amount":%d},`, i+1), maxExecutions-1)+`{"amount":1}`))
	}
	all.WriteString(truthOf(41, "f", strings.Repeat(`{"amount":1},`, maxExecutions)+`{"amount":1}`))
	r := audited(t, e, nil, line(0, "send", asked+","+paid)+all.String())
	if r.BrokenLines != 1 || len(r.Findings) != 1 || r.Findings[0].Kind != ChargedTwice {
		t.Errorf("%d broken, %+v", r.BrokenLines, r.Totals)
	}
}

// A merchant's answers are read as its provider speaks where the merchant is: elsewhere the same body is of another amount, and proves nothing.
func TestDeployments(t *testing.T) {
	e, err := ruleset.Open(testkit.Dir(t, testkit.WithDoor(map[string]string{
		"providers/acme.toml": `
name        = "acme"
operations  = ["pay"]
currency    = "USD"
amount_unit = "minor"
[contract]
query_by = ["order_id"]
[[decode]]
status   = "state"
order_id = "ref"
amount   = "sum"
[[status]]
status = "OK"
class  = "success"
facts  = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]
[deployment.south]
amount_unit = "major"
`,
		"merchants/acme.toml": "[contract]\ndeployment = { acme = \"south\" }",
	})))
	if err != nil {
		t.Fatal(err)
	}
	paid := func(minute int, order string) string {
		return at(minute, "send", "acme", "pay", fmt.Sprintf(`"flow":%q,"payment_key":"k","order_id":%q,"amount":500,"currency":"USD","body":{"state":"OK","ref":%q,"sum":5}`, order, order, order))
	}
	r := audited(t, e, nil, paid(0, "o-1")+paid(1, "o-2"))
	if len(r.Findings) != 1 || r.Findings[0].Kind != ChargedTwice || !r.Findings[0].Certain {
		t.Errorf("%+v", r.Totals)
	}
}

// Without payment keys one order is one purchase, whatever its lines' flows are called, and an id of the provider's that changes is a second payment.
func TestVerdictsOfOrders(t *testing.T) {
	const ids = `"payment_key":"k","order_id":"o-1","request_id":"r-1","amount":1000,"currency":"VND",`
	unkeyed := func(line string) string { return strings.ReplaceAll(line, `"payment_key":"k",`, "") }
	notice := func(minute int, flow, id string) string {
		return line(minute, "webhook", fmt.Sprintf(`"flow":%q,"verified":true,%s"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":0,"transId":%q}`, flow, ids, id))
	}
	asks := func(minute int, id string) string {
		return line(minute, "query", fmt.Sprintf(`"flow":"f","query_by":"order_id","order_id":"o-1","body":{"orderId":"o-1","amount":1000,"resultCode":0,"transId":%q}`, id))
	}
	intent := func(minute int, flow, request, id string) string {
		return at(minute, "send", "stripe", "pay", fmt.Sprintf(`"flow":%q,"order_id":"o-1","request_id":%q,"amount":1000,"currency":"USD","http_status":200,"body":{"id":%q,"status":"succeeded","amount":1000,"currency":"usd"}`, flow, request, id))
	}
	second := strings.ReplaceAll(unkeyed(line(5, "send", asked+","+paid)), `"flow":"f"`, `"flow":"g"`)
	holdVerdicts(t, []verdict{
		{"two notices of one request, two payments at the provider", line(0, "send", asked+","+lost) + line(2, "send", asked+","+lost) + notice(3, "f", "1") + notice(9, "f", "2"), MayBeChargedTwice, false, 1000},
		{"two notices of one payment", line(0, "send", asked+","+lost) + line(2, "send", asked+","+lost) + notice(3, "f", "1") + notice(9, "f", "1"), "", false, 0},
		{"an answer and a notice of two payments", line(0, "send", asked+`,"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":0,"transId":1}`) + notice(9, "f", "2"), MayBeChargedTwice, false, 1000},
		{"an answer and a notice of one payment", line(0, "send", asked+`,"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":0,"transId":1}`) + notice(9, "f", "1"), "", false, 0},
		{"a query and a notice of two payments", line(0, "send", asked+","+lost) + asks(3, "1") + notice(9, "f", "2"), MayBeChargedTwice, false, 1000},
		{"a notice that is not verified, of another payment", line(0, "send", asked+","+lost) + asks(3, "1") + strings.Replace(notice(9, "f", "2"), `"verified":true`, `"verified":false`, 1), "", false, 0},
		{"a query that has no id of the payment, and a notice", line(0, "send", asked+","+lost) + asks(3, "0") + notice(9, "f", "2"), "", false, 0},
		{"an answer and a query of a payout, whose ids no document compares", strings.ReplaceAll(line(0, "send", asked+`,"body":{"orderId":"o-1","requestId":"r-1","amount":1000,"resultCode":0,"transId":1}`)+asks(3, "2"), `"operation":"pay"`, `"operation":"payout"`), "", false, 0},
		{"two payments, of which reconciliation found one", line(0, "send", asked+","+lost) + notice(3, "f", "1") + notice(9, "f", "2") + truthOf(late, "f", `{"order_id":"o-1","request_id":"r-1","amount":1000}`), "", false, 0},
		{"one order in two flows, two requests", intent(0, "f", "r-1", "pi_1") + intent(5, "g", "r-2", "pi_2"), MayBeChargedTwice, false, 1000},
		{"one order in two flows, one request", unkeyed(line(0, "send", asked+","+paid)) + second, "", false, 0},
		{"one order in two flows, of two merchants", intent(0, "f", "r-1", "pi_1") + strings.ReplaceAll(intent(5, "g", "r-2", "pi_2"), "acme", "other"), "", false, 0},
		{"one order in two flows, at two providers", intent(0, "f", "r-1", "pi_1") + second, "", false, 0},
		{"one order in two flows, each with its key", line(0, "send", asked+","+paid) + strings.Replace(line(5, "send", asked+","+paid), `"flow":"f","payment_key":"k"`, `"flow":"g","payment_key":"l"`, 1), "", false, 0},
		{"two refunds of one order in two flows", unkeyed(part(0, "r-1", 300, done)) + strings.Replace(unkeyed(part(5, "r-2", 300, done)), `"flow":"f"`, `"flow":"g"`, 1), "", false, 0},
		{"a notice in a flow of its own", unkeyed(line(0, "send", asked+","+lost)+notice(5, "notice-1", "1")) + line(9, "end", ended+`"succeeded"`), "", false, 0},
	})
}
