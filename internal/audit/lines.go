package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// lines reads lines up to a bound.
type lines struct {
	r      *bufio.Reader
	number int // of the line read last
	buf    []byte
}

const (
	maxLine = 16 << 20
	maxSkip = 256 << 20 // bytes that are passed over in search of a line break
)

var (
	errTooLong = fmt.Errorf("a line of more than %d MiB", maxLine>>20)
	errEndless = fmt.Errorf("no line break in %d MiB", maxSkip>>20)
)

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next is the next line, valid until the following call. errTooLong passes one over.
func (l *lines) next() ([]byte, error) {
	l.number++
	l.buf = l.buf[:0]
	size := 0
	for {
		part, err := l.r.ReadSlice('\n')
		if size += len(part); size > maxSkip {
			return nil, errEndless
		}
		if size <= maxLine {
			l.buf = append(l.buf, part...)
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && size > 0:
			if size > maxLine {
				return nil, errTooLong
			}
			return l.buf, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
