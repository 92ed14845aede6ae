package simulate

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// trained is a reader that knows the patterns of all shipped recordings and of the lines that tests write, and some of the lines.
func trained(t testing.TB) (r *lineReader, lines [][]byte) {
	t.Helper()
	e := defaults(t)
	r = newLineReader(&Options{Catalogs: e.Catalogs, Decider: e}, newLore(true))
	for _, in := range shipped(t) {
		if err := split(context.Background(), &in, func(b *batch) bool {
			all := bytes.Split(bytes.TrimSpace(b.data), []byte("\n"))
			for i := 0; i < len(all); i += max(1, len(all)/testkit.Size(20, 60, 200)) {
				lines = append(lines, bytes.Clone(all[i]))
			}
			b.parse(r)
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, raw := range oddLines {
		learn(t, r, []byte(raw))
		lines = append(lines, []byte(raw))
	}
	if r.learned < 1000 {
		t.Fatalf("%d patterns of %d tries", r.learned, r.tries)
	}
	return r, lines
}

// oddLines are of forms that no shipped recording has.
var oddLines = append([]string{
	`{ "v": 1, "flow": "f-1", "at": "2026-01-02T03:05:05Z", "phase": "query", "provider": "momo", "operation": "refund", "query_by": "order_id", "order_id": "o-1", "body": { "orderId": "o-1", "resultCode": 0, "refundTrans": [ { "orderId": "o-1", "amount": 120000, "resultCode": 0, "transId": 77 } ] } }`,
	`{"v":1,"body":{"orderId":"o-2","amount":5,"resultCode":0},"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay"}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay","body":{"orderId":"0","amount":0,"resultCode":0,"transId":0}}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay","body":{"orderId":"01","amount":7,"resultCode":0,"transId":"012"}}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"webhook","provider":"opi","operation":"checkout","verified":true,"body":{"param":{"mchOrderId":"o-1","amount":7},"eventName":"checkout.payment.success"}}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"webhook","provider":"shopline","operation":"pay","order_id":"o-1","body":"{\"type\":\"trade.succeeded\",\"data\":{\"status\":\"SUCCEEDED\"}}"}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"query","provider":"shopline","operation":"checkout","order_id":"o-1","body":{"referenceId":"o-1","status":"SUCCEEDED","amount":{"value":7,"currency":"TWD"},"paymentDetails":[{"tradeOrderId":"t","status":"SUCCEEDED"},{"tradeOrderId":"u","status":"FAILED"}]}}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"end","merchant":"m","order_id":"o-1","outcome":"failed"}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"truth","merchant":"m","executions":[{"order_id":"o","request_id":"r","amount":1,"at":"2026-01-02T03:05:05Z"},{"order_id":"p","amount":2}]}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay","amount":7,"currency":"XXX","body":{"orderId":"o","amount":"7.5","resultCode":0}}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay","order_id":"o","fault":"timeout","lacks":["time"]}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay","order_id":"o","fault":"timeout","tags":{"channel":"pos"}}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay","order_id":"o","fault":"timeout","headers":{"x":"y"},"more":1}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay","executions":[{"order_id":"o","amount":3}]}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"end","outcome":"failed","amount":0,"latency_ms":0}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"webhook","provider":"momo","operation":"pay","order_id":"a/1","body":{"orderId":"a\/1","resultCode":0}}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"webhook","provider":"momo","operation":"pay","order_id":"o-1","body":"{\"orderId\":\"o-1\",\"resultCode\":0}"}`,
	`{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"webhook","provider":"vnpay","operation":"checkout","order_id":"o","query_string":"vnp_TxnRef=o","verified":true}`,
}, exampleLines...)

func learn(t testkit.Failer, r *lineReader, raw []byte) {
	b := batch{input: &input{name: "lines"}, firstLine: 1, done: make(chan struct{}), data: bytes.Clone(raw)}
	b.parse(r)
	if len(b.broken) > 0 {
		t.Fatalf("%v\n%s", b.broken[0], raw)
	}
}

// readsAlike holds what is read by a pattern to what the general reader and the catalogue make of the same line.
func readsAlike(t testkit.Failer, r *lineReader, raw []byte) (known bool) {
	t.Helper()
	quick := batch{data: bytes.Clone(raw)}
	if len(bytes.TrimSpace(raw)) != len(raw) || r.readKnown(&quick, raw, 0, 1) != len(raw) {
		return false
	}
	var l line
	if err := r.read(raw, &l); err != nil {
		t.Fatalf("%s\nis read, and is wrong: %v", raw, err)
	}
	var general batch
	general.take(r.kinds, &l)
	if !r.common(&l) || !sameEntry(&quick, &quick.lines[0], &general, &general.lines[0]) {
		t.Fatalf("%s\nreads\n%s\nand in general\n%s", raw, entryText(&quick), entryText(&general))
	}
	return true
}

func entryText(b *batch) string {
	l := &b.lines[0]
	var texts []string
	for i := range l.texts {
		texts = append(texts, string(l.text(b.data, i)))
	}
	return fmt.Sprintf("%+v of %q at %d, %d ms, %d, said %d, %q, %d executions", l.kind.kindContent, l.merchant, l.at, l.latency, l.amount, l.said, texts, len(b.executions))
}

// Lines that repeat a pattern are read by it, and alike.
func TestShippedLinesHavePatterns(t *testing.T) {
	r, lines := trained(t)
	known := 0
	for _, raw := range lines {
		if readsAlike(t, r, raw) {
			known++
		}
	}
	if known < len(lines)*95/100 {
		t.Errorf("%d of %d lines have a pattern", known, len(lines))
	}
}

// oddPieces are what a pattern may take wrongly.
var oddPieces = []string{
	`"`, `\`, `\"`, `{`, `}`, `[`, `]`, `[]`, `,`, `:`, ` `, `null`, `true`, `-`, `0`, `"0"`, `-0`, `1e3`, `1.0`, `.50`, `00`, `99999999999999999999`, `""`, "\x00", "\xff", "é", `\u0041`,
	`"orderId":"x",`, `"OrderID":"x",`, `"amount":1,`, `"code":"1",`, `"order_id":"y",`, `,"v":1`, `"tags":{},`, `"status":"FAILED",`, `"param":{},`, `"lacks":["time"],`, `"query_string":"a=b",`,
	`2026-02-30T00:00:00Z`, `2026-01-02T03:04:05+01:00`, `o-f-0000001-1`, `momo`, `opi`, `webhook`, `query`, `USD`, `XXX`, `manual`, `"verified":true,`, `"request_id":"r",`,
}

// oddValues are values in place of others: of one kind, mostly, so that the line keeps its pattern.
var (
	oddTexts   = []string{`"0"`, `""`, `"00"`, `"o\u0041"`, `"a\\"`, `"é"`, `"o-1"`, `"[]"`, `"o\/1"`, `"x y"`, `"momo"`, `"USD"`, `"2026-01-02T03:04:05.1234567Z"`, `"2026-02-29T00:00:00Z"`, `"` + "\x01" + `"`, `"120000"`, `null`}
	oddNumbers = []string{`0`, `00`, `007`, `-0`, `-7`, `1e3`, `1.50`, `1.`, `0.0`, `7`, `2000`, `999999999999999999`, `9999999999999999999999`, `172800001`, `"7"`, `null`}
	valueForm  = regexp.MustCompile(`"[^"]*"|-?[0-9][0-9.]*`)
)

// replaced is a line with another value in one place.
func replaced(t *rapid.T, raw, other []byte) []byte {
	places := valueForm.FindAllIndex(raw, -1)
	if len(places) == 0 {
		return raw
	}
	at := rapid.SampledFrom(places).Draw(t, "place")
	values := oddNumbers
	if raw[at[0]] == '"' {
		values = oddTexts
	}
	value := rapid.SampledFrom(values).Draw(t, "value")
	if all := valueForm.FindAll(other, -1); len(all) > 0 && rapid.IntRange(0, 3).Draw(t, "of the other") == 0 {
		value = string(rapid.SampledFrom(all).Draw(t, "its value"))
	}
	return append(append(bytes.Clone(raw[:at[0]]), value...), raw[at[1]:]...)
}

// cut is a line with other bytes somewhere.
func cut(t *rapid.T, raw []byte) []byte {
	from := rapid.IntRange(0, len(raw)).Draw(t, "from")
	to := min(len(raw), from+max(0, rapid.IntRange(-4, 16).Draw(t, "cut")))
	piece := rapid.SampledFrom(oddPieces).Draw(t, "piece")
	return append(append(bytes.Clone(raw[:from]), piece...), raw[to:]...)
}

// Whatever is done to a line, and in whatever order lines were learned: what a pattern reads the general reader reads alike.
func TestPatternsReadAlike(t *testing.T) {
	r, lines := trained(t)
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom(lines).Draw(t, "line")
		other := rapid.SampledFrom(lines).Draw(t, "other")
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			if rapid.IntRange(0, 4).Draw(t, "how") == 0 {
				raw = cut(t, raw)
			} else {
				raw = replaced(t, raw, other)
			}
		}
		readsAlike(t, r, raw)
		var l line
		if bytes.IndexByte(raw, '\n') < 0 && r.read(bytes.TrimSpace(raw), &l) == nil {
			learn(t, r, raw) // what is learned of it holds as well
		}
	})
}

