package otelrecourse_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"
)

// mute is a client whose provider never answers, or is in maintenance.
type mute struct{ shut bool }

func (m mute) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	if m.shut {
		return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "10"}}, nil
	}
	return executor.Reply{}, context.DeadlineExceeded
}

func (mute) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, context.DeadlineExceeded
}

// points are the values of the metrics, as text, by name and attributes.
func points(t *testing.T, reader sdkmetric.Reader) map[string]float64 {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					all[fmt.Sprint(m.Name, p.Attributes.ToSlice())] = float64(p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					all[fmt.Sprint(m.Name, p.Attributes.ToSlice())] = p.Value
				}
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					all[fmt.Sprint(m.Name, p.Attributes.ToSlice())] = float64(p.Value)
				}
			case metricdata.Sum[float64]:
				for _, p := range d.DataPoints {
					all[fmt.Sprint(m.Name, p.Attributes.ToSlice())] = p.Value
				}
			}
		}
	}
	return all
}

func TestWatch(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	j := journal.NewMemory()
	x, err := executor.New(rules(), &executor.Config{Journal: j})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close(context.Background())
	stop, err := otelrecourse.Watch(x, &otelrecourse.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), Merchants: true})
	if err != nil {
		t.Fatal(err)
	}
	pay := func(key string, c executor.Client) {
		p := policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: key, Amount: 7, Currency: "VND"}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		h, err := x.Start(ctx, executor.Request{Payment: p, OrderID: key}, c)
		if err != nil {
			t.Fatal(err)
		}
		for s := h.State(); s.Stage == "sending" || s.Stage == ""; s = h.State() {
			continue
		}
	}
	pay("a", mute{})
	pay("b", mute{})
	got := points(t, reader)
	const where = `[{"recourse.merchant":"acme"} {"recourse.provider":"momo"} {"recourse.standing":"in_doubt"}]`
	for name, want := range map[string]float64{
		"recourse.flows" + where: 2, "recourse.flows.memory[]": 2, "recourse.journal.failures[]": 0, "recourse.journal.queue[]": 0,
		"recourse.journal.stalled[]": 0, "recourse.notices.owed[]": 0, "recourse.sweeper.stuck[]": 0,
	} {
		if value, known := got[name]; !known || value != want {
			t.Errorf("%s is %g (%t), want %g; there are %v", name, value, known, want, got)
		}
	}
	for _, name := range []string{"recourse.flows.oldest" + where, "recourse.sweeper.lag[]", "recourse.journal.put.time[]", "recourse.journal.puts[]"} {
		if got[name] <= 0 {
			t.Errorf("%s is %g", name, got[name])
		}
	}
	// The journal fails: its flows are not known, and all else is.
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	var rest metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rest); !errors.Is(err, journal.ErrClosed) || len(rest.ScopeMetrics) != 1 || len(rest.ScopeMetrics[0].Metrics) < 8 {
		t.Errorf("with a closed journal: %v, %v", err, rest)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if left := points(t, reader); len(left) != 0 {
		t.Errorf("after stop: %v", left)
	}
}
