package simulate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// job is some groups of flows that are complete, with the kinds that their lines refer to. Its memory is used again.
type job struct {
	kinds []*kind
	logs  []flowLog
	ends  []int  // of the groups, in logs
	data  []byte // of the logs
}

var spareJobs sync.Pool // of *job

// assembler groups lines by flow. It sends flows to the workers when the window has passed, because
// none of their lines can follow. It is for one goroutine.
type assembler struct {
	o       *Options
	jobs    chan<- *job
	encoder encoder
	openFlows
	open   byFirst
	parked parking
	most   int    // flows that were open at once
	now    moment // of the recording that has come least far
	ready  *job   // nil: no flow is
	lines  int
	broken int
	others policy.Counts // keys that no line has
	lacks  policy.Counts // of the sends
	size   int64         // of all files; 0: not known
}

const jobSize = 64

func newAssembler(o *Options, jobs chan<- *job) *assembler {
	return &assembler{o: o, jobs: jobs, openFlows: newOpenFlows(o.hash)}
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
	a.noteSetback(&m.back)
	a.closeUntil(func(moment) bool { return true })
	for a.parked.groups > 0 {
		a.leave(a.parked.oldest)
	}
	a.flush()
	return nil
}

// noteSetback says once that time goes back in a recording, which costs memory.
func (a *assembler) noteSetback(b *setback) {
	if b.lines == 0 || a.o.Warn == nil {
		return
	}
	a.o.Warn(&LineError{b.name, b.line, fmt.Errorf(
		"here time goes back by %.1f days (%d lines are older than one before them by more than the window); flows stay open until it has moved on, "+
			"here %d at once, and take memory. Cut the file here, because files are read in the order of their times, or sort its lines by \"at\"",
		(time.Duration(b.most)*time.Microsecond).Hours()/24, b.lines, a.most)})
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
		a.closeUntil(func(first moment) bool { return a.now-first > a.o.window() })
	}
	b, i := s.b, s.next%linesAhead
	if i == 0 {
		a.look(b, b.lines[s.next:], &s.ahead)
	}
	l := s.take()
	if err := a.add(b, l, &s.ahead[i]); err != nil {
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
func (a *assembler) add(b *batch, l *entry, in *sought) error {
	k := l.kind
	f, fresh := a.flow(&a.encoder, in, l.merchant, l.text(b.data, flowText), l.at)
	if fresh {
		a.open.push(f)
		a.most = max(a.most, len(a.open))
	}
	if of := f.log.of; of != nil && k.provider != "" && of.provider != "" && (of.provider != k.provider || of.operation != k.operation) {
		return fmt.Errorf("flow %q is %s %s; this line says %s %s", f.log.flow(), of.provider, of.operation, k.provider, k.operation)
	}
	if f.of == nil && k.phase == recorded.Send {
		a.encoder.key(&f.log, l.text(b.data, keyText))
		a.join(f, k.operation)
		a.parked.remove(f.of)
	}
	g := f.of
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

// closeUntil closes flows, the oldest first, while over reports true.
func (a *assembler) closeUntil(over func(first moment) bool) {
	for len(a.open) > 0 && over(a.open[0].first) {
		f := a.open.pop()
		g := f.of
		if g == nil { // lines without a send
			a.emit(f)
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
			a.leave(a.parked.oldest)
		}
	}
}

// leave sends the flows of a group to the workers. No line can be added to them from then on.
func (a *assembler) leave(g *group) {
	a.parked.remove(g)
	a.closeGroup(g)
	a.emit(g.first)
}

// emit sends a flow, and those that follow it in its group, to the workers.
func (a *assembler) emit(f *openFlow) {
	if a.ready == nil {
		a.ready, _ = spareJobs.Get().(*job)
	}
	if a.ready == nil {
		a.ready = new(job)
	}
	j := a.ready
	for f != nil {
		next := f.next
		t := f.log
		from := len(j.data)
		j.data = append(j.data, t.data...)
		t.data = j.data[from:len(j.data):len(j.data)]
		j.logs = append(j.logs, t)
		a.close(f)
		a.reuse(&a.encoder, f)
		f = next
	}
	if j.ends = append(j.ends, len(j.logs)); len(j.ends) >= jobSize {
		a.flush()
	}
}

func (a *assembler) flush() {
	if a.ready != nil {
		a.ready.kinds = a.encoder.kinds
		a.jobs <- a.ready
		a.ready = nil
	}
}

// leave gives up a job that is done with.
func (j *job) leave() {
	clear(j.logs) // what they refer to
	*j = job{logs: j.logs[:0], ends: j.ends[:0], data: j.data[:0]}
	spareJobs.Put(j)
}
