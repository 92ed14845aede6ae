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

// comparison is what the rules decide, against what the certificate says of them.
type comparison struct {
	*Machine
	engine  *engine.Engine
	asked   map[certificate.Question][]certificate.Choice
	answers map[[2]byte][]judged // by phase and class
	ledger  []policy.Fact        // what it can hold for certain
	known   map[showing][]policy.Fact
	rand    *rand.Rand
	payment policy.Payment
	with    judged // memory that is used again
}

// judged is an answer with what it proves, about a payment of a capture mode.
type judged struct {
	answer  policy.Answer
	fact    policy.Fact
	capture policy.CaptureMode
}

// showing is a question with what an answer proves.
type showing struct {
	certificate.Question
	policy.Fact
}

// complete holds what the certificate says of the rules against the rules: with each row of the catalogue, and with answers that
// are drawn from the words and numbers of both, what the rules decide is listed, whatever the flow can show them beside the
// answer. Then it asks about situations that are drawn from the words and numbers of one rule at a time: a condition with several limits
// seldom holds by chance. That what they decide is listed for all other answers is on trust.
func (m *Machine) complete(e *engine.Engine, asked map[certificate.Question][]certificate.Choice, rules []certificate.Text) error {
	cat, err := e.Catalog(&m.Payment)
	if err != nil {
		return err
	}
	c := &comparison{Machine: m, engine: e, asked: asked, payment: m.Payment, rand: rand.New(rand.NewPCG(1, 1)), known: map[showing][]policy.Fact{}}
	words := wordsOf(rules...)
	words.counts = nil // of too many rules
	var one, all []policy.Answer
	for _, r := range slices.Concat(cat.Codes, cat.Statuses) {
		words.texts = append(words.texts, r.Code, r.Status)
		one = append(one, policy.Answer{Code: r.Code, Status: r.Status, SubStatus: r.SubStatus, Verified: true})
	}
	one = append(one, draw(c.rand, words.texts)...)
	for _, ph := range policy.Phases() {
		for _, a := range one {
			a.Phase = ph
			c.hold(&a)
			all = append(all, a)
		}
	}
	for _, c.payment.Merchant = range m.Merchants {
		c.answers = map[[2]byte][]judged{}
		for _, c.payment.Capture = range m.Captures {
			for _, a := range all {
				if err := c.compare(a, words); err != nil {
					return err
				}
			}
		}
		for _, t := range rules {
			if slices.Contains([]string{"baseline.toml", m.Payment.Provider + ".toml", "merchants/" + c.payment.Merchant + ".toml"}, t.Name) {
				if err := c.aim(t.Data); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// compare asks the rules about an answer with each fact that the flow can show beside it.
func (c *comparison) compare(a policy.Answer, w *words) error {
	own := c.engine.Judge(&c.payment, &a)
	class := slices.Index(c.facts[a.Phase], Read(own))
	if class < 0 || a.Fault == policy.NoFault && c.bare[a.Phase][class].Fault != policy.NoFault {
		return fmt.Errorf("no class has the answer %+v", a)
	}
	of := [2]byte{byte(a.Phase), byte(class)}
	c.answers[of] = append(c.answers[of], judged{a, own, c.payment.Capture})
	for i := range c.Asked { // in the file's order, so that each check draws the same
		q := c.Asked[i].Question
		if [2]byte(q[:2]) != of {
			continue
		}
		for _, f := range c.shown(q, own) {
			if err := c.listed(q, &a, f, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// aim asks the rules each question in situations of the words of one rule after another.
func (c *comparison) aim(rules []byte) error {
	for _, rule := range bytes.Split(rules, []byte("[[rule]]"))[1:] {
		w := wordsOf(certificate.Text{Data: rule})
		for i := range c.Asked {
			q := c.Asked[i].Question
			for range min(w.draws(), w.draws()*len(c.answers[[2]byte(q[:2])])) {
				if err := c.aimAt(q, w); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// aimAt asks the rules about an answer of a question's class, in a situation of a rule's words.
func (c *comparison) aimAt(q certificate.Question, w *words) error {
	r, answers := c.rand, c.answers[[2]byte(q[:2])]
	is := &answers[r.IntN(len(answers))]
	c.payment.Capture = is.capture
	if r.IntN(3) == 0 {
		c.with = *is
		c.with.answer.Code = w.texts[r.IntN(len(w.texts))]
		if c.with.fact = c.engine.Judge(&c.payment, &c.with.answer); Read(c.with.fact) == c.facts[q[0]][q[1]] {
			is = &c.with
		}
	}
	facts := c.shown(q, is.fact)
	if len(facts) == 0 {
		return nil
	}
	return c.listed(q, &is.answer, facts[r.IntN(len(facts))], w)
}

// listed checks that what the rules decide in a situation of some words is listed.
func (c *comparison) listed(q certificate.Question, a *policy.Answer, f policy.Fact, w *words) error {
	r, n := c.rand, c.rand.Uint64()
	c.payment.Amount, c.payment.Currency = w.numbers[r.IntN(len(w.numbers))], w.texts[r.IntN(len(w.texts))]
	for i := range w.counts {
		w.counts[i].N = int(n>>(16+i*3%48)) % 8
	}
	d := c.engine.Decide(&policy.Situation{Payment: &c.payment, Answer: a, Fact: f, InDoubt: q[7] == 1, Queries: int(n % 4), At: certificate.Now.Add(time.Duration(n>>8%200) * time.Hour),
		Attempt: 1 + int(w.numbers[r.IntN(len(w.numbers))]%8), Elapsed: w.spans[r.IntN(len(w.spans))], Fired: w.counts})
	if !slices.ContainsFunc(c.asked[q], func(c certificate.Choice) bool {
		return c.Action == d.Action && c.Waits == (d.Schedule != nil) && slices.Contains(c.Rules, d.Rule)
	}) {
		return fmt.Errorf("it does not list %s (rule %q) for the answer %+v with the fact %+v", d.Action, d.Rule, *a, f)
	}
	return nil
}

// words are what rules are written in, and some more.
type words struct {
	texts   []string
	numbers []int64
	spans   []time.Duration
	counts  []policy.Count // by each text: among them is the rule's name
}

var literal = regexp.MustCompile(`"[^"\n]*"|[0-9][0-9_]*`)

func wordsOf(rules ...certificate.Text) *words {
	w := &words{texts: []string{"", "x"}, numbers: []int64{0, 1, 120_000}, spans: []time.Duration{0, 48 * time.Hour}}
	for _, t := range rules {
		for _, l := range literal.FindAllString(string(t.Data), -1) {
			if n, err := strconv.ParseInt(strings.ReplaceAll(l, "_", ""), 10, 64); err == nil {
				w.numbers = append(w.numbers, max(0, n-1), n, n+1)
			} else if text, err := strconv.Unquote(l); err == nil {
				w.texts, w.counts = append(w.texts, text), append(w.counts, policy.Count{Name: text})
				if d, err := time.ParseDuration(text); err == nil {
					w.spans = append(w.spans, d-1, d, d+1)
				}
			}
		}
	}
	return w
}

// draws is how many situations are drawn of a rule's words, for each question: more for more limits. The numbers are those that every list has.
func (w *words) draws() int {
	return min(40+10*(len(w.texts)-2)*(len(w.numbers)-3)*(len(w.spans)-2), 2_000)
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
	f.Basis = 0
	odd := f
	if f.Effect == policy.Executed {
		odd.Class = policy.Mismatch // with another amount
	}
	for _, one := range []policy.Fact{f, odd, {Effect: f.Effect, Class: policy.AlreadyDone, Stage: policy.Result}} { // the last is a person's word
		if !slices.Contains(c.ledger, one) {
			c.ledger = append(c.ledger, one)
		}
	}
}

// draw returns answers of the texts, and the failed calls.
func draw(r *rand.Rand, texts []string) (all []policy.Answer) {
	text := func() string { return texts[r.IntN(len(texts))] }
	faults := policy.All[policy.Fault]()
	for _, f := range faults {
		all = append(all, policy.Answer{Fault: f})
	}
	for range 200 {
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
func (c *comparison) shown(q certificate.Question, own policy.Fact) []policy.Fact {
	all, known := c.known[showing{q, own}]
	if !known {
		all = shown(q, own, c.ledger)
		c.known[showing{q, own}] = all
	}
	return all
}

func shown(q certificate.Question, own policy.Fact, ledger []policy.Fact) (all []policy.Fact) {
	is := policy.Fact{Effect: policy.Effect(q[2]), Class: policy.Class(q[3]), Stage: policy.Stage(q[4]), Reach: policy.Reach(q[5]), Final: policy.Finality(q[6])}
	same := own
	same.Effect = is.Effect
	held := func(e policy.Effect, to func(*policy.Fact)) {
		for _, f := range ledger {
			if f.Effect == e && (e != policy.Executed || is.Effect != e || Read(f).Class == is.Class || is.Class == policy.Disputed && f.Class != policy.Mismatch) {
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
		dispute := func(f *policy.Fact) { // a dispute stays one
			if is.Class == policy.Disputed {
				f.Class = is.Class
			}
		}
		held(policy.Executed, dispute)
		if own.Effect == policy.Executed && (Read(own).Class == is.Class || is.Class == policy.Disputed && own.Class != policy.Mismatch) {
			dispute(&own)
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
