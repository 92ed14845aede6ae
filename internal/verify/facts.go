package verify

import (
	"slices"
	"sync"

	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/internal/space"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// facts are what the answers of one operation can prove.
type facts struct {
	catalog      *providers.Catalog
	operation    policy.Operation
	space        *space.Space
	modes        region.Words     // the capture modes for which they hold
	groups       [3][]group       // by phase: every answer that there is, by what it proves
	classes      [3][]answerClass // of groups, by phase
	lost         [3]int           // by phase: the group of a call without an answer
	lostClass    [3]answerClass   // of a call that a process left behind
	notSent      int              // the group of a request that did not leave
	notSentClass answerClass
	refusals     []policy.Fact // every fact that proves that a request was not executed
	executed     []policy.Fact // every fact that proves an execution
	claims       claims        // that some answer makes
}

// group is the answers of a phase that prove the same by themselves.
type group struct {
	fact  policy.Fact
	boxes region.Region // phase, operation and capture are left out

	failedCall bool // no reply came
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

// factsOf finds what the answers of an operation can prove to payments of some capture modes.
func factsOf(s *space.Space, cat *providers.Catalog, p policy.Payment, c *policy.Contract, judge space.Judge, modes region.Words, answers *answersMemo) *facts {
	f := &facts{catalog: cat, operation: p.Operation, space: s, modes: modes, notSent: -1}
	for _, ph := range policy.Phases() {
		f.lost[ph] = -1
		groups := answers.of(cat, p.Operation, ph, judge)
		slices.SortStableFunc(groups, func(a, b space.Group) int { return faultsFirst(a) - faultsFirst(b) }) // for plain stories
		for _, g := range groups {
			f.addGroup(ph, g)
		}
	}
	f.listLedger(c)
	f.classify()
	return f
}

// answersMemo keeps what the answers of each operation prove: products of several contracts have it in common. One memo is for one
// judge.
type answersMemo struct {
	mu    sync.Mutex
	known map[answersKey][]space.Group
}

type answersKey struct {
	catalog   *providers.Catalog // each deployment has its own
	operation policy.Operation
	phase     policy.Phase
}

// of returns what every answer of an operation and phase proves, in a slice that is the caller's.
func (a *answersMemo) of(cat *providers.Catalog, op policy.Operation, ph policy.Phase, judge space.Judge) []space.Group {
	if a == nil {
		return space.AnswersAs(cat, op, ph, judge)
	}
	key := answersKey{cat, op, ph}
	a.mu.Lock()
	groups, known := a.known[key]
	a.mu.Unlock()
	if !known {
		groups = space.AnswersAs(cat, op, ph, judge)
		a.mu.Lock()
		a.known[key] = groups
		a.mu.Unlock()
	}
	return slices.Clone(groups)
}

// faultsFirst is less for the calls that get no answer.
func faultsFirst(g space.Group) int {
	for _, b := range g.Boxes {
		if faults, limited := b.Of(space.Fault).(region.Words); limited && faults.Has(int(policy.Timeout)) {
			return 0
		}
	}
	return 1
}

// addGroup adds the answers that prove the same. Calls without any reply are a group of their own.
func (f *facts) addGroup(ph policy.Phase, g space.Group) {
	failed, replied := group{fact: g.Fact, failedCall: true}, group{fact: g.Fact}
	for _, b := range g.Boxes {
		if modes, limited := b.Of(space.Capture).(region.Words); limited && modes&f.modes == 0 {
			continue
		}
		faults, limited := b.Of(space.Fault).(region.Words)
		if ph == policy.Webhook && limited && !faults.Has(int(policy.NoFault)) {
			continue // a message that came has no fault of a call
		}
		b = b.Without(space.Operation).Without(space.Phase)
		if f.modes.Len() == 1 {
			b = b.Without(space.Capture)
		}
		if limited && faults&^space.Bit(policy.Timeout, policy.Reset, policy.NotSent) == 0 {
			failed.boxes = append(failed.boxes, b)
		} else {
			replied.boxes = append(replied.boxes, b)
		}
		if limited && faults.Has(int(policy.Timeout)) {
			f.lost[ph] = len(f.groups[ph])
		}
		if ph == policy.Send && limited && faults.Has(int(policy.NotSent)) {
			f.notSent = len(f.groups[ph])
		}
	}
	for _, one := range []group{failed, replied} { // in this order: see lost and notSent
		if len(one.boxes) > 0 {
			f.groups[ph] = append(f.groups[ph], one)
		}
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
	f.listDisputes()
}
