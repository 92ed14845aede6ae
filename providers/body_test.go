package providers_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/policy"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// carried says which fields of an answer survive the way through a provider's own
// envelope. The first line that fits counts; an operation or phase of none fits all.
var carried = []struct {
	provider string
	form     string // status: the answer has one; code: it has none
	ops      []policy.Operation
	phases   []policy.Phase
	fields   string
}{
	// MoMo has no statuses. A query's requestId is the query's own; a link has no transId
	// yet; the amount of a confirm, a binding or an unbinding is not theirs.
	{"momo", "", []policy.Operation{checkout}, []policy.Phase{send}, "code message order_id request_id amount"},
	{"momo", "", []policy.Operation{checkout, pay, refund, payout}, []policy.Phase{query}, "code message order_id provider_id amount"},
	{"momo", "", nil, []policy.Phase{query}, "code message order_id provider_id"},
	{"momo", "", []policy.Operation{checkout, pay, refund, payout}, nil, "code message order_id request_id provider_id amount"},
	{"momo", "", nil, nil, "code message order_id request_id provider_id"},

	// OPI names no currency and, beside a status, no code of its own: 10000. A void has
	// neither a status nor a webhook, and its envelope names the original payment.
	{"opi", "status", []policy.Operation{refund}, []policy.Phase{webhook}, "sub_code message status order_id provider_id amount"},
	{"opi", "status", []policy.Operation{refund}, nil, "sub_code message status order_id provider_id amount =code:10000"},
	{"opi", "status", []policy.Operation{cancel}, []policy.Phase{webhook}, "sub_code message provider_id"},
	{"opi", "status", []policy.Operation{cancel}, nil, "sub_code message provider_id =code:10000"},
	{"opi", "status", nil, []policy.Phase{webhook}, "sub_code message status order_id provider_id amount"},
	{"opi", "status", nil, nil, "sub_code message status order_id provider_id amount =code:10000"},
	{"opi", "code", []policy.Operation{refund}, []policy.Phase{webhook}, "sub_code message order_id provider_id amount"},
	{"opi", "code", []policy.Operation{cancel}, []policy.Phase{webhook}, "sub_code message provider_id"},
	{"opi", "code", nil, []policy.Phase{webhook}, "sub_code message order_id provider_id amount"},
	{"opi", "code", nil, nil, "code message"},

	// SHOPLINE repeats the merchant's order of a payment, session or refund. Outside a webhook a session
	// bears no reason, and its sub-status is that of its trades; a refund never has a sub-status.
	{"shopline", "", []policy.Operation{checkout}, []policy.Phase{webhook}, "code message status sub_status order_id provider_id amount currency"},
	{"shopline", "", []policy.Operation{refund}, []policy.Phase{webhook}, "code message status order_id provider_id amount currency"},
	{"shopline", "", []policy.Operation{pay}, []policy.Phase{webhook}, "code message status sub_status order_id provider_id amount currency"},
	{"shopline", "", []policy.Operation{payout}, []policy.Phase{webhook}, "code message status sub_status amount currency"},
	{"shopline", "", []policy.Operation{capture, cancel}, []policy.Phase{webhook}, "code message status sub_status provider_id"},
	{"shopline", "", nil, []policy.Phase{webhook}, "code message status sub_status"},
	{"shopline", "status", []policy.Operation{checkout}, []policy.Phase{send}, "status order_id provider_id amount currency"},
	{"shopline", "status", []policy.Operation{checkout}, nil, "status sub_status order_id provider_id amount currency"},
	{"shopline", "status", []policy.Operation{refund}, nil, "code message status order_id provider_id amount currency"},
	{"shopline", "status", []policy.Operation{pay}, nil, "code message status sub_status order_id provider_id amount currency"},
	{"shopline", "status", []policy.Operation{payout}, nil, "code message status sub_status amount currency"},
	{"shopline", "status", []policy.Operation{capture, cancel}, nil, "code message status sub_status provider_id"},
	{"shopline", "status", nil, nil, "code message status sub_status"},
	{"shopline", "code", nil, nil, "code message"},

	// PayKKa's order_id is its own number; a capture or void bears the payment's; a refund has a
	// trans_id of its own.
	{"paykka", "", []policy.Operation{refund}, []policy.Phase{webhook}, "code message status request_id amount currency"},
	{"paykka", "", []policy.Operation{checkout, pay}, []policy.Phase{webhook}, "code message status request_id provider_id amount currency"},
	{"paykka", "", nil, []policy.Phase{webhook}, "code message status provider_id"},
	{"paykka", "status", []policy.Operation{refund}, nil, "code message status request_id amount currency"},
	{"paykka", "status", []policy.Operation{checkout, pay}, nil, "code message status request_id provider_id amount currency"},
	{"paykka", "status", nil, nil, "code message status provider_id"},
	{"paykka", "code", nil, nil, "code message"},
}

