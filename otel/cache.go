package otelrecourse

import (
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// maxEntries limits each cache.
const maxEntries = 4096

// cache retains the first maxEntries values. Further values are built at each use.
type cache[K comparable, V any] struct {
	build func(K) V
	mu    sync.RWMutex
	items map[K]V
}

func (c *cache[K, V]) of(k K) V {
	c.mu.RLock()
	v, ok := c.items[k]
	c.mu.RUnlock()
	if ok {
		return v
	}
	v = c.build(k)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items == nil {
		c.items = map[K]V{}
	}
	if len(c.items) < maxEntries {
		c.items[k] = v
	}
	return v
}

// latestSpans holds the latest call or webhook of each open flow. If another process ends a flow,
// this one never sees the end. So the cache has two generations, and evicts the old one.
type latestSpans struct {
	mu         sync.Mutex
	young, old map[string]trace.SpanContext
}

// get returns an invalid context for an unknown flow.
func (l *latestSpans) get(flow string) trace.SpanContext {
	l.mu.Lock()
	defer l.mu.Unlock()
	if span, ok := l.young[flow]; ok {
		return span
	}
	return l.old[flow]
}

func (l *latestSpans) set(flow string, span trace.SpanContext) {
	if !span.IsValid() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.young[flow]; !known && len(l.young) >= maxEntries || l.young == nil {
		l.young, l.old = map[string]trace.SpanContext{}, l.young
	}
	l.young[flow] = span
}

func (l *latestSpans) evict(flow string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.young, flow)
	delete(l.old, flow)
}
