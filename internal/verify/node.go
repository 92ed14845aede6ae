package verify

import (
	"slices"
	"strconv"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// node is one state of the product: the flow, and what the provider has stated so far. What the
// provider has not stated stays open: a request may have been lost, refused, stored as failed,
// accepted or executed, and may still be on its way. Each answer settles a part. The provider may
// give an answer if some history makes it true. One node so stands for many histories, which keeps
// the product small.
type node struct {
	s flow.State // setTimes derives its times from the regions
	said
}

// said is what the provider has stated so far, and what else a node has besides the state of the flow.
type said struct {
	ids      []statements // by identity of the ledger
	requests []request    // sent, and not known to have been refused for good
	started  ageClass
	flow     int // number of the flow of the payment key: 1 or 2
	firstOwn int // index of the flow's first own identity in the ledger

	dedupeByOrder bool // the provider deduplicates by order, not only by identity
	bypassed      bool // the unguarded rule was followed against the interlock
	lateFault     bool // a call was left under way, and may still fail
	foreign       bool // another client's request was executed under one of our orders
	disputed      bool // an answer about the payment key has said so, and no person since

	tally // of the flow, where the rules look at counts and the rest of the model does not

	forced   policy.Action // the action that the flow takes next without the interlock
	isForced bool          // forced is set
}

// statements is what the provider has stated about one identity.
type statements struct {
	failed   bool  // a request ended without execution, and the provider stored that
	accepted bool  // a request was accepted
	executed uint8 // requests that were executed
	other    uint8 // requests that were executed with another amount
	queried  bool  // a query was sent since, or the coarse model has forgotten that; its reply may arrive late
	part     bool  // it said that another amount was paid, and has not named the whole since
	old      bool  // coarse: the provider does not dedupe it any more

	first, last ageClass // ages of its first and its last send
	asked       ageClass // age of its last send when the query under way was asked
	askedFirst  ageClass
}

// request is one request that was sent.
type request struct {
	id      int
	age     ageClass
	last    bool // it is the identity's last send, and has its age
	deduped bool // the contract deduplicates it: of all such requests at most one is executed
	current bool // its call is under way
}

// copyFrom is clone into memory that is reused, with another state of the flow. The copy is built on the stack, because
// each write of pointers to the heap costs the collector's barrier.
func (n *node) copyFrom(from *node, s *flow.State) {
	c := node{*s, from.said}
	c.ids, c.requests = append(n.ids[:0], from.ids...), append(n.requests[:0], from.requests...)
	*n = c
}

// candidates counts the requests of an identity that can have been executed or have failed, each
// by itself. Requests that the contract deduplicates count as one, or as none when another
// identity has the one execution.
func (n *node) candidates(i int) int {
	covered, open := n.countRequests(i)
	if covered > 0 && !n.takenByOther(i) {
		open++
	}
	return open
}

// countRequests counts the requests of an identity that the contract deduplicates, and the others.
func (n *node) countRequests(i int) (covered, open int) {
	for k := range n.requests {
		switch c := &n.requests[k]; {
		case c.id != i:
		case c.deduped:
			covered++
		default:
			open++
		}
	}
	return covered, open
}

// takenByOther reports whether another identity of the order has the one execution of the
// deduplicated requests.
func (n *node) takenByOther(i int) bool {
	if !n.dedupeByOrder {
		return false
	}
	for j := range n.ids {
		if j == i || n.s.Ledger[j].OrderID != n.s.Ledger[i].OrderID {
			continue
		}
		if covered, _ := n.countRequests(j); covered > 0 && (n.ids[j].concluded() || n.ids[j].accepted) {
			return true
		}
	}
	return false
}

// concluded reports whether a request of the identity is known to have ended.
func (st *statements) concluded() bool { return st.failed || st.executed+st.other > 0 }

// unreported counts the executions of an identity that are possible and that the provider has not
// reported.
func (n *node) unreported(i int) int {
	st := &n.ids[i]
	sum := n.candidates(i) - int(st.executed+st.other)
	if st.failed {
		sum--
	}
	return max(0, sum)
}

// executions counts how often the payment key has been charged or may still be.
func (n *node) executions() int {
	sum := 0
	for i := range n.ids {
		sum += int(n.ids[i].executed + n.ids[i].other)
		free := n.unreported(i)
		if free > 0 && n.dedupeByOrder && n.alreadyCounted(i) {
			free-- // it is the one of its order
		}
		sum += free
	}
	return sum
}

// alreadyCounted reports whether an earlier identity of the order was counted for the one
// execution that they share.
func (n *node) alreadyCounted(i int) bool {
	if covered, _ := n.countRequests(i); covered == 0 || n.ids[i].concluded() {
		return false
	}
	for j := range i {
		if n.s.Ledger[j].OrderID != n.s.Ledger[i].OrderID {
			continue
		}
		if covered, _ := n.countRequests(j); covered > 0 && !n.ids[j].concluded() {
			return true
		}
	}
	return false
}

// base is the time of every transition. Ages are subtracted from it.
var base = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// clone copies the parts that a transition may change.
func (n *node) clone() node {
	c := *n
	c.ids = slices.Clone(n.ids)
	c.requests = slices.Clone(n.requests)
	return c
}

// roles returns the roles of an identity's first and last send.
func (n *node) roles(i int) (first, last uint8) {
	first, last = roleFirst, roleLast
	if n.closed(i) && n.s.Ledger[i].Sends == 1 {
		first = 0 // it is not sent again
	}
	if i == n.firstOwn {
		first |= roleStart
	}
	for _, f := range n.requests {
		if f.id == i && f.last {
			last |= roleCopy
		}
	}
	if n.s.Ledger[i].Sends == 1 {
		first |= last
		last = first
	}
	return first, last
}

// closed reports whether an identity is never sent again.
func (n *node) closed(i int) bool { return i < len(n.ids)-1 || n.s.Stage == flow.Ended }

// setTimes gives the flow's state times that lie in the node's regions.
func (m *model) setTimes(n *node) {
	s := &n.s
	if s.Stage == flow.New {
		return
	}
	k := m.clock
	s.Started = base.Add(-k.age(n.started))
	m.timed = append(m.timed[:0], s.Ledger...)
	ledger := m.timed
	shift := time.Duration(0)
	if s.Stage == flow.Querying {
		shift = m.shift(n)
	}
	for i := range ledger {
		id, st := &ledger[i], &n.ids[i]
		first, last := k.age(st.first), k.age(st.last)
		if s.Stage == flow.Querying {
			first = max(first, k.age(st.askedFirst)+shift)
			last = max(last, k.age(st.asked)+shift)
		}
		switch {
		case st.old:
			id.FirstSent = base.Add(-shift - repeatWindow(&m.terms.Contract))
		case m.coarse: // its window ends at any event, and not with an age
			id.FirstSent = base.Add(-min(first, 1))
		default:
			id.FirstSent = base.Add(-first)
		}
		id.LastSent = base.Add(-last)
		id.Deadline = id.LastSent.Add(m.terms.Contract.CallTimeout())
	}
	s.Ledger = ledger
	s.Asked = base.Add(-shift)
	s.Next.At = base
	if s.Displaced != nil {
		next := *s.Displaced
		next.At = base
		s.Displaced = &next
	}
}

// shift returns how long ago the query under way was sent: long enough for the ages that passed
// since.
func (m *model) shift(n *node) time.Duration {
	k, least := m.clock, time.Duration(0)
	need := func(was, is ageClass, roles uint8) {
		if k.round(is, roles) != was {
			least = max(least, k.age(is)-k.upper(was, roles)+1)
		}
	}
	for i := range n.ids {
		st := &n.ids[i]
		need(st.askedFirst, st.first, roleFirst)
		need(st.asked, st.last, roleLast)
	}
	return least
}

// key identifies a node. The order and the names of past identities are left out where they make
// no difference. That merges nodes which differ only in them.
func (m *model) key(n *node) []byte {
	b := m.buf[:0]
	s := &n.s
	flag := func(on ...bool) {
		for _, o := range on {
			if o {
				b = append(b, '1')
			} else {
				b = append(b, '0')
			}
		}
	}
	b = append(b, s.Stage...)
	b = append(b, n.attempts, n.queries)
	b = append(b, byte(s.Attempts), byte(s.Outcome), byte(n.flow), byte(n.firstOwn), byte(n.started), byte(n.forced), byte(s.Next.Action))
	b = strconv.AppendInt(b, int64(s.Queries), 10)
	b = append(b, s.Next.Via...)
	b = append(b, s.AskedBy...)
	flag(n.bypassed, n.lateFault, n.foreign, n.isForced, n.disputed, s.Withdrawn != "", s.Displaced != nil)
	if s.Displaced != nil {
		b = append(b, byte(s.Displaced.Action))
		b = append(b, s.Displaced.Via...)
	}
	for _, f := range s.Fired {
		b = append(append(append(b, '|'), f.Name...), byte(f.N))
	}
	if len(n.ids) < 3 { // there are no two to sort
		for i := range n.ids {
			b = append(append(b, '/'), m.identityKey(n, i)...)
		}
		m.buf = b
		return b
	}
	parts := m.parts[:0]
	for i := range n.ids {
		parts = append(parts, string(m.identityKey(n, i)))
	}
	if interchangeable(n) {
		slices.Sort(parts[:len(parts)-1])
	}
	m.parts = parts
	for _, p := range parts {
		b = append(append(b, '/'), p...)
	}
	m.buf = b
	return b
}

// interchangeable reports whether the identities before the last may change places. They may when
// no two of them share an order that the last does not have: then no answer can mean the later of
// them.
func interchangeable(n *node) bool {
	l := n.s.Ledger
	for i := range l {
		for j := i + 1; j < len(l)-1; j++ {
			if l[i].OrderID == l[j].OrderID && l[i].OrderID != l[len(l)-1].OrderID {
				return false
			}
		}
	}
	return len(l) > 1
}

// identityKey is the part of a node's key for one identity.
func (m *model) identityKey(n *node, i int) []byte {
	id, st := &n.s.Ledger[i], &n.ids[i]
	b := m.idBuf[:0]
	same := byte('n')
	if id.OrderID == n.s.Ledger[len(n.s.Ledger)-1].OrderID {
		same = 's' // past orders are not distinguished further
	}
	bits := byte(0)
	for k, on := range []bool{id.ProviderID != "", id.Mismatch, id.Contested, st.failed, st.accepted, st.queried, id.Reopened, st.old} {
		if on {
			bits |= 1 << k
		}
	}
	b = append(b, same, bits, byte(id.Sends), byte(id.Copies), byte(id.Effect), byte(id.Prior),
		byte(id.Fact.Effect), byte(id.Fact.Class), byte(id.Fact.Stage), byte(id.Fact.Reach), byte(id.Fact.Final),
		st.executed, st.other, byte(st.first), byte(st.last))
	if n.s.Stage == flow.Querying {
		b = append(b, byte(st.asked), byte(st.askedFirst))
	}
	if i >= n.firstOwn {
		b = append(b, 'o')
	}
	if id.Disputed {
		b = append(b, 'd')
	}
	if st.part {
		b = append(b, 'p')
	}
	list := m.copiesBuf[:0]
	for _, f := range n.requests {
		if f.id != i {
			continue
		}
		x := uint16(f.age) << 8
		for k, on := range []bool{f.last, f.deduped, f.current} {
			if on {
				x |= 1 << k
			}
		}
		list = append(list, x)
	}
	slices.Sort(list)
	for _, f := range list {
		b = append(b, 'c', byte(f>>8), byte(f))
	}
	m.copiesBuf, m.idBuf = list, b
	return b
}
