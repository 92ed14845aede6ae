package executor

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// breakerLine is a breaker that is not closed.
type breakerLine struct {
	Provider  string           `json:"provider"`
	Merchant  string           `json:"merchant"`
	Operation policy.Operation `json:"operation"`
	Query     bool             `json:"query"`
	State     string           `json:"state"`
	Until     time.Time        `json:"until"`
}

// accountLine is a merchant's retry budget at a provider, and the calls that are under way or in line.
type accountLine struct {
	Provider      string  `json:"provider"`
	Merchant      string  `json:"merchant"`
	Tokens        float64 `json:"tokens"`
	Of            float64 `json:"of"`
	Off           bool    `json:"off,omitempty"` // retries are not bounded
	Sends         int64   `json:"sends"`
	SendsInLine   int64   `json:"sends_in_line"`
	Queries       int64   `json:"queries"`
	QueriesInLine int64   `json:"queries_in_line"`
}

// breakers answers with the breakers that are not closed, and the accounts that are busy: their budget is not full, or calls are
// under way. They are this process's own; another one has others.
func (a *admin) breakers(r *http.Request) (any, error) {
	q, err := a.readQuery(r, "merchant", "provider")
	if err != nil {
		return nil, err
	}
	wanted := func(provider, merchant string) bool {
		return (q.Provider == "" || q.Provider == provider) && (q.Merchant == "" || q.Merchant == merchant)
	}
	answer := struct {
		Now      time.Time     `json:"now"`
		Breakers []breakerLine `json:"breakers"`
		Accounts []accountLine `json:"accounts"`
	}{a.x.clock.stamp(), []breakerLine{}, []accountLine{}}
	var s Stats
	a.x.guards.states(&s, time.Now())
	for _, b := range s.Breakers {
		if wanted(b.Provider, b.Merchant) {
			answer.Breakers = append(answer.Breakers, breakerLine(b))
		}
	}
	for _, l := range a.x.guards.busy(time.Now()) {
		if wanted(l.Provider, l.Merchant) {
			answer.Accounts = append(answer.Accounts, l)
		}
	}
	return answer, nil
}

// busy lists the accounts that are not at rest, those with the emptiest budget first.
func (g *guards) busy(now time.Time) (all []accountLine) {
	for at, p := range *g.providers.Load() {
		l := accountLine{Provider: at.provider, Merchant: at.merchant, Of: g.budget.Tokens, Off: g.budget.Off, Tokens: p.bucket.left(now)}
		l.Sends, l.SendsInLine = p.sends[0].slots.load()
		l.Queries, l.QueriesInLine = p.asks[0].slots.load()
		if l.Tokens < l.Of || l.Sends+l.SendsInLine+l.Queries+l.QueriesInLine > 0 {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b accountLine) int {
		return cmp.Or(cmp.Compare(a.Tokens, b.Tokens), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Merchant, b.Merchant))
	})
	return all
}

// left is how many tokens there are. It changes nothing.
func (b *bucket) left(now time.Time) float64 {
	if b.terms.Off {
		return b.terms.Tokens
	}
	return b.Left(now)
}

// load is how many calls are under way, and how many wait for a slot. Without a bound none is counted.
func (s *slots) load() (used, inLine int64) {
	if s == nil {
		return 0, 0
	}
	return s.used.Load(), s.inLine.Load()
}
