package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// client makes one payment and records what it sends and receives.
type client struct {
	g        *generator
	r        *rand.Rand
	p        policy.Payment
	name     string
	at       *emulation.Provider
	start    time.Time
	now      time.Time
	entries  []*entry
	calls    int
	orders   int
	queries  int
	outcome  policy.Outcome
	state    flow.State // of a careful client, at its end
	reads    bool       // it reads answers from their bodies, as a real client does
	duration time.Duration

	orderID, requestID, providerID string
}

const callTimeout = 30 * time.Second

func (c *client) newOrder() {
	c.orders++
	c.orderID = fmt.Sprintf("o-%s-%d", c.name, c.orders)
	c.newRequest()
}

func (c *client) newRequest() { c.requestID = fmt.Sprintf("r-%x", c.r.Uint64()>>16) }

func (c *client) entry(phase recorded.Phase, at time.Time) *entry {
	p := policy.Payment{Merchant: c.p.Merchant}
	if phase.IsAnswer() {
		p.Provider, p.Operation = c.p.Provider, c.p.Operation
	}
	e := &entry{at: at, file: c.p.Provider, Line: recorded.Line{Flow: c.name, At: at.Truncate(time.Millisecond), Phase: phase, Payment: p}}
	c.entries = append(c.entries, e)
	return e
}

// send sends the request at c.now. It returns the answer and the time at which it arrived.
func (c *client) send() (policy.Answer, time.Time) {
	c.calls++
	d := c.call(policy.Send, providers.Request{OrderID: c.orderID, RequestID: c.requestID})
	e := c.entry(recorded.Send, c.now)
	e.Payment, e.OrderID, e.RequestID = c.p, c.orderID, c.requestID
	return c.reply(e, d)
}

// call makes a call at c.now, and gives up after callTimeout.
func (c *client) call(ph policy.Phase, r providers.Request) emulation.CallResult {
	r.Phase, r.Operations = ph, []policy.Operation{c.p.Operation}
	r.Amount, r.Currency, r.Capture = c.p.Amount, c.p.Currency, c.p.Capture
	return c.at.Call(c.now, r).Within(c.now.Add(callTimeout))
}

// reply records the result of a call. It returns the answer and the time at which it arrived.
func (c *client) reply(e *entry, d emulation.CallResult) (policy.Answer, time.Time) {
	e.Latency = d.ReceivedAt.Sub(c.now)
	e.Answer.RetryAfter = d.Answer.RetryAfter
	write(e, &d.Answer, d.Body)
	if c.reads && d.Answer.Fault == policy.NoFault {
		d.Answer = c.decoded(&d.Answer, d.Body)
	}
	if d.Answer.ProviderID != "" {
		c.providerID = d.Answer.ProviderID
	}
	return d.Answer, d.ReceivedAt
}

// decoded is an answer as a client reads it, from the body: the emulator's own lacks what proves nothing, such as an
// envelope's code, and a rule may look at that.
func (c *client) decoded(a *policy.Answer, body []byte) policy.Answer {
	read := policy.Answer{Phase: a.Phase, HTTPStatus: a.HTTPStatus, RetryAfter: a.RetryAfter, Verified: a.Verified, Currency: c.p.Currency}
	if a.Phase == policy.Webhook { // it names what it is about, as a line of a recording does
		read.OrderID, read.RequestID = a.OrderID, a.RequestID
	}
	_ = c.at.Catalog().Decode(c.p.Operation, a.Phase, body, &read) // what does not decode is the fault "unreadable"
	return read
}

// write records an answer in a line, with the raw body as the provider sends it.
func write(e *entry, a *policy.Answer, body []byte) {
	e.Answer.HTTPStatus = a.HTTPStatus
	switch a.Fault {
	case policy.NoFault:
		e.Body = body
	case policy.Unreadable: // an HTML page instead of JSON
		e.Body, _ = json.Marshal(string(body))
	default:
		e.Answer.Fault = a.Fault
	}
}

