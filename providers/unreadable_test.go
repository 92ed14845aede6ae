package providers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

func wasUnreadable(err error, a policy.Answer, ph policy.Phase) bool {
	return errors.Is(err, providers.ErrUnreadable) && a.Fault == policy.Unreadable && a.Phase == ph
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	bodies := map[string]string{
		"empty":            "",
		"white space":      " \r\n\t",
		"a gateway's page": "<html><head><title>502 Bad Gateway</title></head></html>",
		"plain text":       "upstream connect error",
		"an array":         `[{"resultCode":0}]`,
		"a number":         "0",
		"null":             "null",
		"a string":         `"ok"`,
		"truncated":        `{"resultCode":0,"mess`,
		"a missing end":    `{"resultCode":0`,
		"two bodies":       `{"resultCode":0}{"resultCode":0}`,
		"a query string":   "resultCode=0&message=ok",
		"nested too deep":  strings.Repeat(`{"a":`, 1000) + "0" + strings.Repeat("}", 1000),
		"bytes":            "\x00\xff\xfe",
	}
	for name, raw := range bodies {
		t.Run(name, func(t *testing.T) {
			for _, provider := range names {
				for _, ph := range policy.Phases() {
					a := policy.Answer{HTTPStatus: 502}
					c := catalog(t, provider)
					if err := c.Decode(checkout, ph, []byte(raw), &a); !wasUnreadable(err, a, ph) {
						t.Errorf("%s: gives %v and %+v, want an unreadable body", provider, err, a)
					}
					f := c.Judge(&policy.Payment{Operation: checkout}, &a)
					if f.Effect != unknown || f.Class != policy.ProviderError {
						t.Errorf("%s: proves %s, %s; want unknown, provider_error", provider, f.Effect, f.Class)
					}
				}
			}
		})
	}
}

// Whatever comes is read or refused.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "null", "[]", `"{}"`, `{"resultCode":0,"amount":"1.50","orderId":null}`, `{"param":"{\"amount\":5735}"}`,
		`{"data":"{\"paymentMsg\":\"{\\\"code\\\":1}\"}","amount":{"value":-1}}`, `{"resultCode":1e999,"amount":1e3}`,
		`{"data":{"amount":99999999999999999999}}`, `{"amount":{"value":".","currency":"KWD"}}`, `{"data":{"amount":"..0"}}`,
	} {
		f.Add([]byte(seed))
	}
	cs, err := builtins()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, name := range cs.Names() {
			c, _ := cs.Get(name)
			for _, op := range []policy.Operation{checkout, capture, refund} {
				for _, ph := range policy.Phases() {
					var a policy.Answer
					err := c.Decode(op, ph, raw, &a)
					if err != nil && !wasUnreadable(err, a, ph) {
						t.Fatalf("%s: the error is %v, the answer %+v", name, err, a)
					}
					if err == nil && (a.Fault != policy.NoFault || a.Phase != ph || a.Amount < policy.OddAmount) {
						t.Fatalf("%s: %q is read as %+v", name, raw, a)
					}
					c.Judge(&policy.Payment{Provider: name, Operation: op}, &a)
				}
			}
		}
	})
}

// Whoever knows the URL can send a body with very many fields: the work must not grow with their square.
func TestVeryManyFields(t *testing.T) {
	body, form, xml := []byte(`{"sign":"00"`), []byte("sign=00"), []byte("<xml><sign>00</sign>")
	for i := range 60_000 {
		body = fmt.Appendf(body, `,"f%06d":1`, i)
		form = fmt.Appendf(form, "&f%06d[a]=1", i)
		xml = fmt.Appendf(xml, "<f%x/>", i)
	}
	body, xml = append(body, '}'), append(xml, "</xml>"...)
	const signed = "signature = \"sign\"\nsigned = \"fields\"\nsuffix = \"&secret={secret}\"\nalgorithm = \"sha1\"\n"
	start := time.Now()
	if signedBy(t, signed).Verify("s3cret", nil, body) || signedBy(t, signed+"body = \"form\"\n").Verify("s3cret", nil, form) || signedBy(t, signed+"body = \"xml\"\n").Verify("s3cret", nil, xml) {
		t.Error("it passes")
	}
	var a policy.Answer
	if err := catalog(t, "vnpay").DecodeMessage(checkout, webhook, &policy.Message{Query: string(form)}, &a); err != nil || a.Status != "" {
		t.Errorf("%v, %+v", err, a)
	}
	if err := wechat(t).Decode(checkout, webhook, xml, &a); err != nil || a.Status != "" {
		t.Errorf("%v, %+v", err, a)
	}
	if took := time.Since(start); took > 20*time.Second { // it is half a second; the fields of JSON alone took a minute
		t.Errorf("it took %s", took)
	}
}
