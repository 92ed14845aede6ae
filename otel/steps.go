package otelrecourse

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/recourse-pay/recourse/policy"
)

// subject is what spans are named after.
type subject struct {
	provider  string
	operation policy.Operation
}

// steps are the spans that a subject has.
type steps struct{ send, query, webhook, decide, end, alert step }

// step is what all spans of one name have in common.
type step struct {
	name    string
	options []trace.SpanStartOption
}

func newSteps(s subject) *steps {
	provider, operation := clean(s.provider), s.operation.String()
	if provider == "" {
		provider = other
	}
	named := func(what string, kind trace.SpanKind, more ...attribute.KeyValue) step {
		all := append([]attribute.KeyValue{keyProvider.String(provider), keyOperation.String(operation)}, more...)
		return step{
			name:    provider + " " + operation + " " + what,
			options: []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(all...)},
		}
	}
	peer := semconv.ServicePeerName(provider)
	return &steps{
		send:    named("send", trace.SpanKindClient, peer, keyPhase.String(policy.Send.String())),
		query:   named("query", trace.SpanKindClient, peer, keyPhase.String(policy.Query.String())),
		webhook: named("webhook", trace.SpanKindInternal, keyPhase.String(policy.Webhook.String())),
		decide:  named("decide", trace.SpanKindInternal),
		end:     named("end", trace.SpanKindInternal),
		alert:   named("alert", trace.SpanKindInternal),
	}
}

func (w *observer) stepsOf(p *policy.Payment) *steps {
	if p == nil {
		return w.steps.of(subject{})
	}
	return w.steps.of(subject{p.Provider, p.Operation})
}

// start begins a span below the context's, linked to what came earlier in the flow.
func (w *observer) start(ctx context.Context, s *step, at trace.SpanEventOption, earlier trace.SpanContext) (context.Context, trace.Span) {
	options := make([]trace.SpanStartOption, 0, 4)
	options = append(options, s.options...)
	options = append(options, at)
	if earlier.IsValid() && earlier.TraceID() != trace.SpanContextFromContext(ctx).TraceID() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: earlier}))
	}
	return w.tracer.Start(ctx, s.name, options...)
}

// follow is start for what comes of a call or a webhook: it is a child of that, unless the
// context knows better.
func (w *observer) follow(ctx context.Context, s *step, at trace.SpanEventOption, flow string) (context.Context, trace.Span) {
	earlier := w.trail.last(flow)
	if earlier.IsValid() && !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, earlier)
	}
	return w.start(ctx, s, at, earlier)
}
