package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

type giver func(move, *node, []flow.Command)

// moves gives every node that one step leads to.
func (m *model) moves(n *node, give giver) {
	m.setTimes(n)
	clear(m.tried)
	switch n.s.Stage {
	case flow.New:
		m.start(n, give)
		return
	case flow.Sending:
		m.answer(n, give)
	case flow.Querying:
		m.queryAnswers(n, moveQueryAnswer, 0, give)
		if m.coarse && n.s.Displaced != nil {
			// What is displaced goes on only if the answer brings nothing new: what webhooks brought
			// before it is all that can have changed. The rest is as without a hint.
			m.webhooks(n, give)
			return
		}
	case flow.Waiting:
		m.due(n, give)
		if m.coarse && n.s.Displaced != nil {
			// Whatever else may come leads where it leads from before the hint: what is decided
			// anew does not hang on what was waited for.
			m.withdraw(n, give)
			return
		}
	case flow.Ended:
		if !m.plain {
			m.startAgain(n, give)
		}
		if n.s.Outcome != policy.Escalated {
			return // what is said later changes no history
		}
	}
	if n.unguarded {
		return // the story goes on with what the rule wants
	}
	if !m.plain {
		m.lateAnswers(n, give)
		m.webhooks(n, give)
		m.interventions(n, give)
	}
	if n.s.Stage != flow.Ended && !m.still {
		m.time(n, give)
	}
}

func (m *model) start(n *node, give giver) {
	e := flow.Start{Moment: moment, OrderID: orderID(0), RequestID: requestID(0)}
	if m.onTarget() {
		e.ProviderID = target
	}
	m.try(n, move{kind: moveStart}, e, give)
}

// startAgain is the second flow of the payment key: the shopper tries again, under the same
// order or under another.
func (m *model) startAgain(n *node, give giver) {
	if n.flow > 1 || n.s.Outcome == policy.Succeeded || len(n.ids) == 0 {
		return
	}
	for _, variant := range []uint8{namesOrder, namesNothing} {
		next := n.clone()
		earlier := next.s.Ledger
		next.flow, next.own = 2, len(next.ids)
		next.s = flow.State{Payment: m.payment}
		e := flow.Start{Moment: moment, RequestID: requestID(n.fresh()), OrderID: orderID(n.fresh()), Earlier: earlier}
		if variant == namesOrder {
			e.OrderID = e.Earlier[next.own-1].OrderID
		}
		if m.onTarget() {
			e.ProviderID = target
		}
		m.try(&next, move{kind: moveStartAgain, variant: variant}, e, give)
	}
}

// answer is everything that the call under way can bring.
func (m *model) answer(n *node, give giver) {
	k := slices.IndexFunc(n.copies, func(c copied) bool { return c.current })
	if k < 0 {
		return
	}
	gone := n.clone()
	gone.copies = slices.Delete(gone.copies, k, k+1)
	if gone.stands(n.copies[k].id) {
		m.try(&gone, move{kind: moveNotSent}, flow.Answered{Moment: moment, Answer: policy.Answer{Fault: policy.NotSent}}, give)
	}
	for c := range m.heard[policy.Send] {
		h := &m.heard[policy.Send][c]
		m.replies(n, k, h, m.sendNames(), func(told *node, a policy.Answer, name uint8) {
			mv := move{kind: moveAnswer, id: uint8(n.copies[k].id), class: int16(c), variant: name}
			m.try(told, mv, flow.Answered{Moment: moment, Answer: a}, give)
		})
	}
}

// lateAnswers are replies to calls that the flow does not wait for any more.
func (m *model) lateAnswers(n *node, give giver) {
	for k, copied := range n.copies {
		if copied.current || copied.id < n.own || n.s.Stage == flow.Sending && n.s.Attempts == 1 {
			continue
		}
		for c := range m.heard[policy.Send] {
			h := &m.heard[policy.Send][c]
			if h.fact.Effect == policy.Unknown || h.quiet && n.s.Stage != flow.Waiting {
				continue // it says nothing new
			}
			m.replies(n, k, h, []uint8{namesNothing, namesBoth}, func(told *node, a policy.Answer, name uint8) {
				e := flow.Answered{Moment: moment, Answer: a}
				if n.s.Stage == flow.Sending {
					e.Attempt = 1 // not the one under way
				}
				mv := move{kind: moveLateAnswer, id: uint8(copied.id), class: int16(c), variant: name}
				m.try(told, mv, e, give)
			})
		}
	}
	if n.s.Attempts > 1 && n.s.Stage != flow.Ended {
		m.lateRefusals(n, give)
	}
	m.queryAnswers(n, moveLateQueryAnswer, -1, give)
}

