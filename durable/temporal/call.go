package temporal

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// callIn is a call that is to be made.
type callIn struct {
	Rules   string          `json:"rules"`
	Flow    string          `json:"flow"`
	Call    next            `json:"call"`
	Payment stored.Payment  `json:"payment"`
	Data    []byte          `json:"data,omitempty"`
	Version int64           `json:"version,omitempty"` // of a send: Row follows it
	Row     json.RawMessage `json:"row,omitempty"`     // of a send: what is written ahead
}

// callOut is what came of it. An activity that returns none of these leaves its call in doubt.
type callOut struct {
	Answer  stored.Answer  `json:"answer"`
	Shopper stored.Shopper `json:"shopper,omitzero"`
	Error   string         `json:"error,omitempty"` // for the story

	Claimed bool   `json:"claimed,omitempty"` // Row is stored, by this activity or one before it
	Taken   bool   `json:"taken,omitempty"`   // another run has gone on from Version
	Refused string `json:"refused,omitempty"` // another flow has the payment key: nothing is sent any more
}

// notSent is the outcome of an activity that did not make its call, and knows it.
func notSent(why error) *callOut {
	return &callOut{Answer: stored.Answer{Phase: policy.Send, Fault: policy.NotSent}, Error: why.Error()}
}

// inDoubt is that of one that knows nothing of the call.
func inDoubt(why error) *callOut {
	return &callOut{Answer: stored.Answer{Phase: policy.Send, Fault: policy.Timeout}, Error: why.Error()}
}

// send writes ahead, and sends. The row that it puts is the claim to one attempt: of all runs of the workflow that ever
// come to this attempt, after a reset, in another cluster, one gets it. It returns no error: whatever this activity does
// not know is a doubt.
func (h *host) send(ctx context.Context, in callIn) (*callOut, error) {
	f, err := stored.Decode(in.Row)
	if err == nil {
		err = h.wrongRules(in.Flow, in.Rules)
	}
	if err != nil {
		return notSent(err), nil
	}
	until := h.until(ctx, in.Call.At)
	client := h.d.o.Clients[f.State.Payment.Provider]
	switch {
	case client == nil:
		return notSent(fmt.Errorf("this worker has no client of %s", f.State.Payment.Provider)), nil
	case !time.Now().Before(until):
		return notSent(errors.New("the send's deadline had passed before a worker took it")), nil
	case !f.State.NotAfter.IsZero() && !time.Now().Before(f.State.NotAfter):
		return notSent(errors.New("Request.NotAfter has passed")), nil
	}
	if out := h.claim(ctx, &in, until); out != nil {
		return out, nil
	}
	state := f.State.State()
	if out := h.recheck(ctx, &in, &state); out != nil {
		out.Claimed = true
		return out, nil
	}
	in.Data = f.Request.Data
	return h.call(ctx, &in, client, &state.Payment, policy.Send, until), nil
}

// until is the deadline by this machine's clock, or earlier: its clock may be behind the server's.
func (h *host) until(ctx context.Context, deadline time.Time) time.Time {
	if left := deadline.Sub(activity.GetInfo(ctx).StartedTime); time.Now().Add(left).Before(deadline) {
		return time.Now().Add(left)
	}
	return deadline
}

// claim puts the row of a send. Nil: this activity has it, and may send.
func (h *host) claim(ctx context.Context, in *callIn, until time.Time) *callOut {
	for {
		err := h.put(ctx, in.Flow, in.Version+1, in.Row)
		open := (*journal.OpenError)(nil)
		switch {
		case err == nil:
			return nil
		case errors.As(err, &open):
			out := notSent(err)
			out.Refused = fmt.Sprintf("flow %s of the same payment key is open", open.ID)
			return out
		case !errors.Is(err, journal.ErrConflict):
			// The row may be stored. If it is, this activity has the attempt, and does not send.
			return notSent(err)
		}
		got, failed := h.d.o.Journal.Get(ctx, in.Flow)
		held := failed == nil && got.Version == in.Version || in.Version == 0 && errors.Is(failed, journal.ErrNotFound)
		switch {
		case held && time.Now().Add(claimEvery).Before(until): // another worker's process holds the flow for a moment
			time.Sleep(claimEvery)
			continue
		case held:
			return notSent(err)
		case failed != nil:
			return inDoubt(errors.Join(err, failed))
		}
		out := inDoubt(errors.New("another run of the workflow has this attempt"))
		out.Claimed = got.Version == in.Version+1 && bytes.Equal(got.State, in.Row)
		out.Taken = !out.Claimed
		return out
	}
}

