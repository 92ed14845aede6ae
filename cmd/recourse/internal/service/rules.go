package service

import (
	"sync/atomic"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Rules are the rules of now. They may be replaced while flows run: a flow keeps the decider that it has.
type Rules struct {
	now atomic.Pointer[ruleset.Engine]
}

// NewRules returns rules that begin as e.
func NewRules(e *ruleset.Engine) *Rules {
	r := new(Rules)
	r.Replace(e)
	return r
}

// Now is the set of now.
func (r *Rules) Now() *ruleset.Engine { return r.now.Load() }

// Replace makes e the set of now.
func (r *Rules) Replace(e *ruleset.Engine) { r.now.Store(e) }

// Judge implements policy.Decider.
func (r *Rules) Judge(p *policy.Payment, a *policy.Answer) policy.Fact { return r.Now().Judge(p, a) }

// Decide implements policy.Decider.
func (r *Rules) Decide(s *policy.Situation) policy.Decision { return r.Now().Decide(s) }

// Terms implements policy.Decider.
func (r *Rules) Terms(p *policy.Payment) *policy.Terms { return r.Now().Terms(p) }

// For implements executor.Rules.
func (r *Rules) For(p *policy.Payment) (policy.Decider, error) { return r.Now().For(p) }

// Read implements executor.Rules.
func (r *Rules) Read(p *policy.Payment, ph policy.Phase, m *policy.Message) (policy.Answer, policy.ShopperAction, error) {
	return r.Now().Read(p, ph, m)
}
