package otelrecourse

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"
)

func spanContext(n int) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{byte(n), byte(n >> 8), 1}})
}

func TestTrail(t *testing.T) {
	var tr trail
	if tr.last("a").IsValid() {
		t.Error("nothing was left, and something is found")
	}
	tr.leave("a", trace.SpanContext{}) // of a tracer that does nothing
	if len(tr.young) != 0 {
		t.Error("what says nothing is remembered")
	}
	tr.leave("a", spanContext(1))
	tr.leave("a", spanContext(2))
	if got := tr.last("a"); got.SpanID() != spanContext(2).SpanID() {
		t.Errorf("the last is %v", got)
	}
	tr.forget("a")
	if tr.last("a").IsValid() {
		t.Error("it is not forgotten")
	}
}

// However many flows never end here, few are remembered, and the latest of all are.
func TestTrailIsBounded(t *testing.T) {
	var tr trail
	for n := range 5*most + 17 {
		tr.leave(strconv.Itoa(n), spanContext(n))
		if len(tr.young)+len(tr.old) > 2*most {
			t.Fatalf("%d flows are remembered", len(tr.young)+len(tr.old))
		}
		if n >= most && !tr.last(strconv.Itoa(n-most+1)).IsValid() {
			t.Fatalf("flow %d is forgotten at %d", n-most+1, n)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	built := 0
	c := cache[int, string]{build: func(n int) string { built++; return strconv.Itoa(n) }}
	for range 2 {
		for n := range most + 10 {
			if got := c.of(n); got != strconv.Itoa(n) {
				t.Fatalf("%d is %s", n, got)
			}
		}
	}
	if len(c.built) != most || built != most+20 {
		t.Errorf("%d are kept, %d were built", len(c.built), built)
	}
}

// The twin of clean takes runes as long as they fit.
func TestClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Repeat("x", rapid.IntRange(0, longest).Draw(t, "before")) + rapid.String().Draw(t, "text") + strings.Repeat("đ", 100)
		want := ""
		for _, r := range s {
			if len(want)+utf8.RuneLen(r) > longest {
				break
			}
			want += string(r)
		}
		if got := clean(s); got != want {
			t.Fatalf("%q is cut to %q, want %q", s, got, want)
		}
		if got := clean(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))); !utf8.ValidString(got) {
			t.Fatalf("%q is not valid", got)
		}
	})
}
