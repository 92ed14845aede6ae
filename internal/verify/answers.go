package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// heard is a class of answers that prove the same and that no rule tells apart. One of them
// stands for all.
type answerClass struct {
	answer      policy.Answer
	fact        policy.Fact // as the catalogue judges it
	count       int         // how many answers it stands for
	sameForPast bool        // of an identity of the past it says what another class says as well
	sameUnruled bool        // where no rule is asked it comes to the same as another class
}

// answers lists every class of answers of a phase: each code and status of the catalogue, each
// pair of them, each fault, and what nobody listed, under each HTTP status that matters.
type classifier struct {
	m           *model
	bySignature map[string]int
	seen        map[string]bool
	classes     []answerClass
}

func (m *model) classify(ph policy.Phase) []answerClass {
	g := &classifier{m: m, bySignature: map[string]int{}, seen: map[string]bool{}}
	if ph != policy.Webhook {
		for _, f := range policy.All[policy.Fault]() {
			if f == policy.NotSent && ph == policy.Send {
				continue // a move of its own: the request did not leave
			}
			g.add(policy.Answer{Phase: ph, Fault: f})
		}
	}
	codes, statuses := listedWords(m.catalog)
	for _, http := range m.httpStatuses() {
		g.add(policy.Answer{Phase: ph, HTTPStatus: http})
		for _, code := range codes {
			g.add(policy.Answer{Phase: ph, HTTPStatus: http, Code: code})
		}
		for _, st := range statuses {
			g.add(policy.Answer{Phase: ph, HTTPStatus: http, Status: st[0], SubStatus: st[1]})
			for _, code := range codes {
				g.add(policy.Answer{Phase: ph, HTTPStatus: http, Status: st[0], SubStatus: st[1], Code: code})
				if m.catalog.SaysSubCode(m.payment.Operation, ph) {
					g.add(policy.Answer{Phase: ph, HTTPStatus: http, Status: st[0], SubStatus: st[1], SubCode: code})
				}
			}
		}
	}
	return g.classes
}

// nobody lists these.
const unlisted = "not-listed"

func listedWords(c *providers.Catalog) (codes []string, statuses [][2]string) {
	seen := map[string]bool{}
	for _, r := range c.Codes {
		if !seen[r.Code] {
			seen[r.Code] = true
			codes = append(codes, r.Code)
		}
	}
	for _, r := range c.Statuses {
		statuses = append(statuses, [2]string{r.Status, r.SubStatus})
	}
	return append(codes, unlisted), append(statuses, [2]string{unlisted, ""})
}

