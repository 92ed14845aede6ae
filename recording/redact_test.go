package recording

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

const card = "4111111111111111"

// acme reads a little of everything.
const acme = `
name       = "acme"
operations = ["pay"]
[[decode]]
code     = ["rc", "param.rc"]
status   = ["list[all].st", "refunds[ref=$order_id].st"]
message  = "msg"
order_id = "ref"
amount   = "sum"
pay_url  = "link"
`

type oneCatalog struct{ c *providers.Catalog }

func (o oneCatalog) Catalog(*policy.Payment) (*providers.Catalog, error) { return o.c, nil }

func catalogOf(t testing.TB, text string) oneCatalog {
	t.Helper()
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if err := cs.Add("acme.toml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	c, err := cs.Get("acme")
	if err != nil {
		t.Fatal(err)
	}
	return oneCatalog{c}
}

// A line without the body does not say which order an answer names: it proves nothing by it.
func TestAForeignAnswerWithoutItsBodyProvesNothing(t *testing.T) {
	for name, change := range map[string]func(a *policy.Answer){
		"order": func(a *policy.Answer) { a.OrderID = "o-2" }, "request": func(a *policy.Answer) { a.RequestID = "r-2" },
		"amount": func(a *policy.Answer) { a.Amount = 1 }, "currency": func(a *policy.Answer) { a.Currency = "USD" },
		"none": func(*policy.Answer) {},
	} {
		e := entry{Line: recorded.Line{Phase: recorded.Query, OrderID: "o-1", RequestID: "r-1", Payment: policy.Payment{Provider: "unknown", Amount: 2, Currency: "VND"},
			Answer: policy.Answer{Phase: policy.Query, Code: "DONE", OrderID: "o-1", RequestID: "r-1", Amount: 2, Currency: "VND"}}, Body: []byte(`{"a":1}`)}
		change(&e.Answer)
		line := string(e.line(newRedactor(&Options{}), 1<<16))
		if strings.Contains(line, "DONE") != (name == "none") || strings.Contains(line, `"body"`) {
			t.Errorf("%s: %s", name, line)
		}
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
					m, ok := c.Message(op, &answer, at)
					if !ok {
						continue
					}
					seen[name]++
					if c.Written(op, ph) == "json" {
						m.Body = crowd(t, m.Body, i)
					} else {
						m.Body = append(m.Body, "&cardNo=378282246310005&note=s3cret"...)
					}
					want := policy.Answer{Currency: answer.Currency}
					if err := c.DecodeMessage(op, ph, &m, &want); err != nil {
						t.Fatalf("%s %s %s: %v", name, op, ph, err)
					}
					e := entry{Line: recorded.Line{Payment: policy.Payment{Provider: name, Operation: op, Amount: answer.Amount, Currency: answer.Currency}, Answer: want}}
					rest, _, ok := newRedactor(&Options{}).Cut(c, &e.Payment, &m, &want, &redact.Known{IDs: []string{want.OrderID, want.RequestID, want.ProviderID}, Amounts: []int64{want.Amount}})
					if !ok {
						t.Fatalf("%s %s %s: %s is cut to %s, which reads otherwise than %+v", name, op, ph, m.Body, rest.Body, want)
					}
					if out := string(rest.Body) + rest.Query; strings.Contains(out, "378282246310005") || strings.Contains(out, "s3cret") {
						t.Fatalf("%s %s %s: a secret in %s", name, op, ph, out)
					}
				}
			}
		}
	}
	for _, name := range cs.Names() {
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
		`{"rc":"C"}`, `{"rc":C}`, `{"C":1}`, `"C"`, `C`, `[C,"C"]`, `rc=C&b=C`, `{"msg":"x C y"}`, `{"param":"{\"rc\":\"C\"}"}`, `{"msg":"?x=C"}`,
		`<p>C</p>`, `{"rc":"C`, `{"ref":"1","sum":C}`, `{"list":[{"st":"C"}]}`, `{"msg":"-C-C"}`, `{"msg":"%43C%20"}`, `{"msg":"C 12/27"}`, `"\"\\\"C\\\"\""`, `{"note":["C",{"note":"C"}]}`,
	} {
		f.Add(s, uint8(0), true)
		f.Add(s, uint8(1), false)
	}
	rules := catalogOf(f, acme)
	cards := []string{card, "378282246310005", "6200000000000005", "4222222222222"}
	f.Fuzz(func(t *testing.T, body string, which uint8, unreadable bool) {
		number := cards[int(which)%len(cards)]
		body = separate(body, number)
		a := policy.Answer{Phase: policy.Send, HTTPStatus: 200}
		p := policy.Payment{Provider: "acme", Operation: policy.Pay}
		if err := rules.c.DecodeMessage(p.Operation, a.Phase, &policy.Message{Body: []byte(body)}, &a); unreadable && err == nil {
			return
		}
		e := entry{Line: recorded.Line{Phase: recorded.Send, Flow: "f", Payment: p, Answer: a}, Body: []byte(body)}
		e.Answer.OrderID, e.Answer.RequestID, e.Answer.ProviderID = "", "", "" // else it is one that we know
		o := (&Options{KeepText: 1 << 20, Rules: rules, Keep: []string{"note"}}).withDefaults()
		line := e.line(newRedactor(&o), o.MaxBody)
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
	beside := func(i int) bool { return i >= 0 && i < len(body) && slices.Contains([]byte("0123456789C"), body[i]) }
	for i := range len(body) {
		if body[i] == 'C' && !beside(i-1) && !beside(i+1) {
			b.WriteString(number)
		} else {
			b.WriteByte(body[i])
		}
	}
	return b.String()
}