// A hole takes another value than the one that was learned: all of them at once, from another line of the pattern.
func TestHolesTakeOtherValues(t *testing.T) {
	r, _ := trained(t)
	was := []byte(`{"v":1,"flow":"f-1","at":"2026-01-02T03:04:05Z","phase":"query","provider":"momo","merchant":"m","operation":"refund","query_by":"order_id","order_id":"o-1","latency_ms":5,"http_status":200,"body":{"partnerCode":"P","orderId":"o-1","requestId":"r","resultCode":0,"message":"ok","refundTrans":[{"orderId":"o-1","amount":10,"resultCode":0,"transId":77}]}}`)
	learn(t, r, was)
	is := strings.NewReplacer("o-1", "o-29", `"amount":10`, `"amount":2000`, "77", "4210389111", "03:04:05Z", "23:59:59.123456Z").Replace(string(was))
	if !readsAlike(t, r, []byte(is)) {
		t.Error("a line of the same pattern is not known")
	}
	for _, raw := range []string{
		strings.Replace(is, `[{"orderId":"o-29"`, `[{"orderId":"o-28"`, 1), // another entry's
		strings.Replace(is, `"transId":4210389111`, `"transId":0`, 1), strings.Replace(is, `"amount":2000`, `"amount":0`, 1),
		strings.Replace(is, `"amount":2000`, `"amount":2e3`, 1), strings.Replace(is, `"latency_ms":5`, `"latency_ms":172800001`, 1),
		strings.Replace(is, `"flow":"f-1"`, `"flow":""`, 1), strings.Replace(is, `"flow":"f-1"`, `"flow":"f\u0031"`, 1),
	} {
		if readsAlike(t, r, []byte(raw)) {
			t.Errorf("is taken for a line of the pattern:\n%s", raw)
		}
	}
}

