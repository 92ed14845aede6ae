package recording

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

func redact(o *Options, k *known, body string) string {
	d := o.withDefaults()
	r := newRedactor(&d)
	if k == nil {
		k = &known{}
	}
	if out, ok := r.object([]byte(body), k); ok {
		return string(out)
	}
	return string(r.other([]byte(body), k))
}

const card = "4111111111111111"

func TestRedact(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"names, whatever their case", `{"cardNo":"1","CARD_NUMBER":"2","apiKey":"3","x-Access-Key":"4","resultCode":0}`,
			`{"cardNo":"R","CARD_NUMBER":"R","apiKey":"R","x-Access-Key":"R","resultCode":0}`},
		{"every kind keeps its kind", `{"pan":4,"cvv":"737","token":true,"expiry":null,"email":"","phone":[1,"2"]}`,
			`{"pan":0,"cvv":"R","token":true,"expiry":null,"email":"","phone":[0,"R"]}`},
		{"everything below a name", `{"billingAddress":{"city":"Hanoi","lines":["a",{"floor":3}]},"city":"Hue"}`,
			`{"billingAddress":{"city":"R","lines":["R",{"floor":0}]},"city":"Hue"}`},
		{"endings", `{"callbackToken":"a","sessionUrl":"b","customerName":"c","eventName":"d","timespan":1,"design":"e"}`,
			`{"callbackToken":"R","sessionUrl":"R","customerName":"R","eventName":"d","timespan":1,"design":"e"}`},
		{"links to pay by", `{"payUrl":"a","deeplink":"b","qrCodeUrl":"c","deeplinkMiniApp":"d","qrCode":"e"}`,
			`{"payUrl":"R","deeplink":"R","qrCodeUrl":"R","deeplinkMiniApp":"R","qrCode":"R"}`},
		{"order and repeated names stay", `{"b":1,"a":2,"b":3}`, `{"b":1,"a":2,"b":3}`},
		{"JSON in a string", `{"param":"{\"status\":\"OK\",\"cvv\":\"737\",\"in\":\"{\\\"pin\\\":1}\"}"}`,
			`{"param":"{\"status\":\"OK\",\"cvv\":\"R\",\"in\":\"{\\\"pin\\\":0}\"}"}`},
		{"a list in a string", `{"passthrough":" [{\"phone\":\"1\"}] "}`, `{"passthrough":"[{\"phone\":\"R\"}]"}`},
		{"JSON in a string, cut off", `{"param":"{\"cvv\":\"737"}`, `{"param":"R"}`},
		{"a whole body in a string", `"{\"cvv\":\"737\",\"code\":1}"`, `"{\"cvv\":\"R\",\"code\":1}"`},
		{"text that begins like JSON", `{"msg":"[sandbox] failed"}`, `{"msg":"[sandbox] failed"}`},
		{"pages and base64", `{"html":"<input name=cvv value=737>","extraData":"eyJuYW1lIjoiYSJ9"}`, `{"html":"R","extraData":"R"}`},
		{"a form in a string", `{"raw":"status=OK&cvv=737&x=%7B%22pin%22%3A1%7D"}`,
			`{"raw":"status=OK&cvv=R&x=%7B%22pin%22%3A0%7D"}`},
		{"a query", `{"back":"https://u:p@shop.example/x?order=1&access_token=abc#y"}`,
			`{"back":"https://R@shop.example/x?order=1&access_token=R"}`},
		{"fields in words", `{"msg":"failed: token=abc, try  again"}`, `{"msg":"failed: token=R try  again"}`},
		{"cards in groups", `{"msg":"card 4111 1111 1111 1111 12/27 of 4111-1111-1111-1111."}`, `{"msg":"card R 12/27 of R."}`},
		{"cards as numbers", `{"a":4111111111111111,"b":4.111111111111111e15,"c":4111111111111112,"d":4111111111111111.00}`,
			`{"a":0,"b":0,"c":4111111111111112,"d":0}`},
		{"a card as a name", `{"4111111111111111":1}`, `{"R":1}`},
		{"a card in escapes", `{"m":"/x/4111%201111%201111%201111"}`, `{"m":"R"}`},
		{"two that overlap", `{"m":"5 4111 1111 1111 1111"}`, `{"m":"5 R"}`},
		{"a card with more behind it", `{"m":"41111111111111111227737"}`, `{"m":"R"}`},
		{"a form", "status=OK&cardNo=" + card + "&note=" + card + "&q=4111+1111+1111+1111&name=", `"status=OK&cardNo=R&note=` + "%E2%80%A6redacted%E2%80%A6" + `&q=` + "%E2%80%A6redacted%E2%80%A6" + `&name="`},
		{"a list", `[{"cvv":"737","code":1}]`, `[{"cvv":"R","code":1}]`},
		{"a number", card, `0`},
	} {
		want := strings.ReplaceAll(row.want, "R", redacted)
		want = strings.NewReplacer("CA"+redacted+"D_NUMBE"+redacted, "CARD_NUMBER").Replace(want)
		if got := redact(nil, nil, row.body); got != want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, want)
		}
	}
}

