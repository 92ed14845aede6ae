package verify

// Where an outcome leads from a node depends on what the provider has said, and on what the outcome keeps and marks; not on where the
// flow stood before. More than half of all ways lead where an earlier way of the search led, from another node. They are counted, and not
// followed again.

// ways are those that a search has followed. The zero value remembers none.
type ways struct {
	known map[way]struct{}
	said  map[string]int32 // numbers what the provider has said
	again int              // steps that were not followed again, since the last look
	key   []byte
}

// way is what decides where an outcome leads.
type way struct {
	said, kept int32
	marks      marks
}

// remember begins to remember the ways of a search. One that counts, or that looks for a trace, follows each.
func (m *model) remember() {
	if m.coarse && !m.counts() && m.unguarded == "" && !m.steps.every {
		m.steps.ways = ways{known: map[way]struct{}{}, said: map[string]int32{}}
	}
}

// takeAgain returns how many steps were not followed again.
func (w *ways) takeAgain() (n int) {
	n, w.again = w.again, 0
	return n
}

// followed reports whether an outcome leads, without anything to find, where one led before. What was said is the part's. A send takes
// ages from the node before it, and an earlier claim what was certain there: these are always followed.
func (w *ways) followed(p *part, n *node, o *outcome) bool {
	if w.known == nil || o.remarks != nil || o.marks.has(markSends|markWasPart) {
		return false
	}
	if p.number < 0 {
		p.number = w.numberOf(&n.said)
	}
	key := way{p.number, o.kept, o.marks}
	if _, known := w.known[key]; known {
		w.again++
		return true
	}
	w.known[key] = struct{}{}
	return false
}

// numberOf numbers what the provider has said, with all else that a node has besides the state of the flow.
func (w *ways) numberOf(n *said) int32 {
	b := append(w.key[:0], byte(n.started), byte(n.flow), byte(n.firstOwn), n.attempts, n.queries, byte(n.forced),
		bits(n.dedupeByOrder, n.bypassed, n.lateFault, n.foreign, n.disputed, n.isForced))
	for i := range n.ids {
		st := &n.ids[i]
		b = append(b, '/', bits(st.failed, st.accepted, st.queried, st.part, st.old), st.executed, st.other,
			byte(st.first), byte(st.last), byte(st.asked), byte(st.askedFirst))
	}
	for i := range n.requests {
		r := &n.requests[i]
		b = append(b, 'r', byte(r.id), byte(r.age), bits(r.last, r.deduped, r.current))
	}
	w.key = b
	at, known := w.said[string(b)]
	if !known {
		at = int32(len(w.said))
		w.said[string(b)] = at
	}
	return at
}

// bits packs what holds.
func bits(on ...bool) (b byte) {
	for k, o := range on {
		if o {
			b |= 1 << k
		}
	}
	return b
}
