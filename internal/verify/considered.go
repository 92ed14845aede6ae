package verify

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/policy"
)

// Considered is what a search that found nothing has considered that rules are shown. A flow that shows them anything else reaches what
// the search has not seen, and its verdict holds for nothing. It is for tests: see [Options.Considered].
type Considered struct {
	Merchants []string
	modes     region.Words
	cell      region.Box // of the payments; nil: all
	search    *search
	known     map[question]bool
}

// question is what the rules are asked, with all that they can tell apart but for counts, times, tags and the texts of the answer.
type question struct {
	standing standing
	phase    policy.Phase
	group    int // that the answer is in
	fact     policy.Fact
	doubt    bool
}

// standing is how a flow stood when the event came, as far as the model keeps that apart.
type standing struct {
	stage     flow.Stage
	late      bool // a reply to a call that the flow no longer waits for
	resumed   bool
	last      policy.Effect
	again     bool  // the last was sent more than once
	earlier   uint8 // bits of the effects of those before the last
	sameOrder uint8 // and of those of them that share its order
	contested bool
	mismatch  bool // of what executed
	disputed  bool
}

// standingOf returns how a flow stands when an event comes.
func standingOf(s *flow.State, e flow.Event) (is standing) {
	if slices.ContainsFunc(s.Ledger, func(id flow.Identity) bool { return id.Contested }) {
		return standing{contested: true} // what it is shown comes to what it is shown elsewhere: see model.onlyAnswersFollow
	}
	is.stage = s.Stage
	switch e := e.(type) {
	case flow.Answered:
		is.late = s.Stage != flow.Sending || e.Attempt != 0 && e.Attempt != s.Attempts
	case flow.Queried:
		is.late = s.Stage != flow.Querying || e.Query != 0 && e.Query != s.Queries
	case flow.Resumed:
		is.resumed = true
	}
	end := len(s.Ledger) - 1
	for i := range s.Ledger {
		id := &s.Ledger[i]
		if i == end {
			is.last, is.again = id.Effect, id.Sends > 1
			continue
		}
		is.earlier |= 1 << id.Effect
		if id.OrderID == s.Ledger[end].OrderID {
			is.sameOrder |= 1 << id.Effect
		}
	}
	if open := uint8(1<<policy.Unknown | 1<<policy.Pending | 1<<policy.Executed); is.earlier&open != 0 {
		is.earlier, is.sameOrder = is.earlier&open, is.sameOrder&open // those that did not execute are merged into one, which may be open again
	}
	if k := executedIdentity(s); k >= 0 {
		is.mismatch = s.Ledger[k].Mismatch
		is.disputed = !is.mismatch && slices.ContainsFunc(s.Ledger, func(id flow.Identity) bool { return id.Disputed })
	}
	return is
}

// asking is what a decider was asked, and when.
type asking struct {
	standing standing
	at       shown
	asked    *answerClass
}

// considered hands on what a search that found nothing has considered.
func (b *batch) considered(merchants []string, modes region.Words, cell region.Box, s *search) {
	if b.o.Considered != nil {
		b.o.Considered(&Considered{Merchants: merchants, modes: modes, cell: cell, search: s})
	}
}

// Of reports whether a payment of a merchant is one that the search stands for; the merchant without a file is "", whatever its name.
func (c *Considered) Of(merchant string, p *policy.Payment) bool {
	sit := policy.Situation{Payment: p, Answer: &policy.Answer{}}
	return slices.Contains(c.Merchants, merchant) && (c.modes.Has(int(p.Capture)) || !hasModes(p.Operation)) && c.search.m.space.Has(c.cell, &sit, time.UTC)
}

// Has reports whether the search has considered that the rules are shown a situation, by an event in a state.
func (c *Considered) Has(sit *policy.Situation, before *flow.State, e flow.Event) bool {
	if c.known == nil {
		c.list()
	}
	q := question{standing: standingOf(before, e), phase: sit.Answer.Phase, fact: sit.Fact, doubt: sit.InDoubt}
	q.fact.Basis = 0
	f := c.search.m.facts
	for j := range f.groups[q.phase] {
		q.group = j
		if c.known[q] && slices.ContainsFunc(f.groups[q.phase][j].boxes, func(b region.Box) bool { return f.space.Has(b, sit, time.UTC) }) {
			return true
		}
	}
	return false
}

// list lists the questions of the search.
func (c *Considered) list() {
	c.known = map[question]bool{}
	d := c.search.m.decider
	for a := range d.askings {
		at := &a.at
		for _, j := range a.asked.groups {
			for _, fact := range d.facts.shownFor(at, d.facts.groups[at.phase][j].fact) {
				fact.Basis = 0
				c.known[question{a.standing, at.phase, j, fact, at.doubt}] = true
				c.known[question{standing{contested: true}, at.phase, j, fact, at.doubt}] = true // of a contested order less is followed: see standingOf
			}
		}
	}
}
