package outage

import (
	"time"

	"github.com/recourse-pay/recourse/internal/breaker"
	"github.com/recourse-pay/recourse/policy"
)

// guards are the budget and the breakers of one merchant at the provider, as the executor has them without a
// configuration of its own.
type guards struct {
	budget *breaker.Bucket
	gates  map[gateKey]*breaker.Breaker
}

type gateKey struct {
	operation policy.Operation
	query     bool
}

func newGuards() *guards {
	return &guards{breaker.NewBucket(breaker.DefaultTokens, breaker.DefaultEvery), map[gateKey]*breaker.Breaker{}}
}

func (g *guards) gate(op policy.Operation, query bool) *breaker.Breaker {
	k := gateKey{op, query}
	if g.gates[k] == nil {
		g.gates[k] = breaker.New(breaker.DefaultFailures, breaker.DefaultOpen)
	}
	return g.gates[k]
}

// cost is what the next send takes from the budget: more, if the last call got no answer.
func cost(last *policy.Answer) float64 {
	if last != nil && last.Fault != policy.NoFault && last.Fault != policy.NotSent {
		return breaker.DefaultTimeout
	}
	return breaker.DefaultRetry
}

// resultOf is what an answer says to the breaker. A timeout does not open it, because its flow has to ask.
func resultOf(a *policy.Answer, c policy.Class) breaker.Result {
	if c == policy.Maintenance || c == policy.RateLimited || a.Fault == policy.NotSent {
		return breaker.Failure
	}
	return breaker.Success
}

// delays counts how often and for how long in all flows waited for a guard.
type delays struct {
	Budget  int   `json:"budget"`  // calls that waited for tokens
	Breaker int   `json:"breaker"` // calls that an open breaker stopped
	MS      int64 `json:"ms"`      // in all
}

func (d *delays) add(byBudget bool, wait time.Duration) {
	if byBudget {
		d.Budget++
	} else {
		d.Breaker++
	}
	d.MS += wait.Milliseconds()
}
