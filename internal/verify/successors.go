package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// emitFunc receives a transition, the node that it leads to, and what came of it in the flow; nil: only time has passed.
// The node is valid during the call only.
type emitFunc func(transition, *node, *outcome)

// answerFunc receives what is known once an answer has been given, and how it names what it is about.
type answerFunc func(n *node, name uint8)

// successors emits every node that one transition leads to.
func (m *model) successors(n *node, emit emitFunc) {
	m.setTimes(n)
	m.expand(n)
	switch n.s.Stage {
	case flow.New:
		m.explore(n, transition{kind: kindStart}, emit)
		return
	case flow.Sending:
		m.sendAnswers(n, emit)
	case flow.Querying:
		m.queryAnswers(n, kindQueryAnswer, emit)
		if m.coarse && !m.counts() && n.s.Displaced != nil && !m.onlyAnswersFollow(n) {
			// The displaced wait continues only if the answer is not new. Only webhooks can have
			// changed anything before it. Every other event leads where it leads without a hint.
			m.webhooks(n, emit)
			return
		}
	case flow.Waiting:
		m.due(n, emit)
		if m.coarse && n.s.Displaced != nil {
			// Every other event leads where it leads from before the hint: a new decision does not
			// depend on the wait that it ends.
			m.withdraw(n, emit)
			return
		}
	case flow.Ended:
		if !m.inOrder {
			m.startSecondFlow(n, emit)
		}
		if n.s.Outcome != policy.Escalated {
			return // later statements do not change the outcome
		}
	}
	if n.isForced {
		return // the path continues with the rule's action
	}
	if m.onlyAnswersFollow(n) {
		// The flow has taken a sibling's webhook for a payment of its own order, and can neither send nor
		// mark any more. What is left to find is what the rules want about what it learns next: from its answers, as
		// above, and from a webhook that settles a request. What others say comes to the same as without the sibling's.
		m.steps.breaksOnly = true
		m.ownWebhooks(n, true, emit)
		m.steps.breaksOnly = false
		return
	}
	if !m.inOrder {
		m.lateAnswers(n, emit)
		m.webhooks(n, emit)
		m.interventions(n, emit)
	}
	if n.s.Stage != flow.Ended && !m.noAging {
		m.passTime(n, emit)
	}
}

// onlyAnswersFollow reports whether a node is followed no further than by what successors says of contested orders. So are all nodes that
// come after it: only a person's word ends a contest.
func (m *model) onlyAnswersFollow(n *node) bool {
	return m.coarse && !m.counts() && !m.breaches.foreign && n.contested()
}

// startSecondFlow emits a second flow of the payment key: the shopper tries again, under the same
// order or a new one.
func (m *model) startSecondFlow(n *node, emit emitFunc) {
	if n.flow > 1 || n.s.Outcome == policy.Succeeded || len(n.ids) == 0 {
		return
	}
	for _, variant := range []uint8{namesOrder, namesNothing} {
		next := n.clone()
		next.flow, next.firstOwn, next.lateFault = 2, len(next.ids), false // with a process that dies its calls are gone
		for i := range next.ids {
			next.ids[i].queried = false // and replies to the first flow's queries are not this one's
		}
		m.explore(&next, transition{kind: kindSecondFlow, variant: variant}, emit)
	}
}

// sendAnswers emits every result of the call under way.
func (m *model) sendAnswers(n *node, emit emitFunc) {
	k := slices.IndexFunc(n.requests, func(c request) bool { return c.current })
	if k < 0 {
		return
	}
	gone := n.clone()
	gone.requests = slices.Delete(gone.requests, k, k+1)
	if gone.consistent(n.requests[k].id) {
		m.explore(&gone, transition{kind: kindNotSent}, emit)
	}
	for c := range m.facts.classes[policy.Send] {
		h := &m.facts.classes[policy.Send][c]
		m.replies(n, k, h, m.sendNames(), func(next *node, name uint8) {
			m.explore(next, transition{kind: kindAnswer, id: uint8(n.requests[k].id), class: int16(c), variant: name}, emit)
		})
	}
	m.repliesOfOthers(n, transition{kind: kindAnswer, id: uint8(n.requests[k].id)}, emit)
}

