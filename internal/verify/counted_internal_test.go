package verify

import (
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// A rule that compares a count with more than a state can count is not proved by counting: the count stayed at the greatest that is kept, and
// what the rules do beyond their limit was never reached. What no limit allows is not compared with.
func TestCountsThatAreTooLargeAreNotCounted(t *testing.T) {
	small, large := &policy.Limits{MaxAttempts: 1, MaxQueries: 2}, &policy.Limits{MaxAttempts: 1_000, MaxQueries: 1_000}
	for cut, want := range map[int64]bool{1: false, maxCount: false, maxCount + 1: true, 300: true} {
		of := []int64{0, cut}
		for _, c := range []struct {
			name                 string
			cuts                 cuts
			withSmall, withLarge bool
		}{
			{"fired", cuts{fired: map[string][]int64{"few": {1}, "many": of}}, want, want},
			{"queries", cuts{queries: of}, false, want},
			{"attempt", cuts{attempts: of}, false, want},
		} {
			if is := c.cuts.uncountable(small); (is == c.name) != c.withSmall {
				t.Errorf("%s compared with %d, small limits: %q", c.name, cut, is)
			}
			if is := c.cuts.uncountable(large); (is == c.name) != c.withLarge {
				t.Errorf("%s compared with %d, large limits: %q", c.name, cut, is)
			}
		}
	}
	seen := map[string]int{}
	for n := range maxCount + 1 {
		fired := flow.State{Fired: policy.Counts{{Name: "many", N: n}}}
		for _, at := range []node{{s: fired}, {said: said{tally: tally{attempts: uint8(n)}}}, {said: said{tally: tally{queries: uint8(n)}}}} {
			key := string((&model{}).key(&at))
			if other, is := seen[key]; is {
				t.Fatalf("a state with the count %d is taken for one with %d", n, other)
			}
			seen[key] = n
			if n == 0 {
				break // none has the others' count
			}
		}
	}
}
