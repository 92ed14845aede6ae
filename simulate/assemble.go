package simulate

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// job is some groups of flows that are complete, with the texts that they refer to.
type job struct {
	texts  []string
	groups [][]*flowLog
}

// group is the flows of one payment key.
type group struct {
	key  string
	logs []*flowLog
	open int
}

// assembler groups lines by flow. It sends flows to the workers when the window has passed, because
// none of their lines can follow. It is for one goroutine.
type assembler struct {
	o       *Options
	jobs    chan<- job
	encoder *encoder
	flows   map[string]*openFlow
	groups  map[string]*group
	open    byFirst // the flows that are open, the oldest first
	last    moment  // of the line before
	now     moment  // the latest time in this file
	ready   [][]*flowLog
	lines   int
	broken  int
	others  policy.Counts // keys that no line has
	lacks   policy.Counts // of the sends
	before  int64         // bytes of the files before this one
	size    int64         // of all files; 0: not known
}

type openFlow struct {
	key   string
	log   flowLog
	group *group
	first moment
}

type byFirst []*openFlow

func (q byFirst) Len() int           { return len(q) }
func (q byFirst) Less(i, j int) bool { return q[i].first < q[j].first }
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
	return &assembler{o: o, jobs: jobs, encoder: newEncoder(), flows: map[string]*openFlow{}, groups: map[string]*group{}}
}

func (a *assembler) assemble(ctx context.Context, queue <-chan *batch) error {
	var last int64
	for b := range queue {
		select {
		case <-b.done:
		case <-ctx.Done():
			return nil
		}
		if b.fresh {
			a.before += last
			a.now, a.last = 0, 0
		}
		last = b.read
		for _, e := range b.broken {
			if err := a.refuse(e); err != nil {
				return err
			}
		}
		a.note(b)
		for i := range b.lines {
			l := &b.lines[i]
			if err := a.add(l); err != nil {
				if err := a.refuse(&LineError{b.input.name, l.number, err}); err != nil {
					return err
				}
				continue
			}
			a.lines++
		}
		if a.o.Progress != nil {
			a.o.Progress(a.before+b.read, a.size)
		}
	}
	a.closeUntil(func(*openFlow) bool { return true })
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
func (a *assembler) add(l *line) error {
	at := momentOf(l.At)
	// Time moves on when two lines in a row agree on it. A single line with a wrong clock would
	// close every open flow.
	if now := min(at, a.last); now > a.now {
		a.now = now
		a.closeUntil(func(f *openFlow) bool { return a.now-f.log.first > moment(a.o.Window/time.Microsecond) })
	}
	a.last = at
	key := l.Payment.Merchant + "\x00" + l.Flow
	f := a.flows[key]
	if f == nil {
		f = &openFlow{key: key, first: at}
		f.log.flow = key[len(l.Payment.Merchant)+1:]
		a.flows[key] = f
		heap.Push(&a.open, f)
	}
	if p, q := &f.log.payment, &l.Payment; q.Provider != "" && p.Provider != "" && (p.Provider != q.Provider || p.Operation != q.Operation) {
		return fmt.Errorf("flow %q is %s %s; this line says %s %s", l.Flow, p.Provider, p.Operation, q.Provider, q.Operation)
	}
	if f.group == nil && l.Phase == recorded.Send {
		a.join(f, l)
	}
	a.encoder.add(&f.log, l)
	return nil
}

// join puts a flow beside the others of its payment key.
func (a *assembler) join(f *openFlow, l *line) {
	p := &l.Payment
	if p.Key == "" {
		f.group = &group{}
	} else {
		key := p.Merchant + "\x00" + p.Operation.String() + "\x00" + p.Key
		if f.group = a.groups[key]; f.group == nil {
			f.group = &group{key: key}
			a.groups[key] = f.group
		}
	}
	f.group.logs = append(f.group.logs, &f.log)
	f.group.open++
}

// closeUntil closes flows, the oldest first, while over reports true.
func (a *assembler) closeUntil(over func(*openFlow) bool) {
	for len(a.open) > 0 && over(a.open[0]) {
		f := heap.Pop(&a.open).(*openFlow)
		delete(a.flows, f.key)
		g := f.group
		if g == nil { // lines without a send
			a.emit([]*flowLog{&f.log})
			continue
		}
		if g.open--; g.open == 0 {
			delete(a.groups, g.key)
			a.emit(g.logs)
		}
	}
}

func (a *assembler) emit(logs []*flowLog) {
	a.ready = append(a.ready, logs)
	if len(a.ready) >= jobSize {
		a.flush()
	}
}

func (a *assembler) flush() {
	if len(a.ready) > 0 {
		a.jobs <- job{texts: a.encoder.texts, groups: a.ready}
		a.ready = nil
	}
}
