package otelrecourse

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// instruments are the metrics.
type instruments struct {
	callDuration metric.Float64Histogram
	decisions    metric.Int64Counter
	corrections  metric.Int64Counter
	limits       metric.Int64Counter
	webhooks     metric.Int64Counter
	held         metric.Int64Counter
	ended        metric.Int64Counter
	duration     metric.Float64Histogram
	attempts     metric.Int64Histogram
	alerts       metric.Int64Counter
}

// Boundaries of histograms. Those of calls are the conventional ones of HTTP clients, extended to
// the timeouts of payment providers. Those of flows extend to a week.
var (
	callSeconds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 30, 60}
	flowSeconds = []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86400, 3 * 86400, 7 * 86400}
	sendCounts  = []float64{0, 1, 2, 3, 4, 5, 7, 10, 20}
)

func newInstruments(m metric.Meter) (*instruments, error) {
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	counter := func(name, unit, what string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
		check(err)
		return c
	}
	seconds := func(name, what string, bounds []float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
		check(err)
		return h
	}
	i := &instruments{
		callDuration: seconds("recourse.client.call.duration", "Duration of calls to payment providers.", callSeconds),
		decisions:    counter("recourse.decisions", "{decision}", "Decisions, by action."),
		corrections:  counter("recourse.interlock.corrections", "{correction}", "Decisions of the rules that the interlock replaced by a safe one."),
		limits:       counter("recourse.limits.spent", "{limit}", "Decisions that a spent limit changed."),
		webhooks:     counter("recourse.webhooks", "{webhook}", "Webhooks that match a flow."),
		held:         counter("recourse.waits.held", "{wait}", "Due calls that the budget or the breaker delayed."),
		ended:        counter("recourse.flows.ended", "{flow}", "Ends of flows. An escalated flow ends again when its outcome is proved."),
		duration:     seconds("recourse.flow.duration", "Time from a flow's first send to its end.", flowSeconds),
		alerts:       counter("recourse.alerts", "{alert}", "Contradictions after the end of a flow."),
	}
	var err error
	i.attempts, err = m.Int64Histogram("recourse.flow.attempts", metric.WithUnit("{attempt}"),
		metric.WithDescription("Sends of a flow, at its end."), metric.WithExplicitBucketBoundaries(sendCounts...))
	check(err)
	return i, errors.Join(errs...)
}

// labels are the attributes of a measurement. Empty values are left out.
type labels struct {
	provider, merchant, operation, phase string
	fault, verified, code, class, effect string
	action, property, limit, held        string
	outcome                              string
}

// series are the options of measurements with the same labels. They are built once: building an
// attribute set for each measurement would cost allocations.
type series struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func newSeries(l labels) *series {
	a := make(attrs, 0, 12)
	a.text(keyProvider, l.provider)
	a.text(keyMerchant, l.merchant)
	a.text(keyOperation, l.operation)
	a.text(keyPhase, l.phase)
	a.text(keyError, l.fault)
	if l.verified != "" {
		a = append(a, keyVerified.Bool(l.verified == yes))
	}
	a.text(keyCode, l.code)
	a.text(keyClass, l.class)
	a.text(keyEffect, l.effect)
	a.text(keyAction, l.action)
	a.text(keyProperty, l.property)
	a.text(keyLimit, l.limit)
	a.text(keyHeldBy, l.held)
	a.text(keyOutcome, l.outcome)
	o := metric.WithAttributeSet(attribute.NewSet(a...))
	return &series{add: []metric.AddOption{o}, record: []metric.RecordOption{o}}
}

// The values of labels.verified.
const (
	yes = "yes"
	no  = "no"
)
