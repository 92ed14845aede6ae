package recording

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

const card = "4111111111111111"

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
					out, ok := redact.New(o.Redact, o.Keep, o.KeepText).Object(body, h.known())
					if !ok {
						var form string
						form, ok = redact.New(o.Redact, o.Keep, o.KeepText).Form(string(body), h.known())
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
		line := h.line(redact.New(o.Redact, o.Keep, o.KeepText), o.MaxBody)
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
	digitBeside := func(i int) bool {
		return i >= 0 && i < len(body) && (body[i] >= '0' && body[i] <= '9' || body[i] == 'C')
	}
	for i := range len(body) {
		if body[i] == 'C' && !digitBeside(i-1) && !digitBeside(i+1) {
			b.WriteString(number)
		} else {
			b.WriteByte(body[i])
		}
	}
	return b.String()
}
