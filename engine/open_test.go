package engine_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/policy"
)

func TestOpenFSReadsRulesAndCatalogues(t *testing.T) {
	catalogue := "name = \"fifth\"\noperations = [\"pay\"]\n[[code]]\ncode = \"c1\"\nclass = \"provider_error\"\n" +
		"facts = [{ operation = \"*\", phase = [\"send\"], effect = \"unknown\", stage = \"result\" }]\n"
	e, err := engine.OpenFS(fstest.MapFS{
		"providers/fifth.toml": {Data: []byte(catalogue)},
		"fifth.toml":           {Data: []byte("[[rule]]\nid = \"own\"\nwhen = 'code == \"c1\"'\nthen = \"escalate\"\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := policy.Payment{Provider: "fifth", Operation: policy.Pay}
	a := policy.Answer{Code: "c1"}
	d := e.Decide(&policy.Situation{Payment: &p, Answer: &a, Fact: e.Judge(&p, &a), Attempt: 1})
	if d.Rule != "own" || d.Source != "fifth.toml:1" {
		t.Errorf("rule %q of %s decides, want own of fifth.toml:1", d.Rule, d.Source)
	}
}

func TestOpenFSNamesMistakesByTheirPath(t *testing.T) {
	_, err := engine.OpenFS(fstest.MapFS{"momo.toml": {Data: []byte("[[rule]]\nid = \"x\"\nwhen = 'amuont > 1'\nthen = \"escalate\"\n")}})
	var m policy.Mistake
	if !errors.As(err, &m) || m.File != "momo.toml" || m.Line != 3 {
		t.Errorf("the error is %v, want a mistake at momo.toml:3", err)
	}
}

func TestCheckNamesWhatIsOffered(t *testing.T) {
	e, err := engine.Open("")
	if err != nil {
		t.Fatal(err)
	}
	var refused *engine.NotOfferedError
	if err := e.Check(&policy.Payment{Provider: "momo", Operation: policy.Onboard}); !errors.As(err, &refused) || refused.Provider != "momo" {
		t.Errorf("the error is %v, want a NotOfferedError", err)
	}
}