// What has more in it than a pattern describes is for the general reader, each time.
func TestWhatNoPatternDescribes(t *testing.T) {
	const begin = `{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"send","provider":"momo","operation":"pay",`
	r := newLineReader(&Options{Catalogs: defaults(t).Catalogs}, newLore(true))
	for _, rest := range []string{
		`"order_id":"o","lacks":["time"]}`, `"order_id":"o","tags":{"channel":"pos"}}`, `"order_id":"o","headers":{"x":"y"}}`, `"order_id":"o","more":1}`, `"order_id":"o","rules":"d"}`,
		`"order_id":"o","asked":{}}`, `"order_id":"o","decided":{}}`, `"order_id":"o","order_id":"o"}`, `"order_id":"o","ORDER_ID":"o"}`,
		`"body":{"orderId":"o","orderId":"o","resultCode":0}}`, `"body":{"orderId":"o","x":1,"X":1,"resultCode":0}}`, `"fault":"timeout","body":{"orderId":"o"}}`,
		`"body":{"orderId":"o","note":"` + strings.Repeat("x", longestKnown) + `"}}`,
	} {
		for range 2 {
			learn(t, r, []byte(begin+rest))
		}
		if b := (batch{data: []byte(begin + rest)}); r.readKnown(&b, b.data, 0, 1) > 0 {
			t.Errorf("has a pattern: %.200s", rest)
		}
	}
}

