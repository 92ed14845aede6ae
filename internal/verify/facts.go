package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// facts are what the answers of one operation can prove, and what the rules can be shown.
type facts struct {
	catalog  *providers.Catalog
	modes    region.Words     // the capture modes for which they hold
	groups   [3][]group       // by phase: every answer that there is, by what it proves
	lost     [3]int           // by phase: the call that a process left behind
	notSent  int              // of phase send: the request did not leave
	shown    [3][]shown       // by phase: every fact that the rules can be shown, in doubt and not
	index    [3]map[shown]int // of shown
	refusals []policy.Fact    // every fact that proves that a request was not executed
	executed []policy.Fact    // every fact that proves an execution
}

// group is the answers of a phase that prove the same by themselves.
type group struct {
	fact  policy.Fact
	boxes region.Region // phase, operation and capture are left out
}

// shown is what the rules are shown with an answer, besides the answer itself. The fact is what
// the answer proves, less than that, or what the ledger knows.
type shown struct {
	phase policy.Phase
	fact  policy.Fact
	doubt bool
}

// restrict leaves of a box what is open when a phase's fact and doubt are known.
func (at *shown) restrict(b region.Box) (region.Box, bool) {
	n := 0
	for _, l := range b {
		var v int
		switch l.Dim {
		case space.Phase:
			v = int(at.phase)
		case space.Effect:
			v = int(at.fact.Effect)
		case space.Class:
			v = int(at.fact.Class)
		case space.Stage:
			v = int(at.fact.Stage)
		case space.Reach:
			v = int(at.fact.Reach)
		case space.Final:
			v = int(at.fact.Final)
		case space.InDoubt:
			if at.doubt {
				v = 1
			}
		default:
			n++
			continue
		}
		if !l.Set.(region.Words).Has(v) {
			return nil, false
		}
	}
	left := make(region.Box, 0, n)
	for _, l := range b {
		if l.Dim < space.Phase || l.Dim > space.Final || l.Dim == space.Fault {
			left = append(left, l)
		}
	}
	return left, true
}

// factsOf finds what the answers of an operation can prove to payments of one capture mode.
func factsOf(cat *providers.Catalog, p policy.Payment, c *policy.Contract, judge space.Judge, everyMode bool) *facts {
	f := &facts{catalog: cat, modes: space.Bit(p.Capture), notSent: -1}
	if everyMode {
		f.modes = space.Bit(policy.Auto, policy.Manual)
	}
	for _, ph := range policy.Phases() {
		f.lost[ph] = -1
		for _, g := range space.AnswersAs(cat, p.Operation, ph, judge) {
			f.addGroup(ph, g)
		}
	}
	f.listLedger(c)
	for _, ph := range policy.Phases() {
		f.listShown(ph)
	}
	return f
}

func (f *facts) addGroup(ph policy.Phase, g space.Group) {
	one := group{fact: g.Fact}
	for _, b := range g.Boxes {
		if modes, limited := b.Of(space.Capture).(region.Words); limited && modes&f.modes == 0 {
			continue
		}
		faults, _ := b.Of(space.Fault).(region.Words)
		if ph == policy.Webhook && faults != 0 && !faults.Has(int(policy.NoFault)) {
			continue // a message that came has no fault of a call
		}
		if faults.Has(int(policy.Timeout)) {
			f.lost[ph] = len(f.groups[ph])
		}
		if ph == policy.Send && faults.Has(int(policy.NotSent)) {
			f.notSent = len(f.groups[ph])
		}
		one.boxes = append(one.boxes, b.Without(space.Operation).Without(space.Phase).Without(space.Capture))
	}
	if len(one.boxes) > 0 {
		f.groups[ph] = append(f.groups[ph], one)
	}
}

// absence is the fact that a query proves when it finds nothing in time.
func absence(f policy.Fact) policy.Fact {
	f.Effect = policy.NotExecuted
	return f
}

// conflict is what the rules are shown where the ledger contradicts itself.
func conflict(f policy.Fact) policy.Fact {
	f.Effect, f.Class = policy.Unknown, policy.Conflict
	return f
}

// mismatch is the fact of an execution with another amount.
func mismatch(f policy.Fact) policy.Fact {
	f.Class = policy.Mismatch
	return f
}

// resolvedAs is the fact that a person vouches for.
func resolvedAs(e policy.Effect) policy.Fact {
	return policy.Fact{Effect: e, Class: policy.AlreadyDone, Stage: policy.Result}
}

// listLedger lists what the ledger can know for certain.
func (f *facts) listLedger(c *policy.Contract) {
	add := func(list *[]policy.Fact, fact policy.Fact) {
		if !slices.Contains(*list, fact) {
			*list = append(*list, fact)
		}
	}
	for _, ph := range policy.Phases() {
		for _, g := range f.groups[ph] {
			switch g.fact.Effect {
			case policy.Executed:
				add(&f.executed, g.fact)
				add(&f.executed, mismatch(g.fact))
			case policy.NotExecuted:
				add(&f.refusals, g.fact)
			default:
				if ph == policy.Query && g.fact.Class == policy.NotFound && c.NotFoundAfter > 0 {
					add(&f.refusals, absence(g.fact))
				}
			}
		}
	}
	add(&f.executed, resolvedAs(policy.Executed))
	add(&f.refusals, resolvedAs(policy.NotExecuted))
}

// listShown lists every fact that the rules can be shown with an answer of a phase. It follows
// flow's situation and addAnswer: a fact that is not listed is an error of the model, and what is
// asked about it is not proved.
func (f *facts) listShown(ph policy.Phase) {
	f.index[ph] = map[shown]int{}
	add := func(fact policy.Fact) {
		for _, doubt := range []bool{false, true} {
			at := shown{ph, fact, doubt}
			if _, known := f.index[ph][at]; !known {
				f.index[ph][at] = len(f.shown[ph])
				f.shown[ph] = append(f.shown[ph], at)
			}
		}
	}
	for _, g := range f.groups[ph] {
		add(policy.Fact{Final: g.fact.Final}) // it speaks of another payment
		for _, fact := range f.ownFacts(ph, g.fact) {
			add(fact)
		}
	}
	add(policy.Fact{Class: policy.Processing}) // an earlier identity is settled, and the last one is not
	for _, fact := range slices.Concat(f.executed, f.refusals) {
		add(fact)
		if fact.Effect == policy.Executed {
			add(mismatch(fact))
		}
		add(conflict(fact))
	}
}

// ownFacts lists what the flow can make of a fact that an answer proves by itself.
func (f *facts) ownFacts(ph policy.Phase, fact policy.Fact) []policy.Fact {
	unknown := fact
	unknown.Effect = policy.Unknown
	all := []policy.Fact{fact, unknown, conflict(fact)}
	if fact.Effect == policy.Executed {
		all = append(all, mismatch(fact))
	}
	if ph == policy.Query && fact.Effect == policy.Unknown && fact.Class == policy.NotFound {
		all = append(all, absence(fact))
	}
	return all
}

// at returns the index of what the rules are shown; -1: it is not foreseen.
func (f *facts) at(ph policy.Phase, fact policy.Fact, doubt bool) int {
	fact.Basis = 0
	if i, known := f.index[ph][shown{ph, fact, doubt}]; known {
		return i
	}
	return -1
}
