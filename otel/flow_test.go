package otelrecourse_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/recourse-pay/recourse/executor"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"
)

// scriptedClient replies with the codes of a test; the last code is repeated. An empty code means
// no reply.
type scriptedClient struct {
	tracer         trace.Tracer // of the client's own spans; may be nil
	sends, queries []string

	mu                    sync.Mutex
	sendCount, queryCount int
}

func (b *scriptedClient) Send(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
	return b.answer(ctx, &b.sendCount, b.sends)
}

func (b *scriptedClient) Query(ctx context.Context, _ *executor.Attempt) (executor.Reply, error) {
	return b.answer(ctx, &b.queryCount, b.queries)
}

func (b *scriptedClient) answer(ctx context.Context, calls *int, codes []string) (executor.Reply, error) {
	if b.tracer != nil {
		_, span := b.tracer.Start(ctx, "POST", trace.WithSpanKind(trace.SpanKindClient))
		defer span.End()
	}
	b.mu.Lock()
	n := *calls
	*calls++
	b.mu.Unlock()
	code := codes[min(n, len(codes)-1)]
	if code == "" {
		<-ctx.Done()
		return executor.Reply{}, ctx.Err()
	}
	time.Sleep(200 * time.Millisecond) // virtual
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: code}}, nil
}

func request(key string) executor.Request {
	return executor.Request{
		Payment: policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: key, Amount: 120_000, Currency: "VND"},
		OrderID: "o-" + key, RequestID: "r-" + key,
	}
}

// No reply, a query that finds the payment pending, and another that finds it paid. All spans are
// below the caller's span, and the client's own spans are below the calls.
func TestCallsAreChildrenOfTheirCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSDK(t, otelrecourse.Options{})
		x := l.newExecutor(t, executor.Config{})
		ctx, end := l.caller(t.Context(), "POST /checkout")
		r, err := x.Do(ctx, request("1"), &scriptedClient{tracer: l.traces.Tracer("http"), sends: []string{""}, queries: []string{"7000", "0"}})
		if err != nil || r.Outcome != policy.Succeeded {
			t.Fatal(r, err)
		}
		end()
		wantGolden(t, "paid-after-silence-spans", l.tree(t))
		wantGolden(t, "paid-after-silence-metrics", l.metrics(t))
	})
}

// A flow in the background has no caller. Each call starts a trace with a link to the previous
// call. The webhook has a caller, and a link to the previous call.
func TestBackgroundCallsAreLinked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSDK(t, otelrecourse.Options{})
		x := l.newExecutor(t, executor.Config{})
		h, err := x.Start(t.Context(), request("2"), &scriptedClient{sends: []string{"7000"}, queries: []string{"7000"}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // virtual
		ctx, end := l.caller(t.Context(), "POST /ipn")
		if err := x.Notify(ctx, executor.Webhook{Provider: "momo", Verified: true, Answer: &policy.Answer{Code: "0", OrderID: "o-2"}}); err != nil {
			t.Fatal(err)
		}
		end()
		if r, err := h.Wait(t.Context()); err != nil || r.Outcome != policy.Succeeded {
			t.Fatal(r, err)
		}
		wantGolden(t, "background-spans", l.tree(t))
		wantGolden(t, "background-metrics", l.metrics(t))
	})
}

// When the caller's context ends, the flow continues, with links to the caller's trace.
func TestCallerContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSDK(t, otelrecourse.Options{})
		ended := make(chan struct{})
		x := l.newExecutor(t, executor.Config{Observers: []executor.Observer{onEnd{end: func() { close(ended) }}}})
		ctx, end := l.caller(t.Context(), "POST /checkout")
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if _, err := x.Do(ctx, request("7"), &scriptedClient{sends: []string{""}, queries: []string{"0"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		end()
		<-ended
		wantGolden(t, "caller-context-ends-spans", l.tree(t))
	})
}

// onEnd calls a function when a flow ends.
type onEnd struct {
	executor.NoopObserver
	end func()
}

func (o onEnd) Ended(context.Context, *executor.EndEvent) { o.end() }

