package verify

import (
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// answerClass is every answer in which the flow reads the same. What the flow does next depends on
// the answer by what the rules decide about it, and on nothing else: no state keeps which answer
// it was. So the model gives one answer of a class, with each decision that any of them can get.
type answerClass struct {
	answer     policy.Answer // one of them
	fact       policy.Fact   // what the flow reads; the rest has the values that mean "of the answer"
	groups     []int         // of the facts
	failedCall bool          // the call got no reply: the reply may come later
}

// Values that a fact has where the model does not follow it. They equal no value that a catalogue
// has, so that nothing is taken for a repetition of something.
const (
	noClass  policy.Class    = 255 // of the ledger: any class
	ownClass policy.Class    = 254 // the class of the answer
	ownReach policy.Reach    = 254
	ownFinal policy.Finality = 254
	anyReach policy.Reach    = 255
)

// anyRefusal stands for every fact that proves that a request was not executed.
var anyRefusal = policy.Fact{Effect: policy.NotExecuted, Class: noClass, Reach: anyReach}

// readByFlow is what the flow itself reads in a fact: the effect, whether a refusal is a stored
// result, and whether something was not found, is disputed, or is a mismatch. Of an execution the ledger
// keeps the class.
func readByFlow(f policy.Fact) policy.Fact {
	read := policy.Fact{Effect: f.Effect, Class: ownClass, Reach: ownReach, Final: ownFinal}
	if f.Class == policy.NotFound || f.Class == policy.Disputed || f.Class == policy.Mismatch || f.Effect == policy.Executed {
		read.Class = f.Class
	}
	if f.Effect == policy.NotExecuted || f.Class == policy.Mismatch {
		read.Stage = f.Stage
	}
	return read
}

// keptFact is what the model keeps of the fact that the ledger has of an identity.
func keptFact(id *flow.Identity) policy.Fact {
	switch {
	case !id.Effect.Settled():
		// The flow reads it only to recognize a repeated statement. Under a class that no answer has,
		// every statement is news: the rules are asked each time, and a repetition changes nothing.
		return policy.Fact{Class: noClass}
	case id.Effect == policy.NotExecuted:
		return anyRefusal
	default:
		return policy.Fact{Effect: policy.Executed, Class: id.Fact.Class, Reach: ownReach, Final: ownFinal}
	}
}

// classify puts the groups of each phase into classes.
func (f *facts) classify() {
	for _, ph := range policy.Phases() {
		type kind struct {
			fact       policy.Fact
			failedCall bool
		}
		byFact := map[kind]int{}
		for j := range f.groups[ph] {
			if ph == policy.Send && j == f.notSent {
				f.notSentClass = f.class(ph, j)
				continue
			}
			one := f.class(ph, j)
			key := kind{one.fact, one.failedCall}
			at, known := byFact[key]
			if !known {
				byFact[key] = len(f.classes[ph])
				f.classes[ph] = append(f.classes[ph], one)
				continue
			}
			all := &f.classes[ph][at]
			all.groups = append(all.groups, j)
			if all.answer.Fault != policy.NoFault {
				all.answer = one.answer // a failed call names no payment, and the class has answers that do
			}
		}
		if j := f.lost[ph]; j >= 0 {
			f.lostClass[ph] = f.class(ph, j)
			f.lostClass[ph].answer = policy.Answer{Phase: ph, Fault: policy.Timeout}
		}
	}
}

// class returns the class of one group.
func (f *facts) class(ph policy.Phase, j int) answerClass {
	g := &f.groups[ph][j]
	best := g.boxes[0]
	for _, b := range g.boxes {
		if f.space.IsReceived(b) {
			best = b
			break
		}
	}
	return answerClass{answer: f.answerIn(best, ph), fact: readByFlow(g.fact), groups: []int{j}, failedCall: g.failedCall}
}

// answerIn returns an answer of a box.
func (f *facts) answerIn(b region.Box, ph policy.Phase) policy.Answer {
	sit, _ := f.space.Point(b, time.UTC, 0)
	a := *sit.Answer
	a.Phase = ph
	return a
}

// shownFor returns every fact that the rules can be shown with the answers of a group when the
// flow shows them an abstract one: see flow's addAnswer and situation, which make it.
func (f *facts) shownFor(at *shown, own policy.Fact) []policy.Fact {
	is := at.fact
	switch {
	case is.Reach == anyReach: // the ledger knows that the latest request was not executed
		all := make([]policy.Fact, len(f.refusals))
		for i, r := range f.refusals {
			if r.Class == policy.NotFound && at.doubt {
				r = conflict(r) // an earlier identity is in doubt
			}
			all[i] = r
		}
		return all
	case is.Effect == policy.Executed: // by this answer, or by an earlier one
		var all []policy.Fact
		for _, e := range f.executed {
			if e.Class == is.Class {
				all = append(all, e)
			}
		}
		return all
	case is.Effect == policy.Unknown && is.Class == policy.Conflict: // of this answer's fact, or of an execution's
		own.Effect = policy.Unknown
		all := []policy.Fact{own, conflict(own)}
		if own.Class != policy.Conflict {
			all = all[1:]
		}
		for _, e := range f.executed {
			all = append(all, conflict(e))
		}
		return all
	case is == policy.Fact{Final: ownFinal}: // it speaks of another payment
		return []policy.Fact{{Final: own.Final}}
	case is.Reach == ownReach:
		own.Effect = is.Effect
		return []policy.Fact{own}
	}
	return []policy.Fact{is} // an earlier identity is settled, and the latest is not
}

// listedWords counts the codes and the statuses of a catalogue.
func listedWords(c *providers.Catalog) int {
	codes := map[string]bool{}
	for _, r := range c.Codes {
		codes[r.Code] = true
	}
	return len(codes) + len(c.Statuses)
}
