package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// payment is what is known of one payment key, or of one flow without a key.
type payment struct {
	keys    []string
	flows   []string
	last    time.Time
	index   int
	hashes  map[uint64]bool
	events  []event
	payment policy.Payment    // of the first answer that names an amount
	truths  map[string]*truth // by flow: a reconciliation says nothing of the flows that it did not look at
	loose   bool              // its flows have the order in common, and no key
	mixed   bool              // it holds several intents, and it cannot be said which of them reconciliation found
}

// event is a line, as far as it is needed to judge.
type event struct {
	at, done       time.Time
	flow           string
	phase          recorded.Phase
	payment        *policy.Payment
	order, request string
	own            string // the provider's id
	answer         policy.Answer
	fact           policy.Fact
	outcome        policy.Outcome
	file           string
	line           int
}

// seen reports whether a line came before: a log that is written at least once repeats itself.
func (p *payment) seen(hash uint64) bool {
	if p.hashes[hash] {
		return true
	}
	if p.hashes == nil {
		p.hashes = map[uint64]bool{}
	}
	p.hashes[hash] = true
	return false
}

// join takes what is known of another payment, which turned out to be this one.
func (p *payment) join(q *payment) {
	p.keys, p.flows, p.events = append(p.keys, q.keys...), append(p.flows, q.flows...), append(p.events, q.events...)
	for hash := range q.hashes {
		p.seen(hash)
	}
	if p.payment.Provider == "" || p.payment.Amount == 0 {
		p.payment = q.payment
	}
	p.loose = p.loose || q.loose
	for flow, t := range q.truths {
		p.reconciled(flow).join(t)
	}
	if q.last.After(p.last) {
		p.last = q.last
	}
}

func (p *payment) add(d policy.Decider, s *stream) {
	l := &s.line
	e := event{
		at: l.At, done: l.At.Add(l.Latency), flow: l.Flow, phase: l.Phase, order: l.OrderID, request: l.RequestID, own: l.ProviderID,
		outcome: l.Outcome, file: s.name, line: s.r.number,
	}
	switch {
	case l.Phase == recorded.Truth:
		p.reconciled(l.Flow).take(l.Executions, l.At)
	case l.Phase.IsAnswer():
		if p.payment.Provider == "" || p.payment.Amount == 0 {
			p.payment = l.Payment
		}
		e.payment = p.terms(&l.Payment)
		e.answer = s.answer
		e.fact = d.Judge(&l.Payment, &s.answer)
		if foreign(l, &s.answer) {
			e.fact.Effect = policy.Unknown // an answer about another payment is no evidence
		}
		if l.Phase == recorded.Send && e.request == "" {
			e.request = s.answer.RequestID
		}
		if l.Phase != recorded.Send && e.order == "" {
			e.order = s.answer.OrderID
		}
		if e.own == "" {
			e.own = s.answer.ProviderID
		}
	}
	p.events = append(p.events, e)
}

// terms is a line's payment, as the line before has it where nothing differs by which it is judged.
func (p *payment) terms(of *policy.Payment) *policy.Payment {
	if n := len(p.events); n > 0 {
		if b := p.events[n-1].payment; b != nil && b.Provider == of.Provider && b.Operation == of.Operation && b.Amount == of.Amount && b.Currency == of.Currency && b.Capture == of.Capture && b.Key == of.Key {
			return b
		}
	}
	own := *of
	return &own
}

// foreign reports whether an answer names another order, request, amount or currency than the line.
func foreign(l *recorded.Line, a *policy.Answer) bool {
	otherID := l.Phase == recorded.Query && a.OrderID == "" && a.RequestID == "" && differ(a.ProviderID, l.ProviderID)
	return otherID || differ(a.OrderID, l.OrderID) || l.Phase == recorded.Send && differ(a.RequestID, l.RequestID) || differ(a.Currency, l.Payment.Currency) ||
		differAmounts(a.Amount, l.Payment.Amount)
}

// differ reports whether two names are both known, and not the same.
func differ(x, y string) bool { return x != "" && y != "" && x != y }

func differAmounts(x, y int64) bool { return x != 0 && y != 0 && x != y }

// judge finds what is wrong with a payment; nil where nothing is.
func (p *payment) judge(d policy.Decider) *Finding {
	slices.SortStableFunc(p.events, func(a, b event) int { return a.at.Compare(b.at) })
	parts := p.parts()
	findings := make([]*Finding, len(parts))
	for k, part := range parts {
		findings[k] = part.judgeWhole(d)
	}
	if len(parts) == 1 {
		return findings[0]
	}
	return gravest(parts, findings)
}

// judgeWhole judges what serves one intent. The events are in the order of time.
func (p *payment) judgeWhole(d policy.Decider) *Finding {
	ids := p.identities(d)
	if len(ids) == 0 {
		return nil
	}
	outcome, ended := p.outcome()
	charges := p.charges(ids)
	f := p.doubled(charges, ids, d)
	if f == nil {
		f = p.marked(charges, outcome, ended)
	}
	if f != nil {
		p.explain(f, d)
	}
	return f
}

