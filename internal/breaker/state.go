package breaker

import "time"

// State says how the breaker stands: "closed"; "open" until a time; or "half_open", when the next call is
// the probe, or the probe is under way.
func (b *Breaker) State(now time.Time) (state string, until time.Time) {
	if b.quiet.Load() {
		return "closed", time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return "closed", time.Time{}
	case now.Before(b.until):
		return "open", b.until
	}
	return "half_open", b.until
}