// httpStatuses has one of every kind that a judgement or a rule tells apart.
func (m *model) httpStatuses() []int {
	list := []int{0, 200, 400, 429, 500}
	for _, c := range m.looks.Cuts["http_status"] {
		list = append(list, int(c), int(c)-1)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// add puts an answer into its class.
func (g *classifier) add(a policy.Answer) {
	g.m.answerCount++
	fact := g.m.decider.Judge(&g.m.payment, &a)
	waits := []int64{0}
	waits = append(waits, g.m.looks.Cuts["retry_after"]...)
	for _, w := range waits {
		a.RetryAfter = time.Duration(max(w, 0))
		sig := g.m.signature(&a, fact)
		if i, known := g.bySignature[sig]; known {
			g.classes[i].count++
			continue
		}
		if g.m.coarse {
			alike := g.m.decisionSignature(&a, fact)
			if i, known := g.bySignature[alike]; known {
				g.bySignature[sig] = i
				g.classes[i].count++
				continue
			}
			g.bySignature[alike] = len(g.classes)
		}
		g.bySignature[sig] = len(g.classes)
		past := "past " + g.m.visibleFields(&a) + fact.Effect.String()
		calm := fact.Effect.String() + fact.Stage.String()
		if fact.Effect == policy.Executed {
			calm += fact.Class.String()
		}
		g.classes = append(g.classes, answerClass{answer: a, fact: fact, count: 1, sameForPast: g.seen[past], sameUnruled: g.seen[calm]})
		g.seen[past], g.seen[calm] = true, true
	}
}

// signature is what the flow and the rules can tell of an answer.
func (m *model) signature(a *policy.Answer, f policy.Fact) string {
	l := &m.looks
	var b strings.Builder
	fmt.Fprint(&b, f.Effect, f.Stage)
	class := f.Class.String()
	if m.flowDistinguishes(f.Class) || l.Whole["class"] || slices.Contains(l.Texts["class"], class) {
		b.WriteString(class)
	}
	if l.At["reach"] {
		fmt.Fprint(&b, " reach ", f.Reach)
	}
	if l.At["final"] {
		fmt.Fprint(&b, " final ", f.Final)
	}
	b.WriteString(m.visibleFields(a))
	return b.String()
}

// texts is what the rules can tell of an answer itself, whatever it proves.
func (m *model) visibleFields(a *policy.Answer) string {
	l := &m.looks
	var b strings.Builder
	text := func(name, value string) {
		if l.At[name] && (l.Whole[name] || slices.Contains(l.Texts[name], value)) {
			fmt.Fprintf(&b, " %s=%s", name, value)
		}
	}
	text("code", a.Code)
	text("sub_code", a.SubCode)
	text("status", a.Status)
	text("sub_status", a.SubStatus)
	text("fault", a.Fault.String())
	fmt.Fprint(&b, " ", cutIndex(l.Cuts["http_status"], int64(a.HTTPStatus)), cutIndex(l.Cuts["retry_after"], int64(a.RetryAfter)))
	return b.String()
}

// decisions is what the flow can tell of an answer, and what the rules decide on it: as it is,
// or where it is not believed; in doubt, or not. Answers that agree in it lead to the same
// wherever counts and times are left out.
func (m *model) decisionSignature(a *policy.Answer, f policy.Fact) string {
	var b strings.Builder
	fmt.Fprint(&b, "decided ", f.Effect, f.Stage)
	if m.flowDistinguishes(f.Class) || f.Effect == policy.Executed { // which is remembered with its class
		b.WriteString(f.Class.String())
	}
	for _, effect := range []policy.Effect{f.Effect, policy.Unknown} {
		for _, inDoubt := range []bool{false, true} {
			asked := policy.Situation{Payment: &m.payment, Answer: a, Fact: f, InDoubt: inDoubt, Attempt: 1, At: base}
			asked.Fact.Effect = effect
			for _, want := range m.decider.possible(&asked) {
				fmt.Fprint(&b, want.Source, want.Action, want.Schedule == afterTime)
			}
		}
	}
	return b.String()
}

// picture is all that a kind of payment makes a difference by: two that agree in it are
// verified once. Where rules look at the payment itself, none is like another.
func (m *model) paymentSignature() string {
	l := &m.looks
	var b strings.Builder
	if l.At["capture"] || l.At["currency"] || l.At["amount"] {
		fmt.Fprint(&b, m.payment.Capture, m.payment.Currency, m.payment.Amount)
	}
	for ph := range m.classes {
		for i := range m.classes[ph] {
			h := &m.classes[ph][i]
			fmt.Fprint(&b, ph, h.fact, m.visibleFields(&h.answer), h.sameForPast, h.sameUnruled, "\n")
		}
	}
	return b.String()
}

// flowTells reports whether the flow itself looks at a class.
func (m *model) flowDistinguishes(c policy.Class) bool {
	switch c {
	case policy.NotFound, policy.Disputed, policy.Mismatch, policy.Conflict:
		return true
	default:
		return false
	}
}

// between is the number of cuts that a value has passed.
func cutIndex(cuts []int64, v int64) int {
	n, found := slices.BinarySearch(cuts, v)
	if found {
		n++
	}
	return n
}

// profiles are the payments that the rules of an operation can tell apart.
func profiles(p policy.Payment, l *ruleset.Looks) []policy.Payment {
	all := []policy.Payment{p}
	each := func(vary func(p policy.Payment) []policy.Payment) {
		var next []policy.Payment
		for _, p := range all {
			next = append(next, vary(p)...)
		}
		all = next
	}
	if p.Operation == policy.Pay || p.Operation == policy.Checkout {
		each(func(p policy.Payment) []policy.Payment {
			q := p
			q.Capture = policy.Manual
			return []policy.Payment{p, q}
		})
	}
	if l.At["currency"] {
		each(func(p policy.Payment) (out []policy.Payment) {
			for _, c := range append([]string{"XXX"}, l.Texts["currency"]...) {
				q := p
				q.Currency = c
				out = append(out, q)
			}
			return out
		})
	}
	if cuts := l.Cuts["amount"]; len(cuts) > 0 {
		each(func(p policy.Payment) (out []policy.Payment) {
			for _, c := range append([]int64{cuts[0] - 1}, cuts...) {
				if c <= 0 {
					continue
				}
				q := p
				q.Amount = c
				out = append(out, q)
			}
			return out
		})
	}
	return all
}
