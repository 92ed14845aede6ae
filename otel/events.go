package otelrecourse

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// Calling starts the span of a call.
func (w *observer) Calling(ctx context.Context, c *executor.CallEvent) context.Context {
	s := w.spansOf(c.Payment)
	kind := &s.send
	if c.Phase == policy.Query {
		kind = &s.query
	}
	ctx, span := w.start(ctx, kind, trace.WithTimestamp(c.Start), w.latest.get(c.Flow))
	w.latest.set(c.Flow, span.SpanContext())
	if span.IsRecording() {
		a := flowAttrs(9, c.Flow, c.Payment)
		a.attempt(c)
		span.SetAttributes(a...)
	}
	return context.WithValue(ctx, w, span)
}

// Called ends the span of a call.
func (w *observer) Called(ctx context.Context, c *executor.CallEvent) {
	l := w.labels(c.Payment)
	l.phase, l.fault = c.Phase.String(), c.Answer.Fault.String()
	w.m.callDuration.Record(ctx, seconds(c.Start, c.End), w.series.of(l).record...)
	span, ok := ctx.Value(w).(trace.Span)
	if !ok {
		return
	}
	w.latest.set(c.Flow, span.SpanContext()) // a webhook may have been received during the call
	if span.IsRecording() {
		a := make(attrs, 0, 8)
		a.answer(&c.Answer)
		a.text(keyProviderID, c.Answer.ProviderID)
		span.SetAttributes(a...)
		if c.Answer.Fault != policy.NoFault {
			span.SetStatus(codes.Error, errorText(c.Err, c.Answer.Fault))
		}
	}
	span.End(trace.WithTimestamp(c.End))
}

// WebhookReceived makes a span for a webhook, a child of the span of its HTTP handler.
func (w *observer) WebhookReceived(ctx context.Context, h *executor.WebhookEvent) {
	at := trace.WithTimestamp(h.At)
	ctx, span := w.start(ctx, &w.spansOf(h.Payment).webhook, at, w.latest.get(h.Flow))
	w.latest.set(h.Flow, span.SpanContext())
	if span.IsRecording() {
		a := flowAttrs(12, h.Flow, h.Payment)
		a = append(a, keyVerified.Bool(h.Answer.Verified))
		a.identifiers(&h.Answer)
		a.answer(&h.Answer)
		span.SetAttributes(a...)
		if h.Answer.Fault != policy.NoFault {
			span.SetStatus(codes.Error, h.Answer.Fault.String())
		}
	}
	span.End(at)
	l := w.labels(h.Payment)
	l.fault, l.verified = h.Answer.Fault.String(), no
	if h.Answer.Verified {
		l.verified = yes
	}
	w.m.webhooks.Add(ctx, 1, w.series.of(l).add...)
}

// Decided makes a span for a decision, a child of its call or webhook.
func (w *observer) Decided(ctx context.Context, e *executor.DecisionEvent) {
	d, at := e.Decided, trace.WithTimestamp(e.Decided.At)
	ctx, span := w.startAfter(ctx, &w.spansOf(e.Payment).decide, at, e.Flow)
	if span.IsRecording() {
		span.SetAttributes(decisionAttrs(e)...)
	}
	span.End(at)

	v, base := &d.Verdict, w.labels(e.Payment)
	l := base
	if !d.Due {
		l.phase = d.Phase.String()
		if d.Answer != nil {
			l.code = w.code(e.Payment, d.Answer.Code)
		}
	}
	l.class, l.effect, l.action = d.Fact.Class.String(), d.Fact.Effect.String(), v.Action.String()
	w.m.decisions.Add(ctx, 1, w.series.of(l).add...)
	if v.Property != "" {
		l := base
		l.property, l.action = string(v.Property), d.Decision.Action.String()
		w.m.corrections.Add(ctx, 1, w.series.of(l).add...)
	}
	if v.Limit != "" {
		l := base
		l.limit = v.Limit
		w.m.limits.Add(ctx, 1, w.series.of(l).add...)
	}
}

