package providers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// sheet is a header or the parameters of a URL.
func sheet(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestReadRequest(t *testing.T) {
	one := func(op policy.Operation) []policy.Operation { return []policy.Operation{op} }
	for _, tt := range []struct {
		name, provider, path, body string
		header                     func(string) string
		want                       providers.Request
	}{
		{"MoMo's link", "momo", "/v2/gateway/api/create", `{"orderId":"o-1","requestId":"r-1","amount":120000,"ipnUrl":"http://localhost/ipn"}`, nil,
			providers.Request{Operations: one(checkout), OrderID: "o-1", RequestID: "r-1", Amount: 120000, Currency: "VND", NotifyURL: "http://localhost/ipn"}},
		{"to be held", "momo", "/v2/gateway/api/create", `{"orderId":"o-1","requestId":"r-1","amount":"120000","autoCapture":false}`, nil,
			providers.Request{Operations: one(checkout), OrderID: "o-1", RequestID: "r-1", Amount: 120000, Currency: "VND", Capture: policy.Manual}},
		{"MoMo's confirm that captures", "momo", "/v2/gateway/api/confirm", `{"requestType":"capture","orderId":"o-1","requestId":"r-1","amount":5}`, nil,
			providers.Request{Operations: one(capture), OrderID: "o-1", RequestID: "r-1", Amount: 5, Currency: "VND"}},
		{"and the one that cancels", "momo", "/v2/gateway/api/confirm", `{"requestType":"cancel","orderId":"o-1","requestId":"r-1","amount":0}`, nil,
			providers.Request{Operations: one(cancel), OrderID: "o-1", RequestID: "r-1", Amount: policy.OddAmount, Currency: "VND"}},
		{"MoMo's query, whose requestId is its own", "momo", "/v2/gateway/api/query", `{"orderId":"o-1","requestId":"q-1"}`, nil,
			providers.Request{Operations: []policy.Operation{checkout, pay, capture, cancel}, Phase: query, OrderID: "o-1", Currency: "VND"}},
		{"OPI's payout, in a JSON string", "opi", "/open-api/disbursement/transfer",
			`{"appId":"a","param":"{\"mchOrderId\":\"o-1\",\"idempotencyId\":\"r-1\",\"amount\":5735,\"currency\":\"PHP\"}","sign":"s"}`, nil,
			providers.Request{Operations: one(payout), OrderID: "o-1", RequestID: "r-1", Amount: 5735, Currency: "PHP"}},
		{"OPI's amounts are hundredths whatever the currency", "opi", "/open-api/payment/generate", `{"param":{"mchOrderId":"o-1","amount":500,"currency":"VND"}}`, nil,
			providers.Request{Operations: one(checkout), OrderID: "o-1", Amount: 5, Currency: "VND"}},
		{"SHOPLINE without its key", "shopline", "/api/v1/trade/payment/create", `{"referenceOrderId":"o-1","amount":{"value":12050,"currency":"TWD"}}`, sheet("requestId", "h-1"),
			providers.Request{Operations: one(pay), OrderID: "o-1", RequestID: "h-1", Amount: 12050, Currency: "TWD"}},
		{"SHOPLINE with its key", "shopline", "/api/v1/trade/payment/create", `{"referenceOrderId":"o-1","captureMode":"MANUAL"}`, sheet("requestId", "h-1", "idempotentKey", "r-1"),
			providers.Request{Operations: one(pay), OrderID: "o-1", RequestID: "r-1", Keyed: true, Currency: "TWD", Capture: policy.Manual}},
		{"PayKKa writes minor units, and order_id is its own number", "paykka", "/v3/payment/acq/refund", `{"refund_trans_id":"r-1","order_id":"GW1","amount":1250,"currency":"USD"}`, nil,
			providers.Request{Operations: one(refund), RequestID: "r-1", Amount: 1250, Currency: "USD"}},
		{"which have no decimals", "paykka", "/v3/payment/acq/refund", `{"refund_trans_id":"r-1","amount":"12.50","currency":"USD"}`, nil,
			providers.Request{Operations: one(refund), RequestID: "r-1", Amount: policy.OddAmount, Currency: "USD"}},
		{"an amount that is none", "momo", "/v2/gateway/api/refund", `{"orderId":"o-1","requestId":"r-1","amount":"much"}`, nil,
			providers.Request{Operations: one(refund), OrderID: "o-1", RequestID: "r-1", Amount: policy.OddAmount, Currency: "VND"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &providers.HTTPRequest{Method: "POST", Path: tt.path, Header: tt.header, Body: []byte(tt.body)}
			_, got, err := catalog(t, tt.provider).ReadRequest(h)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("read as %+v (%v)\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestRequestsThatCannotBeRead(t *testing.T) {
	c := catalog(t, "momo")
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		cause                    error
		op                       policy.Operation // of the endpoint that is given nevertheless
	}{
		{"another path", "POST", "/v2/gateway/api/creat", `{}`, 404, nil, 0},
		{"a longer path", "POST", "/v2/gateway/api/create/now", `{}`, 404, nil, 0},
		{"another method", "GET", "/v2/gateway/api/create", ``, 405, nil, 0},
		{"no JSON", "POST", "/v2/gateway/api/refund", `orderId=1`, 400, providers.ErrUnreadable, refund},
		{"no body", "POST", "/v2/gateway/api/refund", ``, 400, providers.ErrUnreadable, refund},
		{"a list", "POST", "/v2/gateway/api/refund", `[]`, 400, providers.ErrUnreadable, refund},
		{"no endpoint's condition", "POST", "/v2/gateway/api/confirm", `{"requestType":"void"}`, 400, nil, capture},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, _, err := c.ReadRequest(&providers.HTTPRequest{Method: tt.method, Path: tt.path, Body: []byte(tt.body)})
			var unread *providers.RequestError
			if !errors.As(err, &unread) || unread.Status != tt.status || !errors.Is(err, tt.cause) && tt.cause != nil {
				t.Fatalf("the error is %v, want status %d and %v", err, tt.status, tt.cause)
			}
			if bad := unread.Status == 400; bad != (e != nil) || bad && e.Operations[0] != tt.op {
				t.Errorf("the endpoint is %+v", e)
			}
		})
	}
}

// A request can carry its values in its path and in the URL's parameters.
func TestRequestsWithoutABody(t *testing.T) {
	cs := with(t, "acme.toml", `
name       = "acme"
operations = ["pay"]
[[endpoint]]
operation = "pay"
phase     = "query"
method    = "GET"
path      = "/pay/{id}/state"
order_id  = ["query:missing", "path:id"]
request_id = "query:try"
`)
	c, _ := cs.Get("acme")
	_, got, err := c.ReadRequest(&providers.HTTPRequest{Method: "GET", Path: "/pay/o-1/state", Query: sheet("try", "r-1")})
	if err != nil || got.OrderID != "o-1" || got.RequestID != "r-1" || got.Phase != query {
		t.Errorf("read as %+v (%v)", got, err)
	}
	var unread *providers.RequestError
	if _, _, err := c.ReadRequest(&providers.HTTPRequest{Method: "GET", Path: "/pay//state"}); !errors.As(err, &unread) || unread.Status != 404 {
		t.Errorf("an empty segment: %v", err)
	}
}

// Every operation that is offered can be sent, and asked about where the contract says
// so: by what the contract names, as far as requests carry it.
func TestBuiltinCatalogsHaveAllEndpoints(t *testing.T) {
	for _, provider := range names {
		c := catalog(t, provider)
		for _, op := range c.Operations {
			sends, asks := 0, 0
			for _, e := range c.Endpoints() {
				if !slices.Contains(e.Operations, op) {
					continue
				}
				if e.Phase == send {
					sends++
					for _, id := range c.Contract(op).Dedupe {
						if !e.Carries(id) {
							t.Errorf("%s %s: the contract dedupes %s, which no request carries", provider, op, id)
						}
					}
					continue
				}
				asks++
				if !slices.ContainsFunc(c.Contract(op).QueryBy, e.Carries) {
					t.Errorf("%s %s: a query carries none of %v", provider, op, c.Contract(op).QueryBy)
				}
			}
			if sends != 1 || asks > 1 || (asks == 1) != (len(c.Contract(op).QueryBy) > 0) {
				t.Errorf("%s %s has %d endpoints to send and %d to ask", provider, op, sends, asks)
			}
		}
	}
}

func TestOrderIDSpaces(t *testing.T) {
	momo, opi := catalog(t, "momo"), catalog(t, "opi")
	if momo.OrderIDSpace(pay) != momo.OrderIDSpace(refund) {
		t.Error("MoMo's order ids are one set: a refund needs one of its own")
	}
	if opi.OrderIDSpace(payout) == opi.OrderIDSpace(refund) {
		t.Error("OPI's refunds have order ids of their own")
	}
	cs := with(t, "acme.toml", "name = \"acme\"\noperations = [\"pay\", \"refund\"]\n")
	if c, _ := cs.Get("acme"); c.OrderIDSpace(pay) == c.OrderIDSpace(refund) {
		t.Error("without endpoints the operations share order ids")
	}
}

func TestLawsOfEndpoints(t *testing.T) {
	const good = "operation = \"pay\"\npath = \"/p\"\n"
	for _, tt := range []struct{ name, doc, want string }{
		{"as it should be", "[[endpoint]]\n" + good, ""},
		{"nothing", "[[endpoint]]\n", "f.toml:3:3: path is \"\"; it must begin with /\nf.toml:3:3: an [[endpoint]] needs operation = \"…\""},
		{"a method", "[[endpoint]]\nmethod = \"post\"\n" + good, `f.toml:4:10: method is "post"; it must be one of GET, POST, PUT, PATCH, DELETE`},
		{"a path", "[[endpoint]]\noperation = \"pay\"\npath = \"p\"\n", `f.toml:5:8: path is "p"; it must begin with /`},
		{"an operation that is not offered", "[[endpoint]]\noperation = \"bind\"\npath = \"/p\"\n", `f.toml:4:13: bind is not among the provider's operations`},
		{"a word", "[[endpoint]]\noperation = \"buy\"\npath = \"/p\"\n", `f.toml:4:13: unknown operation "buy" (there are: checkout, pay, capture, cancel, refund, payout, bind, unbind, onboard)`},
		{"a send of two", "[[endpoint]]\noperation = [\"pay\", \"refund\"]\npath = \"/p\"\n", `f.toml:4:13: a send is of one operation; tell them apart by where`},
		{"a query of nothing", "[[endpoint]]\nphase = \"query\"\n" + good, `f.toml:3:3: a query needs order_id, request_id or provider_id`},
		{"a webhook", "[[endpoint]]\nphase = \"webhook\"\n" + good, `f.toml:4:9: webhooks come from the provider; an endpoint's phase is send or query`},
		{"a place", "[[endpoint]]\n" + good + "order_id = [\"id\", \"cookie:id\"]\n", `f.toml:6:19: "cookie:id": a request has header:NAME, query:NAME, path:NAME, or a path into its body`},
		{"no name", "[[endpoint]]\n" + good + "order_id = \"header:\"\n", `f.toml:6:12: "header:" names nothing`},
		{"no path", "[[endpoint]]\n" + good + "order_id = \"a..b\"\n", `f.toml:6:12: "a..b" is no path into a body`},
		{"no segment", "[[endpoint]]\n" + good + "order_id = \"path:id\"\n", `f.toml:6:12: path "/p" has no segment {id}`},
		{"an empty condition", "[[endpoint]]\n" + good + "where = {}\n", `f.toml:6:9: where says nothing`},
		{"a condition of numbers", "[[endpoint]]\n" + good + "where = { kind = 1 }\n", `f.toml:6:18: kind is an integer; it must be a string`},
		{"a misspelt key", "[[endpoint]]\n" + good + "orderid = \"id\"\n", `f.toml:6:1: unknown key "orderid"; did you mean "order_id"?`},
		{"two that are alike", "[[endpoint]]\n" + good + "[[endpoint]]\nwhere = { kind = \"x\" }\n" + good,
			`f.toml:6:3: POST /p is also the endpoint of f.toml:3; give each a where that sets it apart`},
		{"two that can", "[[endpoint]]\nwhere = { kind = \"y\" }\n" + good + "[[endpoint]]\nwhere = { kind = \"x\" }\n" + good, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if said := add(t, tt.doc); said != tt.want {
				t.Errorf("said\n%s\nwant\n%s", said, tt.want)
			}
		})
	}
}

// A user's file replaces an endpoint of the same path, and leaves the rest.
func TestExtendingEndpoints(t *testing.T) {
	cs := with(t, "mine.toml", "name = \"momo\"\n[[endpoint]]\noperation = \"payout\"\npath = \"/v2/gateway/api/disbursement/pay\"\norder_id = \"transferId\"\n")
	c, _ := cs.Get("momo")
	if len(c.Endpoints()) != len(catalog(t, "momo").Endpoints()) {
		t.Errorf("%d endpoints", len(c.Endpoints()))
	}
	body, _ := json.Marshal(map[string]string{"transferId": "o-1", "orderId": "o-2"})
	_, got, err := c.ReadRequest(&providers.HTTPRequest{Method: "POST", Path: "/v2/gateway/api/disbursement/pay", Body: body})
	if err != nil || got.OrderID != "o-1" {
		t.Errorf("read as %+v (%v)", got, err)
	}
}

// The block that docs/emulate.md shows is one.
func TestDocumentedEndpointLoads(t *testing.T) {
	docs, err := os.ReadFile("../docs/emulate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(docs), "```toml\n[[endpoint]]")
	block, _, _ = strings.Cut(block, "```")
	cs := with(t, "acme.toml", "name = \"acme\"\noperations = [\"pay\"]\n[[endpoint]]"+block)
	c, _ := cs.Get("acme")
	_, got, err := c.ReadRequest(&providers.HTTPRequest{
		Method: "POST", Path: "/v1/orders/o-1/pay", Header: sheet("Request-Id", "r-1", "Idempotency-Key", "k-1"),
		Body: []byte(`{"kind":"sale","capture":"later","chargeId":"c-1","amount":{"value":5,"currency":"JPY"},"callbackUrl":"u"}`),
	})
	want := providers.Request{
		Operations: []policy.Operation{pay}, OrderID: "o-1", RequestID: "k-1", ProviderID: "c-1", Keyed: true, Amount: 5, Currency: "JPY",
		Capture: policy.Manual, NotifyURL: "u",
	}
	if !ok || err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read as %+v (%v)\nwant %+v", got, err, want)
	}
}
