package redact

import (
	"fmt"
	"strings"
	"testing"
)

func redacted(redact, keep []string, keepText int, k *Known, body string) string {
	r := New(redact, keep, keepText)
	if k == nil {
		k = &Known{}
	}
	if out, ok := r.Object([]byte(body), k); ok {
		return string(out)
	}
	return string(r.Other([]byte(body), k))
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
		want := strings.ReplaceAll(row.want, "R", Mark)
		want = strings.NewReplacer("CA"+Mark+"D_NUMBE"+Mark, "CARD_NUMBER").Replace(want)
		if got := redacted(nil, nil, 0, nil, row.body); got != want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, want)
		}
	}
}

func TestRedactOtherBodies(t *testing.T) {
	page := `<html><p>Dear Nguyen Van A</p></html>`
	got := redacted(nil, nil, 0, nil, page)
	if !strings.HasPrefix(got, fmt.Sprintf(`"%s %d bytes, `, Mark, len(page))) || strings.Contains(got, "Nguyen") {
		t.Errorf("a page becomes %s", got)
	}
	if got == redacted(nil, nil, 0, nil, page) {
		t.Error("the hash has no key: a short body could be tried out")
	}
	cut := `{"a":"b=c","cvv":"737`
	if got := redacted(nil, nil, 0, nil, cut); strings.Contains(got, "737") {
		t.Errorf("JSON that is cut off becomes %s", got)
	}
	if got := redacted(nil, nil, 40, nil, "Bad Gateway "+card); got != `"Bad Gateway `+Mark+`"` {
		t.Errorf("short text becomes %s", got)
	}
}

func TestRedactOptions(t *testing.T) {
	got := redacted([]string{"loyalty_id"}, []string{"Pay-Url"}, 0, nil, `{"loyaltyId":"a","payUrl":"b","qrUrl":"c","PAN":"d"}`)
	if want := strings.ReplaceAll(`{"loyaltyId":"R","payUrl":"b","qrUrl":"R","PAN":"R"}`, `"R"`, `"`+Mark+`"`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := redacted(nil, []string{"pan"}, 0, nil, `{"pan":"`+card+`"}`); strings.Contains(got, card) {
		t.Errorf("an exception lets a card through: %s", got)
	}
	// What a simulation needs stays, though it looks like a card.
	k := &Known{IDs: []string{card, "5555555555554444"}, Amounts: []int64{378282246310005}}
	body := `{"orderId":"4111111111111111","transId":5555555555554444,"amount":378282246310005,"units":3782822463100.05,"param":"{\"orderId\":\"4111111111111111\"}"}`
	if got := redacted(nil, nil, 0, k, body); got != body {
		t.Errorf("got %s, want %s", got, body)
	}
}
