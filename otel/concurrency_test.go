package otelrecourse_test

import (
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/recourse-pay/recourse/executor"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"
)

// With many concurrent flows no span is lost, and none is in the trace of another flow.
func TestConcurrentFlows(t *testing.T) {
	synctest.Test(t, testConcurrentFlows) // in which no time passes while an observer is busy: the executor waits a moment for it, and not more
}

func testConcurrentFlows(t *testing.T) {
	const flows = 400
	l := newSDK(t, otelrecourse.Options{Merchants: true})
	x := l.newExecutor(t, executor.Config{})
	var all sync.WaitGroup
	room := make(chan struct{}, 20) // at once
	for n := range flows {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			q := request(strconv.Itoa(n))
			q.Merchant = "m" + strconv.Itoa(n%7)
			if r, err := x.Do(t.Context(), q, &instant{}); err != nil || r.Outcome != policy.Succeeded {
				t.Error(r, err)
			}
		})
	}
	all.Wait()
	for name, want := range map[string]int64{"recourse.client.call.duration": flows, "recourse.decisions": flows, "recourse.flows.ended": flows} {
		if got := l.sum(t, name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	traces := map[string]map[string]int{}
	for _, s := range l.exporter.GetSpans() {
		id := s.SpanContext.TraceID().String()
		if traces[id] == nil {
			traces[id] = map[string]int{}
		}
		traces[id][s.Name]++
		for _, a := range s.Attributes {
			if a.Key == "recourse.flow" {
				traces[id][a.Value.AsString()]++
			}
		}
	}
	if len(traces) != flows {
		t.Errorf("%d traces, want %d", len(traces), flows)
	}
	for id, spans := range traces { // three names and one flow
		if len(spans) != 4 || spans["momo pay send"] != 1 || spans["momo pay decide"] != 1 || spans["momo pay end"] != 1 {
			t.Errorf("trace %s: %v", id, spans)
		}
	}
}
