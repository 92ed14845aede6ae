package ruleset

import (
	"fmt"
	"maps"
	mathbits "math/bits"
	"math/rand/v2"
	"regexp"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// The size of a sample: how many conditions are read plainly in it. It grows with the rules.
const (
	leastReadings   = 400
	readingsPerRule = 2
)

// sampler holds what was compiled to a plain reading of the rules, in situations drawn at random. The
// same rules have the same sample.
type sampler struct {
	e      *Engine
	random *rand.Rand
	errs   source.List
	left   int // readings

	patterns map[string]*regexp.Regexp
}

// sample compares decisions, and what holds of their rules' conditions, with the plain reading. The error
// says where they differ: a fault of this package, which must not decide a payment.
func (e *Engine) sample() error {
	s := &sampler{e: e, random: rand.New(rand.NewPCG(16, uint64(len(e.conditions)))), left: max(leastReadings, readingsPerRule*len(e.conditions)), patterns: map[string]*regexp.Regexp{}}
	places := append([]string{""}, e.Catalogs.Names()...)
	merchants := append([]string{""}, e.Rules.MerchantNames()...)
	for s.left > 0 && len(s.errs.Mistakes) == 0 {
		b := e.ruleTables[pick(s, places)].of(pick(s, merchants))
		all := b.layers.Rules()
		if s.left--; len(all) > 0 {
			s.compare(b, all, pick(s, all))
		}
	}
	return s.errs.Err()
}

func pick[T any](s *sampler, of []T) T { return of[s.random.IntN(len(of))] }

// compare draws a situation in which a rule may well hold.
func (s *sampler) compare(b *ruleTable, all []*rules.Rule, aim *rules.Rule) {
	k := b.conditions[aim]
	sit := s.situation(b, k)
	got, want := b.decide(sit), s.plainly(b, all, sit)
	if got != want {
		s.differ(aim, fmt.Sprintf("the decision is %q by rule %q, and the plain reading says %q by rule %q", got.Action, got.Rule, want.Action, want.Rule))
		return
	}
	f, r := onlyRule(sit, b.zone, aim.ID), reading{sit, sit.Fired.Of(aim.ID), b.zone, s.patterns}
	k.tree.Visit(func(part *condition.Tree) {
		var l lowerer
		lowered := l.lower(part.Node)
		held := lowered.holds(&f)
		plain, err := r.holds(part.Node)
		s.left--
		if held != plain || err != nil || f.err != nil || l.failed != nil {
			s.differ(aim, fmt.Sprintf("%s comes to %t, and the plain reading says %t (%v, %v, %v)", part.Node, held, plain, err, f.err, l.failed))
		}
	})
}

func (s *sampler) differ(r *rules.Rule, how string) {
	s.errs.Add(r.WhenAt(0), "rule %q was compiled wrongly: %s. This is a fault of recourse and not of the rule; please report it", r.ID, how)
}

// plainly decides rule after rule, each condition whole.
func (s *sampler) plainly(b *ruleTable, all []*rules.Rule, sit *policy.Situation) policy.Decision {
	for _, rule := range all {
		r := reading{sit, sit.Fired.Of(rule.ID), b.zone, s.patterns}
		held, err := r.holds(b.conditions[rule].tree.Node)
		s.left--
		if err != nil {
			return b.failed(&policy.Decision{Rule: rule.ID, Source: rule.Source()}, err)
		}
		if held {
			d := decisionOf(rule)
			d.Schedule = waitOf(rule).in(b.layers)
			return d
		}
	}
	if sit.InDoubt || !sit.Fact.Effect.Settled() {
		return b.none
	}
	return b.lost
}

// situation draws the values that a condition compares with, and values beside them.
func (s *sampler) situation(b *ruleTable, k *compiled) *policy.Situation {
	p := &policy.Payment{Provider: b.provider, Merchant: b.merchant, Amount: s.random.Int64N(2000), Tags: map[string]string{}}
	sit := &policy.Situation{
		Payment: p, Answer: &policy.Answer{}, Attempt: s.random.IntN(5), Queries: s.random.IntN(5), Elapsed: time.Duration(s.random.IntN(5)) * time.Hour,
		At: time.Unix(1_800_000_000+s.random.Int64N(14*86_400), 0),
	}
	fits := k.node.possible(false)
	if fits.impossible() || s.random.IntN(4) == 0 {
		fits = anyWord
	}
	s.words(sit, fits)
	k.node.visit(func(n *node) {
		switch {
		case n.op == opRange:
			setNumber(sit, n.of.variable, k.rule.ID, pick(s, []int64{n.lo, n.hi, n.lo - 1, n.hi + 1}))
		case n.op == opEqual:
			s.setText(sit, n.of, n.text)
		case n.op == opListed && n.more.x.op == textRead:
			s.setText(sit, n.more.x.of, pick(s, slices.Sorted(maps.Keys(n.more.listed))))
		case (n.op == opPrefix || n.op == opSuffix || n.op == opContains) && n.more.x.op == textRead && n.more.y.op == textFixed:
			s.setText(sit, n.more.x.of, n.more.y.fixed)
		}
	})
	return sit
}

// words sets the variables of words, each to one that fits.
func (s *sampler) words(sit *policy.Situation, fits words) {
	place := func(v condition.Variable) int {
		var places []int
		for w := fits.and(everyWord(v)); w != (words{}); {
			next := mathbits.TrailingZeros64(w.class)
			if v != condition.Class {
				next = mathbits.TrailingZeros64(w.rest) - wordsAt[v]
			}
			places = append(places, next)
			w = w.less(wordAt(v, next))
		}
		return pick(s, places)
	}
	p, a := sit.Payment, sit.Answer
	p.Operation, p.Capture = policy.Operation(place(condition.Operation)), policy.CaptureMode(place(condition.Capture))
	a.Phase, a.Fault = policy.Phase(place(condition.Phase)), policy.Fault(place(condition.Fault))
	sit.Fact = policy.Fact{
		Effect: policy.Effect(place(condition.Effect)), Class: policy.Class(place(condition.Class)), Stage: policy.Stage(place(condition.Stage)),
		Reach: policy.Reach(place(condition.Reach)), Final: policy.Finality(place(condition.Final)),
	}
	sit.InDoubt = place(condition.InDoubt) == 1
}

// setText gives a text, now and then another one than the condition names.
func (s *sampler) setText(sit *policy.Situation, of accessor, text string) {
	switch s.random.IntN(8) {
	case 0:
		text = ""
	case 1:
		text += "~"
	}
	p, a := sit.Payment, sit.Answer
	switch of.variable {
	case condition.Code:
		a.Code = text
	case condition.SubCode:
		a.SubCode = text
	case condition.Status:
		a.Status = text
	case condition.SubStatus:
		a.SubStatus = text
	case condition.Message:
		a.Message = text
	case condition.Currency:
		p.Currency = text
	case condition.Tags:
		p.Tags[of.tag] = text
	default: // those of the table
	}
}

// setNumber gives a number. Counts of a rule are looked up by its name, and the first counts.
func setNumber(sit *policy.Situation, v condition.Variable, rule string, n int64) {
	switch v {
	case condition.HTTPStatus:
		sit.Answer.HTTPStatus = int(n)
	case condition.Attempt:
		sit.Attempt = int(n)
	case condition.Queries:
		sit.Queries = int(n)
	case condition.Fired:
		sit.Fired = append(slices.Clone(sit.Fired), policy.Count{Name: rule, N: int(n)})
	case condition.Elapsed:
		sit.Elapsed = time.Duration(n)
	case condition.Amount:
		sit.Payment.Amount = n
	case condition.RetryAfter:
		sit.Answer.RetryAfter = time.Duration(n)
	default: // the hour is that of the moment
	}
}