func TestRedactOtherBodies(t *testing.T) {
	page := `<html><p>Dear Nguyen Van A</p></html>`
	got := redact(nil, nil, page)
	if !strings.HasPrefix(got, fmt.Sprintf(`"%s %d bytes, `, redacted, len(page))) || strings.Contains(got, "Nguyen") {
		t.Errorf("a page becomes %s", got)
	}
	if got == redact(nil, nil, page) {
		t.Error("the hash has no key: a short body could be tried out")
	}
	cut := `{"a":"b=c","cvv":"737`
	if got := redact(nil, nil, cut); strings.Contains(got, "737") {
		t.Errorf("JSON that is cut off becomes %s", got)
	}
	if got := redact(&Options{KeepText: 40}, nil, "Bad Gateway "+card); got != `"Bad Gateway `+redacted+`"` {
		t.Errorf("short text becomes %s", got)
	}
}

func TestRedactOptions(t *testing.T) {
	got := redact(&Options{Redact: []string{"loyalty_id"}, Keep: []string{"Pay-Url"}}, nil, `{"loyaltyId":"a","payUrl":"b","qrUrl":"c","PAN":"d"}`)
	if want := strings.ReplaceAll(`{"loyaltyId":"R","payUrl":"b","qrUrl":"R","PAN":"R"}`, `"R"`, `"`+redacted+`"`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := redact(&Options{Keep: []string{"pan"}}, nil, `{"pan":"`+card+`"}`); strings.Contains(got, card) {
		t.Errorf("an exception lets a card through: %s", got)
	}
	// What a simulation needs stays, though it looks like a card.
	k := &known{ids: []string{card, "5555555555554444"}, amounts: []int64{378282246310005}}
	body := `{"orderId":"4111111111111111","transId":5555555555554444,"amount":378282246310005,"units":3782822463100.05,"param":"{\"orderId\":\"4111111111111111\"}"}`
	if got := redact(nil, k, body); got != body {
		t.Errorf("got %s, want %s", got, body)
	}
}

// What the catalogue reads in a body it reads in the redacted one.
func TestRedactedBodiesDecodeTheSame(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	seen := map[string]int{}
	for _, name := range cs.Names() {
		c, err := cs.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range c.Operations {
			for _, ph := range policy.Phases() {
				for i, answer := range answersOf(c, ph) {
					body, ok := c.Body(op, &answer, at)
					if !ok {
						continue
					}
					seen[name]++
					body = crowd(t, body, i)
					want := policy.Answer{Currency: answer.Currency}
					if err := c.Decode(op, ph, body, &want); err != nil {
						t.Fatalf("%s %s %s: %v", name, op, ph, err)
					}
					h := entry{Line: recorded.Line{Payment: policy.Payment{Amount: answer.Amount}, Answer: want}}
					o := (*Options)(nil).withDefaults()
					out, ok := newRedactor(&o).object(body, h.known())
					if !ok {
						var form string
						form, ok = newRedactor(&o).form(string(body), h.known(), 0)
						out = []byte(form)
					}
					got := policy.Answer{Currency: answer.Currency}
					if err := c.Decode(op, ph, out, &got); !ok || err != nil || got != want {
						t.Fatalf("%s %s %s:\n%s\nreads as %+v (%v), not %+v", name, op, ph, out, got, err, want)
					}
					if strings.Contains(string(out), "378282246310005") || strings.Contains(string(out), "s3cret") {
						t.Fatalf("%s %s %s: a secret in %s", name, op, ph, out)
					}
				}
			}
		}
	}
	for _, name := range []string{"momo", "opi", "paykka", "shopline"} {
		if seen[name] < 50 {
			t.Errorf("%s: %d bodies only", name, seen[name])
		}
	}
}

// answersOf is every code and status of a catalogue, with identifiers that look like cards.
func answersOf(c *providers.Catalog, ph policy.Phase) []policy.Answer {
	answer := policy.Answer{
		Phase: ph, Message: "Giao dịch thất bại [1006]", OrderID: "4111111111111111", RequestID: "r-77/4f", ProviderID: "5555555555554444",
		Amount: 12000000, Currency: "VND",
	}
	var all []policy.Answer
	for _, row := range c.Codes {
		a := answer
		a.Code = row.Code
		all = append(all, a)
		a.Status, a.Code, a.SubCode = "FAILED", "", row.Code
		all = append(all, a)
	}
	for _, row := range c.Statuses {
		a := answer
		a.Status, a.SubStatus = row.Status, row.SubStatus
		all = append(all, a)
	}
	return all
}

// crowd puts what real bodies hold besides into a body, sometimes the whole into a string.
func crowd(t *testing.T, body []byte, i int) []byte {
	t.Helper()
	extra := `{"payUrl":"https://pay.example/?t=s3cret","signature":"s3cret","paymentInstrument":{"cardNo":"378282246310005","holderName":"s3cret"},` +
		`"passthrough":"{\"card\":{\"cvv\":\"s3cret\"},\"seen\":\"378282246310005 \"}",`
	crowded := []byte(strings.Replace(string(body), "{", extra, 1))
	if i%5 > 0 {
		return crowded
	}
	inString, err := json.Marshal(string(crowded))
	if err != nil {
		t.Fatal(err)
	}
	return inString
}

// No card number is in a line, whatever stands around it in the body.
func FuzzNoCardSurvives(f *testing.F) {
	for _, s := range []string{
		`{"a":"C"}`, `{"a":C}`, `{"C":1}`, `"C"`, `C`, `[C,"C"]`, `a=C&b=C`, `{"a":"x C y"}`, `{"a":"{\"b\":\"C\"}"}`, `{"a":"?x=C"}`,
		`<p>C</p>`, `{"a":"C`, `{"orderId":"1","amount":C}`, `{"a":"[1,C]"}`, `{"a":"-C-C"}`, `{"a":"%43C%20"}`, `{"a":"C 12/27"}`, `"\"\\\"C\\\"\""`,
	} {
		f.Add(s, uint8(0), true)
		f.Add(s, uint8(1), false)
	}
	cards := []string{card, "378282246310005", "6200000000000005", "4222222222222"}
	f.Fuzz(func(t *testing.T, body string, which uint8, unreadable bool) {
		number := cards[int(which)%len(cards)]
		body = separate(body, number)
		h := entry{Line: recorded.Line{Phase: recorded.Send, Flow: "f", Answer: policy.Answer{HTTPStatus: 200}}, body: []byte(body)}
		if unreadable {
			h.Answer.Fault = policy.Unreadable
		}
		o := (&Options{KeepText: 1 << 20}).withDefaults()
		line := h.line(newRedactor(&o), o.MaxBody)
		if !json.Valid(line) {
			t.Fatalf("not JSON: %s", line)
		}
		if strings.Contains(string(line), number) {
			t.Fatalf("%s is in %s", number, line)
		}
	})
}

// separate puts the number where C stands, unless digits beside it make it another number.
func separate(body, number string) string {
	var b strings.Builder
	digitBeside := func(i int) bool { return i >= 0 && i < len(body) && (isDigit(body[i]) || body[i] == 'C') }
	for i := range len(body) {
		if body[i] == 'C' && !digitBeside(i-1) && !digitBeside(i+1) {
			b.WriteString(number)
		} else {
			b.WriteByte(body[i])
		}
	}
	return b.String()
}
