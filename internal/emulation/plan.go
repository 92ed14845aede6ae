package emulation

import (
	"math/rand/v2"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Plan says what becomes of payments and what goes wrong on the way, as a fault file
// describes it (see [ReadPlan]). It is read-only and may serve several providers. The zero
// value is a provider where every payment takes place at once and nothing goes wrong.
type Plan struct {
	clientTimeout time.Duration // how long a client waits; 0: the contract's timeout
	send          span          // how long an answer takes
	query         span
	fates         map[policy.Operation]*fatePlan
	faults        []fault
	windows       []window
	quota         quota
}

// fatePlan is the [fate] of payments of one operation.
type fatePlan struct {
	executes, murky, refused float64 // probabilities
	times                    int     // a refused payment is refused once to so many times
	refusedAs                []policy.Class
	settles, webhook         []choice
}

// choice is one of several ranges of durations.
type choice struct {
	weight int
	span
}

func draw(all []choice, r *rand.Rand) time.Duration {
	total := 0
	for _, c := range all {
		total += c.weight
	}
	if total == 0 {
		return 0
	}
	n := r.IntN(total)
	for _, c := range all {
		if n -= c.weight; n < 0 {
			return c.draw(r)
		}
	}
	return 0
}

// fate draws what becomes of a payment. It makes the same number of draws whatever it
// draws, but for durations.
func (p *Plan) fate(op policy.Operation, s *replySet, r *rand.Rand) Fate {
	of := p.fates[op]
	if of == nil {
		return Fate{Executes: true}
	}
	f := Fate{Executes: r.Float64() < of.executes, Murky: r.Float64() < of.murky}
	refused, times, as := r.Float64() < of.refused, 1+r.IntN(max(1, of.times)), r.Uint64()
	f.Settles, f.WebhookDelay = draw(of.settles, r), draw(of.webhook, r)
	if refused {
		f.Refusals = times
		f.RefusedAs = s.oneReason(of.refusedAs, as)
	}
	return f
}

// oneReason picks one of the reasons that the catalogue has a reply for, so that a payment
// that is refused twice is refused for the same one. None: any.
func (s *replySet) oneReason(wanted []policy.Class, n uint64) []policy.Class {
	var available []policy.Class
	for _, c := range wanted {
		fits := effect(policy.NotExecuted, policy.Door, c)
		for i := range s.samples[policy.Send] {
			if fits(&s.samples[policy.Send][i]) {
				available = append(available, c)
				break
			}
		}
	}
	if len(available) == 0 {
		return nil
	}
	i := n % uint64(len(available))
	return available[i : i+1]
}
