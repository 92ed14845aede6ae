package simulate

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/recourse-pay/recourse/internal/recorded"
)

// stream is one recording while it is read: its batches in their order.
type stream struct {
	begins  moment // its earliest time, by its first lines
	open    func() // begins to read
	batches chan *batch

	b    *batch // the batch under way; nil: none is read yet
	next int    // line in b
	last moment // of the line before
	line int    // its number
	now  moment // the latest time in this recording
	read int64  // bytes, as stored

	window moment  // of flows: those that begin longer ago stay open until time moves on
	back   setback // where they do

	ahead [linesAhead]sought // of the lines from the last multiple of as many on
}

// setback is where the time of recordings goes back by more than the window.
type setback struct {
	lines int    // that are so much older than one before them
	most  moment // by which one is
	name  string // of its recording
	line  int
}

func (b *setback) join(o *setback) {
	lines := b.lines + o.lines
	if o.most > b.most {
		*b = *o
	}
	b.lines = lines
}

// peekSize is how much of a recording is read to see when it begins.
const peekSize = 64 << 10

// beginning looks at the first lines of a recording for the earliest time. It is not known where the
// recording waits, or no line can be read.
func (in *input) beginning() (first moment, known bool) {
	if in.waits {
		return math.MinInt64, false
	}
	file, err := in.open()
	if err != nil {
		return 0, false // reading says so again
	}
	defer file.Close()
	lines, err := plain(file)
	if err != nil {
		return 0, false
	}
	data := make([]byte, peekSize)
	n, err := fill(lines, data)
	data = data[:n]
	if err == nil { // the last line is cut
		data = data[:bytes.LastIndexByte(data, '\n')+1]
	}
	r := recorded.NewReader()
	for raw := range bytes.Lines(data) {
		var l recorded.Line
		if _, err := r.Read(raw, &l); err != nil {
			continue
		}
		if at := momentOf(l.At); !known || at < first {
			first, known = at, true
		}
	}
	return first, known
}

// merge hands out the lines of several recordings, those of the recording first that has come least
// far in time. So a log that several hosts write is read as one, and files that follow each other are
// opened one after the other.
type merge struct {
	waiting []*stream // not opened, the earliest first
	opened  []*stream
	ended   int64   // bytes of the recordings that have ended, as stored
	back    setback // of those that have ended
}

func newMerge(sources []*stream) *merge {
	m := &merge{waiting: sources}
	slices.SortStableFunc(m.waiting, func(a, b *stream) int { return cmp.Compare(a.begins, b.begins) })
	return m
}

// least returns the recording to read from, at a line that is not read yet, and how far to read: until its
// time is past that of another. It is nil when all recordings have ended, or ctx is cancelled.
func (m *merge) least(ctx context.Context, fresh func(*batch) error) (s *stream, until moment, err error) {
	for {
		s, until = nil, moment(math.MaxInt64)
		for i := 0; i < len(m.opened); i++ {
			o := m.opened[i]
			there, err := o.fill(ctx, fresh)
			if err != nil || ctx.Err() != nil {
				return nil, 0, err
			}
			if !there {
				m.ended += o.read
				m.back.join(&o.back)
				m.opened = slices.Delete(m.opened, i, i+1)
				i--
				continue
			}
			switch {
			case s == nil:
				s = o
			case o.now < s.now:
				s, until = o, min(until, s.now)
			default:
				until = min(until, o.now)
			}
		}
		if len(m.waiting) == 0 || s != nil && m.waiting[0].begins > s.now {
			if len(m.waiting) > 0 {
				until = min(until, m.waiting[0].begins)
			}
			return s, until, nil
		}
		m.waiting[0].open()
		m.opened = append(m.opened, m.waiting[0])
		m.waiting = m.waiting[1:]
	}
}

// read is how many bytes have been read, as stored.
func (m *merge) read() int64 {
	n := m.ended
	for _, s := range m.opened {
		n += s.read
	}
	return n
}

// fill waits for a batch with a line that is not read yet. It reports whether there is one, and hands each
// batch to fresh.
func (s *stream) fill(ctx context.Context, fresh func(*batch) error) (there bool, err error) {
	for s.b == nil || s.next == len(s.b.lines) {
		if s.b != nil {
			s.b.leave()
		}
		s.b = nil
		select {
		case b, ok := <-s.batches:
			if !ok {
				return false, nil
			}
			s.b, s.next = b, 0
		case <-ctx.Done():
			return false, nil
		}
		select {
		case <-s.b.done:
		case <-ctx.Done():
			return false, nil
		}
		s.read = s.b.read
		if err := fresh(s.b); err != nil {
			return false, err
		}
		s.arrive()
	}
	return true, nil
}

// take returns the line at which the recording stands, and moves on.
func (s *stream) take() *entry {
	l := &s.b.lines[s.next]
	s.last, s.line = l.at, l.number
	s.next++
	s.arrive()
	return l
}

// arrive moves the recording's time to the line at which it stands. Time moves on when two lines in a
// row agree on it: a single line with a wrong clock would close every open flow. It never moves back, because the order of
// the lines says nothing of which flows are over; but that two lines in a row are so old is noted.
func (s *stream) arrive() {
	if s.next == len(s.b.lines) {
		return
	}
	at := s.b.lines[s.next].at
	if by := s.now - max(at, s.last); by > s.window {
		s.back.join(&setback{1, by, s.b.input.name, s.line})
	}
	s.now = max(s.now, min(at, s.last))
}
