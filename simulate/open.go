package simulate

import (
	"bytes"
	"hash/maphash"

	"github.com/recourse-pay/recourse/policy"
)

// openFlow is a flow whose lines are not all read. Its memory is used again for another one.
type openFlow struct {
	log  flowLog
	same *openFlow // another one whose names have the same hash
	of   *group    // nil: it has no send
	next *openFlow // of its group, or of those that are not used
	own  group     // which it is the first of
}

// group is the flows of one payment key.
type group struct {
	first, last *openFlow
	key         place  // in the log of its first flow; empty: the flow has no payment key, and is alone
	same        *group // another one whose key has the same hash
	before      *group // of those that are parked
	after       *group
	open        int32 // flows
	operation   policy.Operation
	parked      bool // all are over, and reconciliation of one may follow
}

// reconciled reports whether reconciliation of all flows is there.
func (g *group) reconciled() bool {
	for f := g.first; f != nil; f = f.next {
		if !f.log.hasTruth {
			return false
		}
	}
	return true
}

// size is about the memory of a group.
func (g *group) size() int {
	const flowSize, pointerSize = 300, 8 // of an open flow, and its places in the tables
	n := 0
	for f := g.first; f != nil; f = f.next {
		n += flowSize + len(f.log.data) + pointerSize*f.log.odd()
	}
	return n
}

// openFlows are those that lines may follow of, by the hashes of what names them. Names that have one hash are kept apart.
type openFlows struct {
	hash   func([]byte) uint64
	flows  table[openFlow]
	groups table[group]
	unused *openFlow
	name   []byte // the one that is looked for
	ends   byte   // of logs that were looked at, so that they are read
}

func newOpenFlows(hash func([]byte) uint64) openFlows {
	if hash == nil {
		seed := maphash.MakeSeed()
		hash = func(name []byte) uint64 { return maphash.Bytes(seed, name) }
	}
	return openFlows{hash: hash}
}

// sought is where the flow of a line is looked for.
type sought struct {
	hash  uint64
	first *openFlow // of those with this hash, when it was looked for; it may be closed since
}

// linesAhead is how many lines are looked for at once: their flows lie anywhere in memory, which waits for several as long as for one.
const linesAhead = 16

// look looks for the flows of some lines of a batch.
func (x *openFlows) look(b *batch, lines []entry, found *[linesAhead]sought) {
	for i := range lines[:min(len(lines), linesAhead)] {
		l := &lines[i]
		x.name = append(append(append(x.name[:0], l.merchant...), 0), l.text(b.data, flowText)...)
		hash := x.hash(x.name)
		found[i] = sought{hash, x.flows.get(hash)}
	}
	for i := range found {
		if f := found[i].first; f != nil && len(f.log.data) > 0 { // which reads the two ends that a line is compared with and added to
			x.ends += f.log.data[0] ^ f.log.data[len(f.log.data)-1]
		}
	}
}

// flow finds the flow of a merchant, or opens it.
func (x *openFlows) flow(e *encoder, in *sought, merchant string, name []byte, at moment) (f *openFlow, fresh bool) {
	if f = in.first; f != nil && f.log.named(merchant, name) {
		return f, false
	}
	first := x.flows.get(in.hash)
	for f = first; f != nil; f = f.same {
		if f.log.named(merchant, name) {
			return f, false
		}
	}
	x.name = append(append(append(x.name[:0], merchant...), 0), name...)
	if x.unused == nil {
		some := make([]openFlow, 64)
		for i := range some {
			some[i].next, x.unused = x.unused, &some[i]
		}
	}
	f = x.unused
	x.unused = f.next
	*f = openFlow{same: first}
	e.begin(&f.log, x.name, len(merchant), at)
	x.flows.set(in.hash, f)
	return f, true
}

// join puts a flow, whose log holds its payment key, beside the others of that key.
func (x *openFlows) join(f *openFlow, o policy.Operation) {
	t, g := &f.log, &f.own
	merchant, key := t.data[:t.merchant], t.key.of(t.data)
	if len(key) > 0 {
		hash := x.hashOfKey(merchant, o, key)
		first := x.groups.get(hash)
		for g = first; g != nil && !g.is(merchant, o, key); {
			g = g.same
		}
		if g == nil {
			g = &f.own
			*g = group{operation: o, key: t.key, same: first}
			x.groups.set(hash, g)
		}
	}
	if g.first == nil {
		g.first = f
	} else {
		g.last.next = f
	}
	g.last, f.of = f, g
	g.open++
}

