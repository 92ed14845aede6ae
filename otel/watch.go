package otelrecourse

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/recourse-pay/recourse/executor"
)

// gauges are the metrics of an executor as a whole. They are read when the SDK collects.
type gauges struct {
	x       *executor.Executor
	options Options

	flows, breakers, queue, stuck, notices, memory metric.Int64ObservableGauge
	oldest, stalled, lag                           metric.Float64ObservableGauge
	puts, failures                                 metric.Int64ObservableCounter
	putTime                                        metric.Float64ObservableCounter
}

// Watch makes metrics of how an executor stands: unsettled flows and the age of the oldest, breakers that
// are not closed, the journal, the sweeper, and owed calls of hooks. Nil options mean the defaults. stop
// ends it; call it before the executor is closed. README.md lists the metrics, docs/operate.md says what to
// do about them, and alerts.yaml holds rules for Prometheus.
func Watch(x *executor.Executor, o *Options) (stop func() error, err error) {
	g := &gauges{x: x}
	if o != nil {
		g.options = *o
	}
	g.options = g.options.withDefaults()
	m := g.options.MeterProvider.Meter(scopeName, metric.WithSchemaURL(semconv.SchemaURL))
	all, err := g.make(m)
	if err != nil {
		return nil, err
	}
	registration, err := m.RegisterCallback(g.observe, all...)
	if err != nil {
		return nil, err
	}
	return registration.Unregister, nil
}

func (g *gauges) make(m metric.Meter) (all []metric.Observable, err error) {
	var errs []error
	number := func(name, unit, what string) metric.Int64ObservableGauge {
		i, err := m.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
		errs, all = append(errs, err), append(all, i)
		return i
	}
	seconds := func(name, what string) metric.Float64ObservableGauge {
		i, err := m.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(what))
		errs, all = append(errs, err), append(all, i)
		return i
	}
	counter := func(name, what string) metric.Int64ObservableCounter {
		i, err := m.Int64ObservableCounter(name, metric.WithUnit("{put}"), metric.WithDescription(what))
		errs, all = append(errs, err), append(all, i)
		return i
	}
	g.flows = number("recourse.flows", "{flow}", "Flows that are not settled, by standing.")
	g.oldest = seconds("recourse.flows.oldest", "For how long the oldest of them has stood so.")
	g.breakers = number("recourse.breakers", "{breaker}", "Breakers that are not closed.")
	g.queue = number("recourse.journal.queue", "{put}", "Puts that have not returned.")
	g.stalled = seconds("recourse.journal.stalled", "For how long no put has returned, while some are under way.")
	g.puts = counter("recourse.journal.puts", "Puts that had to be on stable storage.")
	g.failures = counter("recourse.journal.failures", "Puts that failed.")
	g.putTime, err = m.Float64ObservableCounter("recourse.journal.put.time", metric.WithUnit("s"), metric.WithDescription("Time that those puts took, together."))
	errs, all = append(errs, err), append(all, g.putTime)
	g.lag = seconds("recourse.sweeper.lag", "Time since the sweeper's last pass ended.")
	g.stuck = number("recourse.sweeper.stuck", "{flow}", "Flows that the sweeper could not continue.")
	g.notices = number("recourse.notices.owed", "{notice}", "Calls of OnEscalate and OnAlert that are owed.")
	g.memory = number("recourse.flows.memory", "{flow}", "Flows in memory.")
	return all, errors.Join(errs...)
}

// observe reports what the executor says now.
func (g *gauges) observe(ctx context.Context, o metric.Observer) error {
	s, err := g.x.Stats(ctx) // with an error the rest is there
	g.observeFlows(o, s)
	g.observeBreakers(o, s)
	o.ObserveInt64(g.queue, s.Journal.Queue)
	o.ObserveFloat64(g.stalled, s.Journal.Stalled.Seconds())
	o.ObserveInt64(g.puts, s.Journal.Synced)
	o.ObserveInt64(g.failures, s.Journal.Failed)
	o.ObserveFloat64(g.putTime, s.Journal.Waited.Seconds())
	o.ObserveFloat64(g.lag, s.Sweeper.Lag.Seconds())
	o.ObserveInt64(g.stuck, int64(s.Sweeper.Stuck))
	o.ObserveInt64(g.notices, int64(s.Notices))
	o.ObserveInt64(g.memory, int64(s.Memory))
	return err
}

// standing is a group of flows that share their labels.
type standing struct{ standing, provider, merchant string }

func (g *gauges) observeFlows(o metric.Observer, s *executor.Stats) {
	counts, oldest := map[standing]int64{}, map[standing]time.Time{}
	for _, t := range s.Flows {
		at := standing{standing: t.Standing, provider: t.Provider}
		if g.options.Merchants {
			at.merchant = t.Merchant
		}
		counts[at] += int64(t.Count)
		if first, known := oldest[at]; !known || t.Oldest.Before(first) {
			oldest[at] = t.Oldest
		}
	}
	for at, n := range counts {
		var a attrs
		a.text(keyStanding, at.standing)
		a.text(keyProvider, at.provider)
		a.text(keyMerchant, at.merchant)
		with := metric.WithAttributeSet(attribute.NewSet(a...))
		o.ObserveInt64(g.flows, n, with)
		o.ObserveFloat64(g.oldest, max(0, time.Since(oldest[at]).Seconds()), with)
	}
}

func (g *gauges) observeBreakers(o metric.Observer, s *executor.Stats) {
	counts := map[attribute.Distinct]int64{}
	sets := map[attribute.Distinct]attribute.Set{}
	for _, b := range s.Breakers {
		var a attrs
		a.text(keyProvider, b.Provider)
		if g.options.Merchants {
			a.text(keyMerchant, b.Merchant)
		}
		a.text(keyOperation, b.Operation.String())
		a.text(keyPhase, map[bool]string{true: "query", false: "send"}[b.Query])
		a.text(keyState, b.State)
		set := attribute.NewSet(a...)
		counts[set.Equivalent()]++
		sets[set.Equivalent()] = set
	}
	for id, set := range sets {
		o.ObserveInt64(g.breakers, counts[id], metric.WithAttributeSet(set))
	}
}
