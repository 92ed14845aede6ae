package emulator_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/providers"
)

// answer is a body of a provider that speaks XML, as a merchant's client reads it.
type answer map[string]string

// UnmarshalXML reads the fields below the root.
func (a answer) UnmarshalXML(d *xml.Decoder, _ xml.StartElement) error {
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			var text string
			if err := d.DecodeElement(&text, &e); err != nil {
				return err
			}
			a[e.Name.Local] = text
		case xml.EndElement:
			return nil
		}
	}
}

func readAnswer(t *testing.T, body []byte) answer {
	t.Helper()
	a := answer{}
	if err := xml.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return a
}

// A provider in XML is played: its answers and notices are XML, which a client reads and verifies that knows
// nothing of us.
func TestAProviderInXMLIsServed(t *testing.T) {
	doc, err := os.ReadFile("../providers/testdata/wechat2.toml")
	if err != nil {
		t.Fatal(err)
	}
	all, err := providers.Builtin()
	if err == nil {
		err = all.Add("wechat2.toml", doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := all.Get("wechat2")
	if err != nil {
		t.Fatal(err)
	}
	notices, acknowledged := make(chan []byte, 8), make(chan bool, 8)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Content-Type") != "text/xml" {
			body = nil
		}
		_, _ = io.WriteString(w, `<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>`)
		notices <- body
	}))
	defer shop.Close()
	s := emulator.NewServer(emulator.NewProvider(c, nil), &emulator.ServerOptions{
		Secret: "s3cret", Webhook: shop.URL + "/notice", Delivered: func(d emulator.Delivered) { acknowledged <- d.Acknowledged },
	})
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go s.Deliver(ctx)
	call := func(path, body string) answer {
		response, err := http.Post(server.URL+path, "text/xml", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		raw, err := io.ReadAll(response.Body)
		if err != nil || response.Header.Get("Content-Type") != "text/xml" {
			t.Fatalf("%v, %s: %s", err, response.Header.Get("Content-Type"), raw)
		}
		return readAnswer(t, raw)
	}

	link := call("/pay/unifiedorder", `<xml><out_trade_no>o-1</out_trade_no><total_fee>12000</total_fee><fee_type>CNY</fee_type><body><![CDATA[tea & cake]]></body></xml>`)
	if link["return_code"] != "SUCCESS" || link["code_url"] == "" {
		t.Errorf("%v", link)
	}
	var notice []byte
	select {
	case notice = <-notices:
	case <-time.After(time.Minute):
		t.Fatal("no notice came")
	}
	if !<-acknowledged {
		t.Error("the notice is not acknowledged")
	}
	got := readAnswer(t, notice)
	var pairs []string
	for name, value := range got {
		if name != "sign" && value != "" {
			pairs = append(pairs, name+"="+value)
		}
	}
	slices.Sort(pairs)
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write([]byte(strings.Join(pairs, "&") + "&key=s3cret"))
	if want := fmt.Sprintf("%x", mac.Sum(nil)); got["sign"] != want || got["out_trade_no"] != "o-1" || got["total_fee"] != "12000" {
		t.Errorf("%v, want the signature %s", got, want)
	}
	state := call("/pay/orderquery", `<xml><out_trade_no>o-1</out_trade_no></xml>`)
	if state["out_trade_no"] != "o-1" || state["trade_state"] == "" || state["total_fee"] != "12000" {
		t.Errorf("%v", state)
	}
}
