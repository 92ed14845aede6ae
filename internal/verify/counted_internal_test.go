package verify

import (
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// A rule that compares fired with more than a state can count is not proved by counting: the count stayed at the greatest that is kept, and
// what the rules do beyond their limit was never reached.
func TestCountsThatAreTooLargeAreNotCounted(t *testing.T) {
	small := &policy.Limits{MaxAttempts: 1, MaxQueries: 2}
	for cut, want := range map[int64]bool{1: true, maxCountedFired: true, maxCountedFired + 1: false, 300: false} {
		l := &ruleset.Looks{At: map[string]bool{"fired": true}, Fired: map[string][]int64{"few": {1}, "many": {1, cut}}}
		if isCounted(l, small) != want {
			t.Errorf("fired compared with %d: counted %v", cut, !want)
		}
	}
	seen := map[string]int{}
	for n := range maxCountedFired + 1 {
		s := flow.State{Fired: policy.Counts{{Name: "many", N: n}}}
		key := string((&model{}).key(&node{s: s}))
		if other, is := seen[key]; is {
			t.Fatalf("a state in which the rule was followed %d times is taken for one of %d", n, other)
		}
		seen[key] = n
	}
}
