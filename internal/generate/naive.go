package main

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// naive makes the payment as a client that follows the provider's tables: it trusts the
// envelope, sends again after a timeout, answers a duplicate with a new id, polls a few times
// and then marks the payment failed. Recourse is measured against it.
func (c *client) naive() {
	c.now = c.start
	c.newOrder()
	for attempt := 1; ; attempt++ {
		answer, received := c.send()
		c.now = received
		if c.endedByWebhook() {
			return
		}
		next := c.reaction(&answer)
		if attempt == 4 && next != policy.MarkSucceeded && next != policy.QueryStatus {
			next = policy.MarkFailed
		}
		switch next {
		case policy.MarkSucceeded:
			c.end(policy.Succeeded)
			return
		case policy.QueryStatus:
			c.poll()
			return
		case policy.RetrySame:
		case policy.RetryNewRequest:
			c.newRequest()
		case policy.RetryNewOrder:
			c.newOrder()
		default:
			c.end(policy.Failed)
			return
		}
		c.now = c.now.Add(time.Duration(1+c.r.IntN(20)) * time.Second)
	}
}

// reaction returns the action that the tables recommend.
func (c *client) reaction(a *policy.Answer) policy.Action {
	if a.Fault == policy.Timeout || a.Fault == policy.Reset || a.Fault == policy.NotSent || a.Fault == policy.Unreadable {
		return policy.RetrySame
	}
	f := c.g.engine.Judge(&c.p, a)
	switch f.Class {
	case policy.Success, policy.Authorized:
		return policy.MarkSucceeded
	case policy.DuplicateRequest:
		return policy.RetryNewRequest
	case policy.DuplicateOrder:
		return policy.RetryNewOrder
	case policy.Processing:
		if c.p.Provider == "opi" && c.r.IntN(3) == 0 {
			return policy.MarkSucceeded // the envelope holds Success
		}
		return policy.QueryStatus
	case policy.CustomerAction, policy.NotYet:
		return policy.QueryStatus
	case policy.ProviderError, policy.NetworkError, policy.ChannelError:
		return policy.RetryNewRequest // "try again later"
	case policy.Maintenance, policy.RateLimited:
		return policy.RetryNewRequest
	default:
		return policy.MarkFailed
	}
}

// endedByWebhook ends the payment if a webhook has arrived. It reports whether it did.
func (c *client) endedByWebhook() bool {
	h, ok := c.at.NextWebhook(c.now)
	if !ok {
		return false
	}
	c.receive(&h)
	c.end(c.outcomeOf(&h.Answer))
	return true
}

func (c *client) outcomeOf(a *policy.Answer) policy.Outcome {
	if c.g.engine.Judge(&c.p, a).Effect == policy.Executed {
		return policy.Succeeded
	}
	return policy.Failed
}

// poll queries a few times. A payment that is not paid by then is marked failed.
func (c *client) poll() {
	contract := c.at.Contract(c.p.Operation)
	by := contract.QueryIdentifier(c.providerID != "")
	for i := 0; i < 6 && by != ""; i++ {
		c.now = c.now.Add(time.Duration(5+c.r.IntN(10)) * time.Second << i)
		if c.endedByWebhook() {
			return
		}
		answer, received := c.query(by)
		c.now = received
		if answer.Fault != policy.NoFault {
			continue
		}
		switch f := c.g.engine.Judge(&c.p, &answer); {
		case f.Effect == policy.Executed || f.Class == policy.Authorized:
			c.end(policy.Succeeded)
			return
		case f.Effect == policy.NotExecuted, f.Class == policy.NotFound:
			c.end(policy.Failed)
			return
		}
	}
	c.now = c.now.Add(time.Minute)
	if c.endedByWebhook() {
		return
	}
	c.end(policy.Failed)
}
