package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/decisions"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// decisionLog holds the flags of the decision log.
type decisionLog struct {
	dir   string
	size  byteSize
	every time.Duration
}

// begin opens the log, gives it to the service and shows its counts. Without a folder there is none.
func (d *decisionLog) begin(o *service.Options, registry *client.Registry) (end func() error, err error) {
	if d.dir == "" {
		return func() error { return nil }, nil
	}
	if d.every < time.Minute {
		return nil, fmt.Errorf("--decision-log-every %s: it must be a minute or more", d.every)
	}
	l, err := decisions.Open(d.dir, decisions.Options{Size: int64(d.size), Every: d.every, Say: o.Log})
	if err != nil {
		return nil, err
	}
	rules := o.Rules
	rules.Now().Digest() // each decision says it from now on
	o.Decisions = l
	o.Observers = append(o.Observers, l.Flows(func(digest string) *ruleset.Engine {
		if digest == "" {
			return rules.Now()
		}
		return rules.Named(digest)
	}))
	count := func(name, help string, of func(decisions.Stats) int64) {
		registry.MustRegister(client.NewCounterFunc(client.CounterOpts{Name: name, Help: help}, func() float64 { return float64(of(l.Stats())) }))
	}
	count("recourse_decision_log_lines_total", "Lines of the decision log that were written.", func(s decisions.Stats) int64 { return s.Written })
	count("recourse_decision_log_not_again_total", "Those of which the decision cannot be made again.", func(s decisions.Stats) int64 { return s.NotAgain })
	for _, why := range decisions.Reasons() {
		registry.MustRegister(client.NewCounterFunc(client.CounterOpts{
			Name: "recourse_decision_log_dropped_total", Help: "Lines of the decision log that were lost: full: too many waited; unwritable: the format cannot hold it; unwritten: the disk did not take it until the end.",
			ConstLabels: client.Labels{"why": why.String()},
		}, func() float64 { s := l.Stats(); return float64(s.Dropped[why]) }))
	}
	registry.MustRegister(client.NewGaugeFunc(client.GaugeOpts{Name: "recourse_decision_log_waiting_bytes", Help: "What waits to be written."},
		func() float64 { return float64(l.Stats().Waiting) }))
	registry.MustRegister(client.NewGaugeFunc(client.GaugeOpts{Name: "recourse_decision_log_failing", Help: "1 while the disk does not take it."},
		func() float64 {
			if l.Stats().Failing {
				return 1
			}
			return 0
		}))
	return l.Close, nil
}

// byteSize is a flag such as 100MB.
type byteSize int64

// leastSize keeps a log from being a folder of many small files.
const leastSize = 1 << 20

// String implements [pflag.Value].
func (b *byteSize) String() string {
	if *b == 0 {
		return "256MB"
	}
	return strconv.FormatInt(int64(*b), 10)
}

// Type implements [pflag.Value].
func (*byteSize) Type() string { return "size" }

// Set implements [pflag.Value].
func (b *byteSize) Set(text string) error {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"", 1}} {
		digits, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n > 1<<50/unit.bytes || n*unit.bytes < leastSize {
			break
		}
		*b = byteSize(n * unit.bytes)
		return nil
	}
	return fmt.Errorf("a size is a whole number of bytes, kB, MB or GB, and at least 1 MiB; 256MB is one")
}