func (x *openFlows) hashOfKey(merchant []byte, o policy.Operation, key []byte) uint64 {
	x.name = append(append(append(x.name[:0], merchant...), 0, byte(o), 0), key...)
	return x.hash(x.name)
}

// is reports whether a group is that of a merchant's payment key.
func (g *group) is(merchant []byte, o policy.Operation, key []byte) bool {
	t := &g.first.log
	return g.operation == o && bytes.Equal(t.data[:t.merchant], merchant) && bytes.Equal(g.key.of(t.data), key)
}

// close forgets a flow; it is not found any more.
func (x *openFlows) close(f *openFlow) {
	hash := x.hash(f.log.data[:f.log.names])
	forget(&x.flows, hash, f, func(f *openFlow) **openFlow { return &f.same })
}

// closeGroup forgets a group.
func (x *openFlows) closeGroup(g *group) {
	if t := &g.first.log; g.key != (place{}) {
		hash := x.hashOfKey(t.data[:t.merchant], g.operation, g.key.of(t.data))
		forget(&x.groups, hash, g, func(g *group) **group { return &g.same })
	}
}

// forget takes one of those that have the same hash out of a table.
func forget[T any](all *table[T], hash uint64, it *T, same func(*T) **T) {
	switch first, rest := all.get(hash), *same(it); {
	case first != it:
		for *same(first) != it {
			first = *same(first)
		}
		*same(first) = rest
	case rest != nil:
		all.set(hash, rest)
	default:
		all.remove(hash)
	}
}

// reuse takes the memory of a flow that is closed.
func (x *openFlows) reuse(e *encoder, f *openFlow) {
	e.rooms.put(f.log.data)
	*f = openFlow{next: x.unused}
	x.unused = f
}

// byFirst is the flows that are open, the oldest first: a heap.
type byFirst []openSince

type openSince struct {
	first moment
	flow  *openFlow
}

func (q *byFirst) push(f *openFlow) {
	all := append(*q, openSince{f.log.first, f})
	for i := len(all) - 1; i > 0; {
		above := (i - 1) / 2
		if all[above].first <= all[i].first {
			break
		}
		all[above], all[i] = all[i], all[above]
		i = above
	}
	*q = all
}

func (q *byFirst) pop() *openFlow {
	all := *q
	oldest, last := all[0].flow, len(all)-1
	all[0], all[last] = all[last], openSince{}
	all = all[:last]
	for i := 0; ; {
		least := 2*i + 1
		if least >= last {
			break
		}
		if right := least + 1; right < last && all[right].first < all[least].first {
			least = right
		}
		if all[i].first <= all[least].first {
			break
		}
		all[i], all[least] = all[least], all[i]
		i = least
	}
	*q = all
	return oldest
}

// parking is the groups whose window is over and whose reconciliation may follow: it is later than
// all else in a recording. Groups leave it when their reconciliation is there, and the oldest when the
// memory is spent.
type parking struct {
	oldest, newest *group
	groups         int
	size           int // bytes, about
}

// defaultParking is how many bytes of flows wait for their reconciliation.
const defaultParking = 256 << 20

func (p *parking) add(g *group) {
	g.before, g.after, g.parked = p.newest, nil, true
	if p.newest != nil {
		p.newest.after = g
	} else {
		p.oldest = g
	}
	p.newest = g
	p.groups++
	p.size += g.size()
}

// remove takes a group out, if it is there.
func (p *parking) remove(g *group) {
	if !g.parked {
		return
	}
	if g.before != nil {
		g.before.after = g.after
	} else {
		p.oldest = g.after
	}
	if g.after != nil {
		g.after.before = g.before
	} else {
		p.newest = g.before
	}
	g.before, g.after, g.parked = nil, nil, false
	p.groups--
	p.size -= g.size()
}
