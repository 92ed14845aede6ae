package rules_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// loaded reads a folder of the given files, each named by its path, over the defaults.
func loaded(t *testing.T, files map[string]string) (set *rules.Set, mistakes policy.Mistakes, dir string) {
	t.Helper()
	dir = testkit.Dir(t, files)
	set, err := rules.Load(dir)
	if err != nil && !errors.As(err, &mistakes) {
		t.Fatalf("the error is %T (%v), want policy.Mistakes", err, err)
	}
	return set, mistakes, dir
}

// flawless reads a folder that has to be free of mistakes.
func flawless(t *testing.T, files map[string]string) *rules.Set {
	t.Helper()
	set, mistakes, _ := loaded(t, files)
	if len(mistakes) > 0 {
		t.Fatalf("the rules do not load:\n%v", mistakes)
	}
	return set
}

// alone adds an empty file for every default one, so that only the given files speak.
func alone(t *testing.T, files map[string]string) map[string]string {
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
	for name, content := range files {
		all[name] = content
	}
	return all
}

// rule writes a [[rule]] that always holds.
func rule(id string) string { return "[[rule]]\nid = '" + id + "'\nwhen = 'true'\nthen = 'escalate'\n" }

func ids(l rules.Layers) string {
	var all []string
	for _, r := range l.Rules() {
		all = append(all, r.ID)
	}
	return strings.Join(all, " ")
}
