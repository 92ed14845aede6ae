package decisions

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// files are those of a log, one after the other. Each is written by one process, and by no other one later: after a crash its last line may be cut, and nothing must
// follow that.
type files struct {
	dir   string
	size  int64
	every time.Duration

	file        *os.File // nil: the next line opens one
	written     int64    // bytes, all of them whole lines
	from, until time.Time
	looked      time.Time // when the file was last seen in the folder
	day         string
	number      int
}

const (
	lookAgain   = time.Second
	mostInADay  = 99_999
	permissions = 0o600 // payments are read by their owner alone
)

// write writes whole lines. n is how many bytes of them are written for good; after an error the file ends with a whole line, or is not
// written any more.
func (f *files) write(lines []byte, now time.Time) (n int, err error) {
	for n < len(lines) {
		if err := f.ready(now); err != nil {
			return n, err
		}
		part := f.part(lines[n:])
		wrote, err := f.file.Write(part)
		whole := wrote
		if err != nil {
			whole = bytes.LastIndexByte(part[:wrote], '\n') + 1
		}
		f.written += int64(whole)
		n += whole
		if err != nil {
			if whole < wrote && f.cutBack(wrote-whole) != nil {
				_ = f.close() // its last line stays cut
			}
			return n, err
		}
	}
	return n, nil
}

// cutBack takes bytes off the end of the file, which may be shorter than what was written: another program may have cut it.
func (f *files) cutBack(n int) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	return f.file.Truncate(max(0, info.Size()-int64(n)))
}

// part is what fits into the file: at least a line.
func (f *files) part(lines []byte) []byte {
	room := f.size - f.written
	if int64(len(lines)) <= room {
		return lines
	}
	if end := bytes.LastIndexByte(lines[:max(0, room)], '\n'); end >= 0 {
		return lines[:end+1]
	}
	return lines[:bytes.IndexByte(lines, '\n')+1]
}

// ready opens a file where none is, where the last is full or of an earlier time, and where it was taken away.
func (f *files) ready(now time.Time) error {
	if f.file != nil && (f.written >= f.size || now.Before(f.from) || !now.Before(f.until) || f.gone(now)) {
		if err := f.close(); err != nil {
			return err
		}
	}
	if f.file != nil {
		return nil
	}
	if day := now.UTC().Format(time.DateOnly); day != f.day {
		f.day, f.number = day, 0
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil { // it may have been taken away too
		return err
	}
	for f.number < mostInADay {
		f.number++
		name := filepath.Join(f.dir, fmt.Sprintf("%s-%03d.jsonl", f.day, f.number))
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, permissions)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			f.number--
			return err
		}
		f.file, f.written, f.looked = file, 0, now
		f.from = now.UTC().Truncate(f.every)
		f.until = f.from.Add(f.every)
		return nil
	}
	return fmt.Errorf("%s has %d files of %s already", f.dir, mostInADay, f.day)
}

// gone reports whether the file is not in the folder any more, or another one is in its place. What is written to it then is lost.
func (f *files) gone(now time.Time) bool {
	if since := now.Sub(f.looked); since >= 0 && since < lookAgain {
		return false
	}
	f.looked = now
	here, err := f.file.Stat()
	if err != nil {
		return true
	}
	there, err := os.Lstat(f.file.Name())
	return err != nil || !os.SameFile(here, there)
}

func (f *files) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
