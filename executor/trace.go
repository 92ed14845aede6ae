package executor

import "slices"

// A trace keeps its beginning and its end: a flow may wait for weeks.
const (
	traceHead = 64
	traceTail = 192
)

// trace is what a flow did in this process. The flow's lock guards it.
type trace struct{ entries []Entry }

// add appends an entry. It never writes to entries that a result may share.
func (t *trace) add(e Entry) {
	if len(t.entries) >= traceHead+traceTail {
		short := make([]Entry, 0, traceHead+traceTail)
		short = append(short, t.entries[:traceHead]...)
		t.entries = append(short, t.entries[traceHead+traceTail/2:]...)
	}
	t.entries = append(t.entries, e)
}

// snapshot is the trace so far.
func (t *trace) snapshot() []Entry { return slices.Clip(t.entries) }
