package simulate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/recourse-pay/recourse/policy"
)

// batch is some whole lines of one file.
type batch struct {
	input     *input
	firstLine int
	data      []byte
	tooLong   bool  // in place of data: a line that is not kept
	read      int64 // bytes of the stored file so far

	done   chan struct{}
	lines  []entry
	broken []*LineError
	others []*LineError  // keys that no line has
	lacks  policy.Counts // of the sends

	executions []finding // of the truth lines
}

// LineError is a line of a recording that could not be read.
type LineError struct {
	File string
	Line int
	Err  error
}

// Error is FILE:LINE: what is wrong.
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

const (
	batchSize = 128 << 10
	maxLine   = 16 << 20  // in bytes; a longer line is passed over
	maxSkip   = 256 << 20 // bytes that are passed over in search of a line break
)

// counted counts the bytes that were read through it.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// fill reads until buf is full or reading ends.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var got int
		got, err = r.Read(buf[n:])
		n += got
	}
	return n, err
}

// split reads one recording and sends its lines in batches. It stops when send returns false or
// ctx is cancelled.
func split(ctx context.Context, in *input, send func(*batch) bool) error {
	file, err := in.reader(ctx)
	if err != nil {
		return err
	}
	defer file.Close()
	stored := &counted{r: file}
	lines, err := plain(stored)
	if err != nil {
		return fmt.Errorf("%s: %w", in.name, err)
	}
	s := splitter{in: in, stored: stored, lines: lines, next: 1 + in.lines, send: send}
	// While a line is passed over nothing is sent, so send does not report that ctx is cancelled.
	for ctx.Err() == nil {
		buf, last, err := s.read()
		if err != nil {
			return err
		}
		if buf, err = s.skip(buf); err != nil {
			return err
		}
		if !s.cut(buf, last) || last {
			return nil
		}
	}
	return nil
}

// splitter cuts one recording into batches of whole lines.
type splitter struct {
	in       *input
	stored   *counted  // the file as stored
	lines    io.Reader // the same, decompressed
	rest     []byte    // the beginning of a line; its end is not read yet
	next     int       // the number of the next line
	skipping bool      // what follows is the rest of a line that is too long
	skipped  int       // bytes of that line
	send     func(*batch) bool
}

// read returns the rest and what follows it. last reports the end of the recording.
func (s *splitter) read() (buf []byte, last bool, err error) {
	size := max(batchSize, 2*len(s.rest))
	buf = append(buffer(size+size/8), s.rest...) // with room for the texts of lines that are read in general
	n, err := fill(s.lines, buf[len(buf):size])
	buf = buf[:len(buf)+n]
	// A wrapped io.EOF is an error too, and ErrUnexpectedEOF is a gzip stream that is cut short.
	if err == io.EOF { //nolint:errorlint // an io.Reader returns io.EOF itself
		return buf, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s:%d: %w", s.in.name, s.next, err)
	}
	return buf, false, nil
}

// skip returns buf without the rest of a line that is too long. A line that does not end is an
// error: what is read may never end (/dev/zero), and no recording has such a line.
func (s *splitter) skip(buf []byte) ([]byte, error) {
	if !s.skipping {
		return buf, nil
	}
	i := bytes.IndexByte(buf, '\n')
	if i < 0 {
		if s.skipped += len(buf); s.skipped > maxSkip {
			return nil, &LineError{s.in.name, s.next, fmt.Errorf("no line break in %d MiB; a line has at most %d MiB", maxSkip>>20, maxLine>>20)}
		}
		return nil, nil
	}
	s.skipping = false
	s.next++
	return buf[i+1:], nil
}

// cut sends the whole lines of buf and keeps the rest. It reports whether to go on.
func (s *splitter) cut(buf []byte, last bool) bool {
	end := len(buf)
	if !last {
		end = bytes.LastIndexByte(buf, '\n') + 1
	}
	s.rest = append(s.rest[:0], buf[end:]...) // the buffer is used again once its batch is parsed
	switch {
	case end > 0:
		b := s.batch()
		b.data = buf[:end]
		s.next += bytes.Count(b.data, []byte{'\n'})
		return s.send(b)
	case len(buf) > maxLine:
		s.skipping, s.skipped, s.rest = true, len(buf), s.rest[:0]
		b := s.batch()
		b.tooLong = true
		return s.send(b)
	}
	return true
}

