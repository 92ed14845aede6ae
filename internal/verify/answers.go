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

// answerClass is a set of answers that prove the same and that no rule distinguishes. The flow
// treats them alike, so the model gives one of them only.
type answerClass struct {
	answer      policy.Answer
	fact        policy.Fact // as the catalogue judges it
	count       int         // how many answers it stands for
	sameForPast bool        // about a past identity it says the same as another class
	sameUnruled bool        // where the rules are not asked it leads to the same as another class
}

// classifier puts the answers of one phase into classes. The answers are: each code and status of
// the catalogue, each pair of them, each fault, and an unlisted code and status, each under every
// HTTP status that matters.
type classifier struct {
	m           *model
	bySignature map[string]int
	seen        map[string]bool
	classes     []answerClass
}

// classify returns the classes of all answers of a phase.
func (m *model) classify(ph policy.Phase) []answerClass {
	g := &classifier{m: m, bySignature: map[string]int{}, seen: map[string]bool{}}
	if ph != policy.Webhook {
		for _, f := range policy.All[policy.Fault]() {
			if f == policy.NotSent && ph == policy.Send {
				continue // a transition of its own, kindNotSent: the request did not leave
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

// unlisted is a code and a status that the catalogue does not have.
const unlisted = "not-listed"

// listedWords returns the codes and the statuses of a catalogue, and one unlisted of each.
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

// httpStatuses returns one HTTP status of each range that a judgement or a rule distinguishes.
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

// signature is everything about an answer that the flow and the rules can distinguish.
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

// visibleFields is what the rules can distinguish in the answer itself, whatever it proves.
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

// decisionSignature is what the flow distinguishes in an answer, and every decision of the rules
// about it: believed or not, in doubt or not. The coarse model follows no counts and times. There,
// answers with one signature lead to the same nodes.
func (m *model) decisionSignature(a *policy.Answer, f policy.Fact) string {
	var b strings.Builder
	fmt.Fprint(&b, "decided ", f.Effect, f.Stage)
	if m.flowDistinguishes(f.Class) || f.Effect == policy.Executed { // the ledger keeps its class
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

// paymentSignature is everything that distinguishes one kind of payment from another. Two kinds
// with one signature are verified once. Where rules read the payment itself, each kind has its
// own.
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

// flowDistinguishes reports whether the flow itself reads a class.
func (m *model) flowDistinguishes(c policy.Class) bool {
	switch c {
	case policy.NotFound, policy.Disputed, policy.Mismatch, policy.Conflict:
		return true
	default:
		return false
	}
}

// cutIndex returns how many cuts are at or below a value.
func cutIndex(cuts []int64, v int64) int {
	n, found := slices.BinarySearch(cuts, v)
	if found {
		n++
	}
	return n
}

// profiles returns the payments that the rules of an operation can distinguish.
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
