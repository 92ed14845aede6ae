package adversary

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
	"github.com/recourse-pay/recourse/rules"
)

// said is an answer and what the catalogue takes it to prove.
type said struct {
	answer policy.Answer
	fact   policy.Fact
}

// pool holds the answers of one phase by their effects: those that each rule seems to look for, and any.
type pool struct {
	near   [][4][]said // by rule
	any    [4][]said
	claims []said // of any: those that dispute the payment, or say that another amount was paid
}

// The sizes of a pool: answers drawn for each rule, and answers drawn at large.
const (
	drawnForRule = 80
	drawnAtLarge = 300
)

// literals are the fixed values in one rule's condition. They are read from its text: this
// package does not use the analysis of conditions that verify rests on.
type literals struct {
	texts   []string
	numbers []int64
	spans   []time.Duration
}

var (
	quoted   = regexp.MustCompile(`"([^"]*)"|'([^']*)'`)
	integer  = regexp.MustCompile(`\b\d+\b`)
	spanning = regexp.MustCompile(`duration\(["']([^"']+)["']\)`)
)

func literalsOf(when string) (l literals) {
	for _, m := range spanning.FindAllStringSubmatch(when, -1) {
		if d, err := time.ParseDuration(m[1]); err == nil {
			l.spans = append(l.spans, d)
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(when, -1) {
		l.texts = append(l.texts, m[1]+m[2])
	}
	for _, m := range integer.FindAllString(quoted.ReplaceAllString(when, ""), -1) {
		if n, err := strconv.ParseInt(m, 10, 64); err == nil {
			l.numbers = append(l.numbers, n)
		}
	}
	return l
}

// source draws payments and answers for a merchant's rules at one provider.
type source struct {
	*rand.Rand
	engine   *ruleset.Engine
	catalog  *providers.Catalog
	op       policy.Operation
	merchant string
	perRule  []literals
	all      literals
	exact    bool // texts are those of the rules, as they stand
}

func newSource(r *rand.Rand, e *ruleset.Engine, c *providers.Catalog, op policy.Operation, merchant string) *source {
	s := &source{Rand: r, engine: e, catalog: c, op: op, merchant: merchant}
	for _, rule := range e.Rules.Layers(c.Name, merchant).Rules() {
		s.add(rule)
	}
	return s
}

func (s *source) add(rule *rules.Rule) {
	l := literalsOf(rule.When)
	s.perRule = append(s.perRule, l)
	s.all.texts = append(s.all.texts, l.texts...)
	s.all.numbers = append(s.all.numbers, l.numbers...)
	s.all.spans = append(s.all.spans, l.spans...)
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// text draws a text near one of a rule's: itself, longer, in other letters, of a length that the rule names.
func (s *source) text(l *literals) string {
	const letters = "abzAZ0179-_"
	if len(l.numbers) > 0 && s.IntN(5) == 0 && !s.exact {
		n := one(s.Rand, l.numbers...) + int64(s.IntN(3)) - 1
		if n >= 0 && n < 64 {
			b := make([]byte, n)
			for i := range b {
				b[i] = letters[s.IntN(len(letters))]
			}
			return string(b)
		}
	}
	if len(l.texts) == 0 {
		return one(s.Rand, "", "not-listed", "Z9", "0")
	}
	t := one(s.Rand, l.texts...)
	if s.exact {
		return t
	}
	switch s.IntN(12) {
	case 0:
		return t + string(letters[s.IntN(len(letters))])
	case 1:
		return string(letters[s.IntN(len(letters))]) + t
	case 2:
		return "x" + t + "7"
	case 3:
		return strings.ToLower(t)
	case 4:
		return strings.ToUpper(t)
	case 5, 6:
		if re, err := syntax.Parse(t, syntax.Perl); err == nil {
			return s.matching(re)
		}
	case 7:
		return " " + t + " "
	}
	return t
}

// matching draws a text that a simple pattern matches.
func (s *source) matching(re *syntax.Regexp) string {
	switch re.Op { //nolint:exhaustive // the patterns are simple; the rest matches no text of its own
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		if len(re.Rune) > 1 {
			k := 2 * s.IntN(len(re.Rune)/2)
			return string(re.Rune[k] + rune(s.IntN(int(min(re.Rune[k+1]-re.Rune[k], 60))+1)))
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return one(s.Rand, "a", "0", "Z")
	case syntax.OpCapture, syntax.OpQuest:
		return s.matching(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		n := max(1, re.Min)
		text := ""
		for range n + s.IntN(2) {
			text += s.matching(re.Sub[0])
		}
		return text
	case syntax.OpConcat:
		text := ""
		for _, sub := range re.Sub {
			text += s.matching(sub)
		}
		return text
	case syntax.OpAlternate:
		return s.matching(one(s.Rand, re.Sub...))
	}
	return ""
}

// statusOfHTTP draws an HTTP status, at times near a number that a rule names.
func (s *source) statusOfHTTP(l *literals) int {
	if len(l.numbers) > 0 && s.IntN(2) == 0 {
		if n := one(s.Rand, l.numbers...) + int64(s.IntN(3)) - 1; n >= 100 && n < 1000 {
			return int(n)
		}
	}
	return one(s.Rand, 0, 0, 0, 200, 200, 200, 201, 204, 301, 400, 404, 409, 422, 428, 429, 430, 499, 500, 502, 503, 504, 599)
}

// waits draws a Retry-After.
func (s *source) waits(l *literals) time.Duration {
	if len(l.spans) > 0 && s.IntN(2) == 0 {
		return max(0, one(s.Rand, l.spans...)+time.Duration(s.IntN(3)-1)*time.Second)
	}
	return one(s.Rand, 0, 0, 0, 0, time.Second, time.Minute, 2*time.Hour)
}

// answer draws an answer, each field by itself, near the texts of l.
func (s *source) answer(l *literals, ph policy.Phase) policy.Answer {
	a := policy.Answer{Phase: ph, HTTPStatus: s.statusOfHTTP(l), RetryAfter: s.waits(l)}
	if ph != policy.Webhook && s.IntN(5) == 0 {
		if a.Fault = one(s.Rand, policy.All[policy.Fault]()...); a.Fault == policy.NotSent {
			a.HTTPStatus, a.RetryAfter = 0, 0
		}
		return a
	}
	if ph == policy.Webhook {
		a.HTTPStatus, a.RetryAfter = one(s.Rand, 0, 0, 200), 0
	}
	listed := func() string { return one(s.Rand, s.catalog.Codes...).Code }
	switch n := s.IntN(10); {
	case n < 5:
		a.Code = s.text(l)
	case n < 8:
		a.Code = listed()
	}
	if s.catalog.SaysSubCode(s.op, ph) {
		switch s.IntN(4) {
		case 0:
			a.SubCode = s.text(l)
		case 1:
			a.SubCode = listed()
		}
	}
	if len(s.catalog.Statuses) > 0 && s.IntN(3) > 0 {
		row, other := one(s.Rand, s.catalog.Statuses...), one(s.Rand, s.catalog.Statuses...)
		a.Status, a.SubStatus = row.Status, one(s.Rand, row.SubStatus, row.SubStatus, other.SubStatus, "", s.text(l))
		if s.IntN(3) == 0 {
			a.Status = s.text(l)
		}
	}
	a.Message = one(s.Rand, "", "please retry", s.text(l))
	return a
}

// pools draws the answers of a walk's phases, as they are judged for a payment.
func (s *source) pools(p *policy.Payment) *[3]pool {
	all := &[3]pool{}
	for _, ph := range policy.Phases() {
		judge := func(list *[4][]said, a policy.Answer) {
			f := s.engine.Judge(p, &a)
			list[f.Effect] = append(list[f.Effect], said{a, f})
		}
		all[ph].near = make([][4][]said, len(s.perRule))
		for i := range s.perRule {
			for k := range drawnForRule {
				s.exact = k%2 == 0
				judge(&all[ph].near[i], s.answer(&s.perRule[i], ph))
			}
			s.exact = false
		}
		for range drawnAtLarge {
			judge(&all[ph].any, s.answer(&s.all, ph))
		}
		judge(&all[ph].any, policy.Answer{Phase: ph})
		for _, list := range all[ph].any {
			for _, one := range list {
				if one.fact.Class == policy.Disputed || one.fact.Class == policy.Mismatch {
					all[ph].claims = append(all[ph].claims, one)
				}
			}
		}
	}
	return all
}

// payment draws a payment, as a merchant may send it.
func (s *source) payment() policy.Payment {
	l := &s.all
	if s.IntN(2) == 0 && len(s.perRule) > 0 {
		l = &s.perRule[s.IntN(len(s.perRule))]
	}
	p := policy.Payment{
		Provider: s.catalog.Name, Merchant: s.merchant, Operation: s.op, Key: "key", Capture: one(s.Rand, policy.All[policy.CaptureMode]()...),
		Amount: one(s.Rand, 0, 1, 99, 120_000, int64(5_000_000)), Currency: one(s.Rand, "", "VND", "USD", "TWD", "JPY"),
	}
	if len(l.numbers) > 0 && s.IntN(2) == 0 {
		p.Amount = max(0, one(s.Rand, l.numbers...)+int64(s.IntN(3))-1)
	}
	if t := strings.ToUpper(s.text(l)); len(t) == 3 && strings.Trim(t, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		p.Currency = t
	}
	if s.merchant == "" && s.IntN(3) > 0 {
		if t := s.text(l); s.engine.Rules.Merchants[t] == nil {
			p.Merchant = t
		}
	}
	switch s.IntN(4) {
	case 0:
		p.Tags = map[string]string{"tier": s.text(l)}
	case 1:
		p.Tags = map[string]string{"tier": "gold", "channel": s.text(l)}
	}
	return p
}
