package otelrecourse_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/propagation"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/executor"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"
)

// httpClient is a client over HTTP that propagates its span.
type httpClient struct {
	url  string
	http *http.Client
}

func (m *httpClient) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return m.post(ctx, "/v2/gateway/api/tokenization/pay", map[string]any{"orderId": a.OrderID, "requestId": a.RequestID, "amount": a.Payment.Amount})
}

func (m *httpClient) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return m.post(ctx, "/v2/gateway/api/query", map[string]any{"orderId": a.OrderID, "requestId": a.QueryID})
}

func (m *httpClient) post(ctx context.Context, path string, fields map[string]any) (executor.Reply, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return executor.Reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+path, bytes.NewReader(body))
	if err != nil {
		return executor.Reply{}, err
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(req.Header))
	return executor.Call(m.http, req)
}

// The provider receives the span of the call, in the caller's trace.
func TestPropagation(t *testing.T) {
	catalog, err := rules().Catalogs.Get("momo")
	if err != nil {
		t.Fatal(err)
	}
	provider := emulator.NewServer(emulator.NewProvider(catalog, &emulator.Options{Seed: 1}), nil)
	var mu sync.Mutex
	var parents []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		parents = append(parents, r.Header.Get("Traceparent"))
		mu.Unlock()
		provider.ServeHTTP(w, r)
	}))
	defer server.Close()

	l := newSDK(t, otelrecourse.Options{})
	x := l.newExecutor(t, executor.Config{})
	ctx, end := l.caller(t.Context(), "POST /checkout")
	r, err := x.Do(ctx, request("9"), &httpClient{server.URL, server.Client()})
	if err != nil || r.Outcome != policy.Succeeded {
		t.Fatal(r, err)
	}
	end()
	sends, callers := l.named("momo pay send"), l.named("POST /checkout")
	if len(sends) != 1 || len(callers) != 1 || len(parents) != 1 {
		t.Fatalf("%d sends, %v arrived:\n%s", len(sends), parents, l.tree(t))
	}
	sent := sends[0].SpanContext
	if sent.TraceID() != callers[0].SpanContext.TraceID() || sends[0].Parent.SpanID() != callers[0].SpanContext.SpanID() {
		t.Errorf("the send is not below its caller:\n%s", l.tree(t))
	}
	if want := "00-" + sent.TraceID().String() + "-" + sent.SpanID().String() + "-01"; parents[0] != want {
		t.Errorf("the provider received %s, want %s", parents[0], want)
	}
}