// A decline is not an error; an escalation is one.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSDK(t, otelrecourse.Options{})
		x := l.newExecutor(t, executor.Config{})
		if r, err := x.Do(t.Context(), request("3"), &scriptedClient{sends: []string{"1001"}}); err != nil || r.Outcome != policy.Failed {
			t.Fatal(r, err)
		}
		wantGolden(t, "refused-spans", l.tree(t))
		l.exporter.Reset()
		r, err := x.Do(t.Context(), request("4"), &scriptedClient{sends: []string{""}, queries: []string{""}})
		if err != nil || r.Outcome != policy.Escalated {
			t.Fatal(r, err)
		}
		ends := l.named("momo pay end")
		if len(ends) != 1 || ends[0].Status.Code.String() != "Error" || ends[0].Status.Description != r.Reason {
			t.Errorf("the spans of the escalation are %v", ends)
		}
		if got := len(l.named("momo pay query")); got != r.State().Queries || got == 0 {
			t.Errorf("%d spans of %d queries", got, r.State().Queries)
		}
		if got := l.sum(t, "recourse.limits.spent"); got != 1 {
			t.Errorf("%d limits were spent:\n%s", got, l.metrics(t))
		}
	})
}

// In shadow mode, spans are children of the span in the shadowed code's context.
func TestShadow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSDK(t, otelrecourse.Options{})
		x := l.newExecutor(t, executor.Config{})
		s, err := x.Shadow(request("8"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := l.caller(t.Context(), "POST /checkout")
		s.Sending(ctx, "o-8", "r-8")(executor.Reply{Answer: &policy.Answer{Code: "7000"}}, nil)
		end()
		ctx, end = l.caller(t.Context(), "GET /status")
		s.Ended(ctx, policy.Failed)
		end()
		wantGolden(t, "shadow-spans", l.tree(t))
	})
}

// Metrics count a flow that the caller's sampler drops.
func TestNotSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSDK(t, otelrecourse.Options{}, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())))
		x := l.newExecutor(t, executor.Config{})
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, Remote: true,
		}))
		if _, err := x.Do(ctx, request("5"), &scriptedClient{sends: []string{"0"}}); err != nil {
			t.Fatal(err)
		}
		if got := l.exporter.GetSpans(); len(got) != 0 {
			t.Errorf("spans:\n%s", l.tree(t))
		}
		if got := l.sum(t, "recourse.flows.ended"); got != 1 {
			t.Errorf("%d flows ended", got)
		}
	})
}

// foreignObserver puts its own span into the context of calls.
type foreignObserver struct {
	executor.NoopObserver
	tracer trace.Tracer
}

func (f foreignObserver) Calling(ctx context.Context, _ *executor.CallEvent) context.Context {
	ctx, _ = f.tracer.Start(ctx, "foreign") //nolint:spancheck // stays open: the test sees whether another observer ends it
	return ctx
}

// Each observer ends its own spans, also if another one puts a span into the context.
func TestSeveralObservers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, other := newSDK(t, otelrecourse.Options{}), newSDK(t, otelrecourse.Options{})
		x := l.newExecutor(t, executor.Config{Observers: []executor.Observer{foreignObserver{tracer: l.traces.Tracer("i")}, other.observer}})
		if _, err := x.Do(t.Context(), request("6"), &scriptedClient{sends: []string{"0"}}); err != nil {
			t.Fatal(err)
		}
		for _, l := range []*testSDK{l, other} {
			if got := l.named("momo pay send"); len(got) != 1 || got[0].EndTime.Sub(got[0].StartTime) != 200*time.Millisecond {
				t.Errorf("the sends are %v", got)
			}
		}
		if got := l.named("foreign"); len(got) != 0 {
			t.Error("the span of another observer was ended")
		}
	})
}

// The budget is spent after one retry, and the breaker opens. The delayed calls are counted.
func TestHeldCallsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newSDK(t, otelrecourse.Options{})
		x := l.newExecutor(t, executor.Config{})
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				if _, err := x.Do(t.Context(), request(fmt.Sprint("k", i)), &scriptedClient{sends: []string{"10"}, queries: []string{"10"}}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if l.sum(t, "recourse.waits.held") == 0 {
			t.Errorf("no call was held:\n%s", l.metrics(t))
		}
	})
}
