package otelrecourse

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/recourse-pay/recourse/policy"
)

// spanKey is the first part of a span's name.
type spanKey struct {
	provider  string
	operation policy.Operation
}

// spanSet has the kinds of spans of a provider and an operation.
type spanSet struct{ send, query, webhook, decide, end, alert spanKind }

// spanKind is the name and the fixed options of a span. They are built once, because a payment
// has several spans and each option costs an allocation.
type spanKind struct {
	name    string
	options []trace.SpanStartOption
}

func newSpanSet(k spanKey) *spanSet {
	provider, operation := clean(k.provider), k.operation.String()
	if provider == "" {
		provider = other
	}
	named := func(what string, kind trace.SpanKind, more ...attribute.KeyValue) spanKind {
		all := append([]attribute.KeyValue{keyProvider.String(provider), keyOperation.String(operation)}, more...)
		return spanKind{
			name:    provider + " " + operation + " " + what,
			options: []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(all...)},
		}
	}
	peer := semconv.ServicePeerName(provider)
	return &spanSet{
		send:    named("send", trace.SpanKindClient, peer, keyPhase.String(policy.Send.String())),
		query:   named("query", trace.SpanKindClient, peer, keyPhase.String(policy.Query.String())),
		webhook: named("webhook", trace.SpanKindInternal, keyPhase.String(policy.Webhook.String())),
		decide:  named("decide", trace.SpanKindInternal),
		end:     named("end", trace.SpanKindInternal),
		alert:   named("alert", trace.SpanKindInternal),
	}
}

func (w *observer) spansOf(p *policy.Payment) *spanSet {
	if p == nil {
		return w.spans.of(spanKey{})
	}
	return w.spans.of(spanKey{p.Provider, p.Operation})
}

// start starts a child of the span in ctx. It links the flow's previous span, if that is in
// another trace.
func (w *observer) start(ctx context.Context, k *spanKind, at trace.SpanEventOption, previous trace.SpanContext) (context.Context, trace.Span) {
	options := make([]trace.SpanStartOption, 0, 4)
	options = append(options, k.options...)
	options = append(options, at)
	if previous.IsValid() && previous.TraceID() != trace.SpanContextFromContext(ctx).TraceID() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: previous}))
	}
	return w.tracer.Start(ctx, k.name, options...) //nolint:spancheck // the caller ends the span
}

// startAfter starts a span for the result of a call or a webhook. It is a child of the span in ctx,
// or of the flow's latest span if ctx has none.
func (w *observer) startAfter(ctx context.Context, k *spanKind, at trace.SpanEventOption, flow string) (context.Context, trace.Span) {
	previous := w.latest.get(flow)
	if previous.IsValid() && !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, previous)
	}
	return w.start(ctx, k, at, previous)
}
