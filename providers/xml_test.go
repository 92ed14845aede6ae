package providers_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// wechat is a provider that speaks XML.
func wechat(t testing.TB) *providers.Catalog {
	t.Helper()
	doc, err := os.ReadFile("testdata/wechat2.toml")
	if err != nil {
		t.Fatal(err)
	}
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if err := cs.Add("wechat2.toml", doc); err != nil {
		t.Fatal(err)
	}
	c, err := cs.Get("wechat2")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const paidXML = `<?xml version="1.0" encoding="UTF-8"?>
<xml>
  <return_code><![CDATA[SUCCESS]]></return_code>
  <result_code><![CDATA[SUCCESS]]></result_code>
  <trade_state>SUCCESS</trade_state>
  <out_trade_no>o-1</out_trade_no>
  <transaction_id>420000001</transaction_id>
  <total_fee>12000</total_fee><fee_type>CNY</fee_type>
</xml>`

// What a body in XML says, and what makes it unreadable or sets it aside. None of these may be read in
// two ways.
func TestXMLBodies(t *testing.T) {
	in := func(old, now string) string { return strings.Replace(paidXML, old, now, 1) }
	deep := strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40)
	for _, tt := range []struct {
		name, body string
		want       policy.Effect
		unreadable bool
	}{
		{"as it comes", paidXML, executed, false},
		{"a body without its declaration", strings.TrimPrefix(paidXML, `<?xml version="1.0" encoding="UTF-8"?>`), executed, false},
		{"another prefix", in("<xml>", `<xml xmlns="urn:a" xmlns:b="urn:b">`), executed, false},
		{"a comment between elements", in("<trade_state>", "<!-- paid --><trade_state>"), executed, false},
		{"escapes", in("<trade_state>SUCCESS", "<trade_state>SUCC&#69;SS"), executed, false},
		{"a field twice that says the same", in("<trade_state>", "<trade_state>SUCCESS</trade_state><trade_state>"), executed, false},
		{"a field twice that is not read", in("<trade_state>", "<x>1</x><x>2</x><trade_state>"), executed, false},
		{"another order", in("o-1", "o-2"), executed, false},
		{"both codes of another kind", in("<result_code><![CDATA[SUCCESS]]>", "<result_code>FAIL"), unknown, false},
		{"no order", in("<out_trade_no>o-1</out_trade_no>", ""), unknown, false},
		{"an empty order", in("<out_trade_no>o-1</out_trade_no>", "<out_trade_no/>"), unknown, false},
		{"an order that holds elements", in("o-1", "<id>o-1</id>"), unknown, false},
		{"an order with an attribute", in("<out_trade_no>", `<out_trade_no type="x">`), unknown, false},
		{"white space in a word", in("<trade_state>SUCCESS", "<trade_state> SUCCESS"), unknown, false},
		{"a field twice that says two things", in("<trade_state>", "<trade_state>CLOSED</trade_state><trade_state>"), unknown, true},
		{"a field twice but for case", in("<trade_state>", "<Trade_State>SUCCESS</Trade_State><trade_state>"), unknown, true},
		{"a field in two namespaces", in("<trade_state>", `<b:trade_state xmlns:b="urn:b">SUCCESS</b:trade_state><trade_state>`), unknown, true},
		{"a comment within a text", in("<trade_state>SUCCESS", "<trade_state>SUC<!-- -->CESS"), unknown, true},
		{"an instruction within a text", in("<trade_state>SUCCESS", "<trade_state>SUC<?a b?>CESS"), unknown, true},
		{"a text beside elements", in("<trade_state>", "paid <trade_state>"), unknown, true},
		{"an attribute twice", in("<trade_state>", `<trade_state a="1" a="2">`), unknown, true},
		{"an entity of its own", in("<xml>", `<!DOCTYPE xml [<!ENTITY s "SUCCESS">]><xml>`), unknown, true},
		{"an entity that reads a file", `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>` + strings.Replace(in("SUCCESS</trade_state>", "&f;</trade_state>"), `<?xml version="1.0" encoding="UTF-8"?>`, "", 1), unknown, true},
		{"an entity that nothing defines", in("<trade_state>SUCCESS", "<trade_state>&success;"), unknown, true},
		{"a document type alone", "<!DOCTYPE xml>" + in(`<?xml version="1.0" encoding="UTF-8"?>`, ""), unknown, true},
		{"another encoding", in("UTF-8", "GBK"), unknown, true},
		{"a byte order mark", "\ufeff" + paidXML, unknown, true},
		{"bytes that are no UTF-8", in("o-1", "o-\xff"), unknown, true},
		{"a second root", paidXML + "<xml></xml>", unknown, true},
		{"text after the root", paidXML + "SUCCESS", unknown, true},
		{"cut off", paidXML[:len(paidXML)-8], unknown, true},
		{"tags that cross", in("</trade_state>", "</out_trade_no>"), unknown, true},
		{"too deep", in("<trade_state>", deep+"<trade_state>"), unknown, true},
		{"too long", in("<trade_state>", "<x>"+strings.Repeat("x", 1<<20)+"</x><trade_state>"), unknown, true},
		{"one text", "<xml>SUCCESS</xml>", unknown, true},
		{"no text", "", unknown, true},
		{"JSON", `{"trade_state":"SUCCESS","result_code":"SUCCESS","out_trade_no":"o-1","total_fee":12000}`, unknown, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := wechat(t)
			a := policy.Answer{Currency: "CNY"}
			err := c.Decode(checkout, query, []byte(tt.body), &a)
			f := c.Judge(&policy.Payment{Operation: checkout}, &a)
			if errors.Is(err, providers.ErrUnreadable) != tt.unreadable || f.Effect != tt.want {
				t.Errorf("%v, %s; want unreadable %t, %s: %+v", err, f.Effect, tt.unreadable, tt.want, a)
			}
			if tt.want == executed && (a.OrderID == "" || a.ProviderID != "420000001" || a.Amount != 12000) {
				t.Errorf("%+v", a)
			}
		})
	}
}

