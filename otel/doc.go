// Package otelrecourse makes OpenTelemetry spans and metrics of what an executor does. Its
// [New] gives an [executor.Observer]; README.md beside it lists every name.
//
// It is a module of its own, so that nobody who does not want OpenTelemetry gets it, and it
// uses the API only: which SDK, exporter and sampler is the program's choice. It is called
// otelrecourse, as otelhttp is, because whoever imports it imports package otel as well.
//
// # Spans
//
// Every call is a CLIENT span, a child of what stands in the caller's context; what the client
// does with its context nests below. A flow has no span: it may last for days, longer than
// any backend waits for one, and another process may end it. What is decided, heard, ended and
// alerted are spans of no length in place of span events, which OpenTelemetry is retiring, and
// which have no span to stand on here: the call is over when they happen. A decision is a child of
// the call or webhook that it is about. A call in the background, which has no caller any more, begins
// a trace and is linked to the flow's previous one. All spans of a flow share the attribute recourse.flow.
//
// The observer remembers one span context per open flow, of the latest ones only. What another
// process sent is not linked; recourse.flow still finds it.
//
// A span is an error when the call had a fault, the flow was escalated, or its end is
// contradicted. A refusal is an answer and no error.
//
// # Metrics
//
// Labels are words of closed sets. Merchants and provider codes are told apart only on demand,
// codes only those that [Options.KnownCode] knows. Identifiers, amounts and texts stand on spans
// at most; bodies, messages, tags and the URLs of errors nowhere.
//
// The executor calls its observers while it holds a flow: give the SDK a batching span processor,
// not a synchronous one.
package otelrecourse
