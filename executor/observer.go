package executor

import (
	"context"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Observer sees what happens to flows. The methods are called in order, one at a time for a flow,
// but for several flows at once. They must return soon, and must keep none of the
// pointers that they are given, and call no method of the executor. Embed [NoopObserver] to
// implement only some methods, and none that a later version adds.
type Observer interface {
	// Calling comes before a call; the context that it returns is the call's.
	Calling(ctx context.Context, c *CallEvent) context.Context
	// Called comes after it, with the same c and that context.
	Called(ctx context.Context, c *CallEvent)
	// WebhookReceived: a webhook was handed in.
	WebhookReceived(ctx context.Context, w *WebhookEvent)
	// Decided: the rules decided, and the interlock accepted or corrected it.
	Decided(ctx context.Context, d *DecisionEvent)
	// Waiting: nothing happens until a time, or until a webhook comes.
	Waiting(ctx context.Context, w *WaitEvent)
	// Ended: the flow has an outcome. An escalated one can end again, by proof.
	Ended(ctx context.Context, e *EndEvent)
	// Alerted: after the end something contradicts it.
	Alerted(ctx context.Context, a *AlertEvent)
}

// CallEvent is a send or a query.
type CallEvent struct {
	Flow    string
	Payment *policy.Payment
	Phase   policy.Phase // Send or Query
	Attempt *Attempt
	Start   time.Time

	// Known when it is over:
	End    time.Time
	Reply  Reply
	Err    error         // as the client returned it
	Answer policy.Answer // decoded, or the fault
}

// WebhookEvent is a webhook, as one about a flow.
type WebhookEvent struct {
	Flow    string
	Payment *policy.Payment
	At      time.Time
	Header  map[string]string // what the catalogue reads of it; as Query and Body nil when it was handed in decoded
	Query   string
	Body    []byte // raw
	Answer  policy.Answer
}

// DecisionEvent is a decision of the rules and the verdict of the interlock.
type DecisionEvent struct {
	Flow    string
	Payment *policy.Payment
	Decided *flow.Decided
	Before  *flow.State // the flow as it was when the answer came; nil from a [Shadow]
	Set     string      // the digest of the rules that decided, where they say it; see Engine.Digest of package engine
}

// setOf is what rules say of themselves.
func setOf(d policy.Decider) string {
	if named, ok := d.(interface{ Set() string }); ok {
		return named.Set()
	}
	return ""
}

// WaitEvent is a wait.
type WaitEvent struct {
	Flow    string
	Payment *policy.Payment
	At      time.Time
	Wait    flow.Wait
	Held    string // what holds it longer than the rules asked: "budget", "breaker" or "limit" (Config.AtOnce); else empty
}

// EndEvent is the end of a flow.
type EndEvent struct {
	Flow    string
	Payment *policy.Payment
	At      time.Time
	Outcome policy.Outcome
	Reason  string
	State   *flow.State
}

// AlertEvent is a contradiction after the end.
type AlertEvent struct {
	Flow    string
	Payment *policy.Payment
	At      time.Time
	Alert   flow.Alert
	State   *flow.State
}

// NoopObserver is an [Observer] whose methods do nothing.
type NoopObserver struct{}

// Calling implements [Observer].
func (NoopObserver) Calling(ctx context.Context, _ *CallEvent) context.Context { return ctx }

// Called implements [Observer].
func (NoopObserver) Called(context.Context, *CallEvent) {}

// WebhookReceived implements [Observer].
func (NoopObserver) WebhookReceived(context.Context, *WebhookEvent) {}

// Decided implements [Observer].
func (NoopObserver) Decided(context.Context, *DecisionEvent) {}

// Waiting implements [Observer].
func (NoopObserver) Waiting(context.Context, *WaitEvent) {}

// Ended implements [Observer].
func (NoopObserver) Ended(context.Context, *EndEvent) {}

// Alerted implements [Observer].
func (NoopObserver) Alerted(context.Context, *AlertEvent) {}
