package ruleset

import (
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// friday is when the situations of these tests are decided: Friday noon in UTC.
var friday = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// folder writes files into a new folder of rules.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	return testkit.Dir(t, files)
}

// alone adds an empty file for every default one, so that only the given files speak.
func alone(t testkit.Failer, files map[string]string) map[string]string {
	t.Helper()
	set, err := rules.Load("")
	if err != nil {
		t.Fatalf("the default rules: %v", err)
	}
	all := map[string]string{"baseline.toml": ""}
	for p := range set.Providers {
		all[p+".toml"] = ""
	}
	for m := range set.Merchants {
		all["merchants/"+m+".toml"] = ""
	}
	maps.Copy(all, files)
	return all
}

// builtin are the embedded catalogues; reading them takes most of the time of Open.
var builtin = sync.OnceValues(providers.Builtin)

// open opens a folder that has to be free of mistakes; "" is the defaults.
func open(t testkit.Failer, dir string) *Engine {
	t.Helper()
	e, err := opening(dir)
	if err != nil {
		t.Fatalf("the rules do not open:\n%v", err)
	}
	return e
}

// opening is Open, and does not read the catalogues again where it need not.
func opening(dir string) (*Engine, error) {
	if _, err := os.Stat(filepath.Join(dir, "providers")); err == nil {
		return Open(dir)
	}
	catalogs, err := builtin()
	if err != nil {
		return nil, err
	}
	set, err := rules.Load(dir)
	if err != nil {
		return nil, err
	}
	return New(catalogs, set)
}

// opened opens a folder of the given files.
func opened(t testing.TB, files map[string]string) *Engine {
	t.Helper()
	return open(t, folder(t, files))
}

// catalogue is a provider's.
func catalogue(t testkit.Failer, e *Engine, provider string) *providers.Catalog {
	t.Helper()
	cat, err := e.Catalogs.Get(provider)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return cat
}

// paying is a payment of 120,000 dong.
func paying(provider, merchant string) policy.Payment {
	return policy.Payment{Provider: provider, Merchant: merchant, Operation: policy.Pay, Amount: 120_000, Currency: "VND"}
}

// judged is a first answer to a payment, with the fact that the catalogue knows.
func judged(e *Engine, p policy.Payment, a policy.Answer) *policy.Situation {
	return &policy.Situation{Payment: &p, Answer: &a, Fact: e.Judge(&p, &a), Attempt: 1, At: friday}
}

// rule writes one [[rule]].
func rule(id, when, then string) string {
	return "[[rule]]\nid = \"" + id + "\"\nwhen = '''" + when + "'''\nthen = \"" + then + "\"\n"
}
