package promela

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// World is everything about one kind of payment that the model needs as data: the facts that
// answers can prove, the decisions about them, and the contract.
type World struct {
	Name string

	engine   *ruleset.Engine
	payment  policy.Payment
	catalog  *providers.Catalog
	rulings  []ruleset.Ruling
	eff      ruleset.Effective
	texts    texts
	distrust bool

	facts  []policy.Fact // the first stands for a fact that is read no more
	number map[policy.Fact]int
	judged [3][]judged // by phase; the first of the sends is that of a request that did not leave

	decisions []decision
	sets      []string // each a list of indexes of decisions
	setOf     map[string]int
	table     map[cell]int // index of the set
	sources   []string     // of the rules, by number; the first is no rule
}

// judged is a fact that answers prove by themselves, with all the answers that prove it.
type judged struct {
	fact    int
	answers []policy.Answer
	seen    map[policy.Answer]bool // what conditions see of the answers
}

// cell is what decisions are looked up by.
type cell struct {
	phase   policy.Phase
	judged  int
	shown   int
	inDoubt bool
}

// decision is what the rules can want.
type decision struct {
	action policy.Action
	waits  bool
	rule   int
}

// NewWorld tabulates the rules for one payment. With distrust a fact that rests on inference is unknown.
func NewWorld(e *ruleset.Engine, p policy.Payment, distrust bool) (*World, error) {
	catalog, err := e.Catalog(&p)
	if err != nil {
		return nil, err
	}
	if err := e.Check(&p); err != nil {
		return nil, err
	}
	w := &World{
		Name:   fmt.Sprintf("%s %s %s, capture %s, %d %s", p.Provider, p.Operation, p.Merchant, p.Capture, p.Amount, p.Currency),
		engine: e, payment: p, catalog: catalog, distrust: distrust,
		facts: []policy.Fact{{Reach: 255}}, number: map[policy.Fact]int{}, setOf: map[string]int{}, table: map[cell]int{}, sources: []string{"no rule"},
	}
	w.eff = e.Effective(p.Provider, p.Merchant)
	w.rulings = w.eff.Rulings
	if w.texts, err = mentioned(w.rulings); err != nil {
		return nil, err
	}
	w.judge()
	for ph := range w.judged { // the model leaves out the last ones where they are no news
		slices.SortStableFunc(w.judged[ph], func(a, b judged) int {
			return bit(w.facts[a.fact].Effect == policy.Unknown) - bit(w.facts[b.fact].Effect == policy.Unknown)
		})
	}
	w.close()
	if len(w.facts) > 250 {
		return nil, fmt.Errorf("promela: %s: %d facts; the model holds 250", w.Name, len(w.facts))
	}
	w.tabulate()
	w.merge()
	return w, nil
}

// plain is a fact without what no rule can look at.
func (w *World) plain(f policy.Fact) policy.Fact {
	f.Basis = 0
	if !w.texts.mentions["reach"] {
		f.Reach = 0
	}
	if !w.texts.mentions["final"] {
		f.Final = 0
	}
	return f
}

// fact returns the number of a fact.
func (w *World) fact(f policy.Fact) int {
	f = w.plain(f)
	n, known := w.number[f]
	if !known {
		n = len(w.facts)
		w.number[f], w.facts = n, append(w.facts, f)
	}
	return n
}

// judge asks for the fact of every answer.
func (w *World) judge() {
	for _, ph := range policy.Phases() {
		if ph == policy.Send {
			w.add(policy.Answer{Phase: ph, Fault: policy.NotSent})
		}
		w.each(ph, w.add)
	}
}