// lateAnswers emits replies to calls that the flow no longer waits for.
func (m *model) lateAnswers(n *node, emit emitFunc) {
	for k, copied := range n.requests {
		if copied.current || copied.id < n.firstOwn || n.s.Stage == flow.Sending && n.s.Attempts == 1 {
			continue
		}
		for c := range m.facts.classes[policy.Send] {
			h := &m.facts.classes[policy.Send][c]
			if n.s.Stage != flow.Waiting && h.fact.Effect == policy.Unknown {
				continue // the flow learns nothing new from it, and asks no rule
			}
			if h.fact.Effect == policy.Unknown && (h.failedCall && !n.lateFault || n.sameRequestBefore(k)) {
				continue // every call had a result, or it is the same as that of another request
			}
			m.replies(n, k, h, m.lateNames(), func(next *node, name uint8) {
				m.explore(next, transition{kind: kindLateAnswer, id: uint8(copied.id), class: int16(c), variant: name}, emit)
			})
		}
	}
	m.lateRepliesOfOthers(n, kindLateAnswer, func(i int) bool {
		return i >= n.firstOwn && slices.ContainsFunc(n.requests, func(c request) bool { return c.id == i && !c.current })
	}, emit)
	m.lateRepliesNameEarlier(n, emit)
	if n.s.Attempts > 1 && n.s.Stage != flow.Ended {
		m.lateRefusals(n, emit)
	}
	m.queryAnswers(n, kindLateQueryAnswer, emit)
}

// sameRequestBefore reports whether an earlier request differs in nothing from one.
func (n *node) sameRequestBefore(k int) bool { return slices.Contains(n.requests[:k], n.requests[k]) }

// lateNames returns the ways in which a late reply can name its payment.
func (m *model) lateNames() []uint8 {
	names := []uint8{namesNothing, namesBoth}
	if m.learnsProviderID() {
		names = append(names, namesProviderID)
	}
	return names
}

// lateRefusals emits refusals of requests that ended before. They settle nothing new, but the flow
// cannot distinguish them from a refusal of the last request.
func (m *model) lateRefusals(n *node, emit emitFunc) {
	for c := range m.facts.classes[policy.Send] {
		h := &m.facts.classes[policy.Send][c]
		if h.fact.Effect != policy.NotExecuted {
			continue
		}
		m.explore(n, transition{kind: kindLateAnswer, id: uint8(n.firstOwn), class: int16(c), variant: repeatsRefusal}, emit)
	}
}

// replies applies an answer to one request, with what it settles, if the provider can give it.
func (m *model) replies(n *node, k int, h *answerClass, names []uint8, emit answerFunc) {
	i := n.requests[k].id
	next := n
	if h.fact.Effect == policy.NotExecuted {
		m.otherRefusal(n, h, names, emit)
		next = m.settleRefusal(n, k, h)
		if next == nil {
			return
		}
	}
	m.settleAnswer(next, h, i, names, emit)
}

// settleRefusal returns what is known after a certain refusal of one request, and nil if the
// provider cannot give it.
func (m *model) settleRefusal(n *node, k int, h *answerClass) *node {
	c, next := n.requests[k], &m.refused
	next.copyFrom(n, &n.s)
	if m.breaches.falseRefusal {
		return next
	}
	st := &next.ids[c.id]
	id := &n.s.Ledger[c.id]
	stored := id.Sends == 1
	if !stored && h.fact.Stage == policy.Result && m.terms.Contract.Replay == policy.FirstResult && c.deduped {
		stored = !m.breaches.answersAnew
		m.reads.promises[answersFirst] = true
	}
	if h.fact.Stage == policy.Result && stored {
		if !st.failed && n.unreported(c.id) == 0 {
			return nil
		}
		st.failed = true
		return next
	}
	// The refusal ends this request. It says nothing about the others.
	next.requests = slices.Delete(next.requests, k, k+1)
	if !next.consistent(c.id) {
		return nil
	}
	return next
}

// consistent reports whether the provider's statements about an identity can still be true.
func (n *node) consistent(i int) bool {
	st := &n.ids[i]
	needed := int(st.executed + st.other)
	if st.failed {
		needed++
	}
	if st.accepted {
		needed = max(needed, 1)
	}
	return n.candidates(i) >= needed
}

// sendNames returns the ways in which the answer of a send can name its payment.
func (m *model) sendNames() []uint8 {
	names := []uint8{namesNothing}
	if m.learnsProviderID() {
		names = append(names, namesProviderID)
	}
	return names
}

// givesProviderID reports whether the provider's answers may give its own id of a request. Those of a capture or a cancel give that of
// the payment.
func (m *model) givesProviderID() bool { return !m.actsOnTarget() }

// learnsProviderID reports whether the model follows which of the provider's ids the flow has learned. It does where a query may be by
// them. Elsewhere the flow knows each from the first send: all that the id opens is that a webhook with no other name is about
// the flow, and before the flow knew the id, such a webhook would have changed nothing. The coarse model takes those of earlier requests
// for known, too: no query is by them any more, and a query's answer that names one is about it also where it is the only one
// unknown. That no id is known is tried by itself: see suppose.
func (m *model) learnsProviderID() bool {
	c := &m.terms.Contract
	return m.givesProviderID() && slices.Contains(c.QueryBy, policy.ProviderID) && (!m.coarse || c.QueryIdentifier(true) != c.QueryIdentifier(false))
}

