package providers_test

import (
	"fmt"
	"testing"

	"github.com/recourse-pay/recourse/policy"
)

// Of bytes that are no UTF-8 one reader makes one text, and the next another: what is compared must not hold
// them. A text for people may.
func TestBytesThatAreNoUTF8(t *testing.T) {
	c := catalog(t, "momo")
	for body, aside := range map[string]bool{
		`{"orderId":"o-1","requestId":"r-1","amount":120000,"resultCode":0,"message":"Th%s"}`:  false,
		`{"orderId":"o-1","requestId":"r-1","amount":120000,"resultCode":0,"extra":"%s"}`:      false,
		`{"orderId":"o%s","requestId":"r-1","amount":120000,"resultCode":0}`:                   true,
		`{"orderId":"o-1","requestId":"r-1","amount":120000,"resultCode":"0%s"}`:               true,
		`{"orderId":"o-1","requestId":"r-1","transId":"7%s","amount":120000,"resultCode":"0"}`: true,
	} {
		for _, bytes := range []string{"\xff", "\xc3", "\xed\xa0\x80"} {
			text := fmt.Sprintf(body, bytes)
			a := policy.Answer{Currency: "VND"}
			err := c.Decode(pay, query, []byte(text), &a)
			if proves := c.Judge(&policy.Payment{Operation: pay}, &a).Effect; err != nil || (a.SetAside != "") != aside || (proves == executed) == aside {
				t.Errorf("%q: %v, %s, %+v", text, err, proves, a)
			}
		}
	}
}
