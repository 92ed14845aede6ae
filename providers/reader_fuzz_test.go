package providers_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/policy"
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