func carriedFields(t *rapid.T, provider, form string, op policy.Operation, ph policy.Phase) string {
	for _, line := range carried {
		if line.provider == provider && (line.form == "" || line.form == form) &&
			(line.ops == nil || slices.Contains(line.ops, op)) && (line.phases == nil || slices.Contains(line.phases, ph)) {
			return line.fields
		}
	}
	t.Fatalf("%s %s %s %s is in no line of the table", provider, form, op, ph)
	return ""
}

// only keeps the named fields of an answer; "=code:10000" stands for a constant.
func only(a policy.Answer, fields string) policy.Answer {
	kept := policy.Answer{Phase: a.Phase}
	for _, field := range strings.Fields(fields) {
		switch field {
		case "code":
			kept.Code = a.Code
		case "sub_code":
			kept.SubCode = a.SubCode
		case "status":
			kept.Status = a.Status
		case "sub_status":
			kept.SubStatus = a.SubStatus
		case "message":
			kept.Message = a.Message
		case "order_id":
			kept.OrderID = a.OrderID
		case "request_id":
			kept.RequestID = a.RequestID
		case "provider_id":
			kept.ProviderID = a.ProviderID
		case "amount":
			kept.Amount = a.Amount
		case "currency":
			kept.Currency = a.Currency
		default:
			kept.Code = strings.TrimPrefix(field, "=code:")
		}
	}
	return kept
}

// What a provider would send to say an answer is read back as that answer, as far as
// its envelope carries it, and as nothing else.
func TestBodyIsReadBack(t *testing.T) {
	for _, provider := range names {
		c := catalog(t, provider)
		for _, op := range c.Operations {
			for _, ph := range policy.Phases() {
				for _, form := range []string{"code", "status"} {
					t.Run(fmt.Sprintf("%s/%s/%s/%s", provider, op, ph, form), rapid.MakeCheck(func(t *rapid.T) {
						word := rapid.StringMatching(`[A-Za-z1-9][A-Za-z0-9]{0,15}`) // 0 names nothing
						number := rapid.StringMatching(`[1-9][0-9]{0,8}`)            // where an envelope has numbers
						a := policy.Answer{
							Phase: ph, Code: number.Draw(t, "code"), SubCode: "-" + number.Draw(t, "sub-code"),
							SubStatus: word.Draw(t, "sub-status"), Message: word.Draw(t, "message"),
							OrderID: word.Draw(t, "order"), RequestID: word.Draw(t, "request"), ProviderID: number.Draw(t, "id"),
							Amount:   1000 * rapid.Int64Range(1, 1e9).Draw(t, "thousands"), // whole in any unit
							Currency: rapid.SampledFrom([]string{"TWD", "VND", "IDR", "KWD"}).Draw(t, "currency"),
						}
						if form == "status" {
							a.Status = word.Draw(t, "status")
						}
						var back policy.Answer
						switch provider {
						case "momo": // its body names no currency, and its catalogue does
							a.Currency = ""
						case "opi": // neither does; the caller knows the payment's
							back.Currency = a.Currency
						}
						raw, ok := c.Body(op, &a, noon)
						if !ok {
							t.Fatalf("there is no envelope")
						}
						if err := c.Decode(op, ph, raw, &back); err != nil {
							t.Fatalf("%s does not decode: %v", raw, err)
						}
						if back.SetAside != "" {
							return // a listed code was drawn, and a bare code names no payment
						}
						want := only(a, carriedFields(t, provider, form, op, ph))
						if provider == "opi" {
							want.Currency = a.Currency
						}
						if back != want {
							t.Fatalf("%s\nis read as %+v\nwant       %+v", raw, back, want)
						}
					}))
				}
			}
		}
	}
}

