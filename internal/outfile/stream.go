package outfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
)

// Stream is Write for what is not whole in memory. The file stays as it is where write fails; what is no regular file has then what
// was written until there.
func Stream(ctx context.Context, name string, write func(io.Writer) error) error {
	t, err := resolve(name)
	if err != nil {
		return err
	}
	out := &output{name: name}
	switch {
	case t.stream != nil:
		out.w = t.stream
		return write(out)
	case t.info != nil && !t.info.Mode().IsRegular():
		return t.pass(ctx, out, write)
	}
	f, mode, err := t.beside()
	if f == nil && mode != 0 { // no file can be made beside it
		var data bytes.Buffer
		if wrong := write(&data); wrong != nil {
			return wrong
		}
		return cannot(name, t.instead(err, data.Bytes()))
	}
	if err != nil {
		return cannot(name, err)
	}
	out.w = f
	if err := write(out); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return cannot(name, t.place(f, mode, nil, func() ([]byte, error) { return os.ReadFile(f.Name()) }))
}

// output names the file in what goes wrong with it.
type output struct {
	w    io.Writer
	name string
}

// Write implements [io.Writer].
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	return n, cannot(o.name, err)
}

// pass writes to a device or a pipe. Opening a pipe waits for its reader.
func (t *target) pass(ctx context.Context, out *output, write func(io.Writer) error) error {
	type opened struct {
		f   *os.File
		err error
	}
	ready := make(chan opened)
	go func() {
		f, err := os.OpenFile(t.path, os.O_WRONLY, 0)
		select {
		case ready <- opened{f, err}:
		case <-ctx.Done():
			if err == nil {
				_ = f.Close() // the wait was given up
			}
		}
	}()
	var o opened
	select {
	case o = <-ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	if o.err != nil {
		return cannot(out.name, o.err)
	}
	stop := context.AfterFunc(ctx, func() { _ = o.f.Close() }) // a reader that does not read is no reason to stay
	out.w = o.f
	err := write(out)
	if !stop() && ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return errors.Join(err, cannot(out.name, o.f.Close()))
}
