// Package prometheus shows the metrics of an executor to Prometheus, by OpenTelemetry's own exporter: see
// the example. alerts.yaml beside package otel holds rules for them; the tests of this package hold both to
// each other. It exports nothing, and is a module of its own for what its tests import.
package prometheus
