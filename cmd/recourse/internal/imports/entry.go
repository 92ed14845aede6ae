package imports

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

// entry is a line that is not paired with its flow yet.
type entry struct {
	Line     recorded.Line
	Ops      []policy.Operation // what it may be about; a send has one
	Answered string             // the provider's id in the answer
	Scope    string             // where equal identifiers mean one payment: a file, a folder, or everywhere
	File     string
	Number   int // its line in the file
	Seq      int

	Unordered bool // its file is in no order
}

func (e *entry) size() int { return 400 + len(e.Line.Body) }

// before orders entries by time. Of one instant those of files in no order come behind the others, a scope after another, and of a
// scope what was sent comes first.
func before(a, b *entry) int {
	if c := a.Line.At.Compare(b.Line.At); c != 0 {
		return c
	}
	rank := func(e *entry) int {
		switch {
		case !e.Unordered:
			return 0
		case e.Line.Phase == recorded.Send:
			return 1
		}
		return 2
	}
	if a.Unordered != b.Unordered {
		return rank(a) - rank(b)
	}
	if a.Unordered {
		if c := cmp.Or(strings.Compare(a.Scope, b.Scope), rank(a)-rank(b)); c != 0 {
			return c
		}
	}
	return a.Seq - b.Seq
}

// sorter puts entries into the order of time. What does not fit into memory goes to files that are removed.
type sorter struct {
	most    int // bytes in memory
	dir     string
	held    []*entry
	size    int
	spilled []*os.File
}

const inMemory = 192 << 20

func (s *sorter) add(e *entry) error {
	s.held = append(s.held, e)
	if s.size += e.size(); s.size < s.most {
		return nil
	}
	return s.spill()
}

func (s *sorter) spill() error {
	slices.SortFunc(s.held, before)
	f, err := os.CreateTemp(s.dir, "recourse-import-*")
	if err != nil {
		return err
	}
	s.spilled = append(s.spilled, f)
	w := bufio.NewWriterSize(f, 1<<20)
	enc := gob.NewEncoder(w)
	for _, e := range s.held {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	s.held, s.size = nil, 0
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// close removes the files.
func (s *sorter) close() {
	for _, f := range s.spilled {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}

// all visits the entries in the order of time.
func (s *sorter) all(visit func(*entry) error) error {
	slices.SortFunc(s.held, before)
	if len(s.spilled) == 0 {
		for _, e := range s.held {
			if err := visit(e); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	var heads headHeap
	for _, f := range s.spilled {
		h := &head{dec: gob.NewDecoder(bufio.NewReaderSize(f, 1<<20))}
		if err := heads.push(h); err != nil {
			return err
		}
	}
	for len(heads) > 0 {
		h := heap.Pop(&heads).(*head)
		if err := visit(h.next); err != nil {
			return err
		}
		if err := heads.push(h); err != nil {
			return err
		}
	}
	return nil
}

// head is a sorted file and its next entry.
type head struct {
	dec  *gob.Decoder
	next *entry
}

type headHeap []*head

func (h headHeap) Len() int           { return len(h) }
func (h headHeap) Less(i, j int) bool { return before(h[i].next, h[j].next) < 0 }
func (h headHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *headHeap) Push(x any)        { *h = append(*h, x.(*head)) }
func (h *headHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// push puts a file back with its next entry, unless it has none.
func (h *headHeap) push(x *head) error {
	var e entry
	switch err := x.dec.Decode(&e); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("a temporary file cannot be read again: %w", err)
	}
	x.next = &e
	heap.Push(h, x)
	return nil
}

// clock gives times to entries of a file that does not have them.
type clock struct {
	last      time.Time
	unordered bool // entries do not come in the order of their calls
}

// begin is where invented times begin.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// step is between two entries whose times are not known.
const step = time.Second

// of is the time of an entry. A time that comes from a Date header is exact to a second: it never goes back.
func (c *clock) of(at, received time.Time, latency time.Duration) (t time.Time, known bool) {
	switch {
	case c.unordered && at.IsZero() && !received.IsZero():
		c.last = received
		return received, false
	case !at.IsZero():
		c.last = at
		return at, true
	case !received.IsZero():
		t = received.Add(-max(latency, 0))
		if !t.After(c.last) && c.last.Sub(t) < 2*step {
			t = c.last.Add(time.Microsecond)
		}
	case c.last.IsZero():
		t = begin
	default:
		t = c.last.Add(step)
	}
	c.last = t
	return t, false
}
