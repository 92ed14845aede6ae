package prometheus_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
	otelrecourse "github.com/recourse-pay/recourse/otel"
	"github.com/recourse-pay/recourse/policy"
)

// The metrics of an executor, as Prometheus scrapes them.
func Example() {
	registry := client.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry), prometheus.WithoutScopeInfo())
	if err != nil {
		panic(err)
	}
	meters := &otelrecourse.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))}
	observer, err := otelrecourse.New(meters)
	if err != nil {
		panic(err)
	}
	rules, err := engine.Open("")
	if err != nil {
		panic(err)
	}
	x, err := executor.New(rules, &executor.Config{Journal: journal.NewMemory(), Observers: []executor.Observer{observer}})
	if err != nil {
		panic(err)
	}
	defer x.Close(context.Background())
	stop, err := otelrecourse.Watch(x, meters)
	if err != nil {
		panic(err)
	}
	defer stop()

	metrics := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{})) // in a service: http.Handle("/metrics", …)
	defer metrics.Close()
	for line := range strings.Lines(scraped(metrics.URL)) {
		if strings.HasPrefix(line, "recourse_flows_memory") || strings.HasPrefix(line, "recourse_journal_queue") {
			fmt.Print(line)
		}
	}
	// Output:
	// recourse_flows_memory 0
	// recourse_journal_queue 0
}

func scraped(url string) string {
	answer, err := http.Get(url)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// bank is a client whose provider gives one code, or is silent.
type bank string

func (b bank) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	if b == "" {
		return executor.Reply{}, context.DeadlineExceeded
	}
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: string(b)}}, nil
}

func (bank) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, context.DeadlineExceeded
}

// leaving lets a caller leave as soon as the flow of its payment waits: a function for each payment key.
type leaving struct {
	executor.NoopObserver
	sync.Map
}

func (l *leaving) Waiting(_ context.Context, e *executor.WaitEvent) {
	if leave, is := l.Load(e.Payment.Key); is {
		leave.(context.CancelFunc)()
	}
}

// Every metric that an alert looks at is one that a process exports under this name. A rule over a name
// that does not exist never fires, and promtool cannot see that.
func TestAlertsLookAtMetricsThatThereAre(t *testing.T) {
	registry := client.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	meters := &otelrecourse.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))}
	observer, err := otelrecourse.New(meters)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := engine.OpenFS(fstest.MapFS{"merchants/acme.toml": {Data: []byte("[[rule]]\nid = \"again\"\nwhen = 'fault == \"timeout\"'\nthen = \"retry_new_order\"\nreason = \"unsafe\"\n")}})
	if err != nil {
		t.Fatal(err)
	}
	leave := &leaving{}
	x, err := executor.New(rules, &executor.Config{Journal: journal.NewMemory(), Observers: []executor.Observer{observer, leave}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close(context.Background())
	stop, err := otelrecourse.Watch(x, meters)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	banks := []bank{"0", "", "10", "10", "10", "10", "10", "10"}
	for i, b := range banks {
		patience := time.Minute
		if i == len(banks)-1 { // the breaker holds it up
			patience = time.Second
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		leave.Store(fmt.Sprint(i), cancel)
		p := policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: fmt.Sprint(i), Amount: 7, Currency: "VND"}
		r, _ := x.Do(ctx, executor.Request{Payment: p, OrderID: fmt.Sprint("o-", i)}, b)
		cancel()
		if i == 0 {
			w := executor.Resolution{OrderID: "o-0", Effect: policy.NotExecuted, Who: "ann", Why: "a test", Override: true}
			if err := x.Resolve(t.Context(), r.Flow, w); err != nil {
				t.Fatal(err)
			}
		}
	}
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer server.Close()
	text := scraped(server.URL)
	alerts, err := os.ReadFile("../alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`\brecourse_\w+`)
	known, labels := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for i, w := range words.FindAllString(line, -1) {
			known[w] = known[w] || i == 0
			labels[w] = labels[w] || i > 0
		}
	}
	looked := words.FindAllString(string(alerts), -1)
	slices.Sort(looked)
	looked = slices.Compact(looked)
	for _, name := range looked {
		if !known[name] && !labels[name] {
			t.Errorf("an alert looks at %s, which is neither a metric nor a label of:\n%s", name, text)
		}
	}
	if len(looked) < 15 {
		t.Errorf("the alerts look at %d names only", len(looked))
	}
}

// Each alert has its section in docs/operate.md, under the anchor that its runbook names.
func TestAlertsHaveTheirRunbook(t *testing.T) {
	alerts, err := os.ReadFile("../alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(alerts), -1)
	for _, m := range names {
		if !strings.Contains(string(page), "\n### "+m[1]+"\n") {
			t.Errorf("docs/operate.md has no section %s", m[1])
		}
		if !strings.Contains(string(alerts), "docs/operate.md#"+strings.ToLower(m[1])+"\n") {
			t.Errorf("%s names no runbook", m[1])
		}
	}
	if len(names) < 10 {
		t.Errorf("only %d alerts were found", len(names))
	}
}