// The answers that a catalogue lists prove the same after the way through its envelope.
func TestBodyProvesWhatItsAnswerProves(t *testing.T) {
	for _, provider := range names {
		c := catalog(t, provider)
		for _, r := range append(slices.Clone(c.Codes), c.Statuses...) {
			for _, f := range r.Facts {
				a := policy.Answer{
					Phase: f.Phase, Code: r.Code, Status: r.Status, SubStatus: r.SubStatus,
					OrderID: "o-1", RequestID: "r-1", ProviderID: "7", Amount: 100_000, Currency: "USD",
				}
				if provider == "opi" && (f.Phase == webhook || r.Status == "" && r.Scope == "disbursement-webhook") {
					continue // a notice bears no code, and a failedCode is one only beside FAILED
				}
				raw, ok := c.Body(f.Operation, &a, noon)
				back := policy.Answer{Currency: a.Currency}
				if err := c.Decode(f.Operation, f.Phase, raw, &back); !ok || err != nil {
					t.Fatalf("%s %s %s: %s (%v): %v", provider, f.Operation, f.Phase, raw, ok, err)
				}
				p := &policy.Payment{Provider: provider, Operation: f.Operation, Capture: policy.Manual}
				if back.SetAside != "" && (f.Phase == query && r.Code != "" || f.Phase == webhook && !strings.Contains(string(raw), "UCCE")) {
					continue // a bare code in answer to a query names no payment; not every state has an event
				}
				if want, got := c.Judge(p, &a), c.Judge(p, &back); got != want {
					t.Errorf("%s: %s proves %+v, want %+v", describe(p, a), raw, got, want)
				}
			}
		}
	}
}

// eachBody writes an answer in every envelope that there is.
func eachBody(t *testing.T, provider string, a policy.Answer, visit func(where string, raw []byte)) {
	t.Helper()
	c := catalog(t, provider)
	for _, a.Status = range []string{"", "FAILED"} {
		for _, op := range c.Operations {
			for _, a.Phase = range policy.Phases() {
				raw, ok := c.Body(op, &a, noon)
				if !ok {
					t.Errorf("%s has no envelope for a %s in a %s", provider, op, a.Phase)
				}
				visit(fmt.Sprintf("%s %s %s", provider, op, a.Phase), raw)
			}
		}
	}
}

// Whatever an answer holds, its body is JSON: a code of letters too where the
// provider writes numbers, and text with quotes in it.
func TestBodyIsAlwaysJSON(t *testing.T) {
	for _, provider := range names {
		for _, value := range []string{"", "1", "tx-1", "007", "ACCESS_DENIED", "say \"no\" \\ \n", "漢", "\xff", `"$code"`} {
			t.Run(fmt.Sprintf("%s/%q", provider, value), func(t *testing.T) {
				a := policy.Answer{Code: value, SubCode: value, Message: value, OrderID: value, ProviderID: value, Currency: value}
				eachBody(t, provider, a, func(where string, raw []byte) {
					if !json.Valid(raw) && !t.Failed() {
						t.Errorf("%s: %q makes no JSON:\n%s", where, value, raw)
					}
				})
			})
		}
	}
}

func TestBodyFillsEveryPlace(t *testing.T) {
	for _, provider := range names {
		t.Run(provider, func(t *testing.T) {
			eachBody(t, provider, policy.Answer{Code: "1", Amount: 1}, func(where string, raw []byte) {
				if strings.Contains(string(raw), "$") && !t.Failed() {
					t.Errorf("%s: a place was not filled:\n%s", where, raw)
				}
			})
		})
	}
}

func TestBodyWithoutAnEnvelope(t *testing.T) {
	cs := with(t, "acme.toml", "name = \"acme\"\noperations = [\"pay\"]\n[[envelope]]\noperation = \"pay\"\nphase = \"query\"\nform = \"status\"\nbody = '{}'\n")
	c, _ := cs.Get("acme")
	for _, a := range []policy.Answer{{Phase: send, Status: "X"}, {Phase: query, Code: "1"}} {
		if raw, ok := c.Body(pay, &a, noon); ok {
			t.Errorf("%+v has no envelope and yet a body: %s", a, raw)
		}
	}
	if raw, ok := c.Body(pay, &policy.Answer{Phase: query, Status: "X"}, noon); !ok || string(raw) != "{}" {
		t.Errorf("the envelope is not used: %s (%v)", raw, ok)
	}
}