// An element that stands several times is a list where a path selects from it, also where it stands once.
func TestXMLLists(t *testing.T) {
	c, err := with(t, "acme.toml", `name = "acme"
operations = ["refund"]
currency = "EUR"
amount_unit = "minor"

[[decode]]
body     = "xml"
order_id = "head.order"
status   = "refunds.item[ref=$order_id].state"
amount   = "refunds.item[ref=$order_id].sum.#text"
currency = "refunds.item[ref=$order_id].sum.@currency"
carries  = ["order_id", "amount"]

[[status]]
status = "DONE"
class = "success"
description = "Given back."
facts = [{ operation = ["refund"], phase = ["query"], effect = "executed", stage = "result" }]
`).Get("acme")
	if err != nil {
		t.Fatal(err)
	}
	item := func(ref, state, sum string) string {
		return `<item><ref>` + ref + `</ref><state>` + state + `</state><sum currency="eur">` + sum + `</sum></item>`
	}
	for _, tt := range []struct {
		items string
		want  policy.Effect
	}{
		{item("r-1", "DONE", "250"), executed},
		{item("r-2", "OPEN", "1") + item("r-1", "DONE", "250"), executed},
		{item("r-1", "DONE", "250") + `<note>n</note>` + item("r-2", "OPEN", "1"), executed},
		{item("r-2", "DONE", "250"), unknown},
		{item("r-1", "DONE", "250") + item("r-1", "OPEN", "250"), unknown},
		{item("r-1", "OPEN", "250") + item("r-2", "DONE", "250"), unknown},
		{`<item/>`, unknown},
		{``, unknown},
	} {
		a := policy.Answer{Currency: "EUR"}
		err := c.Decode(refund, query, []byte(`<r><head><order>r-1</order></head><refunds>`+tt.items+`</refunds></r>`), &a)
		if f := c.Judge(&policy.Payment{Operation: refund}, &a); err != nil || f.Effect != tt.want || tt.want == executed && a.Amount != 250 {
			t.Errorf("%s: %v, %s, want %s: %+v", tt.items, err, f.Effect, tt.want, a)
		}
	}
}

