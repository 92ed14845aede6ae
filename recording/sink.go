package recording

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sink is where lines go.
type sink interface {
	write(at time.Time, line []byte) error
	flush() error
	close() error
}

// stream is one writer, which is not ours to close.
type stream struct{ w *bufio.Writer }

func newStream(w io.Writer) stream { return stream{bufio.NewWriterSize(w, 64<<10)} }

func (s stream) write(_ time.Time, line []byte) error {
	_, err := s.w.Write(line)
	return err
}
func (s stream) flush() error { return s.w.Flush() }
func (s stream) close() error { return s.w.Flush() }

// folder is a file for every day of the lines' time, UTC. A file is only ever written by
// one recorder: after a crash the last line may be half, and nothing must follow it.
type folder struct {
	dir  string
	day  string
	file *os.File
	w    *bufio.Writer
}

const maxFilesADay = 999

func (f *folder) write(at time.Time, line []byte) error {
	// A call that hung over midnight comes late and stays in the newer file.
	if day := at.UTC().Format(time.DateOnly); f.file == nil || day > f.day {
		if err := f.open(day); err != nil {
			return err
		}
	}
	_, err := f.w.Write(line)
	return err
}

func (f *folder) open(day string) error {
	if err := f.close(); err != nil {
		return err
	}
	for n := 1; n <= maxFilesADay; n++ {
		name := filepath.Join(f.dir, fmt.Sprintf("%s-%03d.jsonl", day, n))
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		f.file, f.day, f.w = file, day, bufio.NewWriterSize(file, 64<<10)
		return nil
	}
	return fmt.Errorf("%s has %d recordings of %s already", f.dir, maxFilesADay, day)
}

func (f *folder) flush() error {
	if f.file == nil {
		return nil
	}
	return f.w.Flush()
}

func (f *folder) close() error {
	if f.file == nil {
		return nil
	}
	err := errors.Join(f.w.Flush(), f.file.Close())
	f.file = nil
	return err
}
