package executor

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Log returns an observer that writes one line for every event: calls, webhooks, decisions
// and waits at Debug, the end of a flow at Info, what was escalated, corrected by the interlock
// or stopped by a limit at Warn, and what contradicts an end at Error. Bodies, messages, tags
// and the URLs of errors are not logged: they are where secrets stand. A nil l is
// slog.Default().
func Log(l *slog.Logger) Observer {
	if l == nil {
		l = slog.Default()
	}
	return logger{l}
}

// logger is the observer of Log.
type logger struct{ l *slog.Logger }

// fields are the attributes of a line; the empty ones are left out.
type fields []slog.Attr

func (f *fields) text(key, value string) {
	if value != "" {
		*f = append(*f, slog.String(key, value))
	}
}

func (f *fields) number(key string, n int) {
	if n != 0 {
		*f = append(*f, slog.Int(key, n))
	}
}

func (f *fields) wait(key string, d time.Duration) {
	if d != 0 {
		*f = append(*f, slog.Duration(key, d))
	}
}

// flowFields are the attributes that every line begins with.
func flowFields(id string, p *policy.Payment) fields {
	f := make(fields, 0, 24) // room for most lines, so that appending does not allocate
	f.text("flow", id)
	if p != nil {
		f.text("provider", p.Provider)
		f.text("merchant", p.Merchant)
		f.text("operation", p.Operation.String())
		f.text("payment_key", p.Key)
	}
	return f
}

// answer adds what a provider answered. The message is left out: it may name a person.
func (f *fields) answer(a *policy.Answer) {
	f.text("fault", a.Fault.String())
	f.number("http_status", a.HTTPStatus)
	f.text("code", a.Code)
	f.text("sub_code", a.SubCode)
	f.text("status", a.Status)
	f.text("sub_status", a.SubStatus)
	f.wait("retry_after", a.RetryAfter)
}

// call adds which request a call makes.
func (f *fields) call(c *CallEvent) {
	f.text("phase", c.Phase.String())
	a := c.Attempt
	if a == nil {
		return
	}
	f.text("order_id", a.OrderID)
	f.text("request_id", a.RequestID)
	f.text("provider_id", a.ProviderID)
	if c.Phase == policy.Query {
		f.number("query", a.Number)
		f.text("query_by", string(a.By))
		f.text("query_id", a.QueryID)
		return
	}
	f.number("attempt", a.Number)
	if a.Number > 1 {
		f.text("action", a.Action.String())
	}
}

func (l logger) Calling(ctx context.Context, c *CallEvent) context.Context {
	if l.l.Enabled(ctx, slog.LevelDebug) {
		f := flowFields(c.Flow, c.Payment)
		f.call(c)
		l.l.LogAttrs(ctx, slog.LevelDebug, "calling", f...)
	}
	return ctx
}

func (l logger) Called(ctx context.Context, c *CallEvent) {
	if !l.l.Enabled(ctx, slog.LevelDebug) {
		return
	}
	f := flowFields(c.Flow, c.Payment)
	f.call(c)
	f.wait("latency", c.End.Sub(c.Start))
	f.answer(&c.Answer)
	f.text("error", errorText(c.Err))
	l.l.LogAttrs(ctx, slog.LevelDebug, "called", f...)
}

// errorText leaves out the URL that net/http puts into its errors: keys stand in queries.
func errorText(err error) string {
	var e *url.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e) && e.Err != nil:
		return e.Err.Error()
	}
	return err.Error()
}

func (l logger) WebhookReceived(ctx context.Context, w *WebhookEvent) {
	if !l.l.Enabled(ctx, slog.LevelDebug) {
		return
	}
	f := flowFields(w.Flow, w.Payment)
	f = append(f, slog.Bool("verified", w.Answer.Verified))
	f.text("order_id", w.Answer.OrderID)
	f.text("request_id", w.Answer.RequestID)
	f.text("provider_id", w.Answer.ProviderID)
	f.answer(&w.Answer)
	l.l.LogAttrs(ctx, slog.LevelDebug, "webhook", f...)
}

func (l logger) Decided(ctx context.Context, d *DecisionEvent) {
	v, level, message := &d.Decided.Verdict, slog.LevelDebug, "decided"
	switch {
	case v.Property != "":
		level, message = slog.LevelWarn, "interlock corrected the rules"
	case v.Limit != "":
		level, message = slog.LevelWarn, "limit reached"
	}
	if !l.l.Enabled(ctx, level) {
		return
	}
	f := flowFields(d.Flow, d.Payment)
	f.text("phase", d.Decided.Phase.String())
	if d.Decided.Due {
		f = append(f, slog.Bool("due", true))
	}
	f.answer(d.Decided.Answer)
	f.text("effect", d.Decided.Fact.Effect.String())
	f.text("class", d.Decided.Fact.Class.String())
	f = append(f, slog.Bool("in_doubt", d.Decided.InDoubt))
	f.text("rule", d.Decided.Decision.Rule)
	f.text("source", d.Decided.Decision.Source)
	f.text("rules", d.Set)
	if wanted := d.Decided.Decision.Action; wanted != v.Action {
		f.text("wanted", wanted.String())
	}
	f.text("action", v.Action.String())
	f.text("via", string(v.Via))
	f.text("property", string(v.Property))
	f.text("limit", v.Limit)
	f.text("schedule", v.Schedule)
	f.wait("delay", v.Delay)
	l.l.LogAttrs(ctx, level, message, f...)
}

func (l logger) Waiting(ctx context.Context, w *WaitEvent) {
	if !l.l.Enabled(ctx, slog.LevelDebug) {
		return
	}
	f := flowFields(w.Flow, w.Payment)
	f.text("action", w.Wait.Action.String())
	f.text("via", string(w.Wait.Via))
	f = append(f, slog.Time("until", w.Wait.Until))
	f.wait("delay", max(w.Wait.Until.Sub(w.At), 0))
	f.text("held", w.Held)
	l.l.LogAttrs(ctx, slog.LevelDebug, "waiting", f...)
}

func (l logger) Ended(ctx context.Context, e *EndEvent) {
	level, message := slog.LevelInfo, "ended"
	if e.Outcome == policy.Escalated {
		level, message = slog.LevelWarn, "escalated"
	}
	if !l.l.Enabled(ctx, level) {
		return
	}
	f := flowFields(e.Flow, e.Payment)
	f.text("outcome", e.Outcome.String())
	f.text("reason", e.Reason)
	if s := e.State; s != nil {
		f.text("class", s.Class.String())
		f.number("attempts", s.Attempts)
		f.number("queries", s.Queries)
		if !s.Started.IsZero() {
			f.wait("elapsed", e.At.Sub(s.Started))
		}
	}
	l.l.LogAttrs(ctx, level, message, f...)
}

func (l logger) Alerted(ctx context.Context, a *AlertEvent) {
	f := flowFields(a.Flow, a.Payment)
	f.text("reason", a.Alert.Reason)
	if s := a.State; s != nil {
		f.text("outcome", s.Outcome.String())
	}
	if said := a.Alert.Evidence.Answer; said != nil {
		f.text("phase", said.Phase.String())
		f.text("order_id", said.OrderID)
		f.text("request_id", said.RequestID)
		f.text("provider_id", said.ProviderID)
		f.answer(said)
	}
	f.text("effect", a.Alert.Evidence.Fact.Effect.String())
	l.l.LogAttrs(ctx, slog.LevelError, "contradicted after the end", f...)
}
