package ruleset

import (
	"reflect"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// What a program sees of a situation must be what the index and the regions see of it.
func TestEnvAgreesWithTheTableOfVariables(t *testing.T) {
	p := policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Refund, Amount: 7, Currency: "VND", Capture: policy.Manual}
	a := policy.Answer{
		Phase: policy.Query, Code: "c", SubCode: "sc", Status: "s", SubStatus: "ss", Message: "m", HTTPStatus: 503, Fault: policy.Reset,
		RetryAfter: time.Second,
	}
	s := policy.Situation{
		Payment: &p, Answer: &a, InDoubt: true, Attempt: 2, Queries: 3, Elapsed: time.Hour, At: friday,
		Fact: policy.Fact{Effect: policy.Pending, Class: policy.NotFound, Stage: 1, Reach: 1, Final: 1},
	}
	zone := time.FixedZone("east", 9*3600)
	e := reflect.ValueOf(makeEnv(&s, 4, zone))
	for i := range e.NumField() {
		name := e.Type().Field(i).Tag.Get("expr")
		v, known := condition.Named(name)
		if !known {
			t.Errorf("the table of variables has no %s", name)
			continue
		}
		switch got := e.Field(i); variables[name].kind {
		case text:
			if got.String() != condition.Text(v, &s) {
				t.Errorf("%s is %q and %q", name, got, condition.Text(v, &s))
			}
		case word:
			if want := variables[name].words[condition.Word(v, &s, zone)]; got.String() != want {
				t.Errorf("%s is %q and %q", name, got, want)
			}
		case number, duration:
			if got.Int() != condition.Number(v, &s, 4, zone) {
				t.Errorf("%s is %d and %d", name, got.Int(), condition.Number(v, &s, 4, zone))
			}
		case boolean:
			if got.Bool() != (condition.Word(v, &s, zone) == 1) {
				t.Errorf("%s is %t", name, got.Bool())
			}
		case table:
		}
	}
}
