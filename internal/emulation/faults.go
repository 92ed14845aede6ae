package emulation

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// FaultKind is a thing that goes wrong between a client and its provider.
type FaultKind uint8

// The kinds of faults. The comment says what becomes of the request, then what the client
// sees.
const (
	NoFault           FaultKind = iota
	Refuse                      // never arrives; the connection is refused
	DropRequest                 // never arrives; silence
	Delay                       // processed; the answer is late
	DropResponse                // processed; silence
	ResetConnection             // processed; the connection breaks
	ExecuteLate                 // arrives after the client gave up; silence
	ErrorAfter                  // processed; an HTTP 5xx with a page that does not decode
	NotFoundEarly               // processed, and queries do not find it for a while
	DuplicateWebhook            // a webhook comes twice
	LateWebhook                 // a webhook comes late
	LostWebhook                 // a webhook never comes
	UnverifiedWebhook           // a webhook's signature is wrong
	Maintenance                 // refused at the door, in a window of time
	RateLimit                   // refused at the door, as one call too many
)

var faultNames = []string{
	"none", "refuse", "drop_request", "delay", "drop_response", "reset", "execute_late", "error_after", "not_found_early",
	"duplicate_webhook", "late_webhook", "lost_webhook", "unverified_webhook", "maintenance", "rate_limit",
}

// String is the kind's name in a fault file.
func (k FaultKind) String() string {
	if int(k) < len(faultNames) {
		return faultNames[k]
	}
	return fmt.Sprintf("(%d)", uint8(k))
}

// MarshalText writes the kind's name.
func (k FaultKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name of a kind that a [[fault]] block can have; any other text
// is a [*policy.WordError].
func (k *FaultKind) UnmarshalText(b []byte) error {
	known := faultNames[Refuse:Maintenance]
	if i := slices.Index(known, string(b)); i >= 0 {
		*k = Refuse + FaultKind(i)
		return nil
	}
	return &policy.WordError{Kind: "fault", Got: string(b), Known: known}
}

// FaultKinds lists every kind, without NoFault.
func FaultKinds() []FaultKind {
	var all []FaultKind
	for k := Refuse; int(k) < len(faultNames); k++ {
		all = append(all, k)
	}
	return all
}

// phases are those that a kind can hit.
func (k FaultKind) phases() []policy.Phase {
	switch k {
	case ExecuteLate, NotFoundEarly:
		return []policy.Phase{policy.Send}
	case DuplicateWebhook, LateWebhook, LostWebhook, UnverifiedWebhook:
		return []policy.Phase{policy.Webhook}
	default:
		return []policy.Phase{policy.Send, policy.Query}
	}
}

// takesTime reports whether a kind has a duration.
func (k FaultKind) takesTime() bool {
	switch k {
	case Delay, ExecuteLate, NotFoundEarly, LateWebhook, DuplicateWebhook:
		return true
	default:
		return false
	}
}

// fault is one [[fault]] block: what goes wrong, with which calls, how often.
type fault struct {
	kind        FaultKind
	operations  []policy.Operation // none: every one
	phases      []policy.Phase
	orders      []string // patterns of order ids; none: every one
	probability float64
	nth, first  int  // counted from 1; 0: not by count
	ofProvider  bool // counted over all orders
	lasts       span
	status      int // of ErrorAfter
}

func (f *fault) matches(op policy.Operation, ph policy.Phase, orderID string) bool {
	if len(f.operations) > 0 && !slices.Contains(f.operations, op) || !slices.Contains(f.phases, ph) {
		return false
	}
	return len(f.orders) == 0 || slices.ContainsFunc(f.orders, func(pattern string) bool {
		ok, _ := path.Match(pattern, orderID)
		return ok
	})
}

// span is a range of durations, from and to included.
type span struct{ from, to time.Duration }

func (s span) draw(r *rand.Rand) time.Duration {
	if s.to <= s.from {
		return s.from
	}
	return s.from + time.Duration(r.Int64N(int64(s.to-s.from)/int64(time.Millisecond)+1))*time.Millisecond
}

// faultHit is a fault that hits, and for how long.
type faultHit struct {
	kind   FaultKind
	lasts  time.Duration
	status int
}

// hitNow draws the faults of one call or webhook, in the order of the plan. The draws of
// an order do not depend on what other orders do.
func (p *Provider) hits(c *orderState, op policy.Operation, ph policy.Phase, orderID string) []faultHit {
	var hit []faultHit
	random := c.rand
	if ph == policy.Webhook {
		random = c.hooks
	}
	for i := range p.plan.faults {
		f := &p.plan.faults[i]
		if !f.matches(op, ph, orderID) {
			continue
		}
		counts := c.counts
		if f.ofProvider {
			counts = p.counts
		}
		counts[i]++
		hitNow := f.probability > 0 && random.Float64() < f.probability
		switch {
		case f.nth > 0:
			hitNow = counts[i] == f.nth
		case f.first > 0:
			hitNow = counts[i] <= f.first
		}
		if hitNow {
			hit = append(hit, faultHit{f.kind, f.lasts.draw(random), f.status})
		}
	}
	return hit
}

// window is a [[maintenance]] block.
type window struct {
	operations []policy.Operation
	from       time.Time // zero: from when the provider started
	lasts      time.Duration
	every      time.Duration // 0: once
}

// until returns when a window that is open at a time closes.
func (w *window) until(at, start time.Time) (closes time.Time, open bool) {
	from := w.from
	if from.IsZero() {
		from = start
	}
	since := at.Sub(from)
	if since < 0 {
		return closes, false
	}
	if w.every > 0 {
		from = at.Add(-(since % w.every))
		since %= w.every
	}
	return from.Add(w.lasts), since < w.lasts
}

// quota is a [rate_limit] block.
type quota struct {
	calls int
	per   time.Duration
}

// page is what a proxy answers in place of the provider.
func page(status int, text string) []byte {
	return []byte(fmt.Sprintf("<html><body><h1>%d %s</h1></body></html>", status, strings.ToUpper(text[:1])+text[1:]))
}
