package providers_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// FuzzSignatures hands any webhook to every signature: none panics, and none is taken that the secret did not make.
func FuzzSignatures(f *testing.F) {
	f.Add("t=1,v1=00", []byte(`{"sign":"00","param":"{}"}`), "a=1&sign=00")
	f.Add("%", []byte(`[]`), "vnp_SecureHash=%zz")
	f.Fuzz(func(t *testing.T, header string, body []byte, query string) {
		for _, name := range names {
			shape, ok := catalog(t, name).Webhook()
			if !ok {
				continue
			}
			q := (&vector{Body: string(body), Query: query}).request()
			q.Header = func(string) string { return header }
			if shape.Check(q, time.Unix(1, 0), 0, "a secret that is not known") == nil {
				t.Fatalf("%s takes %q %q %s", name, header, query, body)
			}
			shape.Nonce(q, 0)
			shape.Acknowledgement(q)
		}
	})
}

// FuzzBodies reads any body in every way: none panics, and what is cut of a body reads as the whole of it.
func FuzzBodies(f *testing.F) {
	f.Add([]byte(paidXML), "vnp_TxnRef=o-1&vnp_Amount=100", uint8(0))
	f.Add([]byte(`{"orderId":"o","resultCode":0,"refundTrans":[{"orderId":"o","amount":1e3}]}`), "a[b][c]=1&a[b]=2;", uint8(1))
	f.Add([]byte("id=pi_1&last_payment_error[code]=x&%zz"), "", uint8(2))
	f.Add([]byte(`<r a="1"><a>&#x53;</a><b><![CDATA[<]]></b><!-- --></r>`), "", uint8(3))
	file, err := os.Open("testdata/bodies.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Question struct{ Body json.RawMessage }
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && len(line.Question.Body) < 600 {
			f.Add([]byte(line.Question.Body), "", uint8(len(line.Question.Body)))
		}
	}
	all := []*providers.Catalog{wechat(f), catalog(f, "stripe"), catalog(f, "vnpay")}
	for _, name := range names {
		all = append(all, catalog(f, name))
	}
	f.Fuzz(func(t *testing.T, body []byte, query string, which uint8) {
		c := all[int(which)%len(all)]
		op, ph := c.Operations[int(which/8)%len(c.Operations)], policy.Phase(which/64%3)
		m := policy.Message{HTTPStatus: 200, Query: query, Body: body}
		whole, rest := policy.Answer{Currency: "USD"}, policy.Answer{Currency: "USD"}
		if c.DecodeMessage(op, ph, &m, &whole) != nil {
			return
		}
		c.Judge(&policy.Payment{Operation: op}, &whole)
		cut, err := c.Cut(op, ph, &m, func(field, _ string) bool { return field != "" }, func(_, value string) string { return value })
		if err != nil {
			t.Fatalf("%s %s %s: %q is read and cannot be cut: %v", c.Name, op, ph, body, err)
		}
		if !utf8.Valid(body) {
			return // such bytes are replaced in what is written
		}
		if err := c.DecodeMessage(op, ph, &cut, &rest); err != nil || whole != rest {
			t.Fatalf("%s %s %s: %q %q\n%+v\n%q %q: %v\n%+v", c.Name, op, ph, body, query, whole, cut.Body, cut.Query, err, rest)
		}
	})
}

// BenchmarkDecode reads and judges bodies of real shapes.
func BenchmarkDecode(b *testing.B) {
	file, err := os.Open("testdata/bodies.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	type question struct {
		Provider  string           `json:"provider"`
		Operation policy.Operation `json:"operation"`
		Phase     policy.Phase     `json:"phase"`
		Body      json.RawMessage  `json:"body"`
	}
	var bodies []question
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Question question `json:"question"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			b.Fatal(err)
		}
		bodies = append(bodies, line.Question)
	}
	cs, err := builtins()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r := &bodies[i%len(bodies)]
		i++
		c, err := cs.Get(r.Provider)
		if err != nil {
			b.Fatal(err)
		}
		a := policy.Answer{Currency: "VND"}
		if c.Decode(r.Operation, r.Phase, r.Body, &a) == nil {
			c.Judge(&policy.Payment{Operation: r.Operation}, &a)
		}
	}
}
