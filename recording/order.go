package recording

import (
	"container/heap"
	"time"
)

// held is a line that waits for the calls that began before it.
type held struct {
	at   time.Time
	seq  uint64 // of lines of one time the earlier comes first
	line []byte
}

// orderer puts lines into the order of time. It is for one goroutine.
type orderer struct {
	lines []held // a heap
	seq   uint64
	bytes int
}

func (o *orderer) Len() int { return len(o.lines) }
func (o *orderer) Less(i, j int) bool {
	a, b := &o.lines[i], &o.lines[j]
	if a.at.Equal(b.at) {
		return a.seq < b.seq
	}
	return a.at.Before(b.at)
}
func (o *orderer) Swap(i, j int) { o.lines[i], o.lines[j] = o.lines[j], o.lines[i] }
func (o *orderer) Push(x any)    { o.lines = append(o.lines, x.(held)) }
func (o *orderer) Pop() any {
	last := len(o.lines) - 1
	h := o.lines[last]
	o.lines[last] = held{}
	o.lines = o.lines[:last]
	return h
}

func (o *orderer) add(at time.Time, line []byte) {
	o.seq++
	o.bytes += len(line)
	heap.Push(o, held{at, o.seq, line})
}

// next takes the earliest line if no call that is under way began before it, or if more
// than limit bytes wait.
func (o *orderer) next(oldest time.Time, limit int) (held, bool) {
	if len(o.lines) == 0 || !oldest.IsZero() && oldest.Before(o.lines[0].at) && o.bytes <= limit {
		return held{}, false
	}
	h := heap.Pop(o).(held)
	o.bytes -= len(h.line)
	return h, true
}
