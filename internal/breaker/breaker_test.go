package breaker_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/breaker"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func Example() {
	b := breaker.New(2, 15*time.Second)
	for range 2 {
		p, _ := b.Allow(start)
		p.Done(breaker.Failure, start)
	}
	_, wait := b.Allow(start.Add(5 * time.Second))
	fmt.Println("open, wait", wait)
	p, wait := b.Allow(start.Add(15 * time.Second))
	fmt.Println("probe", p.Valid(), wait)
	_, wait = b.Allow(start.Add(16 * time.Second))
	fmt.Println("a second call waits", wait)
	p.Done(breaker.Success, start.Add(17*time.Second))
	p, wait = b.Allow(start.Add(17 * time.Second))
	fmt.Println("closed", p.Valid(), wait)
	// Output:
	// open, wait 10s
	// probe true 0s
	// a second call waits 1.5s
	// closed true 0s
}

func TestProbeThatWasNotMadeLetsTheNextCallProbe(t *testing.T) {
	b := breaker.New(1, time.Minute)
	p, _ := b.Allow(start)
	p.Done(breaker.Failure, start)
	later := start.Add(time.Minute)
	probe, _ := b.Allow(later)
	if p, wait := b.Allow(later); p.Valid() || wait != 6*time.Second {
		t.Fatalf("beside a probe: %v, %s", p.Valid(), wait)
	}
	probe.Done(breaker.NotMade, later)
	if p, wait := b.Allow(later); !p.Valid() || wait != 0 {
		t.Errorf("after a probe that was not made: %v, %s", p.Valid(), wait)
	}
}

func TestSlowSuccessDoesNotCloseAnOpenBreaker(t *testing.T) {
	b := breaker.New(1, time.Minute)
	slow, _ := b.Allow(start)
	failing, _ := b.Allow(start)
	failing.Done(breaker.Failure, start)
	slow.Done(breaker.Success, start)
	if p, wait := b.Allow(start.Add(time.Second)); p.Valid() || wait != 59*time.Second {
		t.Errorf("after a success from before it opened: %v, %s", p.Valid(), wait)
	}
}

// model is the breaker as a reader would write it down: no lock, no fast path.
type model struct {
	failures, counted, generation int
	open                          time.Duration
	until                         time.Time
	probing                       bool
}

func (m *model) allow(now time.Time) (generation int, wait time.Duration) {
	if m.until.IsZero() {
		return m.generation, 0
	}
	if now.Before(m.until) {
		return 0, m.until.Sub(now)
	}
	if m.probing {
		return 0, m.open / 10
	}
	m.probing = true
	m.generation++
	return m.generation, 0
}

func (m *model) done(generation int, r breaker.Result, now time.Time) {
	if generation != m.generation {
		return
	}
	switch r {
	case breaker.NotMade:
		m.probing = false
	case breaker.Success:
		if m.probing {
			m.generation++
		}
		m.counted, m.probing, m.until = 0, false, time.Time{}
	case breaker.Failure:
		m.counted++
		if m.probing || m.counted >= m.failures {
			m.counted, m.probing, m.until = 0, false, now.Add(m.open)
			m.generation++
		}
	}
}

func TestBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		failures := rapid.IntRange(1, 4).Draw(t, "failures")
		b := breaker.New(failures, 10*time.Second)
		m := &model{failures: failures, open: 10 * time.Second}
		type call struct {
			p          breaker.Permit
			generation int
		}
		var calls []call
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "seconds")) * time.Second)
			if len(calls) > 0 && rapid.Bool().Draw(t, "ends") {
				i := rapid.IntRange(0, len(calls)-1).Draw(t, "call")
				r := rapid.SampledFrom([]breaker.Result{breaker.Success, breaker.Failure, breaker.NotMade}).Draw(t, "result")
				calls[i].p.Done(r, now)
				m.done(calls[i].generation, r, now)
				calls = append(calls[:i], calls[i+1:]...)
				continue
			}
			p, wait := b.Allow(now)
			generation, wanted := m.allow(now)
			if wait != wanted || p.Valid() != (wanted == 0) {
				t.Fatalf("at %s: waits %s, allowed %v; the model waits %s", now, wait, p.Valid(), wanted)
			}
			if p.Valid() {
				calls = append(calls, call{p, generation})
			}
		}
	})
}

func TestOneProbeWhateverTheNumberOfCallers(t *testing.T) {
	b := breaker.New(1, time.Minute)
	p, _ := b.Allow(start)
	p.Done(breaker.Failure, start)
	var wg sync.WaitGroup
	var mu sync.Mutex
	probes := 0
	for range 64 {
		wg.Go(func() {
			if p, _ := b.Allow(start.Add(time.Minute)); p.Valid() {
				mu.Lock()
				probes++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if probes != 1 {
		t.Errorf("%d probes at once", probes)
	}
}