// outcome is how the payment ended, by the end that is latest in time: of several flows one that succeeded counts.
func (p *payment) outcome() (policy.Outcome, int) {
	last := map[string]int{}
	for n := range p.events {
		if p.events[n].phase == recorded.End {
			last[p.events[n].flow] = n
		}
	}
	at := -1
	for _, n := range slices.Sorted(maps.Values(last)) {
		if at < 0 || p.events[n].outcome == policy.Succeeded || p.events[at].outcome != policy.Succeeded {
			at = n
		}
	}
	if at < 0 {
		return 0, -1
	}
	return p.events[at].outcome, at
}

// charge is an execution, or the chance of one.
type charge struct {
	certain  bool
	amount   int64
	currency string
	began    int // the event by which it began; -1: not known
}

// charges are what reconciliation found, and what the answers say of the identities that it did not look at.
func (p *payment) charges(ids []*identity) []charge {
	var all []charge
	found := p.found()
	began := make([]*identity, len(found.all))
	for _, i := range slices.Backward(ids) {
		for _, k := range found.named(i.order, i.request) {
			if x := &found.all[k]; !differ(x.OrderID, i.order) && !differ(x.RequestID, i.request) {
				began[k] = i
			}
		}
	}
	for k, x := range found.all {
		c := charge{certain: true, amount: cmp.Or(x.Amount, p.payment.Amount), currency: p.payment.Currency, began: -1}
		if i := began[k]; i != nil {
			c = charge{true, cmp.Or(x.Amount, i.payment.Amount, p.payment.Amount), i.payment.Currency, i.began}
		}
		all = append(all, c)
	}
	proved := map[string][]*identity{} // by order
	for _, i := range ids {
		if i.executed < 0 && !i.may() || p.covered(i) || found.has(i) {
			continue
		}
		if i.executed >= 0 {
			if find(proved[i.order], i.sameMoney) != nil {
				continue
			}
			proved[i.order] = append(proved[i.order], i)
		}
		all = append(all, charge{i.executed >= 0 && !i.unsent(), cmp.Or(i.payment.Amount, p.payment.Amount), i.payment.Currency, i.began})
	}
	return all
}

// covered reports whether reconciliation looked at an identity, after its first send.
func (p *payment) covered(i *identity) bool {
	for _, n := range i.sends {
		e := &p.events[n]
		if t := p.truths[e.flow]; t == nil || t.at.Before(p.events[i.began].at) {
			return false
		}
	}
	return len(i.sends) > 0
}

// doubled finds a second execution, or the chance of one.
func (p *payment) doubled(charges []charge, ids []*identity, d policy.Decider) *Finding {
	if len(charges) > 1 {
		certain := 0
		for _, c := range charges {
			if c.certain {
				certain++
			}
		}
		slices.SortStableFunc(charges, func(a, b charge) int { return a.began - b.began })
		f := &Finding{Kind: MayBeChargedTwice, cause: charges[1].began}
		if certain > 1 && (!p.unsure() || p.found().requestTwice()) {
			f.Kind, f.Certain = ChargedTwice, true
			charges = slices.DeleteFunc(slices.Clone(charges), func(c charge) bool { return !c.certain })
			f.cause = charges[1].began
		}
		if f.cause < 0 {
			f.cause = p.secondSend(ids)
		}
		f.Payment = p.payment
		f.Payment.Currency = charges[1].currency
		for _, c := range charges[1:] {
			if c.currency == charges[1].currency {
				f.Amount += c.amount
			}
		}
		return f
	}
	for _, i := range ids {
		if i.executed < 0 && !i.may() || p.covered(i) {
			continue
		}
		if n := p.unsafeRepeat(i, d); n >= 0 {
			return &Finding{Kind: MayBeChargedTwice, Amount: cmp.Or(i.payment.Amount, p.payment.Amount), Payment: *i.payment, cause: n}
		}
	}
	return nil
}

// unsafeRepeat is a send under an identity that was sent already, where the provider does not promise that it executes once, or an answer by which
// it did not; -1: none.
func (p *payment) unsafeRepeat(i *identity, d policy.Decider) int {
	terms := d.Terms(i.payment)
	own := ""
	for k, n := range i.sends {
		e := &p.events[n]
		if k > 0 && p.events[i.sends[k-1]].fact.Effect != policy.NotExecuted && !i.safe(&terms.Contract, e.at) {
			return n
		}
		if e.fact.Effect != policy.Executed || ofAnother(e.payment.Operation) {
			continue
		}
		if differ(own, e.answer.ProviderID) {
			return n // one promise, and two payments at the provider
		}
		own = cmp.Or(own, e.answer.ProviderID)
	}
	return p.twoPayments(i, &terms.Contract)
}

