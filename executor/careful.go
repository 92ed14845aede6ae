package executor

import (
	"runtime/debug"

	"github.com/recourse-pay/recourse/policy"
)

// Rules, clocks and errors are the caller's code too, and are asked in goroutines of the executor's own, some with a lock held. One that panics
// there would end the process, and the next one when it resumes the flow. So what they say then is what is careful: a flow goes to a person.

// careful are the rules of a payment.
type careful struct {
	policy.Decider
	x  *Executor
	of *run // nil: of no flow
}

// broke reports a panic. A lock may be held.
func (c *careful) broke(in string, bug any) {
	e := &PanicError{In: "Rules." + in, Value: bug, Stack: debug.Stack()}
	go func() {
		if c.of != nil {
			e.Flow = c.of.id
		}
		c.x.reportError(e)
	}()
}

// Judge implements [policy.Decider]. After a panic an answer proves nothing.
func (c *careful) Judge(p *policy.Payment, a *policy.Answer) (fact policy.Fact) {
	defer func() {
		if bug := recover(); bug != nil {
			c.broke("Judge", bug)
			fact = policy.Fact{}
		}
	}()
	return c.Decider.Judge(p, a)
}

// Decide implements [policy.Decider]. After a panic a person decides.
func (c *careful) Decide(s *policy.Situation) (d policy.Decision) {
	defer func() {
		if bug := recover(); bug != nil {
			c.broke("Decide", bug)
			d = policy.Decision{Action: policy.Escalate, Reason: "the rules panicked"}
		}
	}()
	return c.Decider.Decide(s)
}

// Terms implements [policy.Decider]. After a panic the provider promises nothing, and no time is left to send.
func (c *careful) Terms(p *policy.Payment) (t *policy.Terms) {
	defer func() {
		if bug := recover(); bug != nil {
			c.broke("Terms", bug)
			t = new(policy.Terms)
		}
	}()
	return c.Decider.Terms(p)
}

// carefulRules are the rules of an executor.
type carefulRules struct {
	careful
	rules Rules
}

func newCarefulRules(x *Executor, rules Rules) *carefulRules {
	return &carefulRules{careful{Decider: rules, x: x}, rules}
}

// For implements [Rules]. After a panic nothing is sent.
func (c *carefulRules) For(p *policy.Payment) (d policy.Decider, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = &PanicError{In: "Rules.For", Value: bug, Stack: debug.Stack()}
			d = nil
			go c.x.reportError(err)
		}
	}()
	return c.rules.For(p)
}

// Read implements [Rules]; see [Executor.decode].
func (c *carefulRules) Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error) {
	return c.rules.Read(p, ph, m)
}

// carefulFunc is a function of the configuration that a lock may be held over. After a panic it returns another value.
func carefulFunc[T any](x *Executor, name string, f, instead func() T) func() T {
	return func() (value T) {
		defer func() {
			if bug := recover(); bug != nil {
				value = instead()
				go x.reportError(&PanicError{In: name, Value: bug, Stack: debug.Stack()})
			}
		}()
		return f()
	}
}

func half() float64 { return 0.5 }

// sound is an error of the caller's code that can be looked into: one that is a nil pointer in an interface panics as soon as it is asked.
func sound(err error) (whole error) {
	if err == nil {
		return nil
	}
	defer func() {
		if bug := recover(); bug != nil {
			whole = &PanicError{In: "an error that it returned", Value: bug, Stack: debug.Stack()}
		}
	}()
	_, _ = err.Error(), notTried(err)
	_ = FaultOf(err)
	return err
}
