package providers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// A provider that says things beside its bodies: a header, the HTTP status, forms, and notices whose
// whole text is the query string of the URL.
const besideBody = `
name        = "beside"
currency    = "VND"
amount_unit = "hundredths"
operations  = ["pay", "refund"]

[[decode]]
phase    = ["send"]
code     = ["error.code", "header:X-Result", "http:status"]
order_id = ["header:X-Order", "order.id"]

[[decode]]
phase    = ["query"]
body     = "form"
code     = "result"
order_id = "order.id"
amount   = "order.amount"
carries  = ["order_id", "amount"]

[[decode]]
operation = ["pay"]
phase     = ["webhook"]
body      = "query"
code      = "rc"
order_id  = "ref"
amount    = "amount"
carries   = ["order_id", "amount"]

[[decode]]
operation = ["refund"]
phase     = ["webhook"]
code      = "rc"
order_id  = "query:ref"

[[envelope]]
phase   = ["send"]
headers = { X-Result = "$code", X-Order = "$order_id" }
body    = '{}'

[[envelope]]
phase = ["query"]
body  = '{"result":"$code","order":{"id":"$order_id","amount":"$amount"},"note":"$message"}'

[[envelope]]
phase = ["webhook"]
body  = '{"rc":"$code","ref":"$order_id","amount":"$amount","note":"$message"}'

[[code]]
code  = "OK"
class = "success"
facts = [{ operation = "*", phase = ["send", "query", "webhook"], effect = "executed", stage = "result" }]

[[code]]
code  = "402"
class = "issuer_declined"
facts = [{ operation = "*", phase = ["send"], effect = "not_executed", stage = "result" }]
`

