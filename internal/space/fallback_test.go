package space_test

import (
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// The space of answers and the catalogue say the same of codes that no row lists, in each place of a
// fallback: check, diff and verify see through the space alone.
func TestTheSpaceSeesFallbacks(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const row = "facts = [{ operation = [\"pay\"], phase = [\"send\", \"query\"], effect = \"EFFECT\", stage = \"result\" }]\n"
	fact := func(effect string) string { return strings.Replace(row, "EFFECT", effect, 1) }
	doc := "name = \"f\"\noperations = [\"pay\"]\n" +
		"[[status]]\nstatus = \"FAILED\"\nclass = \"issuer_declined\"\n" + fact("not_executed") +
		"[[status]]\nstatus = \"FAILED\"\nsub_status = \"late\"\nclass = \"issuer_declined\"\n" + fact("not_executed") +
		"[[code]]\ncode = \"murky\"\nclass = \"provider_error\"\n" + fact("unknown") +
		"[[fallback]]\nstatus = \"FAILED\"\nclass = \"risk_declined\"\n" + fact("not_executed") +
		"[[fallback]]\nstatus = \"FAILED\"\nsub_status = \"late\"\nclass = \"channel_error\"\n" + fact("unknown")
	if err := cs.Add("f.toml", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	cat, err := cs.Get("f")
	if err != nil {
		t.Fatal(err)
	}
	s := space.New()
	p := policy.Payment{Provider: "f", Operation: policy.Pay}
	for _, ph := range policy.Phases() {
		groups := space.Answers(cat, policy.Pay, ph)
		for _, status := range []string{"", "FAILED", "GONE"} {
			for _, sub := range []string{"", "late", "x1", "other"} {
				for _, code := range []string{"", "murky", "new"} {
					for _, subCode := range []string{"", "murky", "new"} {
						a := policy.Answer{Phase: ph, HTTPStatus: 402, Status: status, SubStatus: sub, Code: code, SubCode: subCode}
						want := cat.Judge(&p, &a)
						want.Basis = 0
						sit := policy.Situation{Payment: &p, Answer: &a, Attempt: 1}
						n := 0
						for _, g := range groups {
							for _, b := range g.Boxes {
								if s.Has(b, &sit, time.UTC) {
									n++
									if g.Fact != want {
										t.Errorf("%+v proves %+v, and the space has %+v", a, want, g.Fact)
									}
								}
							}
						}
						if n == 0 {
							t.Errorf("%+v is in no group", a)
						}
					}
				}
			}
		}
	}
}