func (s *splitter) batch() *batch {
	return &batch{input: s.in, firstLine: s.next, read: s.stored.n, done: make(chan struct{})}
}

// plain decompresses a gzipped stream, which it recognises by its first bytes, and skips a byte order mark.
func plain(r io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		zip, err := gzip.NewReader(br)
		if err != nil {
			return nil, err
		}
		br = bufio.NewReaderSize(zip, 64<<10)
	}
	if mark, err := br.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = br.Discard(len(byteOrderMark)) // it was peeked at
	}
	return br, nil
}

const byteOrderMark = "\ufeff"

// parse decodes the batch's lines.
func (b *batch) parse(r *lineReader) {
	defer close(b.done)
	if b.tooLong {
		b.broken = []*LineError{{b.input.name, b.firstLine, fmt.Errorf("a line of more than %d MiB", maxLine>>20)}}
		return
	}
	if spare, ok := spareLines.Get().(*[]entry); ok {
		b.lines = (*spare)[:0]
	} else {
		b.lines = make([]entry, 0, len(b.data)/300+1)
	}
	if spare, ok := spareFound.Get().(*[]finding); ok {
		b.executions = (*spare)[:0]
	}
	number, size := b.firstLine, len(b.data)
	data := b.data // texts of lines that are read in general come behind it
	r.RLock()
	for at := 0; at < size; number++ {
		if number%linesAtOnce == 0 { // who learns waits for all that read
			r.RUnlock()
			r.RLock()
		}
		if n := r.readKnown(b, data[at:], at, number); n > 0 {
			at += n + 1
			continue
		}
		r.RUnlock()
		at += b.parseOther(r, data[at:], at, number) + 1
		r.RLock()
	}
	r.RUnlock()
}

// linesAtOnce is how many lines are read in one go before others may learn.
const linesAtOnce = 32

// parseOther reads the line that data begins with and that has no known pattern as it stands, and returns its length.
func (b *batch) parseOther(r *lineReader, data []byte, from, number int) int {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		data = data[:i]
	}
	line := bytes.TrimLeft(data, " \t\r\v\f")
	raw := bytes.TrimSpace(line)
	if len(raw) == 0 {
		return len(data)
	}
	if len(raw) < len(data) {
		r.RLock()
		n := r.readKnown(b, raw, from+len(data)-len(line), number)
		r.RUnlock()
		if n > 0 {
			return len(data)
		}
	}
	b.parseLine(r, raw, number)
	return len(data)
}

// parseLine decodes a line that has no known pattern.
func (b *batch) parseLine(r *lineReader, raw []byte, number int) {
	l := &r.line
	if err := r.read(raw, l); err != nil {
		b.broken = append(b.broken, &LineError{b.input.name, number, err})
		return
	}
	l.number = number
	for _, key := range r.lines.Others() {
		b.others = append(b.others, &LineError{b.input.name, number, errors.New(key)})
	}
	for _, what := range l.Lacks {
		addTo(&b.lacks, what, 1)
	}
	r.Lock()
	defer r.Unlock()
	b.take(r.kinds, l)
	r.learn(b, raw, l)
}

// What batches leave behind is used again.
var spareData, spareLines, spareFound sync.Pool // of *[]byte, *[]entry, *[]finding

// buffer returns an empty buffer of at least a size.
func buffer(size int) []byte {
	if spare, ok := spareData.Get().(*[]byte); ok && cap(*spare) >= size {
		return (*spare)[:0]
	}
	return make([]byte, 0, size)
}

// leave gives up the lines of a batch that is done with.
func (b *batch) leave() {
	lines, data, found := b.lines, b.data, b.executions
	clear(lines) // what they refer to
	spareLines.Put(&lines)
	spareData.Put(&data)
	spareFound.Put(&found)
	b.lines, b.data, b.executions = nil, nil, nil
}
