package simulate

import (
	"container/heap"
	"container/list"
	"context"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// job is some groups of flows that are complete, with the kinds that their lines refer to.
type job struct {
	kinds  []*kind
	groups [][]*flowLog
}

// group is the flows of one payment key.
type group struct {
	key    string
	flows  []*openFlow
	open   int
	parked bool // all are over, and reconciliation of one may follow
}

// assembler groups lines by flow. It sends flows to the workers when the window has passed, because
// none of their lines can follow. It is for one goroutine.
type assembler struct {
	o       *Options
	jobs    chan<- job
	encoder encoder
	flows   map[string]*openFlow
	groups  map[string]*group
	open    byFirst // the flows that are open, the oldest first
	parked  parking
	now     moment // of the recording that has come least far
	ready   [][]*flowLog
	name    []byte // of the flow under way
	lines   int
	broken  int
	others  policy.Counts // keys that no line has
	lacks   policy.Counts // of the sends
	size    int64         // of all files; 0: not known
}

type openFlow struct {
	log   flowLog
	group *group
}

type byFirst []*openFlow

func (q byFirst) Len() int           { return len(q) }
func (q byFirst) Less(i, j int) bool { return q[i].log.first < q[j].log.first }
func (q byFirst) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byFirst) Push(x any)        { *q = append(*q, x.(*openFlow)) }
func (q *byFirst) Pop() any {
	old := *q
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return f
}

const jobSize = 64

func newAssembler(o *Options, jobs chan<- job) *assembler {
	return &assembler{o: o, jobs: jobs, flows: map[string]*openFlow{}, groups: map[string]*group{}}
}

