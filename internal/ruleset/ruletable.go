package ruleset

import (
	"fmt"
	mathbits "math/bits"
	"sync"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

const operations = 9

// ruleTable is the compiled layers of one merchant at one provider. It is the [policy.Decider] of
// their payments.
type ruleTable struct {
	catalog *providers.Catalog // nil: of a provider without one
	unused  bool               // the merchant's file lists other providers only
	entries []entry
	layers  []listed // every rule, for explanations
	words   int      // of 64 rules each
	all     []uint64
	// fits[d] has, for each value of dimension d, the rules that can hold with it.
	// A dictionary's value 0 is every text that no rule mentions.
	fits    [dims][]uint64
	bits    []uint64   // fits of the dimensions that are used, one after another
	base    [dims]int  // where those of a dimension begin in bits
	used    [dims]bool // whether any rule tells values of the dimension apart
	indexed []int      // the dimensions that are used
	listed  int        // how many of indexed, from its start, are no dictionaries
	texts   [dims]map[string]int
	empty   [dims]int // the place of the empty text in each dictionary

	zone  *time.Location
	terms [operations]policy.Terms
	none  policy.Decision // when no rule holds and something is in doubt
	lost  policy.Decision // when no rule holds and nothing is
}

// Judge implements [policy.Decider].
func (b *ruleTable) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	if b.catalog == nil {
		return policy.Fact{}
	}
	return b.catalog.Judge(p, a)
}

// Decide implements [policy.Decider].
func (b *ruleTable) Decide(s *policy.Situation) policy.Decision { return b.decide(s) }

// Terms implements [policy.Decider].
func (b *ruleTable) Terms(p *policy.Payment) *policy.Terms { return &b.terms[p.Operation] }

// listed is a rule of the layers. entry is its place in the rule table's entries; -1 for a
// rule that can never hold here.
type listed struct {
	*compiled
	entry int
}

type entry struct {
	*compiled
	decision policy.Decision
}

// index prepares the bits of every dimension.
func (b *ruleTable) index() {
	b.words = (len(b.entries) + 63) / 64
	b.all = make([]uint64, b.words)
	for i := range b.entries {
		b.all[i/64] |= 1 << (i % 64)
	}
	for name, v := range variables {
		if v.dim < 0 {
			continue
		}
		b.indexDim(name, v)
	}
	for d := range dims {
		if b.used[d] {
			b.indexed = append(b.indexed, d)
			if d < firstDictionary {
				b.listed++
			}
			b.base[d] = len(b.bits)
			b.bits = append(b.bits, b.fits[d]...)
		}
	}
}

func (b *ruleTable) indexDim(name string, v variable) {
	d := v.dim
	values := []any{other{}}
	if d < firstDictionary {
		values = domain(v, nil)
	} else {
		b.texts[d] = map[string]int{}
		for _, e := range b.entries {
			for t := range e.vars[name] {
				if _, ok := b.texts[d][t]; !ok {
					b.texts[d][t] = len(values)
					values = append(values, t)
				}
			}
		}
		b.empty[d] = b.texts[d][""]
	}
	b.fits[d] = make([]uint64, len(values)*b.words)
	for i, e := range b.entries {
		mentioned, looks := e.vars[name]
		can := func(value any) bool { return !looks || holds(e.tree, only(name, value)) != condition.No }
		rest := can(other{}) // also with every text that only other rules mention
		for vi, value := range values {
			fits := rest
			if s, isText := value.(string); d < firstDictionary || isText && mentioned[s] {
				fits = can(value)
			}
			if fits {
				b.fits[d][vi*b.words+i/64] |= 1 << (i % 64)
			} else {
				b.used[d] = true
			}
		}
	}
}

// value is the place of a situation's value in a dimension.
func (b *ruleTable) value(d int, s *policy.Situation) int {
	if d < firstDictionary {
		return condition.Word(condition.Variable(d), s, b.zone)
	}
	return b.place(d, condition.Text(condition.Variable(d), s))
}

// place is the place of a text in a dictionary. Most answers leave most texts empty, so the
// place of the empty text is at hand without a look-up.
func (b *ruleTable) place(d int, text string) int {
	if text == "" {
		return b.empty[d]
	}
	return b.texts[d][text]
}

// decide finds the first rule that holds.
func (b *ruleTable) decide(s *policy.Situation) policy.Decision {
	var at [dims]int
	for _, d := range b.indexed[:b.listed] {
		at[d] = b.base[d] + condition.Word(condition.Variable(d), s, b.zone)*b.words
	}
	for _, d := range b.indexed[b.listed:] {
		at[d] = b.base[d] + b.place(d, condition.Text(condition.Variable(d), s))*b.words
	}
	for w := range b.words {
		left := b.all[w]
		for _, d := range b.indexed {
			left &= b.bits[at[d]+w]
		}
		for ; left != 0; left &= left - 1 {
			e := &b.entries[w*64+mathbits.TrailingZeros64(left)]
			if held, err := e.rest(s, b); held {
				return e.decision
			} else if err != nil {
				return b.failed(e, err)
			}
		}
	}
	if s.InDoubt || !s.Fact.Effect.Settled() {
		return b.none
	}
	return b.lost
}

// candidate reports whether the index lets a rule through.
func (b *ruleTable) candidate(i int, s *policy.Situation) bool {
	for _, d := range b.indexed {
		if b.fits[d][b.value(d, s)*b.words+i/64]&(1<<(i%64)) == 0 {
			return false
		}
	}
	return true
}

var machines = sync.Pool{New: func() any { return new(vm.VM) }}

// rest tries what the index could not settle.
func (e *entry) rest(s *policy.Situation, b *ruleTable) (bool, error) {
	if len(e.tests) == 0 && e.program == nil {
		return true, nil
	}
	fired := s.Fired.Of(e.rule.ID)
	if !e.tests.holds(s, fired, b) {
		return false, nil
	}
	if e.program == nil {
		return true, nil
	}
	return run(e.program, makeEnv(s, fired, b.zone))
}

// run evaluates a condition. The loader lets none through that can fail; were one to fail all
// the same, its error is the caller's to act on.
func run(p *vm.Program, e env) (bool, error) {
	m := machines.Get().(*vm.VM)
	defer machines.Put(m)
	out, err := m.Run(p, e)
	if err != nil {
		return false, err
	}
	held, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("it came to %T, not to true or false", out)
	}
	return held, nil
}

// failed is the decision where a condition failed. Whether its rule holds is not known, so no
// later rule decides: what is the case is found out.
func (b *ruleTable) failed(e *entry, err error) policy.Decision {
	return policy.Decision{
		Action: policy.QueryStatus, Schedule: b.none.Schedule,
		Reason: fmt.Sprintf("the condition of rule %q (%s) failed: %s", e.rule.ID, e.rule.Source(), firstLine(err.Error())),
	}
}
