package simulate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// input is one recording.
type input struct {
	name string // for messages
	size int64  // in bytes as stored; 0: not known
	open func() (io.ReadCloser, error)
}

// inputsOf finds the recordings of Run's paths.
func inputsOf(paths []string, stdin io.Reader) ([]input, error) {
	var all []input
	for _, path := range paths {
		if path == "-" {
			if stdin == nil {
				return nil, errors.New(`Options.Stdin must be set where a path is "-"`)
			}
			all = append(all, input{name: "stdin", open: func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil }})
			continue
		}
		found, err := files(path)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func files(path string) ([]input, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		if info, err := os.Stat(target); err == nil && info.IsDir() {
			path = target // a walk does not follow the link that it starts from
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []input{fileInput(path, info.Size())}, nil
	}
	var all []input
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isRecording(p) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all = append(all, fileInput(p, info.Size()))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no .jsonl or .jsonl.gz file in this folder", path)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	return all, nil
}

func isRecording(p string) bool {
	return strings.HasSuffix(p, ".jsonl") || strings.HasSuffix(p, ".jsonl.gz")
}

func fileInput(path string, size int64) input {
	return input{name: path, size: size, open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// batch is some whole lines of one file.
type batch struct {
	input     *input
	firstLine int
	fresh     bool // the first of its file
	data      []byte
	tooLong   bool  // in place of data: a line that is not kept
	read      int64 // bytes of the stored file so far

	done   chan struct{}
	lines  []line
	broken []*LineError
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
	batchSize = 256 << 10
	maxLine   = 16 << 20
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

// split reads one recording and hands on whole lines; give reports false to stop.
func split(in *input, give func(*batch) bool) error {
	file, err := in.open()
	if err != nil {
		return err
	}
	defer file.Close()
	stored := &counted{r: file}
	from, err := plain(stored)
	if err != nil {
		return fmt.Errorf("%s: %w", in.name, err)
	}
	next := 1
	fresh := true
	skipping := false // the rest of a line that is too long
	var rest []byte
	for {
		buf := make([]byte, len(rest), max(batchSize, 2*len(rest)))
		copy(buf, rest)
		n, err := fill(from, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		last := err == io.EOF // ErrUnexpectedEOF is a gzip stream that was cut short
		if err != nil && !last {
			return fmt.Errorf("%s:%d: %w", in.name, next, err)
		}
		if skipping {
			i := bytes.IndexByte(buf, '\n')
			if i < 0 && !last {
				rest = nil
				continue
			}
			if i < 0 {
				i = len(buf) - 1
			}
			buf, skipping = buf[i+1:], false
			next++
		}
		cut := len(buf)
		if !last {
			cut = bytes.LastIndexByte(buf, '\n') + 1
		}
		rest = buf[cut:]
		if cut == 0 && len(buf) > maxLine {
			if !give(&batch{input: in, firstLine: next, fresh: fresh, tooLong: true, read: stored.n, done: make(chan struct{})}) {
				return nil
			}
			fresh, skipping, rest = false, true, nil
			continue
		}
		if cut > 0 {
			b := &batch{input: in, firstLine: next, fresh: fresh, data: buf[:cut], read: stored.n, done: make(chan struct{})}
			fresh = false
			next += bytes.Count(b.data, []byte{'\n'})
			if !give(b) {
				return nil
			}
		}
		if last {
			return nil
		}
	}
}

// plain unpacks a gzipped stream, which it recognises by its first bytes.
func plain(r io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		return gzip.NewReader(br)
	}
	return br, nil
}

// parse decodes the batch's lines.
func (b *batch) parse(r *lineReader) {
	defer close(b.done)
	if b.tooLong {
		b.broken = []*LineError{{b.input.name, b.firstLine, fmt.Errorf("a line of more than %d MiB", maxLine>>20)}}
		return
	}
	b.lines = make([]line, 0, len(b.data)/300+1)
	number := b.firstLine
	for data := b.data; len(data) > 0; number++ {
		raw := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			raw, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		b.lines = append(b.lines, line{})
		if err := r.read(raw, &b.lines[len(b.lines)-1]); err != nil {
			b.lines = b.lines[:len(b.lines)-1]
			b.broken = append(b.broken, &LineError{b.input.name, number, err})
			continue
		}
		b.lines[len(b.lines)-1].number = number
	}
	b.data = nil
}