// lateRefusals are those of requests that are over, or that were refused before: they settle
// nothing, and the flow cannot tell them from that of the last one.
func (m *model) lateRefusals(n *node, give giver) {
	for c := range m.heard[policy.Send] {
		h := &m.heard[policy.Send][c]
		if h.fact.Effect != policy.NotExecuted || h.quiet && n.s.Stage != flow.Waiting {
			continue
		}
		e := flow.Answered{Moment: moment, Answer: h.answer}
		if n.s.Stage == flow.Sending {
			e.Attempt = 1
		}
		m.try(n, move{kind: moveLateAnswer, id: uint8(n.own), class: int16(c), variant: namesAgain}, e, give)
	}
}

// replies brings an answer to one request, with what it settles, if it may be given.
func (m *model) replies(n *node, k int, h *heard, names []uint8, bring func(*node, policy.Answer, uint8)) {
	i := n.copies[k].id
	told := n
	if h.fact.Effect == policy.NotExecuted {
		told = m.refuse(n, k, h)
		if told == nil {
			return
		}
	}
	m.tell(told, h, i, names, bring)
}

// refuse is what a certain refusal of one request settles; nil if it cannot be.
func (m *model) refuse(n *node, k int, h *heard) *node {
	c := n.copies[k]
	next := n.clone()
	if m.lies.errs {
		return &next
	}
	sd := &next.ids[c.id]
	id := &n.s.Ledger[c.id]
	stored := id.Sends == 1 || m.terms.Contract.Replay == policy.FirstResult && c.deduped
	if h.fact.Stage == policy.Result && stored {
		if !sd.failed && n.free(c.id) == 0 {
			return nil
		}
		sd.failed = true
		return &next
	}
	// This one came to nothing; of the others it says nothing.
	next.copies = slices.Delete(next.copies, k, k+1)
	if !next.stands(c.id) {
		return nil
	}
	return &next
}

// stands reports whether what was told of an identity can still be so.
func (n *node) stands(i int) bool {
	sd := &n.ids[i]
	needed := int(sd.executed + sd.other)
	if sd.failed {
		needed++
	}
	if sd.accepted {
		needed = max(needed, 1)
	}
	return n.takers(i) >= needed
}

// sendNames are the ways in which the answer of a send may name its payment.
func (m *model) sendNames() []uint8 {
	names := []uint8{namesNothing, namesOther}
	if m.asksByTheirs() {
		names = append(names, namesTheirs)
	}
	return names
}

func (m *model) asksByTheirs() bool {
	return !m.onTarget() && slices.Contains(m.terms.Contract.QueryBy, policy.ProviderID)
}

// idle reports whether it makes no difference which of several such answers about an identity
// of the past is given, and this is not the first of them.
func (m *model) idle(n *node, i int, h *heard) bool {
	if !n.over(i) || n.s.Ledger[i].Effect != policy.NotExecuted || h.fact.Effect == policy.Executed {
		return false
	}
	return h.idle
}

// tell brings an answer about an identity in each way that it may be named and with each
// amount that may be true, with what it settles.
func (m *model) tell(n *node, h *heard, i int, names []uint8, bring func(*node, policy.Answer, uint8)) {
	sd := &n.ids[i]
	switch h.fact.Effect {
	case policy.Unknown, policy.NotExecuted:
		m.name(n, n, h, i, names, 0, bring)
	case policy.Pending:
		if n.takers(i) == 0 {
			return
		}
		told := n.clone()
		told.ids[i].accepted = true
		m.recall(&told, i)
		m.name(n, &told, h, i, names, 0, bring)
	case policy.Executed:
		free := n.free(i) > 0
		if h.fact.Class != policy.Mismatch && (sd.executed > 0 || free) {
			told := n.clone()
			told.ids[i].executed = max(1, sd.executed)
			m.name(n, &told, h, i, names, 0, bring)
		}
		if sd.other > 0 || free {
			told := n.clone()
			told.ids[i].other = max(1, sd.other)
			m.name(n, &told, h, i, names, otherAmount, bring)
		}
	}
}

