package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// payment is what is known of one payment key, or of one flow without a key.
type payment struct {
	key     string
	flows   []string
	last    time.Time
	index   int
	hashes  []uint64
	events  []event
	payment policy.Payment
	truth   []recorded.Execution
	known   bool // reconciliation looked at it
}

// event is a line, as far as it is needed to judge.
type event struct {
	at, done       time.Time
	flow           string
	phase          recorded.Phase
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
	if slices.Contains(p.hashes, hash) {
		return true
	}
	if len(p.hashes) < 1000 {
		p.hashes = append(p.hashes, hash)
	}
	return false
}

func (p *payment) add(d policy.Decider, s *stream) {
	l := &s.line
	e := event{
		at: l.At, done: l.At.Add(l.Latency), flow: l.Flow, phase: l.Phase, order: l.OrderID, request: l.RequestID, own: l.ProviderID,
		outcome: l.Outcome, file: s.name, line: s.r.number,
	}
	switch {
	case l.Phase == recorded.Truth:
		p.known = true
		for _, x := range l.Executions {
			if !slices.Contains(p.truth, x) {
				p.truth = append(p.truth, x)
			}
		}
	case l.Phase.IsAnswer():
		if p.payment.Provider == "" || p.payment.Amount == 0 {
			p.payment = l.Payment
		}
		e.answer = s.answer
		e.fact = d.Judge(&l.Payment, &s.answer)
		if foreign(l, &s.answer) {
			e.fact.Effect = policy.Unknown // an answer about another payment is no evidence
		}
		if l.Phase == recorded.Send && e.request == "" {
			e.request = s.answer.RequestID
		}
		if e.own == "" {
			e.own = s.answer.ProviderID
		}
	}
	p.events = append(p.events, e)
}

// foreign reports whether an answer names another order, request, amount or currency than the line.
func foreign(l *recorded.Line, a *policy.Answer) bool {
	differs := func(x, y string) bool { return x != "" && y != "" && x != y }
	return differs(a.OrderID, l.OrderID) || l.Phase == recorded.Send && differs(a.RequestID, l.RequestID) || differs(a.Currency, l.Payment.Currency) ||
		a.Amount != 0 && l.Payment.Amount != 0 && a.Amount != l.Payment.Amount
}

// identity is what was sent under one pair of identifiers.
type identity struct {
	order, request, own string
	first, lastSent     time.Time
	sends               []int // events
	refused             int   // sends that were answered by a proof that they did not execute
	executed            int   // the event that proves it; -1: none
	gone                int   // the event that proves that it did not and will not; -1: none
}

// may reports whether money may have moved, or may yet.
func (i *identity) may() bool { return i.gone < 0 && i.refused < len(i.sends) }

// identities weighs all evidence. The events are in the order of time.
func (p *payment) identities() []*identity {
	var all []*identity
	for n := range p.events {
		e := &p.events[n]
		switch e.phase {
		case recorded.Send:
			i := find(all, func(i *identity) bool { return i.order == e.order && i.request == e.request })
			if i == nil {
				i = &identity{order: e.order, request: e.request, first: e.at, executed: -1, gone: -1}
				all = append(all, i)
			}
			i.sends, i.lastSent = append(i.sends, n), e.at
			if e.own != "" {
				i.own = e.own
			}
			switch e.fact.Effect {
			case policy.Executed:
				i.executed = n
			case policy.NotExecuted:
				i.refused++
			case policy.Unknown, policy.Pending:
			}
		case recorded.Query, recorded.Webhook:
			if e.phase == recorded.Webhook && !e.answer.Verified {
				continue // its signature was not checked
			}
			p.weigh(all, n)
		case recorded.End, recorded.Truth:
		}
	}
	return all
}

// weigh puts a query's answer or a notice to the identity that it is about.
func (p *payment) weigh(all []*identity, n int) {
	e := &p.events[n]
	about := func(i *identity) bool {
		return e.order != "" && i.order == e.order || e.order == "" && (e.request != "" && i.request == e.request || e.own != "" && i.own == e.own)
	}
	named := func(i *identity) bool {
		return i.order == e.order && e.answer.RequestID != "" && i.request == e.answer.RequestID || e.own != "" && i.own == e.own
	}
	var candidates []*identity
	for _, i := range all {
		if about(i) {
			candidates = append(candidates, i)
		}
	}
	if exact := find(candidates, named); exact != nil {
		candidates = []*identity{exact}
	}
	if len(candidates) == 0 {
		return
	}
	switch i := candidates[len(candidates)-1]; e.fact.Effect {
	case policy.Executed:
		if already := find(candidates, func(i *identity) bool { return i.executed >= 0 }); already != nil {
			return // the same money, as far as this answer can say
		}
		if possible := find(candidates, (*identity).may); possible != nil && !i.may() {
			i = possible
		}
		i.executed = n
	case policy.NotExecuted:
		if len(candidates) == 1 && e.fact.Class != policy.NotFound && !e.at.Before(p.events[i.sends[len(i.sends)-1]].done) {
			i.gone = n
		}
	case policy.Unknown, policy.Pending:
	}
}

