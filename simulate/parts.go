package simulate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
)

// A recording in which time goes back by more than the window would hold every flow from there on open until time has moved on. It is two
// recordings that were joined in the wrong order, and is read as two: in the order of their times. The place is sought before anything is
// read, in files that can be read from anywhere. They are looked at here and there, so one that is in order costs nothing.

const (
	defaultStride = 1 << 20  // between two looks
	lookSize      = 16 << 10 // for two lines
	maxParts      = 10_000
)

// parts cuts the recordings in which time goes back.
func (o *Options) parts(inputs []input) []input {
	var all []input
	for i := range inputs {
		in := &inputs[i]
		turns, err := in.turns(o.window(), o.stride)
		if err != nil || len(turns) == 0 { // that it cannot be read is said when it is read
			all = append(all, *in)
			continue
		}
		most := turns[0]
		for _, c := range turns {
			if c.back > most.back {
				most = c
			}
		}
		o.Warn(&LineError{in.name, most.line, fmt.Errorf("here time goes back by %.1f days; the file is read as %d recordings, cut where time goes back, in the order of their times",
			(time.Duration(most.back)*time.Microsecond).Hours()/24, len(turns)+1)})
		from := turn{line: 1}
		for _, to := range append(turns, turn{offset: in.size}) {
			all = append(all, in.part(from, to.offset))
			from = to
		}
	}
	return all
}

// turn is a line at which time has gone back.
type turn struct {
	offset int64
	line   int
	back   moment // by how much
}

// part is a part of a file.
func (in *input) part(from turn, to int64) input {
	part := *in
	part.size, part.lines = to-from.offset, from.line-1
	part.open = func() (io.ReadCloser, error) {
		file, err := os.Open(in.path)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(file, from.offset, to-from.offset), file}, nil
	}
	return part
}

// turns finds the lines at which a file's time goes back by more than a window.
func (in *input) turns(window moment, stride int64) (turns []turn, err error) {
	if in.path == "" || in.size <= stride {
		return nil, nil
	}
	file, err := os.Open(in.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	l := looks{file: file, lines: recorded.NewReader(), buffer: make([]byte, lookSize)}
	if n, err := file.ReadAt(l.buffer[:2], 0); err != nil || string(l.buffer[:n]) == "\x1f\x8b" {
		return nil, err // what is packed cannot be read from anywhere
	}
	now, before := moment(0), int64(0)
	for offset := int64(0); offset < in.size && len(turns) < maxParts; offset += stride {
		at, ok := l.look(offset)
		if !ok {
			continue
		}
		if now-at > window-window/8 { // between two looks time may have come further
			c, err := l.find(before, offset+lookSize, now, window)
			if err != nil {
				return nil, err
			}
			if c.offset > 0 {
				turns, now = append(turns, c), at
			}
		}
		now, before = max(now, at), offset
	}
	return turns, countLines(file, turns)
}

// looks reads a few lines of a file here and there.
type looks struct {
	file   *os.File
	lines  *recorded.Reader
	buffer []byte
}

// time is that of a line, if it can be read.
func (l *looks) time(raw []byte) (moment, bool) {
	var line recorded.Line
	_, err := l.lines.Read(bytes.TrimSpace(raw), &line)
	return momentOf(line.At), err == nil
}

// look is the time at an offset: that on which two lines agree, as in [stream.arrive].
func (l *looks) look(offset int64) (at moment, ok bool) {
	n, _ := l.file.ReadAt(l.buffer, offset) // the end of the file, and what cannot be read, is no line
	data := l.buffer[:n]
	if offset > 0 {
		_, data, _ = bytes.Cut(data, []byte{'\n'})
	}
	for found := false; ; {
		raw, rest, whole := bytes.Cut(data, []byte{'\n'})
		if !whole {
			return 0, false
		}
		if t, ok := l.time(raw); ok && found {
			return min(at, t), true
		} else if ok {
			at, found = t, true
		}
		data = rest
	}
}

// find finds the first of two lines that are older than now by more than a window, between two offsets. Its offset is 0 where there is none.
func (l *looks) find(from, to int64, now, window moment) (c turn, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(l.file, from, to-from), 1<<16)
	offset, last, lastAt := from, from, now
	for first := from > 0; ; first = false {
		raw, err := r.ReadSlice('\n')
		for ; errors.Is(err, bufio.ErrBufferFull); raw, err = r.ReadSlice('\n') { // a long line: its end is none that can be read
			offset += int64(len(raw))
		}
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		if at, ok := l.time(raw); ok && !first {
			if back := now - max(at, lastAt); back > window {
				return turn{offset: last, back: back}, nil
			}
			now, last, lastAt = max(now, min(at, lastAt)), offset, at
		}
		offset += int64(len(raw))
	}
}

// countLines numbers the lines of turns, which come in the order of the file.
func countLines(file *os.File, turns []turn) error {
	line, from := 1, int64(0)
	buffer := make([]byte, 1<<18)
	for i := range turns {
		r := io.NewSectionReader(file, from, turns[i].offset-from)
		for {
			n, err := r.Read(buffer)
			line += bytes.Count(buffer[:n], []byte{'\n'})
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		turns[i].line, from = line, turns[i].offset
	}
	return nil
}
