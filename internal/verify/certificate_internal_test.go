package verify

import (
	"context"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/ruleset"
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
