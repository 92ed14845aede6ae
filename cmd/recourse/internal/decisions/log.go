package decisions

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/internal/redact"
)

// Options of a [Log]. The zero value is the careful one.
type Options struct {
	Size   int64         // bytes of a file, about; 0: 256 MiB
	Every  time.Duration // a new file at each turn of it, UTC; 0: a day
	Buffer int           // bytes that may wait to be written; 0: 64 MiB
	Say    *slog.Logger  // where what is lost is said; nil: nowhere
}

// Log writes decisions to the files of a folder. It is safe for concurrent use.
type Log struct {
	o         Options
	files     files
	redact    *redact.Redactor
	readers   sync.Pool
	memories  sync.Pool
	run       string // a name that no other process has
	questions atomic.Int64
	wake      chan struct{}
	stopped   chan struct{}
	patience  time.Duration // with the disk, when it is closed
	flows     *flows        // nil: none
	err       error         // of the last write; the writer's until stopped is closed

	mu      sync.Mutex
	waiting [][]byte // whole lines, in pieces: to lengthen one that is long would hold all decisions up
	spare   [][]byte // pieces that are written
	bytes   int      // that wait, and that the writer has taken and not written yet
	stats   Stats
	closed  bool
}

// Stats are counts of lines.
type Stats struct {
	Written  int64
	Dropped  [reasons]int64 // by [Reason]
	NotAgain int64          // of which no decision can be made again
	Waiting  int            // bytes
	Failing  bool           // the last write failed
}

// Reason is why a line was dropped.
type Reason int

// The reasons.
const (
	full       Reason = iota // too much waits
	unwritable               // it cannot be written in the format
	unwritten                // the disk did not take it until the end
	reasons
)

// String is the reason as metrics name it.
func (r Reason) String() string { return [...]string{"full", "unwritable", "unwritten"}[r] }

// Reasons are all reasons.
func Reasons() []Reason { return []Reason{full, unwritable, unwritten} }

// lost is how many lines were dropped.
func (s *Stats) lost() (n int64) {
	for _, d := range s.Dropped {
		n += d
	}
	return n
}

// Open opens a log. The first file is made with the first line, but a folder in which none can be made is an error now.
func Open(dir string, o Options) (*Log, error) {
	if o.Size <= 0 {
		o.Size = 256 << 20
	}
	if o.Every <= 0 {
		o.Every = 24 * time.Hour
	}
	if o.Buffer <= 0 {
		o.Buffer = 64 << 20
	}
	if o.Say == nil {
		o.Say = slog.New(slog.DiscardHandler)
	}
	if err := writable(dir); err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	l := &Log{
		o: o, files: files{dir: dir, size: o.Size, every: o.Every}, redact: redact.New(nil, nil, 0), readers: sync.Pool{New: func() any { return NewReader() }}, memories: sync.Pool{New: func() any { return new(memory) }},
		run: "d-" + rand.Text(), wake: make(chan struct{}, 1), stopped: make(chan struct{}), patience: lastPatience,
	}
	go l.writing()
	return l, nil
}

// writable makes the folder, and a file in it for a moment.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".try")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// offer takes a line, or drops it. It does not wait.
func (l *Log) offer(line []byte, notAgain bool) {
	l.mu.Lock()
	first := l.bytes == 0
	switch {
	case l.closed:
		l.stats.Dropped[unwritten]++
	case l.bytes+len(line) > l.o.Buffer:
		l.stats.Dropped[full]++
	default:
		l.put(line)
		if notAgain {
			l.stats.NotAgain++
		}
	}
	l.mu.Unlock()
	if first {
		l.wakeUp()
	}
}

// put puts a line behind those that wait. The lock is held.
func (l *Log) put(line []byte) {
	l.bytes += len(line)
	last := len(l.waiting) - 1
	if last < 0 || len(l.waiting[last])+len(line) > cap(l.waiting[last]) {
		var piece []byte
		if n := len(l.spare); n > 0 && len(line) <= pieceSize {
			piece, l.spare = l.spare[n-1][:0], l.spare[:n-1]
		} else {
			piece = make([]byte, 0, max(pieceSize, len(line)))
		}
		l.waiting = append(l.waiting, piece)
		last++
	}
	l.waiting[last] = append(l.waiting[last], line...)
}

const (
	pieceSize  = 256 << 10 // bytes of a piece that waits
	mostSpares = 16        // pieces that are kept for the next lines
)

func (l *Log) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// unwritable counts a line that cannot be written in the format.
func (l *Log) unwritable() {
	l.mu.Lock()
	l.stats.Dropped[unwritable]++
	l.mu.Unlock()
	l.wakeUp()
}

// caught keeps a panic over what a caller sent from ending the decision that was made about it.
func (l *Log) caught() {
	if p := recover(); p != nil {
		l.o.Say.Error("decision log: a line could not be made", "panic", fmt.Sprint(p))
		l.unwritable()
	}
}

// Stats returns the counts of now.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Waiting = l.bytes
	return s
}

// lastPatience is how long a disk may take with what waits at the end: one that hangs must not keep the process.
const lastPatience = 10 * time.Second

// Close writes what waits and closes the file. What comes later is dropped. The error says how many lines were lost.
func (l *Log) Close() error {
	if l.flows != nil {
		l.flows.flush()
	}
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.wakeUp()
	timer := time.NewTimer(l.patience)
	defer timer.Stop()
	select {
	case <-l.stopped:
	case <-timer.C:
		s := l.Stats()
		return fmt.Errorf("decision log: the disk does not take %d bytes in %s, and they are lost", s.Waiting, l.patience)
	}
	s := l.Stats()
	if lost := s.lost(); lost > 0 {
		return errors.Join(fmt.Errorf("decision log: %d decisions were not written (%s)", lost, s.why()), l.err)
	}
	return l.err
}

func (s *Stats) why() string {
	var b bytes.Buffer
	for r, n := range s.Dropped {
		if n > 0 {
			if b.Len() > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%d %s", n, Reason(r))
		}
	}
	return b.String()
}
