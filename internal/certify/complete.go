package certify

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/policy"
)

// drawn is how many answers of each phase are drawn, beside those with each row of the catalogue.
const drawn = 200

var literal = regexp.MustCompile(`"[^"\n]*"|[0-9][0-9_]*`)

// complete holds what the certificate says of the rules against the rules: with each row of the catalogue, and with answers that
// are drawn from the words and numbers of both, what the rules decide is listed, whatever the flow can show them beside the
// answer. That this is so for all other answers is on trust.
func (m *Machine) complete(e *engine.Engine, asked map[certificate.Question][]certificate.Choice, rules []certificate.Text) error {
	cat, err := e.Catalog(&m.Payment)
	if err != nil {
		return err
	}
	texts, amounts := literals(rules)
	c := &comparison{Machine: m, engine: e, asked: asked, amounts: amounts, rand: rand.New(rand.NewPCG(1, 1)), questions: map[[2]byte][]certificate.Question{}, answers: map[[2]byte][]judged{}}
	for i := range m.Asked { // in the file's order, so that each check draws the same
		q := m.Asked[i].Question
		c.questions[[2]byte(q[:2])] = append(c.questions[[2]byte(q[:2])], q)
	}
	var all [3][]policy.Answer
	for _, r := range slices.Concat(cat.Codes, cat.Statuses) {
		texts = append(texts, r.Code, r.Status)
		all[0] = append(all[0], policy.Answer{Code: r.Code, Status: r.Status, SubStatus: r.SubStatus, Verified: true})
	}
	all[0] = append(all[0], draw(c.rand, texts)...)
	all[1], all[2] = slices.Clone(all[0]), slices.Clone(all[0])
	for ph := range all {
		for i := range all[ph] {
			all[ph][i].Phase = policy.Phase(ph)
			c.hold(&all[ph][i])
		}
	}
	for _, merchant := range m.Merchants {
		p := m.Payment
		p.Merchant = merchant
		for _, a := range slices.Concat(all[0], all[1], all[2]) {
			if err := c.compare(p, a); err != nil {
				return err
			}
		}
		if err := c.aim(p, rules); err != nil {
			return err
		}
	}
	return nil
}

// aimed and mostAimed bound how many situations are drawn from the words and numbers of one rule, for each question.
const aimed, mostAimed = 40, 2_000

