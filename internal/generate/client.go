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

// client makes one payment and writes down what it sees.
type client struct {
	g       *generator
	r       *rand.Rand
	p       policy.Payment
	name    string
	at      *emulation.Provider
	start   time.Time
	now     time.Time
	entries []*entry
	calls   int
	orders  int
	asks    int
	outcome policy.Outcome
	lasted  time.Duration

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

// send makes the call at c.now and returns what the client heard, and when.
func (c *client) send() (policy.Answer, time.Time) {
	c.calls++
	d := c.call(policy.Send, providers.Request{OrderID: c.orderID, RequestID: c.requestID})
	e := c.entry(recorded.Send, c.now)
	e.Payment, e.OrderID, e.RequestID = c.p, c.orderID, c.requestID
	return c.heard(e, d)
}

// call makes a call at c.now, and waits for it as long as a client does.
func (c *client) call(ph policy.Phase, r providers.Request) emulation.CallResult {
	r.Phase, r.Operations = ph, []policy.Operation{c.p.Operation}
	r.Amount, r.Currency, r.Capture = c.p.Amount, c.p.Currency, c.p.Capture
	return c.at.Call(c.now, r).Within(c.now.Add(callTimeout))
}

// heard writes what a call came to, and returns what the client heard, and when.
func (c *client) heard(e *entry, d emulation.CallResult) (policy.Answer, time.Time) {
	e.Latency = d.ReceivedAt.Sub(c.now)
	e.Answer.RetryAfter = d.Answer.RetryAfter
	write(e, &d.Answer, d.Body)
	if d.Answer.ProviderID != "" {
		c.providerID = d.Answer.ProviderID
	}
	return d.Answer, d.ReceivedAt
}

// write puts an answer into a line: the raw body, as the provider sends it.
func write(e *entry, a *policy.Answer, body []byte) {
	e.Answer.HTTPStatus = a.HTTPStatus
	switch a.Fault {
	case policy.NoFault:
		e.Body = body
	case policy.Unreadable: // a page, which is no JSON
		e.Body, _ = json.Marshal(string(body))
	default:
		e.Answer.Fault = a.Fault
	}
}

// ask makes a status query.
func (c *client) ask(by policy.Identifier) (policy.Answer, time.Time) {
	c.asks++
	q := providers.Request{OrderID: c.orderID}
	e := c.entry(recorded.Query, c.now)
	e.QueryBy, e.OrderID, e.ProviderID = by, c.orderID, c.providerID
	e.RequestID = fmt.Sprintf("q-%s-%d", c.name, c.asks)
	switch by {
	case policy.RequestID:
		q.RequestID, e.RequestID = c.requestID, c.requestID
	case policy.ProviderID:
		q.ProviderID = c.providerID
	case policy.OrderID:
	}
	return c.heard(e, c.call(policy.Query, q))
}

func (c *client) hear(h *emulation.Webhook) {
	at := h.At
	if at.Before(c.now) {
		at = c.now
	}
	e := c.entry(recorded.Webhook, at.Truncate(time.Millisecond))
	e.OrderID, e.RequestID, e.ProviderID, e.Answer.Verified = h.OrderID, h.RequestID, h.Answer.ProviderID, h.Answer.Verified
	write(e, &h.Answer, h.Body)
}

func (c *client) end(o policy.Outcome) {
	c.outcome, c.lasted = o, c.now.Sub(c.start)
	e := c.entry(recorded.End, c.now)
	e.Outcome = o
}

// aftermath writes the webhooks that come after the end, and the truth.
func (c *client) aftermath() {
	over := c.start.Add(46 * time.Hour)
	for h, ok := c.at.NextWebhook(over); ok; h, ok = c.at.NextWebhook(over) {
		c.hear(&h)
	}
	var all []recorded.Execution
	for _, x := range c.at.Ledger(over) {
		all = append(all, recorded.Execution{OrderID: x.OrderID, RequestID: x.RequestID, Amount: x.Amount, At: x.At.Truncate(time.Millisecond)})
	}
	e := c.entry(recorded.Truth, c.start.Add(47*time.Hour))
	e.Executions = all
}

// careful drives our own machine with the default rules.
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
				answer, heard := c.send()
				next = c.until(heard, func() flow.Event { return flow.Answered{Moment: c.moment(), Answer: answer} })
			case flow.Ask:
				answer, heard := c.ask(command.By)
				next = c.until(heard, func() flow.Event { return flow.Queried{Moment: c.moment(), Answer: answer} })
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
}

func (c *client) moment() flow.Moment { return flow.Moment{At: c.now, Jitter: c.r.Float64()} }

// until moves to the time of an answer. A webhook that comes meanwhile is told after it.
func (c *client) until(at time.Time, then func() flow.Event) flow.Event {
	c.now = at
	return then()
}

func (c *client) wait(s *flow.State, due time.Time) flow.Event {
	if h, ok := c.at.NextWebhook(due); ok {
		if h.At.After(c.now) {
			c.now = h.At.Truncate(time.Millisecond)
		}
		c.hear(&h)
		return flow.Received{Moment: c.moment(), Answer: h.Answer}
	}
	if due.Sub(c.start) > 45*time.Hour {
		return nil // longer than a recording's window: left open
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