const claimEvery = 50 * time.Millisecond

// recheck looks at the other flows of the key and of the order once more: one that began beside this one has its row in the
// journal now, or will find this one's. Nil: none of them moved money, as far as this flow does not know it.
func (h *host) recheck(ctx context.Context, in *callIn, s *flow.State) *callOut {
	id := in.Flow
	taken, err := h.orderTaken(ctx, id, &s.Payment, in.Call.OrderID, in.Call.ProviderID)
	if err != nil {
		return notSent(err)
	}
	if taken != "" {
		out := notSent(errors.New(taken))
		out.Refused = taken
		return out
	}
	rows, err := h.d.o.Journal.ByKey(ctx, keyOf(&s.Payment))
	if err != nil {
		return notSent(err)
	}
	for i := range rows {
		if rows[i].ID == id {
			continue
		}
		other, err := readRow(&rows[i])
		if err != nil {
			return notSent(err)
		}
		for _, n := range other.State.State().Ledger {
			j := stored.IndexOf(s.Ledger, &n)
			if stored.NoneExecuted([]flow.Identity{n}) || j >= 0 && !stored.NoneExecuted(s.Ledger[j:j+1]) {
				continue
			}
			out := notSent(errors.New("the payment key was served meanwhile"))
			out.Refused = fmt.Sprintf("order %s, request %s of flow %s, which has the same payment key: %s", n.OrderID, n.RequestID, rows[i].ID, n.Effect)
			return out
		}
	}
	return nil
}

// query asks for the status.
func (h *host) query(ctx context.Context, in callIn) (*callOut, error) {
	client := h.d.o.Clients[in.Payment.Provider]
	p := policy.Payment(in.Payment)
	var out *callOut
	switch err := h.wrongRules(in.Flow, in.Rules); {
	case err != nil:
		out = inDoubt(err)
	case client == nil:
		out = inDoubt(fmt.Errorf("this worker has no client of %s", p.Provider))
	default:
		out = h.call(ctx, &in, client, &p, policy.Query, h.until(ctx, in.Call.At))
	}
	out.Answer.Phase = policy.Query
	return out, nil
}

// call makes the call.
func (h *host) call(ctx context.Context, in *callIn, client executor.Client, p *policy.Payment, phase policy.Phase, until time.Time) *callOut {
	c := &in.Call
	a := executor.Attempt{
		Flow: in.Flow, Payment: p, Data: in.Data, OrderID: c.OrderID, RequestID: c.RequestID, ProviderID: c.ProviderID,
		Number: c.Number, Action: c.Action, Deadline: until,
	}
	if phase == policy.Query {
		a.By, a.QueryID = c.By, rand.Text()
	}
	answer, shopper, err := a.Make(ctx, h.rules, client, phase)
	if ctx.Err() != nil && answer.Fault == policy.NotSent {
		answer.Fault = policy.Timeout // a worker that stops cancels its calls, and what a client makes of that proves nothing
	}
	out := &callOut{Answer: stored.Answer(answer), Shopper: stored.Shopper(shopper), Claimed: phase == policy.Send}
	if err != nil { // its text is not for histories: there are URLs with keys in it, and whatever a client says
		activity.GetLogger(ctx).Warn("a call has no answer", "flow", in.Flow, "call", c.Do, "number", c.Number, "error", err)
		out.Error = "an error of the client, " + answer.Fault.String() + "; the worker's log has it"
	}
	out.shorten()
	return out
}

// shorten keeps what a provider says from filling the history, which would end the workflow: the row that an answer goes into is
// written in each step.
func (o *callOut) shorten() {
	if n := sizeOf(o.Shopper); n > largestAnswer {
		o.Shopper, o.Error = stored.Shopper{}, fmt.Sprintf("what the shopper must do next has %d bytes; at most %d are kept", n, largestAnswer)
	}
	if n := sizeOf(o.Answer); n > largestAnswer {
		o.Answer = stored.Answer{Phase: o.Answer.Phase, Fault: policy.Unreadable, HTTPStatus: o.Answer.HTTPStatus}
		o.Error = fmt.Sprintf("the answer has %d bytes; at most %d are read", n, largestAnswer)
	}
}

// Sizes, in bytes of JSON. Temporal ends a workflow that exceeds its limits (2 MB for each value).
const (
	largestAnswer = 16 << 10
	largestRow    = 256 << 10 // of a flow that begins
)

func sizeOf(v any) int {
	text, err := json.Marshal(v)
	if err != nil {
		return math.MaxInt
	}
	return len(text)
}
