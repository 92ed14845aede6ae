package traffic

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Source is an open file.
type Source struct {
	Name   string
	Format Format

	text   *bufio.Reader // decompressed, UTF-8, without a byte order mark
	path   string        // of a file on disk; empty: none
	line   int           // that was reached
	closed []io.Closer
}

const headSize = 256 << 10

// Open opens a file and finds out what it is. An encoding other than that of its byte order mark has to be named. What may wait for a
// writer, as a pipe does, waits no longer than ctx.
func Open(ctx context.Context, path, encoding string) (*Source, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s: a folder", path)
	}
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	var f io.ReadCloser
	if info.Mode().IsRegular() {
		f, err = open()
	} else {
		f = Interruptible(ctx, open)
	}
	if err != nil {
		return nil, err
	}
	s, err := From(path, f, encoding)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	s.path, s.closed = path, append(s.closed, f)
	return s, nil
}

// Interruptible opens and reads until ctx is over, even while that blocks.
func Interruptible(ctx context.Context, open func() (io.ReadCloser, error)) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		r, err := open()
		if err == nil {
			// Large pieces: each costs a change between two goroutines. The structs hide methods that would choose the size.
			_, err = io.CopyBuffer(struct{ io.Writer }{in}, struct{ io.Reader }{r}, make([]byte, 1<<18))
			_ = r.Close()
		}
		in.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { in.CloseWithError(context.Canceled) })
	return out
}

// From is Open for what is open already.
func From(name string, r io.Reader, encoding string) (*Source, error) {
	s := &Source{Name: name}
	br := bufio.NewReaderSize(r, 64<<10)
	if magic, err := br.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		zip, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		br = bufio.NewReaderSize(zip, 64<<10)
	}
	text, err := decoded(br, encoding)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.text = bufio.NewReaderSize(text, headSize)
	head, err := s.text.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.Format = detect(name, head)
	return s, nil
}

// Text is what the file holds, decompressed, in UTF-8 and without a byte order mark.
func (s *Source) Text() io.Reader { return s.text }

// Close closes the file.
func (s *Source) Close() {
	for _, c := range s.closed {
		_ = c.Close()
	}
}

// Encodings are the names that a mapping may give.
var Encodings = []string{"utf-8", "utf-16", "utf-16le", "utf-16be", "windows-1252", "latin-1"}

// decoded makes a text UTF-8 and takes its byte order mark away.
func decoded(br *bufio.Reader, encoding string) (io.Reader, error) {
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	big, little := unicode.UTF16(unicode.BigEndian, unicode.UseBOM), unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = br.Discard(3) // it was peeked at
		return br, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")), encoding == "utf-16le":
		return transform.NewReader(br, little.NewDecoder()), nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")), encoding == "utf-16be":
		return transform.NewReader(br, big.NewDecoder()), nil
	case encoding == "utf-16" && len(head) > 1 && head[0] == 0, encoding == "" && len(head) == 4 && head[0] == 0 && head[2] == 0 && head[1] != 0:
		return transform.NewReader(br, big.NewDecoder()), nil
	case encoding == "utf-16", encoding == "" && len(head) == 4 && head[1] == 0 && head[3] == 0 && head[0] != 0:
		return transform.NewReader(br, little.NewDecoder()), nil
	case encoding == "windows-1252":
		return transform.NewReader(br, charmap.Windows1252.NewDecoder()), nil
	case encoding == "latin-1":
		return transform.NewReader(br, charmap.ISO8859_1.NewDecoder()), nil
	}
	return br, nil
}

// counter counts lines on the way, for offsets that are asked for in their order.
type counter struct {
	r      io.Reader
	offset int64
	breaks []int64 // offsets behind line breaks, of those that were not asked for yet
	passed int     // line breaks before
	limit  int64   // offset at which reading ends with an error; 0: none
}

var errTooLong = fmt.Errorf("an entry of more than %d MiB", maxEntry>>20)

const maxEntry = 32 << 20

func (c *counter) Read(p []byte) (int, error) {
	if c.limit > 0 {
		if c.offset > c.limit {
			return 0, errTooLong
		}
		p = p[:min(int64(len(p)), c.limit-c.offset+1)] // a decoder's buffer may be larger than an entry
	}
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.breaks = append(c.breaks, c.offset+int64(i)+1)
		}
	}
	c.offset += int64(n)
	return n, err
}

// lineAt is the number of the line at an offset.
func (c *counter) lineAt(offset int64) int {
	i := 0
	for i < len(c.breaks) && c.breaks[i] <= offset {
		i++
	}
	c.passed += i
	c.breaks = append(c.breaks[:0], c.breaks[i:]...)
	return c.passed + 1
}

func as[T error](err error, target *T) bool { return errors.As(err, target) }