// add puts an answer beside those that prove the same.
func (w *World) add(a policy.Answer) {
	f := w.engine.Judge(&w.payment, &a)
	if w.distrust && f.Basis == policy.Inferred {
		f.Effect = policy.Unknown
	}
	n := w.fact(f)
	list := &w.judged[a.Phase]
	i := slices.IndexFunc(*list, func(j judged) bool { return j.fact == n })
	if i == 0 && a.Phase == policy.Send { // the model knows that this one did not leave
		if a.Fault == policy.NotSent && len((*list)[0].answers) == 0 {
			(*list)[0].answers = append((*list)[0].answers, a)
			return
		}
		i = slices.IndexFunc((*list)[1:], func(j judged) bool { return j.fact == n })
		if i >= 0 {
			i++
		}
	}
	if i < 0 {
		*list = append(*list, judged{fact: n})
		i = len(*list) - 1
	}
	j := &(*list)[i]
	s := w.seen(a)
	if j.seen == nil {
		j.seen = map[policy.Answer]bool{}
	}
	if j.seen[s] {
		return
	}
	j.seen[s] = true
	j.answers = append(j.answers, a)
}

// The facts that the flow makes of others.
func lowered(f policy.Fact) policy.Fact  { f.Effect = policy.Unknown; return f }
func absent(f policy.Fact) policy.Fact   { f.Effect = policy.NotExecuted; return f }
func mismatch(f policy.Fact) policy.Fact { f.Class = policy.Mismatch; return f }
func disputed(f policy.Fact) policy.Fact { f.Class = policy.Disputed; return f }
func conflict(f policy.Fact) policy.Fact {
	f.Effect, f.Class = policy.Unknown, policy.Conflict
	return f
}
func foreign(f policy.Fact) policy.Fact {
	return policy.Fact{Basis: policy.Documented, Final: f.Final}
}

// Facts that no answer proves.
var (
	processing   = policy.Fact{Class: policy.Processing}
	resolvedDone = policy.Fact{Effect: policy.Executed, Class: policy.AlreadyDone, Stage: policy.Result, Basis: policy.Documented}
	resolvedNot  = policy.Fact{Effect: policy.NotExecuted, Class: policy.AlreadyDone, Stage: policy.Result, Basis: policy.Documented}
)

// close adds every fact that the flow can make.
func (w *World) close() {
	for _, f := range []policy.Fact{processing, resolvedDone, resolvedNot} {
		w.fact(f)
	}
	disputes := slices.ContainsFunc(w.facts, func(f policy.Fact) bool { return f.Class == policy.Disputed })
	for i := 1; i < len(w.facts); i++ {
		f := w.facts[i]
		w.fact(foreign(f))
		w.fact(conflict(f))
		switch {
		case f.Effect == policy.Executed:
			w.fact(mismatch(f))
			if disputes {
				w.fact(disputed(f))
			}
		case f.Effect == policy.NotExecuted:
			w.fact(lowered(f))
		case f.Effect == policy.Unknown && f.Class == policy.NotFound:
			w.fact(absent(f))
		}
	}
}

// tabulate asks the rules about every answer with every fact that it can be shown with.
func (w *World) tabulate() {
	counts := w.counts()
	for _, ph := range policy.Phases() {
		for k := range w.judged[ph] {
			j := &w.judged[ph][k]
			for shown := 1; shown < len(w.facts); shown++ {
				if !w.canShow(w.facts[j.fact], w.facts[shown]) {
					continue
				}
				for _, inDoubt := range []bool{false, true} {
					w.table[cell{ph, k, shown, inDoubt}] = w.decide(j.answers, w.facts[shown], inDoubt, counts)
				}
			}
		}
	}
}

// merge drops an answer that settles nothing if another leads to the same decisions whatever it is shown with: the flow
// forgets which of them it was.
func (w *World) merge() {
	for _, ph := range policy.Phases() {
		seen, first := map[string]bool{}, map[int]int{}
		var kept []judged
		for k, j := range w.judged[ph] {
			row := w.row(ph, k)
			if w.facts[j.fact].Effect.Settled() || !seen[row] {
				seen[row] = true
				first[k] = len(kept)
				kept = append(kept, j)
			}
		}
		next := map[cell]int{}
		for c, n := range w.table {
			if c.phase != ph {
				next[c] = n
			} else if to, stays := first[c.judged]; stays {
				c.judged = to
				next[c] = n
			}
		}
		w.judged[ph], w.table = kept, next
	}
}