// query queries the status.
func (c *client) query(by policy.Identifier) (policy.Answer, time.Time) {
	c.queries++
	q := providers.Request{OrderID: c.orderID}
	e := c.entry(recorded.Query, c.now)
	e.QueryBy, e.OrderID, e.ProviderID = by, c.orderID, c.providerID
	e.RequestID = fmt.Sprintf("q-%s-%d", c.name, c.queries)
	switch by {
	case policy.RequestID:
		q.RequestID, e.RequestID = c.requestID, c.requestID
	case policy.ProviderID:
		q.ProviderID = c.providerID
	case policy.OrderID:
	}
	return c.reply(e, c.call(policy.Query, q))
}

func (c *client) receive(h *emulation.Webhook) {
	at := h.At
	if at.Before(c.now) {
		at = c.now
	}
	e := c.entry(recorded.Webhook, at.Truncate(time.Millisecond))
	e.OrderID, e.RequestID, e.ProviderID, e.Answer.Verified = h.OrderID, h.RequestID, h.Answer.ProviderID, h.Answer.Verified
	write(e, &h.Answer, h.Body)
}

func (c *client) end(o policy.Outcome) {
	c.outcome, c.duration = o, c.now.Sub(c.start)
	e := c.entry(recorded.End, c.now)
	e.Outcome = o
}

// afterEnd records the webhooks that arrive after the end, and the provider's executions.
func (c *client) afterEnd() {
	over := c.start.Add(46 * time.Hour)
	for h, ok := c.at.NextWebhook(over); ok; h, ok = c.at.NextWebhook(over) {
		c.receive(&h)
	}
	var all []recorded.Execution
	for _, x := range c.at.Ledger(over) {
		all = append(all, recorded.Execution{OrderID: x.OrderID, RequestID: x.RequestID, Amount: x.Amount, At: x.At.Truncate(time.Millisecond)})
	}
	e := c.entry(recorded.Truth, c.start.Add(47*time.Hour))
	e.Executions = all
}

// careful makes the payment with our own state machine and the default rules.
func (c *client) careful() {
	c.now = c.start
	c.newOrder()
	s := flow.State{Payment: c.p}
	var due time.Time
	var next flow.Event = flow.Start{Moment: c.moment(), OrderID: c.orderID, RequestID: c.requestID}
	for next != nil {
		state, commands, err := flow.Step(c.g.engine, s, next)
		if err != nil {
			panic(err)
		}
		s, next = state, nil
		for _, command := range commands {
			switch command := command.(type) {
			case flow.Send:
				answer, received := c.send()
				next = c.until(received, func() flow.Event { return flow.Answered{Moment: c.moment(), Answer: answer} })
			case flow.Ask:
				answer, received := c.query(command.By)
				next = c.until(received, func() flow.Event { return flow.Queried{Moment: c.moment(), Answer: answer} })
			case flow.Wait:
				due = command.Until
			case flow.Finish:
				c.end(command.Outcome)
			}
		}
		if next == nil && s.Stage == flow.Waiting {
			next = c.wait(&s, due)
		}
	}
	c.state = s
}

func (c *client) moment() flow.Moment { return flow.Moment{At: c.now, Jitter: c.r.Float64()} }

// until moves to the time of an answer. A webhook that arrives meanwhile comes after it.
func (c *client) until(at time.Time, then func() flow.Event) flow.Event {
	c.now = at
	return then()
}

func (c *client) wait(s *flow.State, due time.Time) flow.Event {
	if h, ok := c.at.NextWebhook(due); ok {
		if h.At.After(c.now) {
			c.now = h.At.Truncate(time.Millisecond)
		}
		c.receive(&h)
		return flow.Received{Moment: c.moment(), Answer: h.Answer}
	}
	if due.Sub(c.start) > 45*time.Hour {
		return nil // longer than a recording's window: the flow stays open
	}
	c.now = due.Add(time.Millisecond).Truncate(time.Millisecond)
	e := flow.Due{Moment: c.moment()}
	switch s.Next.Action {
	case policy.RetryNewRequest:
		c.newRequest()
	case policy.RetryNewOrder:
		c.newOrder()
	default: // the same request, or no request
	}
	e.RequestID, e.OrderID = c.requestID, c.orderID
	return e
}
