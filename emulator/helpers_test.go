package emulator_test

import (
	"testing"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/providers"
)

func catalog(t *testing.T, name string) *providers.Catalog {
	t.Helper()
	all, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := all.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func plan(t *testing.T, doc string) *emulator.Plan {
	t.Helper()
	p, err := emulator.ReadPlan("f.toml", []byte(doc))
	if err != nil {
		t.Fatalf("the plan does not load:\n%v", err)
	}
	return p
}
