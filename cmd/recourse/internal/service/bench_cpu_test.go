//go:build unix

package service_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/decisions"
	"github.com/recourse-pay/recourse/cmd/recourse/internal/service"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// processorTime is what the process has used of the processor: it says the same when others use the machine too.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// blank is an answer that is thrown away.
type blank struct{ header http.Header }

func (w *blank) Header() http.Header         { return w.header }
func (w *blank) WriteHeader(int)             {}
func (w *blank) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkHandler is the processor's time of a decision in the handler alone, without HTTP's: with a decision log and without, singly and in batches.
func BenchmarkHandler(b *testing.B) {
	e, err := ruleset.Open("")
	if err != nil {
		b.Fatal(err)
	}
	all := questions()
	const inBatch = 10_000
	var batch bytes.Buffer
	for i := range inBatch {
		batch.Write(all[i%64])
		batch.WriteByte('\n')
	}
	for _, logged := range []bool{false, true} {
		o := service.Options{Rules: liveRules(b, e)}
		name := ""
		if logged {
			e.Digest()
			if o.Decisions, err = decisions.Open(b.TempDir(), decisions.Options{Buffer: 1 << 30}); err != nil {
				b.Fatal(err)
			}
			name = ", logged"
		}
		s, err := service.New(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("single"+name, func(b *testing.B) {
			benchHandler(b, s, "application/json", 1, func(n int) []byte { return all[n%64] })
		})
		b.Run("batch"+name, func(b *testing.B) {
			benchHandler(b, s, "application/x-ndjson", inBatch, func(int) []byte { return batch.Bytes() })
		})
		if logged {
			if err := o.Decisions.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func benchHandler(b *testing.B, h http.Handler, kind string, each int, body func(n int) []byte) {
	r, err := http.NewRequest(http.MethodPost, "http://localhost/v1/decide", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	w, in := &blank{http.Header{}}, bytes.NewReader(nil)
	b.ReportAllocs()
	b.ResetTimer()
	start := processorTime(b)
	for n := range b.N {
		in.Reset(body(n))
		r.Body, r.ContentLength = io.NopCloser(in), int64(in.Len())
		h.ServeHTTP(w, r)
	}
	b.ReportMetric(float64(processorTime(b)-start)/float64(b.N*each), "cpu-ns/decision")
}
