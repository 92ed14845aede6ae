package ruletest

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// search finds an answer that two rule sets decide differently. For every answer that rules
// can distinguish it tries the numbers near those that conditions compare with.
type search struct {
	e     *ruleset.Engine
	texts map[string]bool // codes and statuses that rules name

	mutex    sync.Mutex
	prepared map[owner][]sample
}

// owner identifies whose payments are searched.
type owner struct{ provider, merchant string }

// sample is a question and the situation that rules decide for it.
type sample struct {
	question  advice.Question
	said      answer
	situation policy.Situation
}

func newSearch(e *ruleset.Engine) *search {
	s := &search{e: e, texts: map[string]bool{}, prepared: map[owner][]sample{}}
	for _, f := range e.Rules.Files() {
		for _, r := range f.Rules {
			if c, ok := parse(r.When); ok {
				ast.Walk(&c.Node, literals(s.texts))
			}
		}
	}
	return s
}

// literals collects the string literals of a condition.
type literals map[string]bool

// Visit is called for every node.
func (l literals) Visit(node *ast.Node) {
	if s, ok := (*node).(*ast.StringNode); ok {
		l[s.Value] = true
	}
}

// owners lists the owners whose payments a file decides.
func (s *search) owners(f *rules.File) []owner {
	var all []owner
	for _, m := range append([]string{""}, s.e.Rules.MerchantNames()...) {
		for _, p := range s.e.Catalogs.Names() {
			if slices.Contains(s.e.Rules.Layers(p, m), f) {
				all = append(all, owner{p, m})
			}
		}
	}
	return all
}

// samples returns the answers to one owner's payments that rules can distinguish.
func (s *search) samples(o owner) []sample {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if all, ok := s.prepared[o]; ok {
		return all
	}
	cat, err := s.e.Catalog(&policy.Payment{Provider: o.provider, Merchant: o.merchant})
	if err != nil {
		return nil
	}
	p := preparer{search: s, owner: o, seen: map[signature]bool{}}
	for _, op := range cat.Operations {
		for _, ph := range policy.Phases() {
			for _, a := range answersOf(cat) {
				p.add(op, ph, a)
			}
		}
	}
	s.prepared[o] = p.all
	return p.all
}

// answersOf lists the answers that a provider can give.
func answersOf(cat *providers.Catalog) []answer {
	var all []answer
	add := func(a policy.Answer) { all = append(all, answer{Answer: a}) }
	for _, code := range codesOf(cat) {
		add(policy.Answer{Code: code})
	}
	for _, f := range policy.All[policy.Fault]() {
		add(policy.Answer{Fault: f})
	}
	add(policy.Answer{HTTPStatus: 503})
	add(policy.Answer{HTTPStatus: 429})
	for _, r := range cat.Statuses {
		add(policy.Answer{Status: r.Status, SubStatus: r.SubStatus})
		for _, code := range codesOf(cat) {
			add(policy.Answer{Status: r.Status, SubStatus: r.SubStatus, Code: code})
		}
	}
	return all
}

// signature is everything that rules see of an answer, except numbers.
type signature struct {
	operation           policy.Operation
	phase               policy.Phase
	fact                policy.Fact
	fault               policy.Fault
	code, status, sub   string
	doubt, manual, http bool
}

// preparer collects answers with different signatures.
type preparer struct {
	*search
	owner owner
	seen  map[signature]bool
	all   []sample
}

func (p *preparer) add(op policy.Operation, ph policy.Phase, a answer) {
	for _, capture := range policy.All[policy.CaptureMode]() {
		if capture == policy.Manual && op != policy.Pay && op != policy.Checkout {
			continue
		}
		for _, doubt := range []bool{false, true} {
			for _, replay := range []bool{false, true} {
				q := advice.Question{Provider: p.owner.provider, Merchant: p.owner.merchant, Operation: &op, Phase: ph, Capture: capture, InDoubt: doubt, Replay: replay}
				a.Verified = ph == policy.Webhook
				a.ask(&q)
				q.At = time.Date(epoch[0], time.Month(epoch[1]), epoch[2], epoch[3], 0, 0, 0, p.e.Rules.Layers(q.Provider, q.Merchant).Timezone())
				got, err := advice.Ask(p.e, &q)
				if err != nil {
					continue
				}
				sig := p.signature(&got.Situation)
				if !p.seen[sig] {
					p.seen[sig] = true
					p.all = append(p.all, sample{q, a, got.Situation})
				}
			}
		}
	}
}