// otherAmount marks a variant whose answer names another amount.
const otherAmount = 0x80

func (m *model) name(n, told *node, h *heard, i int, names []uint8, amount uint8, bring func(*node, policy.Answer, uint8)) {
	id := &n.s.Ledger[i]
	for _, name := range names {
		a := h.answer
		if amount != 0 {
			a.Amount = policy.OddAmount
		}
		switch {
		case a.Fault != policy.NoFault && name != namesNothing:
			continue // a call that failed names nothing
		case name == namesOrder:
			a.OrderID = id.OrderID
		case name == namesBoth:
			a.OrderID, a.RequestID = id.OrderID, id.RequestID
		case name == namesTheirs:
			a.ProviderID = "theirs of " + id.RequestID
		case name == namesOther:
			if h.fact.Effect == policy.Unknown || amount != 0 {
				continue // of which the flow makes the same
			}
			a.OrderID = "somebody-else's"
			bring(n, a, name)
			continue
		}
		bring(told, a, name|amount)
	}
}

// webhooks may come at any time, late, repeated and in any order.
func (m *model) webhooks(n *node, give giver) {
	for c := range m.heard[policy.Webhook] {
		h := &m.heard[policy.Webhook][c]
		for i := range n.ids {
			told := n
			if n.takers(i) == 0 || m.idle(n, i, h) || h.quiet && n.s.Stage != flow.Waiting {
				continue
			}
			if h.fact.Effect == policy.NotExecuted && !m.lies.forges && !m.lies.errs {
				if told = n.fail(i); told == nil {
					continue
				}
			}
			names := []uint8{namesBoth}
			if n.sharesOrder(i) {
				names = append(names, namesOrder)
			}
			if m.asksByTheirs() {
				names = append(names, namesTheirs)
			}
			m.strange(n, h, i, func(told *node, a policy.Answer) {
				a.Verified = true
				m.try(told, move{kind: moveWebhook, id: uint8(i), class: int16(c), variant: namesStranger}, flow.Received{Moment: moment, Answer: a}, give)
			})
			m.tell(told, h, i, names, func(told *node, a policy.Answer, name uint8) {
				a.Verified = true
				m.try(told, move{kind: moveWebhook, id: uint8(i), class: int16(c), variant: name}, flow.Received{Moment: moment, Answer: a}, give)
			})
		}
	}
	m.forged(n, give)
}

// forged are webhooks that anybody can have sent: they say what they like.
func (m *model) forged(n *node, give giver) {
	if n.s.Stage != flow.Waiting && n.s.Stage != flow.Ended {
		return // it is written down, and no more
	}
	for c := range m.heard[policy.Webhook] {
		h := &m.heard[policy.Webhook][c]
		if !h.quiet {
			m.try(n, move{kind: moveUnverified, class: int16(c)}, flow.Received{Moment: moment, Answer: h.answer}, give)
		}
	}
}

func (n *node) sharesOrder(i int) bool {
	for j := range n.s.Ledger {
		if j != i && n.s.Ledger[j].OrderID == n.s.Ledger[i].OrderID {
			return true
		}
	}
	return false
}

// due ends the wait, at once or late.
func (m *model) due(n *node, give giver) {
	if n.unguarded {
		m.dueUnguarded(n, give)
		return
	}
	k := n.fresh()
	e := flow.Due{Moment: moment, RequestID: requestID(k)}
	asks := func(mv move, next *node, commands []flow.Command) {
		give(mv, next, commands)
		if m.coarse || next.s.Stage != flow.Querying || next.s.Queries >= m.terms.Limits.MaxQueries || next.s.Queries < m.capped {
			return
		}
		last := next.clone() // the count of queries is not followed: any may be the last
		last.s.Queries = m.terms.Limits.MaxQueries
		mv.spent = true
		give(mv, &last, commands)
	}
	if n.s.Next.Action == policy.RetryNewOrder {
		m.try(n, move{kind: moveDue, variant: 1}, e, asks) // nobody mints an order id
		e.OrderID = orderID(k)
	}
	m.try(n, move{kind: moveDue}, e, asks)
}

