package outfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
)

// Check reports early, before long work, why a file could not be written. It changes nothing. A nil error is no promise: Write may
// still fail, for example on a full disk.
func Check(name string) error {
	t, err := resolve(name)
	switch {
	case err != nil:
		return err
	case t.info == nil:
		dir, err := os.Stat(filepath.Dir(t.path))
		if err == nil && !dir.IsDir() {
			err = &fs.PathError{Op: "write", Path: filepath.Dir(t.path), Err: syscall.ENOTDIR}
		}
		return cannot(name, err)
	case t.info.Mode().IsRegular() && t.stream == nil:
		f, err := os.OpenFile(t.path, os.O_WRONLY, 0)
		if err == nil {
			err = f.Close()
		}
		return cannot(name, err)
	}
	return nil
}

// Write writes a file. A regular file is replaced in one step, and a symbolic link to one stays a link. A device or a pipe is written
// to, never replaced; standard output and standard error are written to as they are, whatever they lead to. ctx ends the wait for the
// reader of a pipe.
func Write(ctx context.Context, name string, data []byte) error {
	t, err := resolve(name)
	if err != nil {
		return err
	}
	switch {
	case t.stream != nil:
		_, err = t.stream.Write(data)
	case t.info != nil && !t.info.Mode().IsRegular():
		err = through(ctx, t.path, data)
	default:
		err = t.replace(data)
	}
	return cannot(name, err)
}

// cannot adds the file's name, and what is at stake, to an error.
func cannot(name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var at *fs.PathError // of the file or of the one beside it: the name is said already
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%s cannot be written: %w", name, err)
}

// target is what a name leads to.
type target struct {
	path   string      // symbolic links are followed
	info   fs.FileInfo // nil: nothing is there yet
	stream *os.File    // standard output or standard error, if the name leads to it
}

// maxLinks bounds a chain of symbolic links, as operating systems do.
const maxLinks = 40

// resolve follows the symbolic links of a name. A link may lead to a file that does not exist yet.
func resolve(name string) (*target, error) {
	if name == "" {
		return nil, errors.New("an empty name is no file")
	}
	t := &target{path: name}
	info, err := os.Stat(name)
	if err == nil {
		t.info = info
		for _, stream := range []*os.File{os.Stdout, os.Stderr} {
			if s, err := stream.Stat(); err == nil && os.SameFile(s, info) {
				t.stream = stream
			}
		}
		switch {
		case info.IsDir():
			return nil, fmt.Errorf("%s cannot be written: it is a folder", name)
		case t.stream == nil && info.Mode().IsRegular():
			t.path, err = filepath.EvalSymlinks(name)
		}
		return t, cannot(name, err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, cannot(name, err)
	}
	for range maxLinks {
		to, err := os.Readlink(t.path)
		if err != nil { // no link: the file is to be made here
			return t, nil
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(t.path), to)
		}
		t.path = to
	}
	return nil, cannot(name, syscall.ELOOP)
}

// through writes to a device or a pipe. Opening a pipe waits for its reader. A reader that comes after the wait was given up gets
// nothing.
func through(ctx context.Context, path string, data []byte) error {
	done := make(chan error, 1)
	var settled atomic.Bool // by the goroutine that begins to write, or by the caller that gives up
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			if settled.CompareAndSwap(false, true) {
				_, err = f.Write(data)
			}
			err = errors.Join(err, f.Close())
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		settled.CompareAndSwap(false, true)
		return ctx.Err()
	}
}

// replace writes a new file beside the old one and renames it. Where that is not possible, as for a file that is mounted by itself, it
// writes into the old one, and restores it if that fails.
func (t *target) replace(data []byte) error {
	f, mode, err := t.beside()
	if f == nil && mode != 0 {
		return t.instead(err, data)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return t.place(f, mode, err, func() ([]byte, error) { return data, nil })
}

// beside makes the new file, of the mode that the old one has. Where that is refused, mode is set all the same: the old file itself
// may be written.
func (t *target) beside() (f *os.File, mode fs.FileMode, err error) {
	mode = 0o644
	if t.info != nil {
		f, err := os.OpenFile(t.path, os.O_WRONLY, 0) // a file that is read-only stays as it is, although its folder could be written
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			return nil, 0, err
		}
		mode = t.info.Mode().Perm()
	}
	f, err = create(t.path, mode)
	return f, mode, err
}

// place gives the new file its name, or removes it where something went wrong.
func (t *target) place(f *os.File, mode fs.FileMode, err error, data func() ([]byte, error)) error {
	if t.info != nil {
		err = errors.Join(err, f.Chmod(mode)) // the umask is not for a file that stood there
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		if err = os.Rename(f.Name(), t.path); err == nil {
			return nil
		}
		whole, unread := data()
		if unread != nil {
			return errors.Join(err, unread, os.Remove(f.Name()))
		}
		return errors.Join(t.instead(err, whole), os.Remove(f.Name()))
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// create makes a new file beside another, under a name that nothing has.
func create(path string, mode fs.FileMode) (*os.File, error) {
	for i := 0; ; i++ {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d-%d.tmp", shortened(filepath.Base(path)), os.Getpid(), i))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// shortened leaves room for what is put around a file's name.
func shortened(name string) string {
	const most = 200
	return name[:min(len(name), most)]
}

// instead writes into the file itself after the rename was refused for a reason that is not about the content.
func (t *target) instead(refused error, data []byte) error {
	if t.info == nil {
		return refused
	}
	old, err := os.ReadFile(t.path)
	if err != nil {
		return errors.Join(refused, err)
	}
	f, err := os.OpenFile(t.path, os.O_RDWR, 0)
	if err != nil {
		return errors.Join(refused, err)
	}
	err = overwrite(f, data)
	if err != nil {
		err = errors.Join(err, overwrite(f, old))
	}
	return errors.Join(err, f.Close())
}

// overwrite replaces the content of an open file.
func overwrite(f *os.File, data []byte) error {
	if _, err := io.NewOffsetWriter(f, 0).Write(data); err != nil {
		return err
	}
	return f.Truncate(int64(len(data)))
}