// The provider's own pages publish this text, key and signatures. A notice is signed and read back in both
// ways, and a change of any field is noticed.
func TestXMLSignatures(t *testing.T) {
	const (
		key    = "192006250b4c09247ec02edce69f6a2d"
		body   = `<xml><appid>wxd930ea5d5a258f4f</appid><mch_id>10000100</mch_id><device_info>1000</device_info><body>test</body><empty></empty><nonce_str>ibuaiVcKdpRxkhJA</nonce_str>`
		byMD5  = "9A0A8659F005D6984697E2CA0A9CF3B7"
		byHMAC = "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
	)
	c := wechat(t)
	old, ok := c.Deployment("md5")
	if !ok {
		t.Fatal("there is no deployment md5")
	}
	for sign, at := range map[string]*providers.Catalog{byHMAC: c, byMD5: old} {
		shape, _ := at.Webhook()
		whole := body + "<sign><![CDATA[" + sign + "]]></sign></xml>"
		if !shape.Verify(key, nil, []byte(whole)) {
			t.Errorf("%s is refused", whole)
		}
		for _, changed := range []string{
			strings.Replace(whole, "1000<", "1001<", 1), strings.Replace(whole, "<body>test</body>", "", 1), strings.Replace(whole, "<body>", "<more>1</more><body>", 1),
			strings.Replace(whole, "<body>", "<body>other</body><body>", 1), strings.Replace(whole, "<body>test", "<body>te<!-- -->st", 1), strings.Replace(whole, "test", "<b>test</b>", 1),
			strings.Replace(whole, "<body>", `<body a="b">`, 1), strings.Replace(whole, "<xml>", "<!DOCTYPE xml><xml>", 1),
		} {
			if changed == whole || shape.Verify(key, nil, []byte(changed)) {
				t.Errorf("%s passes", changed)
			}
		}
		_, signed, err := shape.Sign(key, time.Unix(1, 0), []byte(body+"</xml>"))
		if err != nil || !shape.Verify(key, nil, signed) || !strings.Contains(string(signed), "<sign>"+strings.ToLower(sign)+"</sign>") {
			t.Errorf("%v: %s", err, signed)
		}
		if status, text := shape.Acknowledgement(&providers.HTTPRequest{}); !shape.Acknowledged(status, []byte(text)) || shape.Acknowledged(200, []byte(`<xml><return_code>FAIL</return_code></xml>`)) ||
			shape.Acknowledged(200, []byte(`{"return_code":"SUCCESS"}`)) {
			t.Error("its acknowledgement")
		}
	}
}

// What a provider in XML says of another order, amount or event proves nothing either.
func TestGapsInXML(t *testing.T) {
	c := wechat(t)
	var got []string
	for gap := range gaps(c) {
		got = append(got, gap)
	}
	if len(got) > 0 {
		t.Errorf("%q", got)
	}
	lax, err := os.ReadFile("testdata/wechat2.toml")
	if err != nil {
		t.Fatal(err)
	}
	lax = []byte(strings.ReplaceAll(strings.Replace(string(lax), `name        = "wechat2"`, `name = "lax"`, 1), `order_id    = "out_trade_no"`, ``))
	lax = []byte(strings.ReplaceAll(string(lax), `carries     = ["order_id", "amount"]`, ``))
	cs, err := providers.Builtin()
	if err == nil {
		err = cs.Add("lax.toml", lax)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, _ = cs.Get("lax")
	all := gaps(c)
	for _, gap := range []string{"checkout query nameless", "checkout webhook nameless"} {
		if _, found := all[gap]; !found {
			t.Errorf("%s is not found: %v", gap, all)
		}
	}
}

// What is cut of a body in XML reads as the whole.
func TestCutInXML(t *testing.T) {
	c := wechat(t)
	body := strings.Replace(paidXML, "</xml>", "<openid>secret-1</openid><card a=\"secret-2\">secret-3</card></xml>", 1)
	m, err := c.Cut(checkout, query, &policy.Message{HTTPStatus: 200, Body: []byte(body)}, func(field, _ string) bool { return field != "" }, func(_, value string) string { return value })
	if err != nil || strings.Contains(string(m.Body), "secret") {
		t.Fatalf("%v: %s", err, m.Body)
	}
	whole, rest := policy.Answer{Currency: "CNY"}, policy.Answer{Currency: "CNY"}
	if err := errors.Join(c.Decode(checkout, query, []byte(body), &whole), c.Decode(checkout, query, m.Body, &rest)); err != nil {
		t.Fatal(err)
	}
	rest.HTTPStatus = whole.HTTPStatus
	if whole != rest {
		t.Errorf("%+v\n%+v", whole, rest)
	}
}