// providerID is the provider's id of the request of an identity.
func providerID(request string) string { return "theirs of " + request }

// settleAnswer applies an answer about an identity with each name and each amount that can be
// true, and with what the answer settles.
func (m *model) settleAnswer(n *node, h *answerClass, i int, names []uint8, emit answerFunc) {
	st, next := &n.ids[i], &m.settled
	switch h.fact.Effect {
	case policy.Unknown, policy.NotExecuted:
		nameAnswer(n, h, names, 0, emit)
		if h.fact.Class == policy.NotFound && h.fact.Effect == policy.Unknown {
			m.otherRefusal(n, h, names, emit)
		}
	case policy.Pending:
		if n.candidates(i) == 0 {
			return
		}
		next.copyFrom(n, &n.s)
		next.ids[i].accepted = true
		m.retract(next, i)
		nameAnswer(next, h, names, 0, emit)
	case policy.Executed:
		free := n.unreported(i) > 0
		if h.fact.Class != policy.Mismatch && (st.executed > 0 || free) {
			next.copyFrom(n, &n.s)
			next.ids[i].executed = max(1, st.executed)
			nameAnswer(next, h, names, 0, emit)
			if id := &n.s.Ledger[i]; id.Mismatch && id.Effect != policy.Executed && moneySaid(&m.payment) == saysAmount {
				nameAnswer(next, h, names, wholeAmount, emit) // the coarse model has forgotten the mismatch
			}
		}
		if (st.other > 0 || free) && moneySaid(&m.payment) > saysNothing { // else there is no other one
			next.copyFrom(n, &n.s)
			next.ids[i].other = max(1, st.other)
			nameAnswer(next, h, names, otherAmount, emit)
		}
	}
}

// otherRefusal applies a refusal that names another amount. It is about something else, and settles
// nothing.
func (m *model) otherRefusal(n *node, h *answerClass, names []uint8, emit answerFunc) {
	if moneySaid(&m.payment) > saysNothing {
		nameAnswer(n, h, names[:1], otherAmount, emit)
	}
}

// What a payment says of the money. The flow compares an answer with that, so each says more than the one before.
const (
	saysNothing = iota
	saysCurrency
	saysAmount
)

// moneySaid returns what a payment says of the money.
func moneySaid(p *policy.Payment) int {
	switch {
	case p.Amount != 0:
		return saysAmount
	case p.Currency != "":
		return saysCurrency
	}
	return saysNothing
}

// otherAmount marks a variant whose answer names another amount, or another currency where the payment has no amount, and wholeAmount
// one that names the payment's.
const (
	otherAmount = 0x80
	wholeAmount = 0x40
)

// endsDispute marks the variant of a person's word that ends the dispute of another identity.
const endsDispute = 0x80

// nameAnswer applies an answer once for each name.
func nameAnswer(next *node, h *answerClass, names []uint8, amount uint8, emit answerFunc) {
	for _, name := range names {
		if h.answer.Fault == policy.NoFault || name == namesNothing { // a failed call names no payment
			emit(next, name|amount)
		}
	}
}

// sharesOrder reports whether another identity has the same order.
func (n *node) sharesOrder(i int) bool {
	for j := range n.s.Ledger {
		if j != i && n.s.Ledger[j].OrderID == n.s.Ledger[i].OrderID {
			return true
		}
	}
	return false
}

// due ends the wait, on time or late.
func (m *model) due(n *node, emit emitFunc) {
	if n.isForced {
		m.dueForced(n, emit)
		return
	}
	asks := func(tr transition, next *node, o *outcome) {
		emit(tr, next, o)
		if m.coarse || next.s.Stage != flow.Querying || next.s.Queries >= m.terms.Limits.MaxQueries || next.s.Queries < m.capped {
			return
		}
		last := next.clone() // queries above the cap are not counted: any may be the last
		last.s.Queries = m.terms.Limits.MaxQueries
		tr.lastQuery = true
		emit(tr, &last, o)
	}
	if n.s.Next.Action == policy.RetryNewOrder {
		m.explore(n, transition{kind: kindDue, variant: 1}, asks) // the caller supplies no new order id
	}
	m.explore(n, transition{kind: kindDue}, asks)
}

