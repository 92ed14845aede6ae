package adversary

import (
	"math/rand/v2"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// product is what is played: one operation of one provider under one merchant's rules.
type product struct {
	provider string
	op       policy.Operation
	merchant string // empty: merchants without a file
}

// How much is played with one payment before the next is drawn.
const (
	walksPerPayment = 40
	deepestWalk     = 40
	batchesPerPool  = 40 // payments before the answers are drawn anew
)

// play walks until something is found or the steps are used up.
func play(e *ruleset.Engine, p product, seed uint64, steps int, seen *Coverage) (*finding, int, error) {
	return playWatched(e, p, seed, steps, seen, nil)
}

// playWatched plays with a watcher, who may be nil.
func playWatched(e *ruleset.Engine, p product, seed uint64, steps int, seen *Coverage, watch watchFunc) (*finding, int, error) {
	catalog, err := e.Catalog(&policy.Payment{Provider: p.provider, Merchant: p.merchant})
	if err != nil {
		return nil, 0, err
	}
	r := rand.New(rand.NewPCG(seed, 0xad))
	src := newSource(r, e, catalog, p.op, p.merchant)
	pools := map[policy.CaptureMode]*[3]pool{}
	w := &walker{Rand: r, seen: seen, deepest: deepestWalk, watch: watch}
	for played, batch := 0, 0; ; batch++ {
		w.payment = src.payment()
		if batch%batchesPerPool == 0 {
			clear(pools)
		}
		if pools[w.payment.Capture] == nil {
			pools[w.payment.Capture] = src.pools(&w.payment)
		}
		w.pools = pools[w.payment.Capture]
		w.drawMood()
		if w.decider, err = e.For(&w.payment); err != nil {
			return nil, played, err
		}
		if watch != nil {
			w.decider = watched{w.decider, w}
		}
		w.terms = w.decider.Terms(&w.payment)
		w.spans = append(agesOf(w.terms), src.all.spans...)
		for range walksPerPayment {
			f, n := w.walk()
			if played += n; f != nil || played >= steps {
				return f, played, nil
			}
		}
	}
}

// agesOf are the ages that the contract and the limits name.
func agesOf(t *policy.Terms) []time.Duration {
	c := &t.Contract
	all := []time.Duration{t.Limits.MaxElapsed, c.CallTimeout(), 36 * time.Hour}
	for _, d := range []time.Duration{
		c.DedupeWindow, c.DedupeWindow - c.CallTimeout(), c.DedupeWindow - c.CallTimeout() - c.ArrivalGrace,
		c.NotFoundAfter, c.ArrivalGrace, c.ArrivalGrace + c.CallTimeout(), c.LinkExpiry,
	} {
		if d > 0 {
			all = append(all, d)
		}
	}
	return all
}

// shorten looks for a shorter walk to the same property and rule. It plays again and cuts each
// walk where it gets longer than the best one so far.
func shorten(e *ruleset.Engine, p product, seed uint64, best *finding, steps int) *finding {
	catalog, err := e.Catalog(&policy.Payment{Provider: p.provider, Merchant: p.merchant})
	if err != nil {
		return best
	}
	r := rand.New(rand.NewPCG(seed, 0x5407))
	src := newSource(r, e, catalog, p.op, p.merchant)
	w := &walker{Rand: r, seen: newCoverage()}
	for played := 0; played < steps && len(best.events) > 2; {
		w.payment = best.payment
		if r.IntN(4) == 0 {
			w.payment = src.payment()
		}
		w.pools = src.pools(&w.payment)
		w.drawMood()
		if w.decider, err = e.For(&w.payment); err != nil {
			return best
		}
		w.terms = w.decider.Terms(&w.payment)
		w.spans = append(agesOf(w.terms), src.all.spans...)
		for range 10 * walksPerPayment {
			w.deepest = len(best.events) - 1
			f, n := w.walk()
			played += n
			if f != nil && f.property == best.property && f.rule == best.rule && len(f.events) < len(best.events) {
				best = f
			}
		}
	}
	return best
}

// replay gives the events of a finding to the machine once more, and calls f with what came of each.
func (f *finding) replay(d policy.Decider, each func(e flow.Event, s *flow.State, commands []flow.Command)) {
	var s flow.State
	for _, e := range f.events {
		if _, begins := e.(flow.Start); begins {
			s = flow.State{Payment: f.payment}
		}
		next, commands, err := flow.Step(d, s, e)
		if err != nil {
			return
		}
		s = next
		each(e, &s, commands)
	}
}

// watchFunc sees what the flow shows to the rules by an event in a state.
type watchFunc func(sit *policy.Situation, before *flow.State, e flow.Event)

// watched is a decider with a watcher beside it.
type watched struct {
	policy.Decider
	w *walker
}

// Decide implements [policy.Decider].
func (d watched) Decide(sit *policy.Situation) policy.Decision {
	d.w.watch(sit, &d.w.state, d.w.event)
	return d.Decider.Decide(sit)
}