func decisionAttrs(e *executor.DecisionEvent) attrs {
	d, v := e.Decided, &e.Decided.Verdict
	a := flowAttrs(18, e.Flow, e.Payment)
	if !d.Due {
		a.text(keyPhase, d.Phase.String())
	}
	a.flag(keyDue, d.Due)
	a.text(keyClass, d.Fact.Class.String())
	a.text(keyEffect, d.Fact.Effect.String())
	a = append(a, keyInDoubt.Bool(d.InDoubt))
	a.text(keyRule, d.Decision.Rule)
	a.text(keySource, d.Decision.Source)
	if d.Decision.Action != v.Action {
		a.text(keyWanted, d.Decision.Action.String())
	}
	a.text(keyAction, v.Action.String())
	a.text(keyVia, string(v.Via))
	a.text(keyProperty, string(v.Property))
	a.text(keyLimit, v.Limit)
	a.text(keySchedule, v.Schedule)
	a.seconds(keyDelay, v.Delay)
	return a
}

// Waiting counts the calls that the budget or the breaker delays. It makes no span, because a
// wait may last for days.
func (w *observer) Waiting(ctx context.Context, e *executor.WaitEvent) {
	if e.Held == "" {
		return
	}
	l := w.labels(e.Payment)
	l.held, l.action = e.Held, e.Wait.Action.String()
	w.m.held.Add(ctx, 1, w.series.of(l).add...)
}

// Ended makes a span for the end of a flow, a child of the call or webhook that ended it.
func (w *observer) Ended(ctx context.Context, e *executor.EndEvent) {
	at := trace.WithTimestamp(e.At)
	ctx, span := w.startAfter(ctx, &w.spansOf(e.Payment).end, at, e.Flow)
	s := e.State
	if s == nil {
		s = &flow.State{}
	}
	if span.IsRecording() {
		a := flowAttrs(10, e.Flow, e.Payment)
		a.text(keyOutcome, e.Outcome.String())
		a.text(keyReason, e.Reason)
		a.text(keyClass, s.Class.String())
		a.number(keyAttempts, s.Attempts)
		a.number(keyQueries, s.Queries)
		if !s.Started.IsZero() {
			a.seconds(keyElapsed, max(0, e.At.Sub(s.Started)))
		}
		if e.Outcome == policy.Escalated {
			a.text(keyError, e.Outcome.String())
			span.SetStatus(codes.Error, clean(e.Reason))
		}
		span.SetAttributes(a...)
	}
	span.End(at)
	if e.Outcome != policy.Escalated { // an escalated flow may end again
		w.latest.evict(e.Flow)
	}

	l := w.labels(e.Payment)
	l.outcome = e.Outcome.String()
	byOutcome := w.series.of(l).record
	l.class = s.Class.String()
	w.m.ended.Add(ctx, 1, w.series.of(l).add...)
	if !s.Started.IsZero() {
		w.m.duration.Record(ctx, seconds(s.Started, e.At), byOutcome...)
		w.m.attempts.Record(ctx, int64(s.Attempts), byOutcome...)
	}
}

// Alerted makes a span for an alert, a child of the call or webhook that contradicts the end.
func (w *observer) Alerted(ctx context.Context, e *executor.AlertEvent) {
	at := trace.WithTimestamp(e.At)
	ctx, span := w.startAfter(ctx, &w.spansOf(e.Payment).alert, at, e.Flow)
	l := w.labels(e.Payment)
	l.effect = e.Alert.Evidence.Fact.Effect.String()
	if e.State != nil {
		l.outcome = e.State.Outcome.String()
	}
	if span.IsRecording() {
		a := flowAttrs(18, e.Flow, e.Payment)
		a.text(keyReason, e.Alert.Reason)
		a.text(keyOutcome, l.outcome)
		a.text(keyEffect, l.effect)
		if r := e.Alert.Evidence.Answer; r != nil {
			a.text(keyPhase, r.Phase.String())
			a.identifiers(r)
			a.answer(r)
		}
		a.text(keyError, "contradicted")
		span.SetAttributes(a...)
		span.SetStatus(codes.Error, clean(e.Alert.Reason))
	}
	span.End(at)
	w.m.alerts.Add(ctx, 1, w.series.of(l).add...)
}

func seconds(from, to time.Time) float64 { return max(0, to.Sub(from).Seconds()) }