func besideCatalog(t *testing.T) *providers.Catalog {
	t.Helper()
	c, err := with(t, "beside.toml", besideBody).Get("beside")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAMessageIsReadWhereTheCatalogueSays(t *testing.T) {
	c := besideCatalog(t)
	tests := []struct {
		name string
		op   policy.Operation
		ph   policy.Phase
		m    policy.Message
		want policy.Answer // code, order, amount, http status
		why  string        // part of SetAside
	}{
		{"a header in any case", policy.Pay, policy.Send, policy.Message{Header: map[string]string{"x-result": "OK", "X-ORDER": "o-1"}, Body: []byte(`{}`)}, policy.Answer{Code: "OK", OrderID: "o-1"}, ""},
		{"no body at all", policy.Pay, policy.Send, policy.Message{Header: map[string]string{"X-Result": "OK"}}, policy.Answer{Code: "OK"}, ""},
		{"two lines of a header say two things", policy.Pay, policy.Send, policy.Message{Header: map[string]string{"X-Result": "OK, NO"}}, policy.Answer{Code: "OK, NO"}, ""},
		{"the body before the header", policy.Pay, policy.Send, policy.Message{Header: map[string]string{"X-Result": "OK"}, Body: []byte(`{"error":{"code":"E"}}`)}, policy.Answer{Code: "E"}, ""},
		{"the HTTP status", policy.Pay, policy.Send, policy.Message{HTTPStatus: 402, Body: []byte(`{}`)}, policy.Answer{Code: "402", HTTPStatus: 402}, ""},
		{"no status is known", policy.Pay, policy.Send, policy.Message{Body: []byte(`{}`)}, policy.Answer{}, ""},
		{"a form", policy.Pay, policy.Query, policy.Message{Body: []byte("result=OK&order[id]=o+1%26&order%5Bamount%5D=1500000")}, policy.Answer{Code: "OK", OrderID: "o 1&", Amount: 15_000}, ""},
		{"a form that lacks its amount", policy.Pay, policy.Query, policy.Message{Body: []byte("result=OK&order[id]=o-1")}, policy.Answer{OrderID: "o-1"}, "carries no amount"},
		{"a query string", policy.Pay, policy.Webhook, policy.Message{Query: "rc=OK&ref=o-1&amount=1500000"}, policy.Answer{Code: "OK", OrderID: "o-1", Amount: 15_000}, ""},
		{"a query string in the body's place", policy.Pay, policy.Webhook, policy.Message{Body: []byte("rc=OK&ref=o-1&amount=1500000")}, policy.Answer{Code: "OK", OrderID: "o-1", Amount: 15_000}, ""},
		{"the query string counts, not a body beside it", policy.Pay, policy.Webhook, policy.Message{Query: "rc=NO&ref=o-1&amount=1500000", Body: []byte("rc=OK")}, policy.Answer{Code: "NO", OrderID: "o-1", Amount: 15_000}, ""},
		{"an empty value is absent", policy.Pay, policy.Webhook, policy.Message{Query: "rc=OK&ref=&amount=1500000"}, policy.Answer{Amount: 15_000}, "carries no order_id"},
		{"a body and an id in the query string", policy.Refund, policy.Webhook, policy.Message{Query: "ref=o-1", Body: []byte(`{"rc":"OK"}`)}, policy.Answer{Code: "OK", OrderID: "o-1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a policy.Answer
			if err := c.DecodeMessage(tt.op, tt.ph, &tt.m, &a); err != nil {
				t.Fatal(err)
			}
			if a.Code != tt.want.Code || a.OrderID != tt.want.OrderID || a.Amount != tt.want.Amount || a.HTTPStatus != tt.want.HTTPStatus {
				t.Errorf("reads %+v", a)
			}
			if !strings.Contains(a.SetAside, tt.why) || tt.why == "" && a.SetAside != "" {
				t.Errorf("set aside: %q, want %q", a.SetAside, tt.why)
			}
		})
	}
}

// A form that two readers can read in two ways is not read at all.
func TestAmbiguousFormsAreUnreadable(t *testing.T) {
	c := besideCatalog(t)
	const good = "rc=OK&ref=o-1&amount=1500000"
	for _, query := range []string{
		good + "&rc=NO", good + "&ref=o-2", good + "&Ref=o-1", good + "&AMOUNT=1", good + "&r%65f=o-2",
		good + "&x=%", good + "&%zz=1", good + ";ref=o-2", good + "&x=%ff", good + "&rc[x]=1",
		good + "&a[b][c][d][e][f][g][h][i][j]=1",
	} {
		var a policy.Answer
		if err := c.DecodeMessage(policy.Pay, policy.Webhook, &policy.Message{Query: query}, &a); !errors.Is(err, providers.ErrUnreadable) || a.Fault != policy.Unreadable || a.Code != "" {
			t.Errorf("%s: %v, %+v", query, err, a)
		}
		var b policy.Answer
		if strings.Contains(query, "ef=o-2") && c.DecodeMessage(policy.Refund, policy.Webhook, &policy.Message{Query: query, Body: []byte(`{"rc":"OK"}`)}, &b) == nil {
			t.Errorf("%s beside a body is read: %+v", query, b)
		}
	}
	for _, query := range []string{good + "&rc=OK", good + "&note=a&note=b", "&" + good + "&&", good + "&x[=1&]=2"} {
		var a policy.Answer
		if err := c.DecodeMessage(policy.Pay, policy.Webhook, &policy.Message{Query: query}, &a); err != nil || a.Code != "OK" {
			t.Errorf("%s: %v, %+v", query, err, a)
		}
	}
}

// What an envelope writes the decoder reads, in each way of writing.
func TestEnvelopesAreWrittenAsTheyAreRead(t *testing.T) {
	c := besideCatalog(t)
	for _, ph := range policy.Phases() {
		want := policy.Answer{Phase: ph, Code: "OK", OrderID: "o 1&=[x]", Amount: 15_000, Message: "tiền;"}
		m, ok := c.Message(policy.Pay, &want, noon)
		var got policy.Answer
		if err := c.DecodeMessage(policy.Pay, ph, &m, &got); !ok || err != nil || got.Code != "OK" || got.OrderID != want.OrderID || ph != policy.Send && got.Amount != want.Amount {
			t.Errorf("%s: %+v is read as %+v (%v)", ph, m, got, err)
		}
	}
	if c.Written(policy.Pay, policy.Webhook) != "query" || c.Written(policy.Refund, policy.Webhook) != "json" {
		t.Error("how a notice is written is not said")
	}
}

func TestOnlyHeadersThatAreReadAreKept(t *testing.T) {
	got := besideCatalog(t).Headers(policy.Pay, policy.Send, map[string]string{"x-result": "OK", "Authorization": "secret", "Set-Cookie": "s"})
	if len(got) != 1 || got["X-Result"] != "OK" {
		t.Errorf("kept %v", got)
	}
}

func TestMistakesInPlaces(t *testing.T) {
	for lines, want := range map[string]string{
		"[[decode]]\ncode = \"path:x\"":                                              `f.toml:4:8: "path:x": a message has header:NAME, query:NAME, http:status, or a path into its body`,
		"[[decode]]\ncode = \"header:\"":                                             `f.toml:4:8: "header:" names nothing`,
		"[[decode]]\ncode = \"query:a[1\"":                                           `f.toml:4:8: "query:a[1": a name of a query string has no brackets here`,
		"[[decode]]\nbody = \"yaml\"":                                                `f.toml:4:8: body is "yaml"; it must be one of json, xml, form, query`,
		"[[endpoint]]\noperation = \"pay\"\npath = \"/x\"\norder_id = \"query:q=x\"": `f.toml:6:12: "query:q=x": a * is missing that stands for the value`,
	} {
		if said := add(t, lines+"\n"); said != want {
			t.Errorf("%s\nsaid %s\nwant %s", lines, said, want)
		}
	}
}

func TestRequestsInForms(t *testing.T) {
	c, err := with(t, "shop.toml", `
name        = "shop"
amount_unit = "minor"
operations  = ["pay"]
[[endpoint]]
operation       = "pay"
path            = "/v1/pays"
body            = "form"
order_id        = "metadata.order"
amount          = "amount"
currency        = "currency"
idempotency_key = "header:Idempotency-Key"
manual          = { capture = "manual" }
[[endpoint]]
operation = "pay"
phase     = "query"
method    = "GET"
path      = "/v1/pays/search"
order_id  = "query:query=metadata['order']:'*'"
`).Get("shop")
	if err != nil {
		t.Fatal(err)
	}
	header := func(name string) string { return map[string]string{"Idempotency-Key": "k-1"}[name] }
	_, r, err := c.ReadRequest(&providers.HTTPRequest{
		Method: "POST", Path: "/v1/pays", Header: header, Body: []byte("amount=2000&currency=usd&metadata[order]=o-1&capture=manual&expand[]=a&expand[]=b"),
	})
	if err != nil || r.OrderID != "o-1" || r.Amount != 2000 || r.Currency != "USD" || r.RequestID != "k-1" || !r.Keyed || r.Capture != policy.Manual {
		t.Errorf("%+v, %v", r, err)
	}
	if _, _, err := c.ReadRequest(&providers.HTTPRequest{Method: "POST", Path: "/v1/pays", Body: []byte("amount=2000&amount=1")}); !errors.Is(err, providers.ErrUnreadable) {
		t.Errorf("an amount that stands twice: %v", err)
	}
	for query, want := range map[string]string{"metadata['order']:'o-1'": "o-1", "status:'x'": "", "metadata['order']:'": ""} {
		_, r, err = c.ReadRequest(&providers.HTTPRequest{Method: "GET", Path: "/v1/pays/search", Query: func(string) string { return query }})
		if err != nil || r.OrderID != want {
			t.Errorf("%s: %+v, %v", query, r, err)
		}
	}
}
