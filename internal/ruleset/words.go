package ruleset

import (
	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// words are values of the variables of words, a bit for each value: of a situation one bit for
// each variable, of a condition every value with which it can hold. So a look at all of them is one
// comparison. The classes, of which there are most, have a number of their own.
type words struct{ class, rest uint64 }

// Where the values of a variable begin in the rest.
const (
	atOperation = 0
	atPhase     = atOperation + operations
	atEffect    = atPhase + phases
	atStage     = atEffect + effects
	atReach     = atStage + stages
	atFinal     = atReach + reaches
	atFault     = atFinal + finalities
	atCapture   = atFault + faults
	atInDoubt   = atCapture + captures
	atWeekday   = atInDoubt + 2
)

// How many words there are of each variable.
const (
	operations = 9
	phases     = 3
	effects    = 4
	classes    = 32
	stages     = 2
	reaches    = 2
	finalities = 3
	faults     = 5
	captures   = 2
)

var wordsAt = map[condition.Variable]int{
	condition.Operation: atOperation, condition.Phase: atPhase, condition.Effect: atEffect, condition.Stage: atStage,
	condition.Reach: atReach, condition.Final: atFinal, condition.Fault: atFault, condition.Capture: atCapture,
	condition.InDoubt: atInDoubt, condition.Weekday: atWeekday,
}

// anyWord has every value of every variable.
var anyWord = func() words {
	var all words
	for v := range wordsAt {
		all = all.or(everyWord(v))
	}
	return all.or(everyWord(condition.Class))
}()

// wordAt is one value of a variable, by its place among the words.
func wordAt(v condition.Variable, place int) words {
	if v == condition.Class {
		return words{class: 1 << place}
	}
	return words{rest: 1 << (wordsAt[v] + place)}
}

// everyWord has every value of one variable.
func everyWord(v condition.Variable) words {
	var all words
	n := len(variables[v.String()].words)
	if v == condition.InDoubt {
		n = 2
	}
	for place := range n {
		all = all.or(wordAt(v, place))
	}
	return all
}

// The words are joined and compared as sets, all variables at once.

func (w words) or(x words) words    { return words{w.class | x.class, w.rest | x.rest} }
func (w words) and(x words) words   { return words{w.class & x.class, w.rest & x.rest} }
func (w words) less(x words) words  { return words{w.class &^ x.class, w.rest &^ x.rest} }
func (w words) shares(x words) bool { return w.class&x.class|w.rest&x.rest != 0 }

// impossible reports whether some variable has no value left.
func (w words) impossible() bool {
	if w == anyWord {
		return false
	}
	for v := range wordsAt {
		if !w.shares(everyWord(v)) {
			return true
		}
	}
	return w.class == 0
}

// inWords reports whether every word of a situation is one that there is. Rules cannot name another, and the
// lists have no place for it.
func inWords(s *policy.Situation) bool {
	a, p, f := s.Answer, s.Payment, &s.Fact
	return uint(p.Operation) < operations && uint(a.Phase) < phases && uint(f.Effect) < effects && uint(f.Class) < classes &&
		uint(f.Stage) < stages && uint(f.Reach) < reaches && uint(f.Final) < finalities && uint(a.Fault) < faults && uint(p.Capture) < captures
}

// wordsOf are the words of a situation, but for the weekday, which takes the zone.
func wordsOf(s *policy.Situation) words {
	a, p := s.Answer, s.Payment
	rest := uint64(1)<<atOperation<<p.Operation | 1<<atPhase<<a.Phase | 1<<atEffect<<s.Fact.Effect | 1<<atStage<<s.Fact.Stage |
		1<<atReach<<s.Fact.Reach | 1<<atFinal<<s.Fact.Final | 1<<atFault<<a.Fault | 1<<atCapture<<p.Capture
	if s.InDoubt {
		rest |= 1 << (atInDoubt + 1)
	} else {
		rest |= 1 << atInDoubt
	}
	return words{1 << s.Fact.Class, rest}
}
