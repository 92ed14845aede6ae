package otelrecourse

import (
	"sync"

	"go.opentelemetry.io/otel/trace"
)

// most bounds what is remembered, of each kind.
const most = 4096

// cache keeps what was built, as far as there is room.
type cache[K comparable, V any] struct {
	build func(K) V
	mu    sync.RWMutex
	built map[K]V
}

func (c *cache[K, V]) of(k K) V {
	c.mu.RLock()
	v, ok := c.built[k]
	c.mu.RUnlock()
	if ok {
		return v
	}
	v = c.build(k)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.built == nil {
		c.built = map[K]V{}
	}
	if len(c.built) < most {
		c.built[k] = v
	}
	return v
}

// trail remembers the latest call or webhook of open flows. Flows whose end is never seen here,
// because another process has it, go out with the older half.
type trail struct {
	mu         sync.Mutex
	young, old map[string]trace.SpanContext
}

// last is invalid when nothing is known.
func (t *trail) last(flow string) trace.SpanContext {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.young[flow]; ok {
		return at
	}
	return t.old[flow]
}

func (t *trail) leave(flow string, at trace.SpanContext) {
	if !at.IsValid() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.young[flow]; !known && len(t.young) >= most || t.young == nil {
		t.young, t.old = map[string]trace.SpanContext{}, t.young
	}
	t.young[flow] = at
}

func (t *trail) forget(flow string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.young, flow)
	delete(t.old, flow)
}
