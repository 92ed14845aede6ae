package service_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// questions are 64 different ones.
func questions() (all [][]byte) {
	for i := range 64 {
		all = append(all, fmt.Appendf(nil, `{"provider":"momo","operation":"pay","code":%d,"attempt":%d,"amount":%d,"currency":"VND","elapsed_ms":%d,"in_doubt":%t}`,
			[]int{0, 9000, 1000, 1001, 1003, 1005, 11, 40, 41, 43, 98, 99}[i%12], 1+i%3, 1000+i, 500*i, i%2 == 0))
	}
	return all
}

// BenchmarkDecide is the service on loopback, beside a handler that returns a constant. Load generator and
// service share the cores.
func BenchmarkDecide(b *testing.B) {
	e, err := ruleset.Open("")
	if err != nil {
		b.Fatal(err)
	}
	s, err := service.New(context.Background(), service.Options{Rules: liveRules(b, e)})
	if err != nil {
		b.Fatal(err)
	}
	constant := []byte(`{"action":"query_status"}`)
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = w.Write(constant)
	})
	all := questions()
	b.Run("bare handler", func(b *testing.B) { benchSingle(b, bare, all) })
	b.Run("single", func(b *testing.B) { benchSingle(b, s, all) })
	b.Run("batch", func(b *testing.B) { benchBatch(b, s, all) })
}

// perSecond reports how many decisions were made a second.
func perSecond(b *testing.B, each int) {
	b.ReportMetric(float64(b.N*each)/b.Elapsed().Seconds(), "decisions/s")
}

func benchSingle(b *testing.B, h http.Handler, all [][]byte) {
	server := httptest.NewServer(h)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var next atomic.Int64
	var running sync.WaitGroup
	b.ResetTimer()
	for range 8 * runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				post(b, client, server.URL, "application/json", all[n%64])
			}
		})
	}
	running.Wait()
	perSecond(b, 1)
}

func benchBatch(b *testing.B, h http.Handler, all [][]byte) {
	const lines = 10_000
	var batch bytes.Buffer
	for i := range lines {
		batch.Write(all[i%64])
		batch.WriteByte('\n')
	}
	server := httptest.NewServer(h)
	defer server.Close()
	b.ResetTimer()
	for range b.N {
		post(b, server.Client(), server.URL, "application/x-ndjson", batch.Bytes())
	}
	perSecond(b, lines)
}

func post(b *testing.B, client *http.Client, url, kind string, body []byte) {
	answer, err := client.Post(url+"/v1/decide", kind, bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		b.Error(answer.Status, err)
	}
}
