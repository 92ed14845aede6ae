package ruleset

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// ruleTable is the rules of one merchant at one provider. It is the [policy.Decider] of
// their payments.
type ruleTable struct {
	own     part // the merchant's
	below   part // the provider's and the baseline's
	weekday bool // some rule looks at it
	zone    *time.Location
	none    policy.Decision // when no rule holds and something is in doubt
	lost    policy.Decision // when no rule holds and nothing is

	catalog            func() *providers.Catalog // nil: of a provider without one
	unused             bool                      // the merchant's file lists other providers only
	provider, merchant string
	layers             rules.Layers
	conditions         map[*rules.Rule]*compiled
	named              *setName
	terms              [operations]atomic.Pointer[policy.Terms]
	seen               atomic.Pointer[view]
}

// part is a layer, which others may share, and what is the merchant's own about it.
type part struct {
	*layer
	decisions []policy.Decision  // by rule; those of rules that wait are without their schedule
	schedules []*policy.Schedule // by the number of the wait
}

// Judge implements [policy.Decider].
func (b *ruleTable) Judge(p *policy.Payment, a *policy.Answer) policy.Fact {
	if b.catalog == nil {
		return policy.Fact{}
	}
	return b.catalog().Judge(p, a)
}

// Decide implements [policy.Decider].
func (b *ruleTable) Decide(s *policy.Situation) policy.Decision { return b.decide(s) }

// Terms implements [policy.Decider]. They are worked out when they are first asked for.
func (b *ruleTable) Terms(p *policy.Payment) *policy.Terms {
	kept := &b.terms[p.Operation]
	if t := kept.Load(); t != nil {
		return t
	}
	kept.CompareAndSwap(nil, &policy.Terms{
		Contract: contract(b.catalog, b.layers, p.Operation), Limits: b.layers.Limits(p.Operation), Poll: b.layers.Schedule("poll"),
	})
	return kept.Load()
}

// contract is a provider's, as the merchant's layers have it.
func contract(read func() *providers.Catalog, l rules.Layers, op policy.Operation) policy.Contract {
	var contract policy.Contract
	if read != nil {
		cat := read()
		contract = cat.Contract(op)
		if l.IdempotentKey() {
			contract, _ = cat.WithIdempotencyKey(contract)
		}
	}
	l.ApplyContract(op, &contract)
	return contract
}

// decide finds the first rule that holds: of the merchant's own, then of the provider's and the baseline's.
// It takes nothing from the heap unless a program runs.
func (b *ruleTable) decide(s *policy.Situation) policy.Decision {
	if !inWords(s) {
		return b.strange()
	}
	f := newFrame(s, b.zone)
	if b.weekday {
		f.words.rest |= 1 << (atWeekday + condition.Word(condition.Weekday, s, b.zone))
	}
	for _, p := range [...]*part{&b.own, &b.below} {
		if p.layer == nil {
			continue
		}
		rule := p.first(&f)
		if rule.item == nil {
			continue
		}
		if rule.err != nil {
			return b.failed(&p.decisions[rule.rule], rule.err)
		}
		d := p.decisions[rule.rule]
		if rule.wait > 0 {
			d.Schedule = p.schedules[rule.wait]
		}
		return d
	}
	if s.InDoubt || !s.Fact.Effect.Settled() {
		return b.none
	}
	return b.lost
}

// strange is the decision about a situation with a word that does not exist: what it means is not known, so
// what is the case is found out.
func (b *ruleTable) strange() policy.Decision {
	d := b.none
	d.Reason = "the situation has a value that does not exist, so no rule was tried"
	return d
}

var machines = sync.Pool{New: func() any { return new(vm.VM) }}

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

// failed is the decision where the condition of a rule failed. Whether the rule holds is not known,
// so no later rule decides: what is the case is found out.
func (b *ruleTable) failed(rule *policy.Decision, err error) policy.Decision {
	return policy.Decision{
		Action: policy.QueryStatus, Schedule: b.none.Schedule,
		Reason: fmt.Sprintf("the condition of rule %q (%s) failed: %s", rule.Rule, rule.Source, firstLine(err.Error())),
	}
}

// wait is what a rule waits by: a schedule of a name, or that of its kind of action.
type wait struct{ named, kind string }

func waitOf(r *rules.Rule) wait {
	switch {
	case r.Then.Sends():
		return wait{r.Schedule, "retry"}
	case r.Schedule != "" || r.Then == policy.QueryStatus:
		return wait{r.Schedule, "poll"}
	}
	return wait{}
}

// in is the schedule in some layers. A merchant's rule may name the schedule of one provider, and be
// tried at another.
func (w wait) in(l rules.Layers) *policy.Schedule {
	if w == (wait{}) {
		return nil
	}
	if w.named != "" {
		if s := l.Schedule(w.named); s != nil {
			return s
		}
	}
	return l.Schedule(w.kind)
}

// schedules are those of a layer's waits.
func schedules(waits []wait, l rules.Layers, like []*policy.Schedule) []*policy.Schedule {
	all := make([]*policy.Schedule, len(waits))
	for i, w := range waits {
		all[i] = w.in(l)
	}
	if slices.Equal(all, like) {
		return like // most merchants wait alike
	}
	return all
}

func decisionOf(r *rules.Rule) policy.Decision {
	return policy.Decision{Action: r.Then, Rule: r.ID, Source: r.Source(), Reason: r.Reason}
}
