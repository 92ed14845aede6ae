package draw

import (
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Situations draws situations that a flow can give to an engine's rules.
type Situations struct {
	e    *ruleset.Engine
	cats []*providers.Catalog
	ids  []string
}

// Of returns the situations of an engine's catalogues and rules.
func Of(e *ruleset.Engine) *Situations {
	s := &Situations{e: e}
	for _, n := range e.Catalogs.Names() {
		if cat, err := e.Catalogs.Get(n); err == nil {
			s.cats = append(s.cats, cat)
		}
	}
	for _, r := range e.Rules.Baseline.Rules {
		s.ids = append(s.ids, r.ID)
	}
	for _, f := range e.Rules.Providers {
		for _, r := range f.Rules {
			s.ids = append(s.ids, r.ID)
		}
	}
	for _, f := range e.Rules.Merchants {
		for _, r := range f.Rules {
			s.ids = append(s.ids, r.ID)
		}
	}
	return s
}

// One draws a situation: a payment with earlier attempts, and an answer that may belong to any
// of them, judged as a flow judges it.
func (d *Situations) One(r Rand) policy.Situation {
	cat := One(r, d.cats...)
	p := policy.Payment{
		Provider: cat.Name, Merchant: One(r, "", "alpha", "alpha", "unknown"), Operation: One(r, cat.Operations...), Capture: One(r, policy.All[policy.CaptureMode]()...),
		Amount: One(r, 0, 1, int64(1000), 5000), Currency: One(r, "", "VND", "TWD"), Tags: One(r, nil, map[string]string{"tier": "gold"}, map[string]string{"tier": ""}),
	}
	at := start.Add(time.Duration(r.IntN(14*24*60)) * time.Minute)
	elapsed := One(r, 0, time.Second, time.Minute, 90*time.Minute, 3*time.Hour)
	s := flow.State{Payment: p, Started: at.Add(-elapsed), Attempts: 1 + r.IntN(4), Queries: r.IntN(6)}
	for range r.IntN(3) {
		if len(d.ids) > 0 {
			s.Fired = s.Fired.Plus(One(r, d.ids...))
		}
	}
	for i := range 1 + r.IntN(2) {
		s.Ledger = append(s.Ledger, d.identity(r, cat, &p, i, at, elapsed))
	}
	a := d.answer(r, cat)
	a.OrderID, a.RequestID = One(r, "", "", "o-0", "o-1", "stranger"), One(r, "", "", "r-0", "stranger")
	a.Amount, a.Verified = One(r, 0, 0, 0, int64(77)), r.IntN(3) > 0
	switch a.Phase {
	case policy.Send:
		s.Stage = flow.Sending
	case policy.Query:
		s.Stage, s.Asked, s.AskedBy = flow.Querying, at, policy.OrderID
	case policy.Webhook:
		s.Stage = flow.Waiting
	}
	shown, _ := new(flow.Adviser).Advise(d.e, &s, &a, flow.Moment{At: at, Jitter: 0.5})
	sit := *shown
	paid := *sit.Payment
	sit.Payment = &paid
	return sit
}

func (d *Situations) identity(r Rand, cat *providers.Catalog, p *policy.Payment, i int, at time.Time, ago time.Duration) flow.Identity {
	id := flow.Identity{
		OrderID: One(r, "o-0", "o-1"), RequestID: []string{"r-0", "r-1"}[i], Sends: 1 + r.IntN(2), Copies: 1 + r.IntN(2),
		FirstSent: at.Add(-ago), LastSent: at.Add(-ago / 2), Deadline: at.Add(-ago / 2).Add(30 * time.Second),
		Prior: One(r, policy.Unknown, policy.NotExecuted), Fact: policy.Fact{Class: policy.Processing},
	}
	if r.IntN(3) > 0 {
		return id
	}
	// Some earlier answer may have settled it.
	before := d.answer(r, cat)
	if f := d.e.Judge(p, &before); f.Effect.Settled() {
		id.Effect, id.Fact, id.Contested, id.Mismatch = f.Effect, f, r.IntN(8) == 0, f.Effect == policy.Executed && r.IntN(6) == 0
		id.Disputed = f.Class == policy.Disputed
	}
	return id
}

func (d *Situations) answer(r Rand, cat *providers.Catalog) policy.Answer {
	a := policy.Answer{Phase: One(r, policy.Phases()...), HTTPStatus: One(r, 0, 0, 200, 400, 428, 429, 430, 500, 503, 999)}
	code := func() string {
		if r.IntN(6) == 0 {
			return One(r, "", "unseen", "4", "40")
		}
		return One(r, cat.Codes...).Code
	}
	switch {
	case r.IntN(6) == 0:
		a.Fault = One(r, policy.All[policy.Fault]()...)
	case r.IntN(2) == 0 && len(cat.Statuses) > 0:
		row := One(r, cat.Statuses...)
		a.Status, a.SubStatus = row.Status, One(r, row.SubStatus, row.SubStatus, "", "UNSEEN")
		if r.IntN(8) == 0 {
			a.Status = "UNSEEN"
		}
	}
	if r.IntN(5) > 0 {
		a.Code = code()
	}
	if r.IntN(4) == 0 {
		a.SubCode = code()
	}
	a.Message = One(r, "", "please retry")
	a.RetryAfter = One(r, 0, 0, time.Second)
	return a
}
