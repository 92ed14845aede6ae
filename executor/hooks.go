package executor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/recourse-pay/recourse/policy"
)

// hook calls a function of the user. A panic becomes an error, so that the flow's state stays
// whole.
func (x *Executor) hook(name, flow string, call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Flow: flow, In: name, Value: p, Stack: debug.Stack()}
		}
	}()
	return call()
}

// requestID makes the request id of a new identity.
func (r *run) requestID() string {
	if id := r.nextRequestID; id != "" {
		r.nextRequestID = ""
		return id
	}
	return r.x.requestID(r.x.forever, r.id, &r.req.Payment)
}

// requestID asks NewRequestID. If that panics or stalls, a random id is used: the send must not be lost.
func (x *Executor) requestID(ctx context.Context, flow string, p *policy.Payment) string {
	if x.cfg.NewRequestID == nil {
		return newRequestID()
	}
	id, err := patiently(ctx, hookPatience, "NewRequestID", flow, func(context.Context) (string, error) { return x.cfg.NewRequestID(p), nil })
	if err != nil {
		x.reportError(err)
		return newRequestID()
	}
	return id
}

// observe calls the observers, one after another, one call at a time for a flow. The flow's lock
// may be held, and an observer may stall: so they have a goroutine of their own, which is not waited for.
func (r *run) observe(call func(Observer)) { r.observers.observe(r.x, r.id, call) }

// observe is that of a flow.
func (q *queue) observe(x *Executor, flow string, call func(Observer)) *queued {
	if q == nil {
		return nil
	}
	c := q.add(func() {
		for _, o := range x.cfg.Observers {
			err := x.hook("", flow, func() error {
				call(o)
				return nil
			})
			if p := (*PanicError)(nil); errors.As(err, &p) {
				p.In = fmt.Sprintf("%T", o)
				x.reportError(p)
			}
		}
	})
	if err := q.dropped("an observer"); err != nil {
		go x.reportError(fmt.Errorf("%w; flow %s", err, flow))
	}
	return c
}

// newObservers is the queue of a flow; nil: there are no observers.
func (x *Executor) newObservers() *queue {
	if len(x.cfg.Observers) == 0 {
		return nil
	}
	return new(queue)
}
