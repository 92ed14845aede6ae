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

func TestLatestSpans(t *testing.T) {
	var latest latestSpans
	if latest.get("a").IsValid() {
		t.Error("a span is found in an empty cache")
	}
	latest.set("a", trace.SpanContext{}) // of a no-op tracer
	if len(latest.young) != 0 {
		t.Error("an invalid span context is retained")
	}
	latest.set("a", spanContext(1))
	latest.set("a", spanContext(2))
	if got := latest.get("a"); got.SpanID() != spanContext(2).SpanID() {
		t.Errorf("the latest span is %v", got)
	}
	latest.evict("a")
	if latest.get("a").IsValid() {
		t.Error("an evicted span is found")
	}
}

// Flows that never end are evicted; the latest ones are retained.
func TestLatestSpansAreBounded(t *testing.T) {
	var latest latestSpans
	for n := range 5*maxEntries + 17 {
		latest.set(strconv.Itoa(n), spanContext(n))
		if len(latest.young)+len(latest.old) > 2*maxEntries {
			t.Fatalf("%d flows are retained", len(latest.young)+len(latest.old))
		}
		if n >= maxEntries && !latest.get(strconv.Itoa(n-maxEntries+1)).IsValid() {
			t.Fatalf("flow %d is evicted at flow %d", n-maxEntries+1, n)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	built := 0
	c := cache[int, string]{build: func(n int) string { built++; return strconv.Itoa(n) }}
	for range 2 {
		for n := range maxEntries + 10 {
			if got := c.of(n); got != strconv.Itoa(n) {
				t.Fatalf("%d is %s", n, got)
			}
		}
	}
	if len(c.items) != maxEntries || built != maxEntries+20 {
		t.Errorf("%d are retained, %d were built", len(c.items), built)
	}
}

// A simple model of clean appends runes while they fit.
func TestClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Repeat("x", rapid.IntRange(0, maxText).Draw(t, "before")) + rapid.String().Draw(t, "text") + strings.Repeat("đ", 100)
		want := ""
		for _, r := range s {
			if len(want)+utf8.RuneLen(r) > maxText {
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
