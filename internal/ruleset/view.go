package ruleset

import (
	"time"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
)

// view is the rules of a table one by one, for explanations and for those who analyse rules. Decisions
// do not need it, so it is made when it is first asked for.
type view struct {
	entries []entry // the rules that can hold there
	layers  []listed
}

// entry is a rule and what it decides in a table.
type entry struct {
	*compiled
	decision policy.Decision
}

// listed is a rule of the layers.
type listed struct {
	*compiled
	excluded bool // it can never hold for this merchant at this provider
}

func (b *ruleTable) view() *view {
	if v := b.seen.Load(); v != nil {
		return v
	}
	v := &view{}
	constants := func(name string) any {
		switch {
		case name == "provider" && b.provider != "":
			return b.provider
		case name == "merchant" && b.merchant != "":
			return b.merchant
		}
		return nil // known only at decision time
	}
	for _, r := range b.layers.Rules() {
		k := b.conditions[r]
		l := listed{k, k.excluded(constants)}
		v.layers = append(v.layers, l)
		if !l.excluded {
			d := decisionOf(r)
			d.Schedule = waitOf(r).in(b.layers)
			v.entries = append(v.entries, entry{k, d})
		}
	}
	b.seen.CompareAndSwap(nil, v)
	return b.seen.Load()
}

// excluded reports whether a condition can never hold: a part of it that looks at provider and merchant
// only does not.
func (k *compiled) excluded(constants known) bool {
	parts := []*condition.Tree{k.tree}
	if k.tree.Op == condition.And {
		parts = k.tree.Parts
	}
	for _, part := range parts {
		if onlyConstants(condition.Mentions(part.Node)) && holds(part, constants) == condition.No {
			return true
		}
	}
	return false
}

// fit is the values of one indexed variable with which a condition can hold, whatever the others are.
type fit struct {
	variable condition.Variable
	words    uint64 // a bit for each of its words
	texts    map[string]bool
	other    bool // of a text that the condition does not name
}

func fitsOf(u *understood) []fit {
	var all []fit
	for name, texts := range u.vars {
		v, known := variables[name]
		if !known || v.dim < 0 {
			continue
		}
		f := fit{variable: condition.Variable(v.dim), texts: map[string]bool{}}
		for place, value := range domain(v, texts) {
			can := holds(u.tree, only(name, value)) != condition.No
			switch value := value.(type) {
			case other:
				f.other = can
			case string:
				f.texts[value] = can
			}
			if can && v.kind != text {
				f.words |= 1 << place
			}
		}
		all = append(all, f)
	}
	return all
}

func (f *fit) fits(s *policy.Situation, zone *time.Location) bool {
	if int(f.variable) < firstDictionary {
		return f.words&(1<<condition.Word(f.variable, s, zone)) != 0
	}
	if can, named := f.texts[condition.Text(f.variable, s)]; named {
		return can
	}
	return f.other
}

// candidate reports whether each variable that a condition looks at has a value with which the condition
// can hold.
func (u *understood) candidate(s *policy.Situation, zone *time.Location) bool {
	fits := u.fits()
	for i := range fits {
		if !fits[i].fits(s, zone) {
			return false
		}
	}
	return true
}

// fitsOperation reports whether a condition can hold for an operation.
func (u *understood) fitsOperation(op policy.Operation) bool {
	for _, f := range u.fits() {
		if f.variable == condition.Operation && f.words&(1<<op) == 0 {
			return false
		}
	}
	return true
}
