package verify

import (
	"context"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/certify"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
)

// A proof of which no certificate is made stays in the report: the run was called interrupted, and the proof was lost.
func TestProofWithoutCertificate(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{Providers: []string{"shopline"}, Operations: []policy.Operation{policy.Unbind}, VerdictOnly: true, mostCertified: 5,
		Certificate: func(*certificate.Product) { t.Error("a certificate of more states than are allowed") }}
	r, err := Run(context.Background(), e, o)
	if err == nil || !strings.Contains(err.Error(), "no certificate for shopline unbind: the checker would look at more than 5 states") {
		t.Errorf("error %v", err)
	}
	if !r.Holds || r.Interrupted || len(r.Products) == 0 {
		t.Errorf("holds %v, interrupted %v, %d products; want the proof", r.Holds, r.Interrupted, len(r.Products))
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if r, err = Run(ended, e, o); err == nil || r.Holds || !r.Interrupted {
		t.Errorf("a run that has ended: %v, holds %v, interrupted %v", err, r.Holds, r.Interrupted)
	}
}

// The example of a class proves what the class proves. SHOPLINE's checkout had one by query that did not: of executions there was none.
func TestExamplesProveWhatTheirClassProves(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []policy.Payment{{Provider: "shopline", Operation: policy.Checkout}, {Provider: "momo", Operation: policy.Unbind}} {
		s := space.New(e)
		g, err := newGround(e, s, p, space.Bit(p.Capture), false, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := newCertifier(g, g.model([]*table{newTable(s, e, g.facts, p, nil, nil)}, false, true))
		for _, ph := range policy.Phases() {
			for i, class := range c.classes[ph] {
				a := c.product.Answers[ph][i]
				if is := certify.Read(e.Judge(&p, &a)); is != class.fact {
					t.Errorf("%s %s, %s: %+v proves %+v, and its class %+v", p.Provider, p.Operation, ph, a, is, class.fact)
				}
			}
		}
	}
}
