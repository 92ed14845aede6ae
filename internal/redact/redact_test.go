package redact

import (
	"fmt"
	"strings"
	"testing"

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

func catalogOf(t testing.TB, text string) *providers.Catalog {
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
	return c
}

// cut is what a recorder keeps of a body. It has to be read as the whole body is.
func cut(t testing.TB, r *Redactor, k *Known, body string) string {
	t.Helper()
	if k == nil {
		k = &Known{}
	}
	c := catalogOf(t, acme)
	p := &policy.Payment{Provider: "acme", Operation: policy.Pay, Currency: "VND"}
	a := policy.Answer{Currency: "VND"}
	m := &policy.Message{Body: []byte(body)}
	if err := c.DecodeMessage(p.Operation, policy.Send, m, &a); err != nil {
		return string(r.Unreadable([]byte(body), k))
	}
	rest, _, ok := r.Cut(c, p, m, &a, k)
	if !ok {
		t.Errorf("%s is read as another answer once it is cut to %s", body, rest.Body)
	}
	return string(rest.Body)
}

func TestWhatACatalogueReadsStays(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"what is read", `{"rc":"A","ref":"o-1","sum":100,"msg":"no money"}`, `{"rc":"A","ref":"o-1","sum":100,"msg":"no money"}`},
		{"order and repeated names", `{"sum":1,"rc":"A","sum":1}`, `{"sum":1,"rc":"A","sum":1}`},
		{"nothing else, whatever it is called", `{"rc":"A","cvvCode":"737","pin_block":"0412AC","tokens":["tok_1",{"a":"tok_2"}],"x":{"rc":"A"},"note":"4111 1111 1111 1111","n":4111111111111111,"kana":"ヤマダ"}`, `{"rc":"A"}`},
		{"nor a name that is a card number", `{"rc":"A","4111111111111111":{"rc":1}}`, `{"rc":"A"}`},
		{"nor the link to pay by", `{"rc":"A","link":"https://pay.example/?t=s3cret"}`, `{"rc":"A"}`},
		{"lists keep their entries", `{"list":[{"st":"A","cvv":1},{"st":"A"},{"pan":4}]}`, `{"list":[{"st":"A"},{"st":"A"},{}]}`},
		{"an empty list", `{"list":[]}`, `{"list":[]}`},
		{"a selected entry", `{"ref":"o-1","refunds":[{"ref":"o-1","st":"B","pan":"1"},{"ref":"o-2","st":"C"}]}`, `{"ref":"o-1","refunds":[{"ref":"o-1","st":"B"},{"ref":"o-2","st":"C"}]}`},
		{"JSON in a string", `{"param":"{\"rc\":\"A\",\"cvv\":\"737\"}"}`, `{"param":"{\"rc\":\"A\"}"}`},
		{"another text in its place", `{"param":"cvv=737","rc":null}`, `{"param":"","rc":null}`},
		{"a number in its place", `{"param":4111111111111112}`, `{"param":0}`},
		{"a body in strings", `"\"{\\\"rc\\\":\\\"A\\\",\\\"cvv\\\":\\\"737\\\"}\""`, `{"rc":"A"}`},
		{"what cannot be compared", `{"rc":{"cvv":"737"},"ref":["tok_1"],"sum":true}`, `{"rc":{},"ref":[],"sum":true}`},
	} {
		if got := cut(t, New(nil, nil, 0), nil, row.body); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

func TestTextsForPeople(t *testing.T) {
	k := &Known{IDs: []string{"order-20260102-0000017"}}
	for _, row := range []struct{ text, want string }{
		{"Giao dịch bị từ chối [1006]", "Giao dịch bị từ chối [1006]"},
		{"交易失败，订单号123请稍后再试一次吧", "交易失败，订单号123请稍后再试一次吧"},
		{"card 4111 1111 1111 1111 12/27 of 4111-1111-1111-1111.", "R"},
		{"4111/1111/1111/1111", "R"}, {"4111|1111|1111|1111", "R"}, {"4111x1111x1111x1111", "R"}, {"4,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "R"},
		{"４１１１１１１１１１１１１１１１", "R"}, {"٤١١١١١١١١١١١١١١١", "R"}, {"4111&nbsp;1111&nbsp;1111&nbsp;1111", "R"},
		{"4111%201111%201111%201111 %zz", "R"}, {"4111&#32;1111&#32;1111&#32;1111", "R"}, {`4\u0031111\u0031111111111111`, "R"}, {"4111%2520111111111111 1", "R"},
		{"41111111111111111227737", "R"},
		{"see https://u:p@shop.example/x?access_token=abc or mail a@b.example", "see R or mail R"},
		{"failed: token=abc, try  again", "failed: token=R try  again"},
		{"no such token tok_1MzFpYLkdIwHu7ixabc of order-20260102-0000017.", "no such token R of order-20260102-0000017."},
		{`{"cvv":"737"}`, "R"}, {`["737"]`, "R"}, {"<input value=737>", "R"}, {"eyJuYW1lIjoiYSJ9", "R"},
	} {
		got := New(nil, nil, 0).words(row.text, k)
		want := strings.ReplaceAll(row.want, "R", Mark)
		if row.want == "R" {
			if !strings.Contains(got, Mark) || strings.Contains(got, "1111") || strings.Contains(got, "737") {
				t.Errorf("%s becomes %s", row.text, got)
			}
		} else if got != want {
			t.Errorf("%s becomes\n%s, want\n%s", row.text, got, want)
		}
	}
}

func TestUnreadableBodies(t *testing.T) {
	page := `<html><p>Dear Nguyen Van A</p></html>`
	got := cut(t, New(nil, nil, 0), nil, page)
	if !strings.HasPrefix(got, fmt.Sprintf(`"%s %d bytes, `, Mark, len(page))) || strings.Contains(got, "Nguyen") {
		t.Errorf("a page becomes %s", got)
	}
	if got == cut(t, New(nil, nil, 0), nil, page) {
		t.Error("the hash has no key: a short body could be tried out")
	}
	for _, body := range []string{`{"rc":"b=c","cvv":"737`, `[{"cvv":"737"}]`, card, `{"rc":"1","rc":"2","cvv":"737"}`, "cvv=737&rc=1"} {
		if got := cut(t, New(nil, nil, 0), nil, body); strings.Contains(got, "737") || strings.Contains(got, card) {
			t.Errorf("%s becomes %s", body, got)
		}
	}
	// A digest is chance, and a number in it can be a card's by chance.
	for range 2000 {
		if got := cut(t, New(nil, nil, 0), nil, page); strings.ContainsAny(strings.TrimPrefix(got, fmt.Sprintf(`"%s %d bytes, `, Mark, len(page))), "0123456789") {
			t.Fatalf("a page becomes %s", got)
		}
	}
	if got := cut(t, New(nil, nil, 40), nil, "Bad Gateway "+card); got != `"Bad Gateway `+Mark+`"` {
		t.Errorf("short text becomes %s", got)
	}
}

func TestWhatTheUserNames(t *testing.T) {
	r := New([]string{"Msg"}, []string{"loyalty_id", "Buyer", "country", "cvvCode", "pin", "tags"}, 0)
	body := `{"rc":"A","msg":"m","loyaltyId":"L-9","buyer":{"country":"VN","name":"A"},"seller":{"country":"TW"},"cvvCode":"737","pin":1,"tags":["a",{"country":"x","b":2},["` + card + `"]]}`
	want := `{"rc":"A","loyaltyId":"L-9","buyer":{"country":"VN"},"tags":["a",{"country":"x"},["…redacted…"]]}`
	rest, err := catalogOf(t, acme).Cut(policy.Pay, policy.Send, &policy.Message{Body: []byte(body)}, r.names.may, func(f, s string) string { return r.value(f, s, &Known{}) })
	if err != nil || string(rest.Body) != want {
		t.Errorf("got %s, want %s (%v)", rest.Body, want, err)
	}
	if got := cut(t, New(nil, []string{"note"}, 0), nil, `{"rc":"A","note":`+card+`}`); got != `{"rc":"A","note":0}` {
		t.Errorf("a name lets a card number through: %s", got)
	}
}

// What a simulation needs stays, though it looks like a card number.
func TestThePaymentsOwnNumbersStay(t *testing.T) {
	k := &Known{IDs: []string{card}, Amounts: []int64{378282246310005}}
	body := `{"ref":"4111111111111111","sum":378282246310005,"msg":"order 4111111111111111."}`
	if got := cut(t, New(nil, nil, 0), k, body); got != strings.Replace(body, "order 4111111111111111", "order "+Mark, 1) {
		t.Errorf("got %s, want %s", got, body)
	}
	if got := cut(t, New(nil, nil, 0), nil, body); strings.Contains(got, card) {
		t.Errorf("got %s, and %s is no order of ours", got, card)
	}
}

// Whoever has an intent's client secret can pay with it or read it: it is a credential, and stays in no recording, not
// even where a user asks for it by name.
func TestStripesClientSecretIsCut(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	stripe, err := cs.Get("stripe")
	if err != nil {
		t.Fatal(err)
	}
	const intent = `{"id":"pi_1","object":"payment_intent","amount":2000,"currency":"eur","status":"succeeded","client_secret":"pi_1_secret_abc","metadata":{"order_id":"o-1"}}`
	bodies := map[policy.Phase]string{
		policy.Send: intent, policy.Query: `{"object":"search_result","data":[` + intent + `]}`,
		policy.Webhook: `{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":` + intent + `}}`,
	}
	for ph, body := range bodies {
		for _, keep := range [][]string{nil, {"client_secret", "data", "object", "*"}} {
			a := policy.Answer{Currency: "EUR"}
			m := policy.Message{HTTPStatus: 200, Body: []byte(body)}
			if err := stripe.DecodeMessage(policy.Pay, ph, &m, &a); err != nil || a.OrderID != "o-1" {
				t.Fatalf("%v, %+v", err, a)
			}
			p := &policy.Payment{Provider: "stripe", Operation: policy.Pay, Currency: "EUR"}
			rest, _, _ := New(nil, keep, 0).Cut(stripe, p, &m, &a, &Known{IDs: []string{"o-1", "pi_1"}, Amounts: []int64{2000}})
			if text := string(rest.Body); strings.Contains(text, "secret_abc") || !strings.Contains(text, "succeeded") {
				t.Errorf("%s keeps %s", ph, text)
			}
		}
	}
}
