// Package audit looks for harm in recorded traffic, whoever made it: payments that were or may have been charged twice, were
// marked failed though they executed or may have, were marked succeeded without proof, or were left open.
//
// It needs no rules to find them: what an answer proves is the catalogues' to say. Where nothing is proved, it says "may". It
// drives no flow and invents no answer.
package audit

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Options of an audit. Decider and Catalog are needed.
type Options struct {
	Decider policy.Decider
	Catalog func(p *policy.Payment) (*providers.Catalog, error) // by which the answers to a payment are read
	Window  time.Duration                                       // how long after its last line a payment is kept; zero: 168 h
	Settle  time.Duration                                       // payments whose last line is nearer to the end of the traffic are not open yet; zero: 1 h
	Stories int                                                 // findings that are kept with their story; the others are counted
	Broken  func(LineError)                                     // called for each line that is passed over; may be nil
	Found   func(f *Finding)                                    // called for each finding, kept or not; may be nil
}

// Input is an open recording.
type Input struct {
	Name string
	io.Reader

	Placed bool // errors of the reader say their place themselves
}

// LineError is a line that was passed over.
type LineError struct {
	File string
	Line int
	Err  error
}

// Error is FILE:LINE: what is wrong.
func (e LineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Err) }

// Unwrap is what is wrong.
func (e LineError) Unwrap() error { return e.Err }

// Run audits recordings, merged by time: each needs to be in the order of time only roughly.
func Run(ctx context.Context, o Options, inputs []Input) (*Report, error) {
	if o.Window <= 0 {
		o.Window = 168 * time.Hour
	}
	if o.Settle <= 0 {
		o.Settle = time.Hour
	}
	if o.Broken == nil {
		o.Broken = func(LineError) {}
	}
	a := &auditor{
		o: &o, report: &Report{V: 1, Files: len(inputs), Totals: []Total{}, Findings: []*Finding{}}, flows: map[string]*payment{}, keys: map[string]*payment{}, seed: maphash.MakeSeed(),
		lacks: map[string]int{}, keysOff: map[string]int{},
	}
	var streams streamHeap
	for _, in := range inputs {
		s := &stream{name: in.Name, placed: in.Placed, r: newLines(in.Reader), reader: recorded.NewReader()}
		if err := a.advance(&streams, s); err != nil {
			return nil, err
		}
	}
	for len(streams) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := streams[0]
		a.take(s)
		heap.Pop(&streams)
		if err := a.advance(&streams, s); err != nil {
			return nil, err
		}
	}
	a.finish()
	return a.report, nil
}

// stream is one recording and its next line.
type stream struct {
	name   string
	placed bool
	r      *lines
	reader *recorded.Reader
	line   recorded.Line
	answer policy.Answer
	hash   uint64
}

// advance reads the next line that can be read, and puts the stream back.
func (a *auditor) advance(streams *streamHeap, s *stream) error {
	for {
		raw, err := s.r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, errTooLong) {
			a.broken(s, err)
			continue
		}
		if err != nil && s.placed {
			return err
		}
		if err != nil {
			return LineError{s.name, s.r.number, err}
		}
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		if err := a.read(s, raw); err != nil {
			a.broken(s, err)
			continue
		}
		heap.Push(streams, s)
		return nil
	}
}

func (a *auditor) broken(s *stream, err error) {
	a.report.BrokenLines++
	a.o.Broken(LineError{s.name, s.r.number, err})
}

// read decodes a line and its body.
func (a *auditor) read(s *stream, raw []byte) error {
	body, err := s.reader.Read(raw, &s.line)
	if err != nil {
		return err
	}
	for _, key := range s.reader.Others() {
		if a.keysOff[key]++; a.keysOff[key] == 1 && len(a.keysOff) <= 100 {
			a.o.Broken(LineError{s.name, s.r.number, fmt.Errorf("warning: key %q is in no line's table and is not read", key)})
		}
	}
	if len(s.line.Executions) > maxExecutions {
		return fmt.Errorf("%d executions of one flow; a line may have %d", len(s.line.Executions), maxExecutions)
	}
	s.hash = maphash.Bytes(a.seed, raw)
	if !s.line.Phase.IsAnswer() {
		return nil
	}
	l := &s.line
	cat, err := a.o.Catalog(&l.Payment)
	if err != nil {
		return err
	}
	s.answer = l.Answer
	s.answer.Phase = policy.Phase(l.Phase)
	s.answer.ProviderID, s.answer.Currency = l.ProviderID, l.Payment.Currency
	if l.Phase == recorded.Webhook {
		s.answer.OrderID, s.answer.RequestID = l.OrderID, l.RequestID
	}
	if (body != nil || l.Query != "" || len(l.Header) > 0) && s.answer.Fault == policy.NoFault {
		m := policy.Message{HTTPStatus: s.answer.HTTPStatus, Header: l.Header, Query: l.Query}
		_ = cat.DecodeValue(l.Payment.Operation, s.answer.Phase, &m, body, &s.answer) // what does not decode is the fault unreadable
	}
	return nil
}