// A line teaches a pattern, and another one has it but for a value that counts otherwise: it must not be read by the pattern.
func TestALineThatOnlyLooksLikeAPattern(t *testing.T) {
	const (
		begin = `{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","provider":"momo","operation":"pay",`
		end   = `{"v":1,"flow":"f","at":"2026-01-02T03:05:05Z","phase":"end","outcome":"failed",`
	)
	for _, x := range []struct{ name, learned, raw string }{
		{
			"the order in a body that is a text", begin + `"phase":"webhook","verified":true,"order_id":"o-1","body":"{\"orderId\":\"o-1\",\"resultCode\":0}"}`,
			begin + `"phase":"webhook","verified":true,"order_id":"o-2","body":"{\"orderId\":\"o-1\",\"resultCode\":0}"}`,
		},
		{
			"an order that is written with an escape", begin + `"phase":"webhook","verified":true,"order_id":"a/1","body":{"orderId":"a\/1","resultCode":0}}`,
			begin + `"phase":"webhook","verified":true,"order_id":"a/2","body":{"orderId":"a\/1","resultCode":0}}`,
		},
		{
			"the number of a transaction, likewise", begin + `"phase":"send","provider_id":"t-1","body":{"orderId":"o","resultCode":0,"transId":"t\u002d1"}}`,
			begin + `"phase":"send","provider_id":"t-2","body":{"orderId":"o","resultCode":0,"transId":"t\u002d1"}}`,
		},
		{
			"an empty list that is written as a text", begin + `"phase":"send","body":{"orderId":"o","resultCode":0}}`,
			begin + `"phase":"send","body":{"orderId":"[]","resultCode":0}}`,
		},
		{
			"the same as an amount", begin + `"phase":"send","amount":7,"currency":"VND","body":{"orderId":"o","amount":"7","resultCode":0}}`,
			begin + `"phase":"send","amount":7,"currency":"VND","body":{"orderId":"o","amount":"[]","resultCode":0}}`,
		},
		{"an amount in a line that has none", end + `"amount":0}`, end + `"amount":5}`},
		{"executions in a line that has none", begin + `"phase":"send","executions":[{"order_id":"o","amount":3}]}`, begin + `"phase":"send","executions":[{"order_id":"p","amount":4}]}`},
	} {
		t.Run(x.name, func(t *testing.T) {
			e := defaults(t)
			r := newLineReader(&Options{Catalogs: e.Catalogs, Decider: e}, newLore(true))
			learn(t, r, []byte(x.learned))
			readsAlike(t, r, []byte(x.raw))
		})
	}
}

// A value that is read as a name, and for what it says as well, is the same in all lines of a pattern.
func TestAValueThatIsReadTwice(t *testing.T) {
	e := withRules(t, map[string]string{"providers/acme.toml": `
name        = "acme"
operations  = ["pay"]
currency    = "USD"
amount_unit = "minor"
[contract]
query_by = ["order_id"]
[[decode]]
status   = "ref"
order_id = "ref"
[[status]]
status = "OK"
class  = "success"
facts  = [{ operation = ["pay"], phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]
`})
	r := newLineReader(&Options{Catalogs: e.Catalogs, Decider: e}, newLore(true))
	for _, ref := range []string{"OK", "NO", "OK"} {
		raw := fmt.Appendf(nil, `{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"send","provider":"acme","operation":"pay","body":{"ref":%q}}`, ref)
		readsAlike(t, r, raw)
		learn(t, r, raw)
		readsAlike(t, r, raw)
	}
}