// twoPayments is an answer that proves an identity executed as one before it did, under another of the provider's ids: one copy of
// the request more may have executed than the answers to the sends show; -1: none.
func (p *payment) twoPayments(i *identity, c *policy.Contract) int {
	type form struct {
		phase policy.Phase
		class policy.Class
	}
	first := map[form]string{} // in another form the id may be that of something else
	for _, n := range p.proofsOf(i) {
		e := &p.events[n]
		f := form{policy.Phase(e.phase), e.fact.Class}
		if slices.Contains(c.SameProviderID, f.phase) {
			f.phase = c.SameProviderID[0] // they have one form
		}
		if differ(first[f], e.answer.ProviderID) {
			return n
		}
		first[f] = cmp.Or(first[f], e.answer.ProviderID)
	}
	return -1
}

// proofsOf are the answers that prove an identity executed and name it by an id of its own, in the order of time.
func (p *payment) proofsOf(i *identity) []int {
	if ofAnother(i.payment.Operation) {
		return nil
	}
	all := slices.Clone(i.proofs)
	for _, n := range i.sends {
		if p.events[n].fact.Effect == policy.Executed {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// secondSend is the send that began the second identity, or repeated the first.
func (p *payment) secondSend(ids []*identity) int {
	if len(ids) > 1 {
		return ids[1].began
	}
	if n := len(ids[0].sends); n > 0 {
		return ids[0].sends[n-1]
	}
	return ids[0].began
}

// marked compares how the payment ended with what is known of it.
func (p *payment) marked(charges []charge, outcome policy.Outcome, ended int) *Finding {
	executed, may := false, false
	for _, c := range charges {
		executed = executed || c.certain
		may = may || !c.certain
	}
	f := &Finding{Amount: p.payment.Amount, cause: ended}
	switch {
	case ended >= 0 && outcome == policy.Failed && executed:
		f.Kind, f.Certain = FailedThoughExecuted, true
	case ended >= 0 && outcome == policy.Failed && may:
		f.Kind = FailedInDoubt
	case ended >= 0 && outcome == policy.Succeeded && !executed && !may:
		f.Kind, f.Certain = SucceededThoughNot, true
	case ended >= 0 && outcome == policy.Succeeded && !executed:
		f.Kind = SucceededWithoutProof
	case ended >= 0 && outcome == policy.Succeeded && p.paidOther():
		f.Kind, f.Certain = PaidAnotherAmount, true
	case (ended < 0 || outcome == policy.Open) && !executed && may:
		f.Kind, f.cause = LeftOpen, len(p.events)-1
	default:
		return nil
	}
	return f
}

// paidOther reports whether reconciliation names another amount than was asked for.
func (p *payment) paidOther() bool {
	found := p.found().all
	return len(found) == 1 && found[0].Amount > 0 && p.payment.Amount > 0 && found[0].Amount != p.payment.Amount
}

// longStory bounds the lines of a story: a log may have one key for everything.
const longStory = 200

// explain adds the story, and the rule that would have decided after the last answer before the mistake.
func (p *payment) explain(f *Finding, d policy.Decider) {
	if f.Payment.Provider == "" {
		f.Payment = p.payment
	}
	f.Flow = p.events[max(f.cause, 0)].flow
	for n := range p.events {
		e := &p.events[n]
		switch {
		case n < longStory/2 || n == f.cause || n >= len(p.events)-longStory/2:
			f.Story = append(f.Story, e.step(n == f.cause))
		case n == longStory/2:
			f.Story = append(f.Story, Step{At: e.at, Source: fmt.Sprintf("%s:%d", e.file, e.line), What: fmt.Sprintf("and %d lines more", len(p.events)-longStory)})
		}
	}
	f.Rule = p.rule(f.cause, d)
}

func (p *payment) rule(cause int, d policy.Decider) Rule {
	s := policy.Situation{Payment: &p.payment}
	var last *event
	var first time.Time
	before := p.events[max(cause, 0)].at
	for n := range p.events {
		e := &p.events[n]
		if n == cause && e.phase == recorded.Send || !e.phase.IsAnswer() || e.done.After(before) {
			continue
		}
		if first.IsZero() {
			first = e.at
		}
		switch e.phase {
		case recorded.Send:
			s.Attempt++
			s.InDoubt = s.InDoubt || e.fact.Effect != policy.NotExecuted
		case recorded.Query:
			s.Queries++
		case recorded.Webhook, recorded.End, recorded.Truth:
		}
		if last == nil || !e.done.Before(last.done) {
			last = e
		}
	}
	if last != nil {
		s.Payment = last.payment
	}
	if last == nil {
		return Rule{Action: "wait", Reason: "the interlock: one flow of a payment key at a time, and nothing is sent under a new identity while an earlier one may execute"}
	}
	s.Answer, s.Fact, s.At, s.Elapsed = &last.answer, last.fact, last.done, last.done.Sub(first)
	decided := d.Decide(&s)
	r := Rule{ID: decided.Rule, Source: decided.Source, Action: decided.Action.String(), Reason: decided.Reason, After: fmt.Sprintf("%s:%d", last.file, last.line)}
	if unsafe := decided.Action == policy.RetryNewOrder || decided.Action == policy.RetryNewRequest || decided.Action == policy.MarkFailed; unsafe && s.InDoubt && last.fact.Effect != policy.NotExecuted {
		r.Action, r.Reason = "query_status", "the interlock: an identity that was sent may still execute"
	}
	return r
}