// streamHeap has the stream with the earliest line first.
type streamHeap []*stream

func (h streamHeap) Len() int           { return len(h) }
func (h streamHeap) Less(i, j int) bool { return h[i].line.At.Before(h[j].line.At) }
func (h streamHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *streamHeap) Push(x any)        { *h = append(*h, x.(*stream)) }
func (h *streamHeap) Pop() any {
	old := *h
	s := old[len(old)-1]
	*h = old[:len(old)-1]
	return s
}

// auditor keeps the payments that lines may still come for.
type auditor struct {
	o       *Options
	report  *Report
	seed    maphash.Seed
	flows   map[string]*payment // by merchant and flow
	keys    map[string]*payment // by merchant, operation and payment key
	open    byLast
	last    time.Time // of the line before
	now     time.Time
	end     time.Time // the latest that two lines agree on
	lacks   map[string]int
	keysOff map[string]int
}

// take puts a line to its payment.
func (a *auditor) take(s *stream) {
	l := &s.line
	a.report.Lines++
	a.tick(l.At)
	p := a.paymentOf(l)
	for _, what := range l.Lacks {
		a.lacks[what]++
	}
	if p.seen(s.hash) {
		a.report.Duplicates++
		return
	}
	p.add(a.o.Decider, s)
	if l.At.After(p.last) {
		p.last = l.At
		heap.Fix(&a.open, p.index)
	}
}

// paymentOf finds the payment of a line by its flow and by its payment key. A flow's key may come after its first line: a notice,
// an end and a truth may have none.
func (a *auditor) paymentOf(l *recorded.Line) *payment {
	flow := l.Payment.Merchant + "\x00" + l.Flow
	key, byOrder := keyOf(l)
	p, keyed := a.flows[flow], a.keys[key]
	switch {
	case p == nil && keyed == nil:
		p = &payment{last: l.At}
		heap.Push(&a.open, p)
	case p == nil:
		p = keyed
		p.loose = p.loose || byOrder
	case keyed != nil && keyed != p:
		heap.Remove(&a.open, p.index)
		for _, f := range p.flows {
			a.flows[f] = keyed
		}
		for _, k := range p.keys {
			a.keys[k] = keyed
		}
		keyed.join(p)
		heap.Fix(&a.open, keyed.index)
		p = keyed
		p.loose = p.loose || byOrder
	}
	if a.flows[flow] == nil {
		p.flows = append(p.flows, flow)
		a.flows[flow] = p
		byOrder = false // a notice may be written before its send
	}
	if key != "" && keyed == nil && (!byOrder || l.Phase == recorded.Send) {
		p.keys = append(p.keys, key)
		a.keys[key] = p
	}
	return p
}

// keyOf is what the lines of a payment have in common beside their flow; empty: nothing. Without a payment key it is the order, where an order is not
// worked on in parts: two hosts may have a flow each, and a notice one of its own.
func keyOf(l *recorded.Line) (key string, byOrder bool) {
	p := &l.Payment
	switch {
	case !l.Phase.IsAnswer():
	case p.Key != "":
		return p.Merchant + "\x00" + p.Operation.String() + "\x00" + p.Key, false
	case l.OrderID != "" && !inParts(p.Operation):
		return p.Merchant + "\x00" + moves(p.Operation).String() + "\x00\x00" + p.Provider + "\x00" + l.OrderID, true
	}
	return "", false
}

// tick moves time on when two lines in a row agree on it: a single line with a wrong clock closes nothing.
func (a *auditor) tick(at time.Time) {
	now := at
	if a.last.Before(now) {
		now = a.last
	}
	a.last = at
	if !now.After(a.now) {
		return
	}
	a.now = now
	for len(a.open) > 0 && a.now.Sub(a.open[0].last) > a.o.Window {
		a.close()
	}
}

func (a *auditor) finish() {
	a.end = a.now
	for len(a.open) > 0 {
		a.close()
	}
	a.report.finish(a.lacks, a.keysOff)
}

// close judges the payment whose last line is oldest, and forgets it.
func (a *auditor) close() {
	p := heap.Pop(&a.open).(*payment)
	for _, f := range p.flows {
		delete(a.flows, f)
	}
	for _, k := range p.keys {
		delete(a.keys, k)
	}
	running := !a.end.IsZero() && a.end.Sub(p.last) < a.o.Settle
	a.report.add(a.o, p.judge(a.o.Decider), p, running)
}

// byLast is the open payments, the one whose last line is oldest first.
type byLast []*payment

func (q byLast) Len() int           { return len(q) }
func (q byLast) Less(i, j int) bool { return q[i].last.Before(q[j].last) }
func (q byLast) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *byLast) Push(x any) {
	p := x.(*payment)
	p.index = len(*q)
	*q = append(*q, p)
}
func (q *byLast) Pop() any {
	old := *q
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return p
}