// One provider is read by another catalogue for some merchants: a pattern that was learned of the one is none of the other, and both are kept.
func TestPatternsOfTwoDeployments(t *testing.T) {
	e := withRules(t, map[string]string{
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
		"merchants/south.toml": "[contract]\ndeployment = { acme = \"south\" }",
	})
	r := newLineReader(&Options{Catalogs: e.Catalogs, Decider: e}, newLore(true))
	of := func(merchant, order string) []byte {
		return fmt.Appendf(nil, `{"v":1,"flow":"f-%s","at":"2026-01-02T03:04:05Z","phase":"send","provider":"acme","merchant":%q,"operation":"pay","amount":5,"currency":"USD","body":{"state":"OK","ref":%q,"sum":5}}`, order, merchant, order)
	}
	for range 2 {
		learn(t, r, of("north", "n"))
		learn(t, r, of("south", "s"))
	}
	tries := r.tries
	for _, raw := range [][]byte{of("north", "n-1"), of("south", "s-1"), of("north", "n-2")} {
		if !readsAlike(t, r, raw) {
			t.Errorf("not known:\n%s", raw)
		}
	}
	if r.tries != tries || tries != 2 {
		t.Errorf("%d lines were learned", r.tries)
	}
	var b batch
	for _, raw := range [][]byte{of("north", "n"), of("south", "s")} {
		from := len(b.data)
		b.data = append(b.data, raw...)
		r.readKnown(&b, raw, from, 1)
	}
	if len(b.lines) != 2 || b.lines[0].said != 5 || b.lines[1].said != 500 {
		t.Errorf("%d lines: %+v", len(b.lines), b.lines)
	}
}

// An amount of a known pattern is the one that the catalogue reads, in every unit.
func TestAmountsByAPattern(t *testing.T) {
	for _, unit := range []string{"minor", "major", "hundredths"} {
		e := withRules(t, map[string]string{"providers/acme.toml": `
name        = "acme"
operations  = ["pay"]
currency    = "USD"
amount_unit = "` + unit + `"
[contract]
query_by = ["order_id"]
[[decode]]
status   = "state"
order_id = "ref"
amount   = "sum"
`})
		c, err := e.Catalogs.Get("acme")
		if err != nil {
			t.Fatal(err)
		}
		for _, currency := range []string{"", "USD", "VND", "KWD", "XXX"} {
			p := pattern{kind: &kind{kindContent: kindContent{answer: policy.Answer{Currency: currency}}}, catalog: c, unit: c.Minor("1", currency)}
			for _, text := range []string{"1", "7", "007", "100", "120000", "999999999999", "1000000000000", "9999999999999999", "99999999999999999999", "0", "00", "1.5", "1.50", "-1", "x"} {
				if got, want := p.amount([]byte(text)), c.Minor(text, currency); got != want {
					t.Errorf("%s %s in %s: %d, want %d", text, currency, unit, got, want)
				}
			}
		}
	}
}

// Texts are measured as by looking at each byte.
func TestTextLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.OneOf(rapid.ByteRange(' ', '~'), rapid.SampledFrom([]byte{0, 0x1f, '"', '!', '#', '[', '\\', ']', 0x7e, 0x7f, 0x80, 0xa2, 0xdc, 0xff})), 0, 40).Draw(t, "data")
		want := 0
		for want < len(data) && plainByte[data[want]] {
			want++
		}
		if got := textLength(data); got != want {
			t.Fatalf("%d of %q; want %d", got, data, want)
		}
	})
}

// FuzzPatterns holds both readers equal on any bytes, after any other line was learned.
func FuzzPatterns(f *testing.F) {
	for i, raw := range oddLines {
		f.Add([]byte(raw), []byte(oddLines[(i+1)%len(oddLines)]))
		f.Add([]byte(raw), []byte(raw))
	}
	e := defaults(f)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		r := newLineReader(&Options{Catalogs: e.Catalogs, Decider: e}, newLore(true))
		for _, raw := range oddLines {
			learn(t, r, []byte(raw))
		}
		var l line
		if raw := bytes.TrimSpace(first); bytes.IndexByte(raw, '\n') < 0 && r.read(raw, &l) == nil {
			learn(t, r, raw)
		}
		readsAlike(t, r, first)
		readsAlike(t, r, second)
	})
}