// interventions emits what operators and processes do: resume after a crash, withdraw, resolve by
// hand.
func (m *model) interventions(n *node, emit emitFunc) {
	if n.s.Stage == flow.Sending || n.s.Stage == flow.Querying {
		m.explore(n, transition{kind: kindResume}, emit)
	}
	m.withdraw(n, emit)
	for i := range n.ids {
		if n.s.Ledger[i].Effect.Settled() {
			continue
		}
		for _, effect := range []policy.Effect{policy.Executed, policy.NotExecuted} {
			next := n.clone()
			next.foreign = false // the operator sees it
			st := &next.ids[i]
			switch {
			case effect == policy.Executed && (st.executed > 0 || n.unreported(i) > 0):
				st.executed = max(1, st.executed)
			case effect == policy.NotExecuted && st.executed+st.other == 0:
				next.requests = slices.DeleteFunc(next.requests, func(c request) bool { return c.id == i && !c.current })
				if len(next.requests) > 0 && next.requests[len(next.requests)-1].current {
					continue // the result of the call under way cannot be known yet
				}
			default:
				continue
			}
			m.explore(&next, transition{kind: kindResolve, id: uint8(i), variant: uint8(effect)}, emit)
			if k := executedIdentity(&n.s); m.coarse && k >= 0 && n.s.Ledger[k].Disputed {
				// The dispute may be this identity's: then the word ends it.
				m.explore(&next, transition{kind: kindResolve, id: uint8(i), variant: uint8(effect) | endsDispute}, emit)
			}
		}
	}
}

// withdraw emits the withdrawal of the payment.
func (m *model) withdraw(n *node, emit emitFunc) {
	if n.s.Stage != flow.Ended && n.s.Withdrawn == "" {
		m.explore(n, transition{kind: kindWithdraw}, emit)
	}
}

// passTime lets one age reach the next that matters.
func (m *model) passTime(n *node, emit emitFunc) {
	k := m.clock
	startRoles := uint8(roleStart)
	if len(n.ids) > n.firstOwn {
		first, _ := n.roles(n.firstOwn)
		startRoles |= first
	}
	bound := k.upper(n.started, startRoles)
	within := func(i int, r ageClass) bool {
		if m.coarse { // it does not know when the flow began: an identity is no older than the one before it
			return i == 0 || r <= n.ids[i-1].last
		}
		return i < n.firstOwn || k.age(r) < bound
	}
	for i := range n.ids {
		first, last := n.roles(i)
		once := n.s.Ledger[i].Sends == 1
		if r, ok := k.next(n.ids[i].first, first); ok && (i == n.firstOwn || within(i, r)) {
			next := n.clone()
			next.ids[i].first = r
			if once {
				next.ids[i].last = r
			}
			if i == n.firstOwn {
				next.started = k.round(r, startRoles)
			}
			m.emitTime(&next, transition{kind: kindTime, id: uint8(i)}, emit)
		}
		if r, ok := k.next(n.ids[i].last, last); ok && !once && within(i, r) {
			next := n.clone()
			next.ids[i].last = r
			m.emitTime(&next, transition{kind: kindTime, id: uint8(i), variant: 1}, emit)
		}
	}
	for c := range n.requests {
		if r, ok := k.next(n.requests[c].age, roleCopy); ok && !n.requests[c].last {
			next := n.clone()
			next.requests[c].age = r
			m.emitTime(&next, transition{kind: kindTime, id: uint8(c), variant: 2}, emit)
		}
	}
}

// emitTime emits a node that only time has changed.
func (m *model) emitTime(next *node, tr transition, emit emitFunc) {
	m.canonicalize(next)
	emit(tr, next, nil)
}

// dueForced sends what the rule wanted, without asking the interlock.
func (m *model) dueForced(n *node, emit emitFunc) {
	next := n.clone()
	k := n.unusedNumber()
	last := &n.s.Ledger[len(n.ids)-1]
	order, request, theirs := last.OrderID, last.RequestID, last.ProviderID
	switch n.forced {
	case policy.RetryNewRequest:
		request = requestID(k)
	case policy.RetryNewOrder:
		order, request = orderID(k), requestID(k)
	default:
	}
	next.s = flow.Sent(m.decider, n.s, now, order, request, theirs)
	next.isForced, next.forced = false, 0
	id := &next.s.Ledger[len(next.s.Ledger)-1]
	send := flow.Send{Identity: id, Attempt: next.s.Attempts, Action: n.forced}
	o := outcome{marks: markSends, remarks: &remarks{commands: []flow.Command{flow.Record{}, send}}}
	if id.Sends == 1 {
		o.marks |= markSendsNew
	}
	m.exhausted = exhausted{}
	o.findings = m.flowViolations(n, &next.s, []flow.Command{flow.Record{}, &send})
	m.applyCommands(&next, o.marks)
	emit(transition{kind: kindDue, bypass: true}, &next, &o)
}