// interventions are what people and processes do.
func (m *model) interventions(n *node, give giver) {
	if n.s.Stage == flow.Sending || n.s.Stage == flow.Querying {
		m.try(n, move{kind: moveResume}, flow.Resumed{Moment: moment}, give)
	}
	m.withdraw(n, give)
	for i := range n.ids {
		if n.s.Ledger[i].Effect.Settled() {
			continue
		}
		for _, effect := range []policy.Effect{policy.Executed, policy.NotExecuted} {
			told := n.clone()
			told.alien = false // who looked knows of it
			sd := &told.ids[i]
			switch {
			case effect == policy.Executed && (sd.executed > 0 || n.free(i) > 0):
				sd.executed = max(1, sd.executed)
			case effect == policy.NotExecuted && sd.executed+sd.other == 0:
				told.copies = slices.DeleteFunc(told.copies, func(c copied) bool { return c.id == i && !c.current })
				if len(told.copies) > 0 && told.copies[len(told.copies)-1].current {
					continue // nobody can know of the one under way
				}
			default:
				continue
			}
			e := flow.Resolved{Moment: moment, Identity: i, Effect: effect, Who: "somebody", Why: "who looked"}
			m.try(&told, move{kind: moveResolve, id: uint8(i), variant: uint8(effect)}, e, give)
		}
	}
}

func (m *model) withdraw(n *node, give giver) {
	if n.s.Stage != flow.Ended && n.s.Withdrawn == "" {
		m.try(n, move{kind: moveWithdraw}, flow.Withdrawn{Moment: moment, Why: "withdrawn"}, give)
	}
}

// time lets one age pass the next that matters.
func (m *model) time(n *node, give giver) {
	k := m.clock
	startRoles := uint8(roleStart)
	if len(n.ids) > n.own {
		first, _ := n.roles(n.own)
		startRoles |= first
	}
	bound := k.upper(n.started, startRoles)
	for i := range n.ids {
		first, last := n.roles(i)
		once := n.s.Ledger[i].Sends == 1
		if r, ok := k.next(n.ids[i].first, first); ok && (i <= n.own || k.age(r) < bound) {
			next := n.clone()
			next.ids[i].first = r
			if once {
				next.ids[i].last = r
			}
			if i == n.own {
				next.started = k.round(r, startRoles)
			}
			m.passed(&next, move{kind: moveTime, id: uint8(i)}, give)
		}
		if r, ok := k.next(n.ids[i].last, last); ok && !once && (i < n.own || k.age(r) < bound) {
			next := n.clone()
			next.ids[i].last = r
			m.passed(&next, move{kind: moveTime, id: uint8(i), variant: 1}, give)
		}
	}
	for c := range n.copies {
		if r, ok := k.next(n.copies[c].age, roleCopy); ok && !n.copies[c].last {
			next := n.clone()
			next.copies[c].age = r
			m.passed(&next, move{kind: moveTime, id: uint8(c), variant: 2}, give)
		}
	}
}

func (m *model) passed(next *node, mv move, give giver) {
	m.tidy(next)
	give(mv, next, nil)
}

// dueUnguarded does what the rules wanted, whatever the interlock says of it.
func (m *model) dueUnguarded(n *node, give giver) {
	next := n.clone()
	k := n.fresh()
	last := &n.s.Ledger[len(n.ids)-1]
	order, request, theirs := last.OrderID, last.RequestID, last.ProviderID
	switch n.raw {
	case policy.RetryNewRequest:
		request = requestID(k)
	case policy.RetryNewOrder:
		order, request = orderID(k), requestID(k)
	default:
	}
	next.s = flow.Sent(m.decider, n.s, moment, order, request, theirs)
	next.unguarded, next.raw = false, 0
	id := &next.s.Ledger[len(next.s.Ledger)-1]
	commands := []flow.Command{flow.Record{}, flow.Send{Identity: id, Attempt: next.s.Attempts, Action: n.raw}}
	m.carry(&next, commands)
	give(move{kind: moveDue, bent: true}, &next, commands)
}
