package otelrecourse_test

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// rules returns the embedded rules.
var rules = sync.OnceValue(func() *engine.Engine {
	e, err := engine.Open("")
	if err != nil {
		panic(err)
	}
	return e
})

// testSDK is an SDK that retains everything in memory, and an observer that uses it.
type testSDK struct {
	exporter *tracetest.InMemoryExporter
	reader   *sdkmetric.ManualReader
	traces   *sdktrace.TracerProvider
	observer executor.Observer
}

func newSDK(t testing.TB, o otelrecourse.Options, with ...sdktrace.TracerProviderOption) *testSDK {
	t.Helper()
	l := &testSDK{exporter: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	l.traces = sdktrace.NewTracerProvider(append(with, sdktrace.WithSyncer(l.exporter))...)
	o.TracerProvider, o.MeterProvider = l.traces, sdkmetric.NewMeterProvider(sdkmetric.WithReader(l.reader))
	var err error
	if l.observer, err = otelrecourse.New(&o); err != nil {
		t.Fatal(err)
	}
	return l
}

// caller starts a span, like that of a web framework.
func (l *testSDK) caller(ctx context.Context, name string) (context.Context, func()) {
	ctx, span := l.traces.Tracer("test").Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func() { span.End() }
}

// newExecutor returns an executor with sequential ids and without jitter.
func (l *testSDK) newExecutor(t *testing.T, c executor.Config) *executor.Executor {
	t.Helper()
	var n atomic.Int64
	c.NewRequestID = func(*policy.Payment) string { return fmt.Sprintf("id-%d", n.Add(1)) }
	c.Jitter = func() float64 { return 0.5 }
	c.Observers = append([]executor.Observer{l.observer}, c.Observers...)
	x, err := executor.New(rules(), &c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if err := x.Close(ctx); err != nil {
			t.Log(err)
		}
	})
	return x
}

// tree prints the spans in the order of time, each below its parent.
func (l *testSDK) tree(t *testing.T) string {
	t.Helper()
	all := l.exporter.GetSpans()
	slices.SortStableFunc(all, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	known := map[trace.SpanID]tracetest.SpanStub{}
	for _, s := range all {
		known[s.SpanContext.SpanID()] = s
	}
	var b strings.Builder
	var start time.Time
	var show func(depth int, parent trace.SpanID)
	show = func(depth int, parent trace.SpanID) {
		for _, s := range all {
			up := s.Parent.SpanID()
			if _, ok := known[up]; !ok {
				up = trace.SpanID{}
			}
			if up != parent {
				continue
			}
			if start.IsZero() {
				start = s.StartTime
			}
			fmt.Fprintf(&b, "%s%s (%s) at %s for %s\n", strings.Repeat("    ", depth), s.Name, s.SpanKind, s.StartTime.Sub(start), s.EndTime.Sub(s.StartTime))
			inner := strings.Repeat("    ", depth) + "  "
			if s.Status.Code != codes.Unset {
				fmt.Fprintf(&b, "%sstatus %s: %s\n", inner, s.Status.Code, s.Status.Description)
			}
			for _, link := range s.Links {
				fmt.Fprintf(&b, "%slink to %s\n", inner, known[link.SpanContext.SpanID()].Name)
			}
			if len(s.Attributes) > 0 {
				fmt.Fprintf(&b, "%s%s\n", inner, attributes(s.Attributes))
			}
			show(depth+1, s.SpanContext.SpanID())
		}
	}
	show(0, trace.SpanID{})
	return b.String()
}

func attributes(list []attribute.KeyValue) string {
	parts := make([]string, 0, len(list))
	for _, a := range list {
		value := a.Value.String()
		switch {
		case a.Key == "recourse.flow" && strings.HasPrefix(value, "f-"):
			value = "f-1" // random; a test has one flow
		case a.Key == "recourse.source":
			value, _, _ = strings.Cut(value, ":") // line numbers change
		case strings.Contains(value, " "):
			value = fmt.Sprintf("%q", value)
		}
		parts = append(parts, string(a.Key)+"="+value)
	}
	return strings.Join(parts, " ")
}

// metrics prints every series, sorted.
func (l *testSDK) metrics(t *testing.T) string {
	t.Helper()
	var lines []string
	for _, m := range l.collect(t) {
		add := func(set attribute.Set, value string) {
			lines = append(lines, fmt.Sprintf("%s %s {%s} %s", m.Name, m.Unit, attributes(set.ToSlice()), value))
		}
		switch d := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, fmt.Sprint(p.Value))
			}
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, fmt.Sprintf("count %d, sum %g", p.Count, p.Sum))
			}
		case metricdata.Histogram[int64]:
			for _, p := range d.DataPoints {
				add(p.Attributes, fmt.Sprintf("count %d, sum %d", p.Count, p.Sum))
			}
		default:
			t.Fatalf("%s is a %T", m.Name, d)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

func (l *testSDK) collect(t *testing.T) []metricdata.Metrics {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := l.reader.Collect(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.ScopeMetrics) != 1 || got.ScopeMetrics[0].Scope.Name != "github.com/recourse-pay/recourse/otel" {
		t.Fatalf("the scopes are %v", got.ScopeMetrics)
	}
	return got.ScopeMetrics[0].Metrics
}

// wantGolden compares a text with a file in testdata, or writes the file.
func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	testkit.GoldenFile(t, filepath.Join("testdata", name+".txt"), got)
}

// sum returns the count of a metric over all its series.
func (l *testSDK) sum(t *testing.T, name string) (n int64) {
	t.Helper()
	for _, m := range l.collect(t) {
		if m.Name != name {
			continue
		}
		switch d := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range d.DataPoints {
				n += p.Value
			}
		case metricdata.Histogram[float64]:
			for _, p := range d.DataPoints {
				n += int64(p.Count)
			}
		}
	}
	return n
}

// named returns the spans of a name, in the order of their start.
func (l *testSDK) named(name string) []tracetest.SpanStub {
	all := slices.DeleteFunc(l.exporter.GetSpans(), func(s tracetest.SpanStub) bool { return s.Name != name })
	slices.SortFunc(all, func(a, b tracetest.SpanStub) int { return cmp.Compare(a.StartTime.UnixNano(), b.StartTime.UnixNano()) })
	return all
}
