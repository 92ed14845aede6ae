package flow_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// world is a provider that keeps its contract and is otherwise as unhelpful as it
// can be, with the ledger of what truly happened. Requests are lost, delayed, executed
// with the answer lost, accepted and executed late. It never says a false executed or
// not_executed, but for the refusal of a replay, which is about the replay.
type world struct {
	t        *rapid.T
	contract policy.Contract
	dedupe   []policy.Identifier // what it does, which is at least what it promises
	window   time.Duration
	replay   policy.Replay
	amount   int64

	clock   time.Time
	copies  []*packet
	records []*record
}

// packet is one request on the wire.
type packet struct {
	order, request string
	sent           time.Time // what the contract's times count from
	arrives        time.Time // zero: never
	notSent        bool
	door           bool // refused before processing
	fate           bool // whether it will execute
	takes          time.Duration

	arrived bool
	says    string  // a refusal
	record  *record // the stored request that answers it
}

// record is a request that the provider stored.
type record struct {
	order, request, provider string
	from, ends               time.Time
	executes                 bool
	short                    bool // another amount than asked for
	findable                 time.Time
}

var (
	coin      = rapid.Bool()
	identSets = rapid.SampledFrom([][]policy.Identifier{
		{policy.RequestID}, nil, {policy.OrderID}, {policy.RequestID, policy.OrderID},
	})
	askSets = rapid.SampledFrom([][]policy.Identifier{
		{policy.OrderID}, {policy.ProviderID, policy.OrderID}, {policy.RequestID}, {policy.ProviderID}, nil,
	})
	replays   = rapid.SampledFrom([]policy.Replay{policy.FirstResult, policy.Rejected, "", policy.ExecutedAgain})
	truly     = rapid.SampledFrom([]policy.Replay{policy.ExecutedAgain, policy.FirstResult, policy.Rejected})
	spans     = rapid.SampledFrom([]time.Duration{90 * time.Second, 0, 10 * time.Minute, 24 * time.Hour})
	moments   = rapid.SampledFrom([]time.Duration{0, time.Second, 7 * time.Second, 25 * time.Second})
	longWaits = rapid.SampledFrom([]time.Duration{0, time.Second, 40 * time.Second, 2 * time.Minute, 30 * time.Minute})
)

// rare is true once in 2 to the power of n.
func rare(t *rapid.T, what string, n int) bool {
	for range n {
		if !coin.Draw(t, what) {
			return false
		}
	}
	return true
}

const timeout = 30 * time.Second

func newWorld(t *rapid.T, amount int64, promise func(*policy.Contract)) *world {
	c := policy.Contract{
		Dedupe: identSets.Draw(t, "dedupe"), DedupeWindow: spans.Draw(t, "window"), Replay: replays.Draw(t, "replay"),
		QueryBy: askSets.Draw(t, "query by"), Webhook: coin.Draw(t, "webhook"), Timeout: timeout,
		ArrivalGrace: spans.Draw(t, "grace"), NotFoundAfter: spans.Draw(t, "not found after"),
	}
	promise(&c)
	w := &world{t: t, contract: c, dedupe: c.Dedupe, window: c.DedupeWindow, replay: c.Replay, amount: amount, clock: dawn}
	if w.replay == "" {
		w.replay = truly.Draw(t, "true replay")
	}
	if w.window == 0 && coin.Draw(t, "remembers nevertheless") {
		w.window = 1000 * time.Hour
	}
	return w
}

// send puts a request on the wire, or not.
func (w *world) send(s *flow.Send) *packet {
	p := &packet{
		order: s.Identity.OrderID, request: s.Identity.RequestID, sent: s.Identity.LastSent,
		door: rare(w.t, "door", 2), fate: coin.Draw(w.t, "executes"),
	}
	if coin.Draw(w.t, "slow") {
		p.takes = longWaits.Draw(w.t, "takes")
	}
	switch {
	case rare(w.t, "not sent", 3):
		p.notSent = true
	case rare(w.t, "lost", 3):
	case rare(w.t, "late", 2):
		p.arrives = w.late(s)
	default:
		p.arrives = p.sent.Add(moments.Draw(w.t, "arrives"))
	}
	w.copies = append(w.copies, p)
	return p
}

// late is when a request arrives that the flow waits for no more: within the grace
// that the contract names, or, where it names none, within the time that requests are
// remembered for.
func (w *world) late(s *flow.Send) time.Time {
	at := s.Deadline.Add(longWaits.Draw(w.t, "late"))
	switch {
	case w.contract.ArrivalGrace > 0:
		return earlier(at, s.Deadline.Add(w.contract.ArrivalGrace))
	case w.contract.DedupeWindow > 0:
		return later(s.Identity.LastSent, earlier(at, s.Identity.FirstSent.Add(w.contract.DedupeWindow-1)))
	}
	return at
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// pass lets time go by: what is due arrives.
func (w *world) pass(to time.Time) {
	for {
		var next *packet
		for _, p := range w.copies {
			waits := !p.arrived && !p.arrives.IsZero() && !p.arrives.After(to)
			if waits && (next == nil || p.arrives.Before(next.arrives)) {
				next = p
			}
		}
		if next == nil {
			w.clock = to
			return
		}
		w.arrive(next)
	}
}

func (w *world) arrive(p *packet) {
	p.arrived = true
	switch first := w.first(p); {
	case p.door:
		p.says = "refused"
	case first != nil && w.replay == policy.FirstResult:
		p.record = first
	case first != nil && w.replay == policy.Rejected:
		p.says = "duplicate"
	default:
		r := &record{
			order: p.order, request: p.request, provider: "P-" + p.request, from: p.arrives, ends: p.arrives.Add(p.takes),
			executes: p.fate, short: rare(w.t, "short", 4),
		}
		if slices.ContainsFunc(w.records, func(old *record) bool { return old.provider == r.provider }) {
			r.provider += "-" + p.arrives.Sub(dawn).String()
		}
		r.findable = r.from
		if lag := p.sent.Add(w.contract.NotFoundAfter); lag.After(r.from) {
			r.findable = lag
		}
		p.record = r
		w.records = append(w.records, r)
	}
}

// first is the stored request that a copy repeats.
func (w *world) first(p *packet) *record {
	if w.replay == policy.ExecutedAgain {
		return nil
	}
	for _, r := range w.records {
		same := (r.request == p.request && slices.Contains(w.dedupe, policy.RequestID)) ||
			(r.order == p.order && slices.Contains(w.dedupe, policy.OrderID))
		if same && p.arrives.Before(r.from.Add(w.window)) {
			return r
		}
	}
	return nil
}

// executions counts what truly took place by now.
func (w *world) executions() (all, asAsked int) {
	for _, r := range w.records {
		if r.executes && !r.ends.After(w.clock) {
			all++
			if !r.short {
				asAsked++
			}
		}
	}
	return all, asAsked
}

// drain lets everything happen that still can.
func (w *world) drain() { w.pass(w.clock.Add(10000 * time.Hour)) }
