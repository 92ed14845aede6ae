package otelrecourse

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

// ScopeName is the name of the instrumentation scope.
const ScopeName = "github.com/recourse-pay/recourse/otel"

// Options are what an observer is made with. The zero value works.
type Options struct {
	TracerProvider trace.TracerProvider // nil: the global one
	MeterProvider  metric.MeterProvider // nil: the global one

	// Merchants puts the merchant on metrics; it is on spans anyway. Set it when they are few:
	// every series exists once per merchant.
	Merchants bool

	// KnownCode puts the provider's code on recourse.decisions: those that it knows as they are,
	// every other as "_OTHER". A catalogue's HasCode is meant, which bounds them. It is called
	// for every decision, by several goroutines. Nil: metrics hold no codes.
	KnownCode func(provider, code string) bool
}

// observer watches flows. Its address is the key of its span in a call's context: others may
// put spans of their own around the call.
type observer struct {
	executor.Unobserved // of what a later version adds
	o                   Options
	tracer              trace.Tracer
	m                   *instruments
	series              cache[labels, *series]
	steps               cache[subject, *steps]
	trail               trail
}

// New returns an observer for [executor.Config.Observers]. o may be nil. The error is that of
// the meter, when it refuses an instrument.
func New(o *Options) (executor.Observer, error) {
	w := &observer{}
	if o != nil {
		w.o = *o
	}
	w.o = w.o.withDefaults()
	w.series.build, w.steps.build = newSeries, newSteps
	w.tracer = w.o.TracerProvider.Tracer(ScopeName, trace.WithSchemaURL(semconv.SchemaURL))
	var err error
	w.m, err = newInstruments(w.o.MeterProvider.Meter(ScopeName, metric.WithSchemaURL(semconv.SchemaURL)))
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

// labels are those that every metric has.
func (w *observer) labels(p *policy.Payment) labels {
	if p == nil {
		return labels{}
	}
	l := labels{provider: p.Provider, operation: p.Operation.String()}
	if w.o.Merchants {
		l.merchant = p.Merchant
	}
	return l
}

// code is the label of a provider's code.
func (w *observer) code(p *policy.Payment, code string) string {
	switch {
	case w.o.KnownCode == nil || p == nil || code == "":
		return ""
	case !w.o.KnownCode(p.Provider, code):
		return other
	}
	return code
}
