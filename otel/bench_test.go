package otelrecourse_test

import (
	"context"
	"testing"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/recourse-pay/recourse/executor"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"
)

// discard is an exporter that does nothing.
type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }

// BenchmarkPaidAtOnce is a payment with one call, one decision and one end.
func BenchmarkPaidAtOnce(b *testing.B) {
	ctx := context.Background()
	traces := func(s sdktrace.Sampler) *sdktrace.TracerProvider {
		p := sdktrace.NewTracerProvider(sdktrace.WithSampler(s), sdktrace.WithBatcher(discard{}))
		b.Cleanup(func() { _ = p.Shutdown(ctx) })
		return p
	}
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	off := otelrecourse.Options{TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: metricnoop.NewMeterProvider()}
	observed := func(o otelrecourse.Options) []executor.Observer {
		w, err := otelrecourse.New(&o)
		if err != nil {
			b.Fatal(err)
		}
		return []executor.Observer{w}
	}
	for _, bb := range []struct {
		name      string
		observers []executor.Observer
	}{
		{"no observer", nil},
		{"no-op observer", []executor.Observer{executor.NoopObserver{}}},
		{"no SDK", observed(off)},
		{"metrics", observed(otelrecourse.Options{TracerProvider: off.TracerProvider, MeterProvider: metrics})},
		{"metrics, spans not sampled", observed(otelrecourse.Options{TracerProvider: traces(sdktrace.NeverSample()), MeterProvider: metrics})},
		{"metrics and spans", observed(otelrecourse.Options{TracerProvider: traces(sdktrace.AlwaysSample()), MeterProvider: metrics})},
	} {
		b.Run(bb.name, func(b *testing.B) {
			x, err := executor.New(rules(), &executor.Config{Observers: bb.observers})
			if err != nil {
				b.Fatal(err)
			}
			defer x.Close(ctx)
			q := request("")
			b.ReportAllocs()
			for b.Loop() {
				if r, err := x.Do(ctx, q, &instant{}); err != nil || r.Outcome != policy.Succeeded {
					b.Fatal(r, err)
				}
			}
		})
	}
}
