package otelrecourse

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// scopeName is the name of the instrumentation scope.
const scopeName = "github.com/recourse-pay/recourse/otel"

// Options are settings of an observer. The zero value means the defaults.
type Options struct {
	TracerProvider trace.TracerProvider // nil: the global one
	MeterProvider  metric.MeterProvider // nil: the global one

	// Merchants adds the merchant to metrics; spans always have it. Set it only if merchants are
	// few, because each merchant has a copy of each series.
	Merchants bool

	// KnownCode adds the provider's code to recourse.decisions: as it is if KnownCode returns
	// true, else as "_OTHER". Use the catalogue's HasCode, which bounds the number of codes. It
	// is called at each decision, by several goroutines. Nil: metrics have no codes.
	KnownCode func(provider, code string) bool
}

// observer makes the spans and metrics. Its address is the key of its span in the context of a
// call, because other observers may put their own spans into that context.
type observer struct {
	executor.NoopObserver // for the events of later versions
	options               Options
	tracer                trace.Tracer
	m                     *instruments
	series                cache[labels, *series]
	spans                 cache[spanKey, *spanSet]
	latest                latestSpans
}

// New returns an observer for [executor.Config.Observers]. Nil options mean the defaults. It
// returns the meter's error if the meter refuses an instrument.
func New(o *Options) (executor.Observer, error) {
	w := &observer{}
	if o != nil {
		w.options = *o
	}
	w.options = w.options.withDefaults()
	w.series.build, w.spans.build = newSeries, newSpanSet
	w.tracer = w.options.TracerProvider.Tracer(scopeName, trace.WithSchemaURL(semconv.SchemaURL))
	var err error
	w.m, err = newInstruments(w.options.MeterProvider.Meter(scopeName, metric.WithSchemaURL(semconv.SchemaURL)))
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (o Options) withDefaults() Options {
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	return o
}

// labels returns the labels that every metric has.
func (w *observer) labels(p *policy.Payment) labels {
	if p == nil {
		return labels{}
	}
	l := labels{provider: p.Provider, operation: p.Operation.String()}
	if w.options.Merchants {
		l.merchant = p.Merchant
	}
	return l
}

// code returns the label of a provider's code.
func (w *observer) code(p *policy.Payment, code string) string {
	switch {
	case w.options.KnownCode == nil || p == nil || code == "":
		return ""
	case !w.options.KnownCode(p.Provider, code):
		return other
	}
	return code
}
