package executor

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Shadow follows code that makes its own calls and draws its own conclusions. It returns what
// Recourse would have done. It sends nothing and writes nothing into the journal. Its observers
// see a flow, so a recording of it can be made and simulated. It is safe for concurrent use.
type Shadow struct {
	x         *Executor
	id        string
	req       Request
	observers *queue

	mu         sync.Mutex
	state      flow.State
	advice     flow.Decided
	objections []string
}

// Shadow begins to follow a payment. Of the request the payment and the provider's id are used;
// the order ids are those under which the watched code sends.
func (x *Executor) Shadow(q Request) (*Shadow, error) {
	if _, err := x.rules.For(&q.Payment); err != nil {
		return nil, err
	}
	id, _ := x.newIDs()
	s := &Shadow{x: x, id: id, req: q, observers: x.newObservers()}
	s.state.Payment = q.Payment
	return s, nil
}

// Sending is called before the watched code sends, and what it returns after: with the
// reply, as a [Client] gives it. That says what would have been done about it.
func (s *Shadow) Sending(ctx context.Context, orderID, requestID string) func(Reply, error) flow.Decided {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.x.moment()
	if s.state.Stage != flow.New {
		action := policy.RetryNewRequest
		for i := range s.state.Ledger {
			if s.state.Ledger[i].OrderID == orderID && s.state.Ledger[i].RequestID == requestID {
				action = policy.RetrySame
			}
		}
		s.addObjection(now, action, fmt.Sprintf("sent as order %s, request %s", orderID, requestID))
	}
	s.state = flow.Sent(s.x.rules, s.state, now, orderID, requestID, s.req.ProviderID)
	return s.beginCall(ctx, policy.Send, &Attempt{OrderID: orderID, RequestID: requestID, Number: s.state.Attempts})
}

// Querying is [Shadow.Sending] for a status query.
func (s *Shadow) Querying(ctx context.Context) func(Reply, error) flow.Decided {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Stage == flow.New {
		return func(Reply, error) flow.Decided { return flow.Decided{} }
	}
	s.state = flow.Asked(s.x.rules, s.state, s.x.moment())
	id := &s.state.Ledger[len(s.state.Ledger)-1]
	return s.beginCall(ctx, policy.Query, &Attempt{
		OrderID: id.OrderID, RequestID: id.RequestID, ProviderID: id.ProviderID, By: s.state.AskedBy,
		QueryID: s.x.requestID(ctx, s.id, &s.req.Payment), Number: s.state.Queries,
	})
}

// beginCall reports a call to the observers, and returns how to report its end. The lock is held.
func (s *Shadow) beginCall(ctx context.Context, phase policy.Phase, a *Attempt) func(Reply, error) flow.Decided {
	a.Flow, a.Payment, a.Data = s.id, &s.req.Payment, s.req.Data
	e := &CallEvent{Flow: s.id, Payment: &s.req.Payment, Phase: phase, Attempt: a, Start: s.x.clock.now()}
	ctx, e = s.observers.calling(ctx, s.x, s.id, e)
	return func(reply Reply, err error) flow.Decided {
		defer s.observers.settle()
		s.mu.Lock()
		defer s.mu.Unlock()
		e.Reply, e.Err = reply, err
		e.Answer, _ = s.x.interpret(&s.req.Payment, phase, &e.Reply, err)
		e.End = s.x.clock.now()
		s.observers.observe(s.x, s.id, func(o Observer) { o.Called(ctx, e) })
		if phase == policy.Send {
			ofAttempt(&e.Answer, a.OrderID, a.RequestID)
		}
		if phase == policy.Query {
			return s.step(flow.Queried{Moment: s.x.moment(), Answer: e.Answer, Query: a.Number})
		}
		return s.step(flow.Answered{Moment: s.x.moment(), Answer: e.Answer, Attempt: a.Number})
	}
}

// Received takes a webhook.
func (s *Shadow) Received(ctx context.Context, w Webhook) flow.Decided {
	_ = s.x.verify(ctx, &w)
	defer s.observers.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	d := decoding{x: s.x, w: &w}
	a := d.answer(&s.req.Payment)
	e := &WebhookEvent{Flow: s.id, Payment: &s.req.Payment, At: s.x.clock.now(), Body: bytes.Clone(w.Body), Answer: a}
	s.observers.observe(s.x, s.id, func(o Observer) { o.WebhookReceived(ctx, e) })
	return s.step(flow.Received{Moment: s.x.moment(), Answer: a})
}

// step applies an event and keeps the decision. Its commands are not carried out.
func (s *Shadow) step(e flow.Event) flow.Decided {
	next, commands, err := flow.Step(s.x.rules, s.state, e)
	if err != nil {
		return s.advice
	}
	s.state = next
	for _, c := range commands {
		d, ok := c.(flow.Decided)
		if !ok {
			continue
		}
		s.advice = d
		s.observers.observe(s.x, s.id, func(o Observer) {
			o.Decided(s.x.forever, &DecisionEvent{Flow: s.id, Payment: &s.req.Payment, Decided: &d})
		})
	}
	return s.advice
}

// Ended is called when the watched code has concluded. It returns what it did, and
// concluded, that Recourse would not have let it: that is the harm that it prevents.
func (s *Shadow) Ended(ctx context.Context, o policy.Outcome) []string {
	defer s.observers.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.x.moment()
	switch o {
	case policy.Succeeded:
		s.addObjection(now, policy.MarkSucceeded, "marked succeeded")
	case policy.Failed:
		s.addObjection(now, policy.MarkFailed, "marked failed")
	case policy.Escalated, policy.Open:
	}
	state := s.state
	s.observers.observe(s.x, s.id, func(w Observer) {
		w.Ended(ctx, &EndEvent{Flow: s.id, Payment: &s.req.Payment, At: now.At, Outcome: o, Reason: "concluded by the watched code", State: &state})
	})
	return s.objections
}

// addObjection records an action that the interlock would have forbidden.
func (s *Shadow) addObjection(now flow.Moment, a policy.Action, what string) {
	if p := flow.Breaks(s.x.rules, &s.state, a, now); p != "" {
		s.objections = append(s.objections, fmt.Sprintf("%s: %s (%s)", what, objectionReason(p, &s.state), p))
	}
}

// objectionReason says in words why a property would break.
func objectionReason(p flow.Property, s *flow.State) string {
	executed := 0
	for i := range s.Ledger {
		if s.Ledger[i].Effect == policy.Executed {
			executed++
		}
	}
	switch {
	case p == flow.S3 && executed > 1:
		return "it has executed more than once"
	case p == flow.S3:
		return "the provider has not proved it"
	case p == "S6":
		return "the provider says that it is disputed"
	case s.InDoubt():
		return "an earlier request may still execute"
	}
	return "an earlier request has executed"
}
