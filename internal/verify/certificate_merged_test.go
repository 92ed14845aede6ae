//go:build !race

package verify

import (
	"maps"
	"testing"

	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/certify"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// What a state of a certificate does not keep, the flow does not read: whether it was unknown before a repeat, or pending; and of an
// identity that is contested, whether it was reopened. With either, all steps are the same. With something that it does read, some are not.
func TestWhatAStateDoesNotKeepIsNotRead(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	looked, others := 0, 0
	for _, p := range []policy.Payment{
		{Provider: "momo", Operation: policy.Refund}, {Provider: "opi", Operation: policy.Checkout}, {Provider: "stripe", Operation: policy.Refund}, {Provider: "momo", Operation: policy.Capture},
	}[:testkit.Size(1, 2, 4)] {
		p.Amount, p.Currency = 120_000, "VND"
		c, err := closeOf(t, e, p, false, mostCertified)
		if err != nil {
			t.Fatal(err)
		}
		for s := range c.states {
			same := func(change func(id *certificate.Identity, earlier bool) bool) bool {
				other, changed := s, false
				for k := range s.Count {
					changed = change(&other.IDs[k], k+1 < s.Count) || changed
				}
				if changed {
					looked++
				}
				return !changed || equalSteps(t, c.machine, &s, &other, c.states[s])
			}
			again := func(is, to policy.Effect) bool {
				return same(func(id *certificate.Identity, _ bool) bool {
					change := id.Sends > 1 && id.Prior == uint8(is)
					if change {
						id.Prior = uint8(to)
					}
					return change
				})
			}
			if !again(policy.Unknown, policy.Pending) {
				t.Errorf("%s %s: what was pending before a repeat is read in %+v", p.Provider, p.Operation, s)
			}
			if !same(func(id *certificate.Identity, earlier bool) bool {
				change := earlier && id.Contested
				id.Reopened = id.Reopened || change
				return change
			}) {
				t.Errorf("%s %s: that a contested identity was reopened is read in %+v", p.Provider, p.Operation, s)
			}
			if !again(policy.NotExecuted, policy.Unknown) {
				others++
			}
		}
	}
	if looked < 50 || others == 0 {
		t.Errorf("%d states were changed, and %d changes that matter were seen", looked, others)
	}
}

// equalSteps reports whether two states lead to the same ones.
func equalSteps(t *testing.T, m *certify.Machine, one, other *certificate.State, worlds []uint32) bool {
	t.Helper()
	type reached struct {
		certificate.State
		world uint32
	}
	var all [2]map[reached]bool
	for i, s := range []*certificate.State{one, other} {
		all[i] = map[reached]bool{}
		if err := m.From(s, worlds, func(to certificate.State, in []uint32) {
			for _, w := range in {
				all[i][reached{to, w}] = true
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	return maps.Equal(all[0], all[1])
}