func find(all []*identity, is func(*identity) bool) *identity {
	for _, i := range all {
		if is(i) {
			return i
		}
	}
	return nil
}

// judge finds what is wrong with a payment; nil where nothing is.
func (p *payment) judge(d policy.Decider) *Finding {
	slices.SortStableFunc(p.events, func(a, b event) int { return a.at.Compare(b.at) })
	ids := p.identities()
	if len(ids) == 0 {
		return nil
	}
	outcome, ended := p.outcome()
	f := p.doubled(ids, d)
	if f == nil {
		f = p.marked(ids, outcome, ended)
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
	for _, n := range last {
		if at < 0 || p.events[n].outcome == policy.Succeeded || p.events[at].outcome != policy.Succeeded && n > at {
			at = n
		}
	}
	if at < 0 {
		return 0, -1
	}
	return p.events[at].outcome, at
}

// doubled finds a second execution, or the chance of one.
func (p *payment) doubled(ids []*identity, d policy.Decider) *Finding {
	if p.known {
		if len(p.truth) < 2 {
			return nil
		}
		f := &Finding{Kind: ChargedTwice, Certain: true, cause: p.secondSend(ids)}
		for _, x := range p.truth[1:] {
			f.Amount += x.Amount
		}
		return f
	}
	proved := 0
	var possible []*identity
	for _, i := range ids {
		if i.executed >= 0 {
			proved++
		}
		if i.executed >= 0 || i.may() {
			possible = append(possible, i)
		}
	}
	extra := p.payment.Amount
	switch {
	case proved > 1:
		return &Finding{Kind: ChargedTwice, Certain: true, Amount: extra * int64(proved-1), cause: p.secondSend(ids)}
	case len(possible) > 1:
		return &Finding{Kind: MayBeChargedTwice, Amount: extra * int64(len(possible)-1), cause: possible[1].sends[0]}
	}
	for _, i := range possible {
		if n := p.unsafeRepeat(i, d); n >= 0 {
			return &Finding{Kind: MayBeChargedTwice, Amount: extra, cause: n}
		}
	}
	return nil
}

// unsafeRepeat is a send under an identity that was sent already, where the provider does not promise that it executes once; -1: none.
func (p *payment) unsafeRepeat(i *identity, d policy.Decider) int {
	terms := d.Terms(&p.payment)
	for k := 1; k < len(i.sends); k++ {
		before, n := &p.events[i.sends[k-1]], i.sends[k]
		if before.fact.Effect == policy.NotExecuted {
			continue
		}
		if !terms.Contract.ReplaySafe(i.first, p.events[n].at) {
			return n
		}
	}
	return -1
}

// secondSend is the send that began the second identity, or repeated the first.
func (p *payment) secondSend(ids []*identity) int {
	if len(ids) > 1 {
		return ids[1].sends[0]
	}
	return ids[0].sends[len(ids[0].sends)-1]
}

// marked compares how the payment ended with what is known of it.
func (p *payment) marked(ids []*identity, outcome policy.Outcome, ended int) *Finding {
	executed, may := false, false
	for _, i := range ids {
		executed = executed || i.executed >= 0
		may = may || i.may()
	}
	if p.known {
		executed, may = len(p.truth) > 0, false
	}
	f := &Finding{Amount: p.payment.Amount, cause: ended}
	switch {
	case ended >= 0 && outcome == policy.Failed && executed:
		f.Kind, f.Certain = FailedThoughExecuted, true
	case ended >= 0 && outcome == policy.Failed && may:
		f.Kind = FailedInDoubt
	case ended >= 0 && outcome == policy.Succeeded && !executed && (p.known || !may):
		f.Kind, f.Certain = SucceededThoughNot, true
	case ended >= 0 && outcome == policy.Succeeded && !executed:
		f.Kind = SucceededWithoutProof
	case ended >= 0 && outcome == policy.Succeeded && p.known && p.paidOther():
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
	return len(p.truth) == 1 && p.truth[0].Amount > 0 && p.payment.Amount > 0 && p.truth[0].Amount != p.payment.Amount
}

// explain adds the story, and the rule that would have decided after the last answer before the mistake.
func (p *payment) explain(f *Finding, d policy.Decider) {
	f.Payment, f.Truth = p.payment, p.truth
	for n := range p.events {
		e := &p.events[n]
		f.Story = append(f.Story, e.step(n == f.cause))
		f.Flow = p.events[max(f.cause, 0)].flow
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