// aim asks the rules about situations that are drawn from the words and numbers of one rule at a time: a condition with several limits
// seldom holds by chance.
func (c *comparison) aim(p policy.Payment, rules []certificate.Text) error {
	own := []string{"baseline.toml", p.Provider + ".toml", "merchants/" + p.Merchant + ".toml"}
	for _, t := range rules {
		if !slices.Contains(own, t.Name) {
			continue // another's
		}
		for _, rule := range bytes.Split(t.Data, []byte("[[rule]]"))[1:] {
			w := wordsOf(rule)
			for i := range c.Asked {
				q := c.Asked[i].Question
				answers := c.answers[[2]byte(q[:2])]
				for range min(w.draws(), w.draws()*len(answers)) {
					if err := c.aimAt(&p, q, &answers[c.rand.IntN(len(answers))], w); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// words are what a rule is written in.
type words struct {
	texts   []string
	numbers []int64
	spans   []time.Duration
	counts  []policy.Count // memory that is used again
}

func wordsOf(rule []byte) *words {
	w := &words{spans: []time.Duration{0, 48 * time.Hour}}
	w.texts, w.numbers = literals([]certificate.Text{{Data: rule}})
	for _, l := range w.texts {
		if d, err := time.ParseDuration(l); err == nil {
			w.spans = append(w.spans, d-1, d, d+1)
		}
	}
	return w
}

// draws is how many situations are drawn; the numbers are those that every list has.
func (w *words) draws() int {
	return min(aimed+10*(len(w.texts)-2)*(len(w.numbers)-3)*(len(w.spans)-2), mostAimed)
}

// aimAt asks the rules about an answer of a question's class, in a situation of a rule's words.
func (c *comparison) aimAt(p *policy.Payment, q certificate.Question, is *judged, w *words) error {
	r := c.rand
	if with := *is; r.IntN(3) == 0 {
		with.answer.Code = w.texts[r.IntN(len(w.texts))]
		if with.fact = c.engine.Judge(p, &with.answer); Read(with.fact) == c.facts[q[0]][q[1]] {
			is = &with
		}
	}
	facts := shown(q, is.fact, c.ledger)
	if len(facts) == 0 {
		return nil
	}
	p.Amount, p.Currency = w.numbers[r.IntN(len(w.numbers))], w.texts[r.IntN(len(w.texts))]
	s := c.situation(p, &is.answer, facts[r.IntN(len(facts))], q)
	s.Attempt, s.Elapsed = 1+int(w.numbers[r.IntN(len(w.numbers))]%8), w.spans[r.IntN(len(w.spans))]
	s.Fired = w.counts[:0]
	for _, l := range w.texts { // among them the rule's name
		s.Fired = append(s.Fired, policy.Count{Name: l, N: r.IntN(8)})
	}
	w.counts = s.Fired
	return c.listed(q, &s)
}

// situation is one in which a question may be asked.
func (c *comparison) situation(p *policy.Payment, a *policy.Answer, f policy.Fact, q certificate.Question) policy.Situation {
	r := c.rand
	return policy.Situation{Payment: p, Answer: a, Fact: f, InDoubt: q[7] == 1, Attempt: 1 + r.IntN(4), Queries: r.IntN(4),
		Elapsed: time.Duration(r.IntN(48)) * time.Hour, At: certificate.Now.Add(time.Duration(r.IntN(200)) * time.Hour)}
}

// listed checks that what the rules decide in a situation is listed.
func (c *comparison) listed(q certificate.Question, s *policy.Situation) error {
	d := c.engine.Decide(s)
	if !slices.ContainsFunc(c.asked[q], func(c certificate.Choice) bool { return c.Action == d.Action && c.Waits == (d.Schedule != nil) }) {
		return fmt.Errorf("it does not list %s (rule %q) for the answer %+v with the fact %+v", d.Action, d.Rule, s.Answer, s.Fact)
	}
	return nil
}

// literals returns the texts and the numbers of the rules, and some more.
func literals(rules []certificate.Text) (texts []string, amounts []int64) {
	texts, amounts = []string{"", "x"}, []int64{0, 1, 120_000}
	for _, t := range rules {
		for _, l := range literal.FindAllString(string(t.Data), -1) {
			if n, err := strconv.ParseInt(strings.ReplaceAll(l, "_", ""), 10, 64); err == nil {
				amounts = append(amounts, max(0, n-1), n, n+1)
			} else if text, err := strconv.Unquote(l); err == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts, amounts
}

// comparison is what the rules decide, against what the certificate says of them.
type comparison struct {
	*Machine
	engine    *engine.Engine
	asked     map[certificate.Question][]certificate.Choice
	questions map[[2]byte][]certificate.Question // by phase and class
	ledger    []policy.Fact                      // what it can hold for certain
	answers   map[[2]byte][]judged               // by phase and class
	amounts   []int64
	rand      *rand.Rand
}

// judged is an answer with what it proves.
type judged struct {
	answer policy.Answer
	fact   policy.Fact
}

// hold adds what the ledger can hold after an answer.
func (c *comparison) hold(a *policy.Answer) {
	f := c.engine.Judge(&c.Payment, a)
	switch {
	case f.Effect.Settled():
	case f.Class == policy.NotFound && a.Phase == policy.Query && len(c.ages) > 1:
		f.Effect = policy.NotExecuted
	default:
		return
	}
	odd := f
	if f.Basis = 0; f.Effect == policy.Executed {
		odd.Class = policy.Mismatch // with another amount
	}
	odd.Basis = 0
	for _, one := range []policy.Fact{f, odd, {Effect: f.Effect, Class: policy.AlreadyDone, Stage: policy.Result}} { // the last is a person's word
		if !slices.Contains(c.ledger, one) {
			c.ledger = append(c.ledger, one)
		}
	}
}

// compare asks the rules about an answer with each fact that the flow can show beside it.
func (c *comparison) compare(p policy.Payment, a policy.Answer) error {
	own, r := c.engine.Judge(&p, &a), c.rand
	class := slices.Index(c.facts[a.Phase], Read(own))
	if class < 0 {
		return fmt.Errorf("no class has the answer %+v", a)
	}
	of := [2]byte{byte(a.Phase), byte(class)}
	c.answers[of] = append(c.answers[of], judged{a, own})
	for _, q := range c.questions[of] {
		for _, f := range shown(q, own, c.ledger) {
			p.Amount, p.Currency = c.amounts[r.IntN(len(c.amounts))], []string{"VND", "USD", "TWD", "PHP"}[r.IntN(4)]
			s := c.situation(&p, &a, f, q)
			if err := c.listed(q, &s); err != nil {
				return err
			}
		}
	}
	return nil
}

// draw returns answers of the texts, and the failed calls.
func draw(r *rand.Rand, texts []string) (all []policy.Answer) {
	text := func() string { return texts[r.IntN(len(texts))] }
	faults := policy.All[policy.Fault]()
	for _, f := range faults {
		all = append(all, policy.Answer{Fault: f})
	}
	for range drawn {
		a := policy.Answer{Code: text(), Status: text(), HTTPStatus: []int{0, 200, 400, 404, 409, 429, 500, 502}[r.IntN(8)], Message: text(), Verified: true}
		if r.IntN(3) == 0 {
			a.Fault = faults[r.IntN(len(faults))]
		}
		if r.IntN(2) == 0 {
			a.SubCode, a.SubStatus = text(), text()
		}
		all = append(all, a)
	}
	return all
}

// shown returns facts that the flow can show the rules with an answer, for a question: the answer's own, or what the ledger holds.
func shown(q certificate.Question, own policy.Fact, ledger []policy.Fact) (all []policy.Fact) {
	is := policy.Fact{Effect: policy.Effect(q[2]), Class: policy.Class(q[3]), Stage: policy.Stage(q[4]), Reach: policy.Reach(q[5]), Final: policy.Finality(q[6])}
	same := own
	same.Effect = is.Effect
	held := func(e policy.Effect, to func(*policy.Fact)) {
		for _, f := range ledger {
			if f.Effect == e && (e != policy.Executed || is.Effect != e || Read(f).Class == is.Class) {
				to(&f)
				all = append(all, f)
			}
		}
	}
	switch {
	case is.Class == certificate.Any:
		held(policy.NotExecuted, func(f *policy.Fact) {
			if f.Class == policy.NotFound && q[7] == 1 {
				f.Effect, f.Class = policy.Unknown, policy.Conflict
			}
		})
	case is.Effect == policy.Executed:
		held(policy.Executed, func(*policy.Fact) {})
		if own.Effect == policy.Executed && Read(own).Class == is.Class {
			all = append(all, own)
		}
	case is.Effect == policy.Unknown && is.Class == policy.Conflict:
		same.Class = policy.Conflict
		all = append(all, same)
		held(policy.Executed, func(f *policy.Fact) { f.Effect, f.Class = policy.Unknown, policy.Conflict })
	case is.Final == certificate.Own && is.Class == policy.Unrecognized:
		all = append(all, policy.Fact{Final: own.Final})
	case is.Reach == certificate.Own:
		all = append(all, same)
	default:
		all = append(all, is)
	}
	return all
}