// assemble puts the lines of all recordings to their flows.
func (a *assembler) assemble(ctx context.Context, m *merge) error {
	fresh := func(b *batch) error {
		for _, e := range b.broken {
			if err := a.refuse(e); err != nil {
				return err
			}
		}
		a.note(b)
		if a.o.Progress != nil {
			a.o.Progress(m.read(), a.size)
		}
		return nil
	}
	for {
		s, until, err := m.least(ctx, fresh)
		if err != nil {
			return err
		}
		if s == nil {
			break
		}
		for again := true; again; again = s.next < len(s.b.lines) && s.now <= until {
			if err := a.addFrom(s); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	a.closeUntil(func(*openFlow) bool { return true })
	for len(a.parked.at) > 0 {
		a.leave(a.parked.oldest())
	}
	a.flush()
	return nil
}

// maxOthers bounds the unknown keys that are named: a file may have a new one in each line.
const maxOthers = 100

// note counts what is odd in a batch.
func (a *assembler) note(b *batch) {
	for _, l := range b.others {
		key := l.Err.Error()
		if a.others.Of(key) == 0 {
			if len(a.others) >= maxOthers {
				continue
			}
			if a.o.Warn != nil {
				a.o.Warn(&LineError{l.File, l.Line, fmt.Errorf("key %q: no line has it, it is not read%s", key, nearest(key))})
			}
		}
		addTo(&a.others, key, 1)
	}
	for _, c := range b.lacks {
		addTo(&a.lacks, c.Name, c.N)
	}
}

// nearest suggests the key that a misspelt one may be meant for.
func nearest(key string) string { return source.Suggest(key, recorded.Keys()) }

// addFrom takes one line of a recording. The time of all recordings is at least that of this one.
func (a *assembler) addFrom(s *stream) error {
	if s.now > a.now {
		a.now = s.now
		a.closeUntil(func(f *openFlow) bool { return a.now-f.log.first > moment(a.o.Window/time.Microsecond) })
	}
	b := s.b
	l := s.take()
	if err := a.add(b, l); err != nil {
		return a.refuse(&LineError{b.input.name, l.number, err})
	}
	a.lines++
	return nil
}

// refuse counts a broken line; the error is that of --strict.
func (a *assembler) refuse(e *LineError) error {
	a.broken++
	if a.o.Strict {
		return e // it names the line, so Broken is not called as well
	}
	if a.o.Broken != nil {
		a.o.Broken(e)
	}
	return nil
}

// add puts a line to its flow. A flow has one provider and one operation.
func (a *assembler) add(b *batch, l *entry) error {
	k := l.kind
	a.name = append(append(append(a.name[:0], l.merchant...), 0), l.text(b.data, flowText)...)
	f := a.flows[string(a.name)]
	if f == nil {
		f = &openFlow{log: flowLog{name: string(a.name), merchant: uint32(len(l.merchant)), first: l.at}}
		a.flows[f.log.name] = f
		heap.Push(&a.open, f)
	}
	if of := f.log.of; of != nil && k.provider != "" && of.provider != "" && (of.provider != k.provider || of.operation != k.operation) {
		return fmt.Errorf("flow %q is %s %s; this line says %s %s", f.log.flow(), of.provider, of.operation, k.provider, k.operation)
	}
	if f.group == nil && k.phase == recorded.Send {
		a.join(f, b, l)
	}
	g := f.group
	if g == nil || !g.parked {
		a.encoder.add(&f.log, b, l)
		return nil
	}
	a.parked.remove(g)
	a.encoder.add(&f.log, b, l)
	if g.reconciled() {
		a.leave(g)
	} else {
		a.parked.add(g)
	}
	return nil
}

// join puts a flow beside the others of its payment key.
func (a *assembler) join(f *openFlow, b *batch, l *entry) {
	if paid := l.text(b.data, keyText); len(paid) == 0 {
		f.group = &group{}
	} else {
		a.name = append(append(append(append(append(a.name[:0], l.merchant...), 0), l.kind.operation.String()...), 0), paid...)
		if f.group = a.groups[string(a.name)]; f.group == nil {
			f.group = &group{key: string(a.name)}
			a.groups[f.group.key] = f.group
		}
		f.log.key = f.group.key[len(a.name)-len(paid):] // one text for all
	}
	a.parked.remove(f.group)
	f.group.flows = append(f.group.flows, f)
	f.group.open++
}

// closeUntil closes flows, the oldest first, while over reports true.
func (a *assembler) closeUntil(over func(*openFlow) bool) {
	for len(a.open) > 0 && over(a.open[0]) {
		f := heap.Pop(&a.open).(*openFlow)
		g := f.group
		if g == nil { // lines without a send
			delete(a.flows, f.log.name)
			a.emit([]*flowLog{&f.log})
			continue
		}
		if g.open--; g.open > 0 {
			continue
		}
		if g.reconciled() {
			a.leave(g)
			continue
		}
		a.parked.add(g)
		for a.parked.size > a.o.parking {
			a.leave(a.parked.oldest())
		}
	}
}

// leave sends the flows of a group to the workers. No line can be added to them from then on.
func (a *assembler) leave(g *group) {
	a.parked.remove(g)
	delete(a.groups, g.key)
	logs := make([]*flowLog, len(g.flows))
	for i, f := range g.flows {
		delete(a.flows, f.log.name)
		logs[i] = &f.log
	}
	a.emit(logs)
}

// reconciled reports whether reconciliation of all flows is there.
func (g *group) reconciled() bool {
	for _, f := range g.flows {
		if !f.log.hasTruth {
			return false
		}
	}
	return true
}

// parking is the groups whose window is over and whose reconciliation may follow: it is later than
// all else in a recording. Groups leave it when their reconciliation is there, and the oldest when the
// memory is spent.
type parking struct {
	groups list.List
	at     map[*group]*list.Element
	size   int // bytes, about
}

// defaultParking is how many bytes of flows wait for their reconciliation.
const defaultParking = 256 << 20

func (p *parking) add(g *group) {
	if p.at == nil {
		p.at = map[*group]*list.Element{}
	}
	p.at[g] = p.groups.PushBack(g)
	g.parked = true
	p.size += g.size()
}

// remove takes a group out, if it is there.
func (p *parking) remove(g *group) {
	if e := p.at[g]; e != nil {
		p.groups.Remove(e)
		delete(p.at, g)
		g.parked = false
		p.size -= g.size()
	}
}

func (p *parking) oldest() *group { return p.groups.Front().Value.(*group) }

// size is about the memory of a group.
func (g *group) size() int {
	const flowSize, pointerSize = 450, 8 // of an open flow, its names and its places in the tables
	n := 0
	for _, f := range g.flows {
		n += flowSize + len(f.log.data) + pointerSize*len(f.log.odd)
	}
	return n
}

func (a *assembler) emit(logs []*flowLog) {
	a.ready = append(a.ready, logs)
	if len(a.ready) >= jobSize {
		a.flush()
	}
}

func (a *assembler) flush() {
	if len(a.ready) > 0 {
		a.jobs <- job{kinds: a.encoder.kinds, groups: a.ready}
		a.ready = nil
	}
}
