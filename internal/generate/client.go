package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// fault is what goes wrong with one send.
type fault int

const (
	fine       fault = iota
	notSent          // refused connection
	lost             // the request never arrives; the client waits in vain
	late             // it arrives after the client gave up
	dropped          // it is processed; the answer is lost
	reset            // it is processed; the connection breaks
	unreadable       // it is processed; a proxy answers in its stead
	faultKinds
)

// client makes one payment and writes down what it sees.
type client struct {
	g       *generator
	r       *rand.Rand
	p       policy.Payment
	name    string
	world   *emulator.World
	faults  []fault
	start   time.Time
	now     time.Time
	entries []*entry
	calls   int
	orders  int
	asks    int
	told    []emulator.Hook // webhooks that were written down
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

func (c *client) entry(phase string, at time.Time) *entry {
	e := &entry{
		V: 1, Flow: c.name, At: at.UTC().Format(layout), Phase: phase, Provider: c.p.Provider, Merchant: c.p.Merchant,
		Operation: c.p.Operation.String(), at: at, file: c.p.Provider,
	}
	c.entries = append(c.entries, e)
	return e
}

// send makes the call at c.now and returns what the client heard, and when.
func (c *client) send() (policy.Answer, time.Time) {
	c.calls++
	f := fine
	if len(c.faults) > 0 {
		f, c.faults = c.faults[0], c.faults[1:]
	}
	latency := time.Duration(80+c.r.IntN(1900)) * time.Millisecond
	arrives := c.now.Add(latency / 2)
	answer := policy.Answer{Phase: policy.Send}
	switch f {
	case notSent:
		answer.Fault, latency = policy.NotSent, 5*time.Millisecond
	case lost:
		answer.Fault, latency = policy.Timeout, callTimeout
	case late:
		c.world.Arrive(c.now.Add(callTimeout+time.Duration(1+c.r.IntN(400))*time.Second), c.orderID, c.requestID)
		answer.Fault, latency = policy.Timeout, callTimeout
	case dropped:
		c.world.Arrive(arrives, c.orderID, c.requestID)
		answer.Fault, latency = policy.Timeout, callTimeout
	case reset:
		c.world.Arrive(arrives, c.orderID, c.requestID)
		answer.Fault = policy.Reset
	case unreadable:
		c.world.Arrive(arrives, c.orderID, c.requestID)
		answer.Fault, answer.HTTPStatus = policy.Unreadable, 502
	default:
		answer = c.world.Arrive(arrives, c.orderID, c.requestID)
	}
	e := c.entry("send", c.now)
	e.PaymentKey, e.OrderID, e.RequestID = c.p.Key, c.orderID, c.requestID
	e.Amount, e.Currency, e.Capture = c.p.Amount, c.p.Currency, c.p.Capture.String()
	heard := c.now.Add(latency)
	c.write(e, &answer, latency, heard)
	if answer.ProviderID != "" {
		c.providerID = answer.ProviderID
	}
	return answer, heard
}

// write puts an answer into a line: the raw body, as the provider sends it.
func (c *client) write(e *entry, a *policy.Answer, latency time.Duration, heard time.Time) {
	e.LatencyMS, e.HTTPStatus = latency.Milliseconds(), a.HTTPStatus
	if a.Fault == policy.Unreadable {
		e.Body, _ = json.Marshal("<html><body><h1>502 Bad Gateway</h1></body></html>")
		return
	}
	if e.Fault = a.Fault.String(); a.Fault != policy.NoFault {
		return
	}
	body, ok := c.world.Body(a, heard)
	if !ok {
		body = []byte("{}")
	}
	e.Body = body
}

// ask makes a status query.
func (c *client) ask(by policy.Identifier) (policy.Answer, time.Time) {
	c.asks++
	latency := time.Duration(40+c.r.IntN(600)) * time.Millisecond
	answer := policy.Answer{Phase: policy.Query}
	if c.r.IntN(25) == 0 {
		answer.Fault, latency = policy.Timeout, callTimeout
	} else {
		request := ""
		if by == policy.RequestID {
			request = c.requestID
		}
		answer = c.world.Query(c.now.Add(latency/2), c.orderID, request)
	}
	e := c.entry("query", c.now)
	e.QueryBy, e.OrderID, e.ProviderID = string(by), c.orderID, c.providerID
	e.RequestID = fmt.Sprintf("q-%s-%d", c.name, c.asks)
	if by == policy.RequestID {
		e.RequestID = c.requestID
	}
	heard := c.now.Add(latency)
	c.write(e, &answer, latency, heard)
	if answer.ProviderID != "" {
		c.providerID = answer.ProviderID
	}
	return answer, heard
}

// hook returns the next webhook that was not written down, if it comes by a time.
func (c *client) hook(by time.Time) *emulator.Hook {
	var next *emulator.Hook
	hooks := c.world.Hooks()
	for i := range hooks {
		h := &hooks[i]
		if !h.At.After(by) && !c.wasTold(h) && (next == nil || h.At.Before(next.At)) {
			next = h
		}
	}
	return next
}

func (c *client) wasTold(h *emulator.Hook) bool {
	for i := range c.told {
		if c.told[i].RequestID == h.RequestID && c.told[i].OrderID == h.OrderID && c.told[i].At.Equal(h.At) {
			return true
		}
	}
	return false
}

func (c *client) hear(h *emulator.Hook) {
	c.told = append(c.told, *h)
	at := h.At
	if at.Before(c.now) {
		at = c.now
	}
	e := c.entry("webhook", at.Truncate(time.Millisecond))
	e.OrderID, e.RequestID, e.ProviderID, e.Verified = h.OrderID, h.RequestID, h.Answer.ProviderID, h.Answer.Verified
	c.write(e, &h.Answer, 0, at)
}

func (c *client) end(o policy.Outcome) {
	c.outcome, c.lasted = o, c.now.Sub(c.start)
	e := c.entry("end", c.now)
	e.Provider, e.Operation, e.Outcome = "", "", o.String()
}

// aftermath writes the webhooks that come after the end, and the truth.
func (c *client) aftermath() {
	over := c.start.Add(46 * time.Hour)
	for h := c.hook(over); h != nil; h = c.hook(over) {
		c.hear(h)
	}
	all := []executed{}
	for _, x := range c.world.Ledger(over) {
		all = append(all, executed{x.OrderID, x.RequestID, x.Amount, x.At.UTC().Format(layout)})
	}
	e := c.entry("truth", c.start.Add(47*time.Hour))
	e.Provider, e.Operation, e.Executions = "", "", &all
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
	if h := c.hook(due); h != nil {
		if h.At.After(c.now) {
			c.now = h.At.Truncate(time.Millisecond)
		}
		c.hear(h)
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
