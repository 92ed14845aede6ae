// Package otelrecourse makes OpenTelemetry spans and metrics of what an executor does. [New]
// returns an [executor.Observer]. README.md beside it lists the names of all spans, metrics
// and attributes.
//
// The package is a module of its own, so that programs without OpenTelemetry do not download
// it. It uses the API only: the program chooses the SDK, the exporter and the sampler. It is
// called otelrecourse, like otelhttp, because its users import package otel as well.
//
// # Spans
//
// Each call is a CLIENT span, a child of the span in the caller's context. The client's own
// spans are children of the call. A flow has no span, because it may last for days, longer
// than backends wait for a span, and another process may end it. A decision, a webhook, an end
// and an alert are spans of zero length. They are not span events, because the call's span has
// ended when they happen, and OpenTelemetry is retiring span events. A decision is a child of
// its call or webhook. A call in the background has no caller: it starts a trace, with a link
// to the previous call of the flow. All spans of a flow have the attribute recourse.flow.
//
// The observer retains one span context for each of the latest open flows. A call of another
// process is not linked; search for recourse.flow to find it.
//
// A span has the status Error when the call had a fault, the flow was escalated, or later
// evidence contradicts the end. A decline is an answer, not an error.
//
// # Metrics
//
// The values of labels are from closed sets. Merchants and provider codes are labels only on
// demand, and codes only if [Options.KnownCode] accepts them. Identifiers, amounts and texts
// are on spans only. Bodies, messages, tags and the URLs in errors are on neither.
//
// The executor holds a flow while it calls its observers. Give the SDK a batching span
// processor, not a synchronous one.
//
// What must not enter: an SDK, an exporter, and any text of a customer on a metric.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package otelrecourse
