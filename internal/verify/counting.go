package verify

import (
	"slices"

	"github.com/recourse-pay/recourse/policy"
)

// Rules that are safe only by a count, or by the flow's time, are searched once more with these followed: beside the coarse model, and
// without touching it. What is followed is a function of what has happened (a tally of the flow's sends and queries, how often each rule
// was followed), or is chosen at each event (the part of the flow's time, bound to whether that is over). So every real trace is still
// there, with its real counts, and fewer impossible ones. A count stands still where no rule distinguishes more; one that a limit
// forbids is not reached.

// tally is what a flow has sent and asked, as far as the rules look at it.
type tally struct{ attempts, queries uint8 }

// following is what the coarse model follows of counts and of time.
type following struct {
	attempts, queries bound
	elapsed           []int64 // where the parts of the flow's time begin; nil: no rule looks at it
	over, old         int     // of the parts: the first part after the flow's time, and the first in which its first request can be outside of the dedupe window
}

// bound is how far something is counted. Where that is the limit, more does not happen.
type bound struct {
	most  int // 0: it is not counted
	limit int
}

func boundOf(cuts []int64, limit int) bound {
	if len(cuts) == 0 {
		return bound{limit: limit}
	}
	return bound{int(min(cuts[len(cuts)-1], int64(limit))), limit}
}

// maxCount is the greatest count that a state keeps, in a byte. Rules that compare with more are not counted: webhooks fire a rule any
// number of times.
const maxCount = 250

// next returns the count after one more; ok is false if the limit forbids it.
func (b bound) next(n uint8) (one uint8, ok bool) {
	switch {
	case int(n) < b.most:
		return n + 1, true
	default:
		return n, b.most == 0 || b.most < b.limit
	}
}

// countingModel returns the coarse model of one table, with what its rules look at counted.
func (g *ground) countingModel(tables []*table, known *cuts) *model {
	m := g.model(tables, len(known.fired) > 0, true)
	l, c := &g.terms.Limits, &g.terms.Contract
	m.decider.counts, m.decider.tally = true, &counts{}
	m.following = following{attempts: boundOf(known.attempts, l.MaxAttempts), queries: boundOf(known.queries, l.MaxQueries)}
	if len(known.elapsed) > 0 {
		parts := append(slices.Clone(known.elapsed), 0, int64(l.MaxElapsed))
		if w := int64(repeatWindow(c)); w > 0 {
			parts = append(parts, w)
		}
		parts = sorted(parts)
		m.following.elapsed, m.following.over = parts, slices.Index(parts, int64(l.MaxElapsed))
		if byRequest := slices.Contains(c.Dedupe, policy.RequestID); byRequest { // else the window can have begun before the flow
			m.following.old = max(0, slices.Index(parts, int64(repeatWindow(c))))
		}
		known.elapsed = parts
	}
	m.decider.cuts = known
	m.setFired(known)
	return m
}

// setFired bounds how often each rule's firing is counted.
func (m *model) setFired(known *cuts) {
	for rule, of := range known.fired {
		m.maxFired[rule] = int(min(of[len(of)-1], maxCount))
	}
}

// counts reports whether the coarse model follows any count.
func (m *model) counts() bool { return m.decider.tally != nil }

// showCounts gives the rules the counts of the node whose successors are listed.
func (m *model) showCounts(tr transition) {
	if !m.counts() {
		return
	}
	n := m.steps.from
	*m.decider.tally = counts{attempt: int64(n.attempts), queries: int64(n.queries)}
	if parts := m.following.elapsed; len(parts) > 0 {
		m.decider.tally.elapsed = parts[tr.exhausted.elapsed]
	}
}

// count counts what an outcome sends or asks. It reports whether the limits allow that.
func (m *model) count(n *node, tr transition, o marks) (ok bool) {
	if !m.counts() {
		return true
	}
	if ok = true; tr.kind == kindSecondFlow {
		n.tally = tally{}
	}
	if o.has(markSends) {
		n.attempts, ok = m.following.attempts.next(n.attempts)
	}
	if o.has(markAsks) && ok {
		n.queries, ok = m.following.queries.next(n.queries)
	}
	return ok
}

// times lists, for limits that are used up, each part of the flow's time in which that can be. Only rules look at the time: where none
// is asked, the limits stay as they are.
func (m *model) times(tr transition, limits []exhausted) []exhausted {
	c, n := &m.following, m.steps.from
	if len(c.elapsed) == 0 || m.askedBy(tr) == nil {
		return limits
	}
	var all []exhausted
	for _, x := range limits {
		old := x.lastOld || len(n.ids) > 0 && n.ids[len(n.ids)-1].old
		for part := range c.elapsed {
			if x.elapsed, x.time = uint8(part), part >= c.over; (!old || part >= c.old) && !slices.Contains(all, x) {
				all = append(all, x)
			}
		}
	}
	return all
}
