package otelrecourse_test

import (
	"context"
	"fmt"
	"runtime"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"
)

// The spans of a payment are children of the caller's span. A program gives its own exporters to
// the SDK. Most programs set the global providers, which New(nil) uses.
func Example() {
	spans := tracetest.NewInMemoryExporter()
	tracing := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	rules, err := engine.Open("")
	if err != nil {
		panic(err)
	}
	observer, err := otelrecourse.New(&otelrecourse.Options{
		TracerProvider: tracing,
		MeterProvider:  sdkmetric.NewMeterProvider(),
		KnownCode: func(provider, code string) bool {
			c, err := rules.Catalogs.Get(provider)
			return err == nil && c.HasCode(code)
		},
	})
	if err != nil {
		panic(err)
	}
	x, err := executor.New(rules, &executor.Config{Observers: []executor.Observer{observer}})
	if err != nil {
		panic(err)
	}
	ctx, span := tracing.Tracer("shop").Start(context.Background(), "POST /checkout")
	result, err := x.Do(ctx, executor.Request{
		Payment: policy.Payment{Provider: "momo", Operation: policy.Pay, Key: "cart-77", Amount: 120_000, Currency: "VND"},
		OrderID: "o-1",
	}, &instant{})
	if err != nil {
		panic(err)
	}
	for len(spans.GetSpans()) < 3 { // Do waits a moment for an observer, and not more
		runtime.Gosched()
	}
	span.End()
	fmt.Println(result.Outcome)
	for _, s := range spans.GetSpans() {
		fmt.Println(s.Name)
	}
	if err := x.Close(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// succeeded
	// momo pay send
	// momo pay decide
	// momo pay end
	// POST /checkout
}
