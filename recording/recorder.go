package recording

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/observed"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Options of a [Recorder]; nil and the zero value are the careful ones.
type Options struct {
	Rules interface { // whose catalogues say what is read in a body, as engine.Engine does; nil: the embedded ones
		Catalog(p *policy.Payment) (*providers.Catalog, error)
	}
	Keep     []string // names of fields that stay besides what a catalogue reads; case and separators do not count
	Redact   []string // names of fields that are cut though a catalogue reads them
	KeepText int      // a body that could not be read is written, without what looks like a secret, if it has at most so many bytes
	MaxBody  int      // a larger body is left out for what the catalogue read in it; 0: 64 KiB
	Buffer   int      // bytes that may wait to be written, and again to be put in order; 0: 16 MiB
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.MaxBody <= 0 {
		d.MaxBody = 64 << 10
	}
	if d.Buffer <= 0 {
		d.Buffer = 16 << 20
	}
	return d
}

// Recorder is an executor.Observer that writes a recording. Give it to the executor,
// and Close it when the executor has stopped.
type Recorder struct {
	executor.NoopObserver

	o       Options
	redact  *redactor
	sink    sink
	wake    chan struct{}
	stopped chan struct{}

	mu     sync.Mutex
	queue  []*entry
	bytes  int // of the queue
	calls  map[uint64]time.Time
	seq    uint64
	now    time.Time // the latest that was seen
	acks   []chan struct{}
	closed bool
	err    error
	lost   lostFlows
	lines  int64 // dropped
}

var _ executor.Observer = (*Recorder)(nil)

// ErrClosed is the error of a [Recorder] that is used after Close.
var ErrClosed = errors.New("the recorder is closed")

// New returns a recorder that writes to w, which stays the caller's to close. o may be nil.
func New(w io.Writer, o *Options) *Recorder { return start(newStream(w), o) }

// NewFolder returns a recorder that writes to files of dir, a new one every day (UTC) and at
// every start, readable by their owner: 2026-01-02-001.jsonl. `recourse simulate DIR` reads
// them all, also those that were gzipped since. o may be nil.
func NewFolder(dir string, o *Options) (*Recorder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return start(&folder{dir: dir}, o), nil
}

func start(s sink, o *Options) *Recorder {
	d := o.withDefaults()
	r := &Recorder{o: d, redact: newRedactor(&d), sink: s, wake: make(chan struct{}, 1), stopped: make(chan struct{}), calls: map[uint64]time.Time{}}
	go r.run()
	return r
}

// callKey is where a recorder keeps a call's number in the call's context.
type callKey struct{ r *Recorder }

// Calling implements executor.Observer.
func (r *Recorder) Calling(ctx context.Context, c *executor.CallEvent) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ctx
	}
	r.seq++
	r.calls[r.seq] = c.Start
	return context.WithValue(ctx, callKey{r}, r.seq)
}

// Called implements executor.Observer.
func (r *Recorder) Called(ctx context.Context, c *executor.CallEvent) {
	seq, _ := ctx.Value(callKey{r}).(uint64)
	r.offer((*entry)(observed.Call(c)), c.End, seq)
}

// WebhookReceived implements executor.Observer.
func (r *Recorder) WebhookReceived(_ context.Context, w *executor.WebhookEvent) {
	r.offer((*entry)(observed.Webhook(w)), w.At, 0)
}

// Ended implements executor.Observer.
func (r *Recorder) Ended(_ context.Context, e *executor.EndEvent) {
	r.offer((*entry)(observed.End(e)), e.At, 0)
}

// offer queues a line, or drops it; it does not wait. call is the call that it ends.
func (r *Recorder) offer(h *entry, now time.Time, call uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.calls, call)
	if now.After(r.now) {
		r.now = now
	}
	free := r.o.Buffer - r.bytes
	switch {
	case r.closed, r.err != nil, r.lost.has(h), h.size() > free, h.Begins && free < r.o.Buffer/2:
		r.lose(h)
		return
	}
	r.queue = append(r.queue, h)
	r.bytes += h.size()
	r.wakeUp()
}

func (r *Recorder) lose(h *entry) {
	r.lost.add(h)
	r.lines++
}

func (r *Recorder) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Dropped returns the number of lines that were not written, and of flows that lost a line.
func (r *Recorder) Dropped() (flows, lines int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost.flows, r.lines
}

// Err returns the first error of writing. After it nothing more is written.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Flush waits until every event so far is written, save the lines that wait for a call under way,
// and returns Err.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return ErrClosed
	}
	ack := make(chan struct{})
	r.acks = append(r.acks, ack)
	r.wakeUp()
	r.mu.Unlock()
	<-ack
	return r.Err()
}

// Close writes everything that waits, closes what the recorder opened, and returns Err.
// Events that come later are dropped.
func (r *Recorder) Close() error {
	r.mu.Lock()
	r.closed = true
	r.wakeUp()
	r.mu.Unlock()
	<-r.stopped
	return r.Err()
}
