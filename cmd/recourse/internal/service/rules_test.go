package service_test

import (
	"crypto/sha256"
	"testing"

	"github.com/recourse-pay/recourse/internal/ruleset"
)

// liveRules are rules that no test replaces.
func liveRules(t testing.TB, e *ruleset.Engine) *ruleset.Live {
	t.Helper()
	live := new(ruleset.Live)
	if err := live.Open(func() (none [sha256.Size]byte) { return none }, func() (*ruleset.Engine, error) { return e, nil }); err != nil {
		t.Fatal(err)
	}
	return live
}
