package main

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// naive is the client that a reader of the tables writes: it believes the envelope,
// tries again after silence, answers a duplicate with a new id, polls a few times and
// then calls it failed. It is what Recourse is measured against.
func (c *client) naive() {
	c.now = c.start
	c.newOrder()
	for attempt := 1; ; attempt++ {
		answer, heard := c.send()
		c.now = heard
		if c.heardByWebhook() {
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

// reaction does what the tables say, to the letter.
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
			return policy.MarkSucceeded // the envelope said Success
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

// heardByWebhook ends the payment if a webhook has told its end already.
func (c *client) heardByWebhook() bool {
	h, ok := c.at.NextWebhook(c.now)
	if !ok {
		return false
	}
	c.hear(&h)
	c.end(c.believe(&h.Answer))
	return true
}

func (c *client) believe(a *policy.Answer) policy.Outcome {
	if c.g.engine.Judge(&c.p, a).Effect == policy.Executed {
		return policy.Succeeded
	}
	return policy.Failed
}

// poll asks a few times; what is not paid by then is called failed.
func (c *client) poll() {
	contract := c.at.Contract(c.p.Operation)
	by := contract.QueryIdentifier(c.providerID != "")
	for i := 0; i < 6 && by != ""; i++ {
		c.now = c.now.Add(time.Duration(5+c.r.IntN(10)) * time.Second << i)
		if c.heardByWebhook() {
			return
		}
		answer, heard := c.ask(by)
		c.now = heard
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
	if c.heardByWebhook() {
		return
	}
	c.end(policy.Failed)
}
