package check_test

import (
	"context"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/check"
	"github.com/recourse-pay/recourse/engine"
)

func TestShippedX(t *testing.T) {
	e, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	r, err := check.Run(context.Background(), e, check.Options{})
	t.Log(time.Since(at), err, r.Errors, r.Warnings, r.Notes)
	for _, f := range r.Findings {
		t.Log(f.Place, f.Severity, f.Kind, f.Message)
		if f.Witness != nil {
			t.Logf("     %+v %v %s %s", f.Witness.Input, f.Witness.Fact, f.Witness.How, f.Witness.Rule)
		}
	}
}
