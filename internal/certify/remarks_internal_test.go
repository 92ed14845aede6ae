package certify

import (
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// S6 is about what the ledger keeps: a dispute until a person speaks, and that another amount was paid until an answer names the whole.
func TestTheLedgerKeepsWhatIsSaidOfTheMoney(t *testing.T) {
	disputed, part, plain := flow.Identity{Disputed: true}, flow.Identity{Mismatch: true}, flow.Identity{}
	says := func(c policy.Class) policy.Fact { return policy.Fact{Class: c, Stage: policy.Result} }
	whole, person := policy.Fact{Effect: policy.Executed}, flow.Resolved{}
	for _, one := range []struct {
		name, want string
		was, is    flow.Identity
		event      flow.Event
		says       policy.Fact
		answer     given
	}{
		{"a dispute is kept", "", disputed, disputed, flow.Received{}, whole, given{}},
		{"a dispute is forgotten", "S6: the ledger forgets a dispute", disputed, plain, flow.Received{}, whole, given{amount: wholeAmount}},
		{"a person ends a dispute", "", disputed, plain, person, policy.Fact{}, given{}},
		{"a part is forgotten", "S6: the ledger forgets that another amount was paid", part, plain, flow.Due{}, policy.Fact{}, given{}},
		{"an execution without an amount", "S6: the ledger forgets that another amount was paid", part, plain, flow.Received{}, whole, given{}},
		{"the whole is named", "", part, plain, flow.Received{}, whole, given{amount: wholeAmount}},
		{"a person ends a part", "", part, plain, person, policy.Fact{}, given{}},
		{"a dispute is not taken in", "S6: the ledger does not hold a dispute", plain, plain, flow.Received{}, says(policy.Disputed), given{}},
		{"a dispute is taken in", "", plain, disputed, flow.Received{}, says(policy.Disputed), given{}},
		{"a dispute of another payment", "", plain, plain, flow.Received{}, says(policy.Disputed), given{name: stranger}},
		{"a part is not taken in", "S6: the ledger does not hold that another amount was paid", plain, plain, flow.Received{}, says(policy.Mismatch), given{}},
		{"a part is taken in", "", plain, part, flow.Received{}, says(policy.Mismatch), given{}},
	} {
		m := &Machine{happening: happening{says: one.says, answer: one.answer}}
		m.remarks(&flow.State{Ledger: []flow.Identity{one.was}}, &flow.State{Ledger: []flow.Identity{one.is}}, one.event)
		if (m.err == nil) != (one.want == "") || m.err != nil && !strings.HasPrefix(m.err.Error(), one.want) {
			t.Errorf("%s: %v, want %q", one.name, m.err, one.want)
		}
	}
	for _, id := range []flow.Identity{{Effect: policy.Executed, Disputed: true}, {Effect: policy.Executed, Mismatch: true}} {
		m := &Machine{}
		m.hold(world(strings.IndexByte(letters, 'P')), &flow.State{Ledger: []flow.Identity{id}, Outcome: policy.Succeeded}, true)
		if m.err == nil || !strings.HasPrefix(m.err.Error(), "S6: ") {
			t.Errorf("succeeded with %+v: %v", id, m.err)
		}
	}
}