func (p *preparer) signature(s *policy.Situation) signature {
	named := func(text string) string {
		if p.texts[text] {
			return text
		}
		return ""
	}
	f := s.Fact
	f.Basis = 0 // no rule sees it
	return signature{
		operation: s.Payment.Operation, phase: s.Answer.Phase, fact: f, fault: s.Answer.Fault, code: named(s.Answer.Code),
		status: named(s.Answer.Status), sub: named(s.Answer.SubStatus), doubt: s.InDoubt, manual: s.Payment.Capture == policy.Manual,
		http: s.Answer.HTTPStatus != 0,
	}
}

// difference returns a test, as TOML, that passes with the rules and fails with a mutant;
// empty when none was found.
func (s *search) difference(m *mutant, changed *ruleset.Engine) string {
	l := newFilter(m.looks)
	found := ""
	s.walk(m.file, m.rule.ID, l, func(x *sample) bool { return !l.blind(s.e, &x.situation, m.order) }, func(x *sample, q *advice.Question) bool {
		one := situationOf(x, q)
		a, b := s.e.Decide(&one), changed.Decide(&one)
		if a.Action != b.Action || a.Rule != b.Rule || a.Schedule != b.Schedule {
			found = s.verified(q, changed, "kills: "+m.rule.ID+", "+m.change)
		}
		return found != ""
	})
	return found
}

// walk visits the questions about a file's payments that conditions may distinguish, until
// visit returns true. It skips samples for which matters is false.
func (s *search) walk(f *rules.File, rule string, l *filter, matters func(x *sample) bool, visit func(x *sample, q *advice.Question) bool) {
	choices := lookedAt(l.texts).choices(rule)
	var all []variation
	for _, o := range s.owners(f) {
		ids := ruleIDs(s.e.Rules.Layers(o.provider, o.merchant))
		samples := s.samples(o)
		for _, exhausted := range [][]string{nil, ids} { // the second time the other rules have fired often
			for i := range samples {
				x := &samples[i]
				if !matters(x) {
					continue
				}
				if all == nil {
					all = variations(choices, func(name string, set func(*advice.Question)) int {
						q := x.question
						set(&q)
						sit := situationOf(x, &q)
						return l.fit(s.e, &sit, name)
					})
				}
				if x.visit(all, exhausted, rule, visit) {
					return
				}
			}
		}
	}
}

// visit visits every variation of a sample, until visit returns true. All exhausted rules but
// one count as fired often.
func (x *sample) visit(all []variation, exhausted []string, but string, visit func(x *sample, q *advice.Question) bool) bool {
	for _, v := range all {
		q := x.question
		v.apply(&q)
		if exhausted != nil {
			exhaust(&q, exhausted, but)
		}
		if visit(x, &q) {
			return true
		}
	}
	return false
}

// situationOf returns the situation of a question without what only the flow knows. It is much
// faster than asking the engine, so it serves to find likely questions.
func situationOf(x *sample, q *advice.Question) policy.Situation {
	sit := x.situation
	p, a := *sit.Payment, *sit.Answer
	p.Amount, p.Currency, p.Tags = q.Amount, q.Currency, q.Tags
	a.HTTPStatus, a.RetryAfter, a.Message = max(a.HTTPStatus, q.HTTPStatus), time.Duration(q.RetryAfterMS)*time.Millisecond, q.Message
	sit.Payment, sit.Answer = &p, &a
	sit.Attempt, sit.Queries, sit.Elapsed, sit.At = max(q.Attempt, 1), q.Queries, time.Duration(q.ElapsedMS)*time.Millisecond, q.At
	sit.Fired = nil
	for id, n := range q.Fired {
		sit.Fired = append(sit.Fired, policy.Count{Name: id, N: n})
	}
	return sit
}

// exhaust sets a high count for all rules but one, so that their limits on fired are reached.
func exhaust(q *advice.Question, ids []string, but string) {
	fired := map[string]int{}
	for id, n := range q.Fired {
		fired[id] = n
	}
	for _, id := range ids {
		if id != but {
			fired[id] = 99
		}
	}
	q.Fired = fired
}

// verified returns a question as a test, if it passes with the rules and fails with the
// changed ones; otherwise it returns "".
func (s *search) verified(q *advice.Question, changed *ruleset.Engine, name string) string {
	text := paste(s.e, q, name)
	suites, err := Read(s.e, []File{{Name: "paste" + Suffix, Data: []byte(text)}})
	if err != nil || len(suites) != 1 || len(suites[0].Cases) != 1 {
		return ""
	}
	c := suites[0].Cases[0]
	if good, bad := c.Run(s.e), c.Run(changed); !good.Passed() || bad.Passed() {
		return ""
	}
	return strings.TrimRight(text, "\n") + "\n"
}
