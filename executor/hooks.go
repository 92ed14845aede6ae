package executor

import (
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
	return r.x.requestID(r.id, &r.req.Payment)
}

// requestID asks NewRequestID. If that panics a random id is used: the send must not be lost.
func (x *Executor) requestID(flow string, p *policy.Payment) (id string) {
	if x.cfg.NewRequestID == nil {
		return newRequestID()
	}
	err := x.hook("NewRequestID", flow, func() error {
		id = x.cfg.NewRequestID(p)
		return nil
	})
	if err != nil {
		x.reportError(err)
		id = newRequestID()
	}
	return id
}

// observe calls the observers, one after another, one call at a time for a flow. The flow's lock
// may be held, so panics are reported in another goroutine: OnError may use the executor.
func (r *run) observe(call func(Observer)) {
	r.observerMu.Lock()
	defer r.observerMu.Unlock()
	for _, o := range r.x.cfg.Observers {
		err := r.x.hook("", r.id, func() error {
			call(o)
			return nil
		})
		if p := (*PanicError)(nil); errors.As(err, &p) {
			p.In = fmt.Sprintf("%T", o)
			go r.x.reportError(p)
		}
	}
}
