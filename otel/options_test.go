package otelrecourse_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	otelrecourse "github.com/recourse-pay/recourse/otel"
)

// global returns an observer of the global providers, which are set after it was made. Global
// providers can be set only once.
var global = sync.OnceValue(func() *testSDK {
	o, err := otelrecourse.New(nil)
	if err != nil {
		panic(err)
	}
	l := &testSDK{exporter: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader(), observer: o}
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(l.exporter)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(l.reader)))
	return l
})

func TestGlobalProviders(t *testing.T) {
	l := global()
	reportAll(context.Background(), l.observer)
	spans := l.exporter.GetSpans()
	if len(spans) == 0 {
		t.Fatal("no spans")
	}
	if scope := spans[0].InstrumentationScope; scope.Name != "github.com/recourse-pay/recourse/otel" || !strings.HasPrefix(scope.SchemaURL, "https://opentelemetry.io/schemas/") {
		t.Errorf("the scope is %+v", scope)
	}
	if l.sum(t, "recourse.flows.ended") == 0 {
		t.Error("no metrics")
	}
}

// refusingProvider has a meter that refuses an instrument.
type refusingProvider struct{ noop.MeterProvider }

type refusingMeter struct{ noop.Meter }

var errRefused = errors.New("refused")

func (refusingProvider) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

func (refusingMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errRefused
}

func TestRefusedInstrument(t *testing.T) {
	if o, err := otelrecourse.New(&otelrecourse.Options{MeterProvider: refusingProvider{}}); o != nil || !errors.Is(err, errRefused) {
		t.Errorf("%v, %v", o, err)
	}
}
