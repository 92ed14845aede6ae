package ruletest_test

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// A merchant's payments at a provider that its file leaves out are refused, so no test speaks of
// them: "*" passes over them, and naming one is a mistake.
func TestProvidersThatAMerchantDoesNotUse(t *testing.T) {
	e, err := ruleset.Open(testkit.Dir(t, map[string]string{"merchants/acme.toml": "[merchant]\nproviders = ['momo', 'opi']\n"}))
	if err != nil {
		t.Fatal(err)
	}
	read := func(text string) ([]*ruletest.Suite, error) {
		return ruletest.Read(e, []ruletest.File{{Name: "merchants/acme.test.toml", Data: []byte(text)}})
	}
	suites, err := read("[[each]]\nname = 'all'\ngiven = { provider = '*', operation = 'refund' }\ncases = [['timeout', 'query_status']]\n")
	if err != nil || len(suites) != 1 || len(suites[0].Cases) != 2 {
		t.Errorf("\"*\" makes %v (%v), want a case of momo and one of opi", suites, err)
	}
	_, err = read("[[decision]]\ngiven = { provider = 'paykka', operation = 'refund', fault = 'timeout' }\nexpect = { action = 'query_status' }\n")
	if err == nil || !strings.Contains(err.Error(), "merchants/acme.test.toml:2:22: merchant acme does not use provider paykka") {
		t.Errorf("the error is %v", err)
	}
	if _, err = read("[[decision]]\ngiven = { merchant = '', provider = 'paykka', operation = 'refund', fault = 'timeout' }\nexpect = { action = 'query_status' }\n"); err != nil {
		t.Errorf("the error is %v", err)
	}
}