// row is everything that an answer of one kind can lead to.
func (w *World) row(ph policy.Phase, k int) string {
	f := w.facts[w.judged[ph][k].fact]
	own := []policy.Fact{f, lowered(f), absent(f), conflict(f), conflict(absent(f)), foreign(f), processing}
	name := fmt.Sprint(f.Effect, f.Stage, f.Class == policy.NotFound, f.Class == policy.Disputed, f.Class == policy.Mismatch, f.Class == policy.Conflict)
	for _, f := range own {
		for _, doubt := range []bool{false, true} {
			if n, known := w.table[cell{ph, k, w.number[w.plain(f)], doubt}]; known {
				name += fmt.Sprint(" ", n)
			}
		}
	}
	for i, f := range w.facts {
		if f.Effect.Settled() {
			name += fmt.Sprint(" ", w.table[cell{ph, k, i, false}], w.table[cell{ph, k, i, true}])
		}
	}
	return name
}

// canShow reports whether the flow can show a fact with an answer that proves another: its own, what
// becomes of that, or what the ledger holds.
func (w *World) canShow(judged, shown policy.Fact) bool {
	own := []policy.Fact{judged, lowered(judged), absent(judged), mismatch(judged), conflict(judged), conflict(absent(judged)), foreign(judged), processing}
	for _, f := range own {
		if w.fact(f) == w.fact(shown) {
			return true
		}
	}
	return shown.Effect.Settled() || shown.Class == policy.Conflict
}

// decide returns the number of the set of decisions that some answer can get.
func (w *World) decide(answers []policy.Answer, f policy.Fact, inDoubt bool, counts []policy.Situation) int {
	found := map[int]bool{}
	for i := range answers {
		for _, s := range counts {
			s.Payment, s.Answer, s.Fact, s.InDoubt = &w.payment, &answers[i], f, inDoubt
			w.ask(&s, found)
		}
	}
	var list []int
	for d := range found {
		list = append(list, d)
	}
	slices.Sort(list)
	name := fmt.Sprint(list)
	n, known := w.setOf[name]
	if !known {
		n = len(w.sets)
		w.setOf[name], w.sets = n, append(w.sets, name)
	}
	return n
}

// ask adds the decisions about one situation to found. A rule's count of itself can be anything, whatever the
// other counts are, so a condition that looks at it is tried with each.
func (w *World) ask(s *policy.Situation, found map[int]bool) {
	for i, r := range w.rulings {
		yes, no := false, false
		for _, fired := range w.texts.fired[r.Rule.Source()] {
			s.Fired = policy.Counts{{Name: r.Rule.ID, N: fired}}
			if w.engine.Holds(r.Rule, s) {
				yes = true
			} else {
				no = true
			}
		}
		if yes {
			found[w.decision(r.Decision, r.Rule.Source())] = true
		}
		if !no {
			return
		}
		_ = i
	}
	none := w.eff.Lost
	if s.InDoubt || !s.Fact.Effect.Settled() {
		none = w.eff.None
	}
	found[w.decision(none, "")] = true
}

// decision returns the number of a decision.
func (w *World) decision(d policy.Decision, source string) int {
	rule := 0
	if source != "" {
		if rule = slices.Index(w.sources, source); rule < 0 {
			rule, w.sources = len(w.sources), append(w.sources, source)
		}
	}
	one := decision{action: d.Action, waits: d.Schedule != nil, rule: rule}
	i := slices.Index(w.decisions, one)
	if i < 0 {
		i, w.decisions = len(w.decisions), append(w.decisions, one)
	}
	return i
}

// Source is FILE:LINE of the rule that has a number in the model.
func (w *World) Source(rule int) string { return w.sources[rule] }

// rulesOf lists the rules of a world that have a number in the model, for the report.
func (w *World) rulesOf() string { return strings.Join(w.sources, ", ") }
