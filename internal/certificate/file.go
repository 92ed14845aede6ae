package certificate

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing/fstest"
)

// The names in the file, which is a zip archive: everybody can look into it.
const (
	head   = "certificate.json"
	folder = "rules/"
	states = "states/"
)

// mostBytes bounds what one part of a file may unpack to.
const mostBytes = 1 << 30

// Bytes is the file of a certificate.
func (c *Certificate) Bytes() ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name string, data []byte) error {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	text, err := c.head()
	err = errors.Join(err, add(head, text))
	for _, t := range c.Rules {
		err = errors.Join(err, add(folder+t.Name, t.Data))
	}
	for i := range c.Products {
		var data []byte
		for k := range c.Products[i].Closed {
			one := &c.Products[i].Closed[k]
			var failed error
			data, failed = binary.Append(data, binary.BigEndian, &one.State)
			err = errors.Join(err, failed)
			data = binary.AppendUvarint(data, uint64(len(one.Worlds)))
			for _, w := range one.Worlds {
				data = binary.AppendUvarint(data, uint64(w))
			}
		}
		err = errors.Join(err, add(fmt.Sprintf("%s%03d", states, i), data))
	}
	err = errors.Join(err, z.Close())
	return out.Bytes(), err
}

// Read reads the file of a certificate. It has nothing in it but what is written by [Certificate.Bytes].
func Read(data []byte) (*Certificate, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("it is no certificate: %w", err)
	}
	parts := map[string][]byte{}
	c := &Certificate{}
	for _, f := range z.File {
		part, err := unpack(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if _, twice := parts[f.Name]; twice {
			return nil, fmt.Errorf("%s stands there twice", f.Name)
		}
		parts[f.Name] = part
		if name, is := strings.CutPrefix(f.Name, folder); is && fs.ValidPath(name) && path.Ext(name) == ".toml" {
			c.Rules = append(c.Rules, Text{name, part})
		}
	}
	if err := c.readHead(parts[head]); err != nil {
		return nil, fmt.Errorf("%s: %w", head, err)
	}
	for i := range c.Products {
		name := fmt.Sprintf("%s%03d", states, i)
		if c.Products[i].Closed, err = readStates(parts[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		delete(parts, name)
	}
	delete(parts, head)
	for _, t := range c.Rules {
		delete(parts, folder+t.Name)
	}
	for name := range parts {
		return nil, fmt.Errorf("%s is no part of a certificate", name)
	}
	return c, nil
}

func unpack(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	part, err := io.ReadAll(io.LimitReader(r, mostBytes))
	if len(part) == mostBytes {
		return nil, errors.New("it is too large")
	}
	return part, errors.Join(err, r.Close())
}

// readHead reads all but the rules and the states. A text that says the same in other words may say something else to another reader.
func (c *Certificate) readHead(text []byte) error {
	var is struct{ V int }
	if err := json.Unmarshal(text, &is); err != nil {
		return err
	}
	if is.V != Version {
		return fmt.Errorf("it has version %d, and this program reads %d", is.V, Version)
	}
	if err := json.Unmarshal(text, c); err != nil {
		return err
	}
	if again, err := c.head(); err != nil || !bytes.Equal(again, text) {
		return errors.Join(err, errors.New("it is not written as verify --certificate writes it"))
	}
	return nil
}

func (c *Certificate) head() ([]byte, error) { return json.MarshalIndent(c, "", " ") }

func readStates(data []byte) (all []Closed, err error) {
	size := binary.Size(State{})
	for r := bytes.NewReader(data); r.Len() > 0; {
		var one Closed
		from := len(data) - r.Len()
		if r.Len() < size {
			return nil, io.ErrUnexpectedEOF
		}
		if _, err := binary.Decode(data[from:], binary.BigEndian, &one.State); err != nil {
			return nil, err
		}
		if _, err := r.Seek(int64(size), io.SeekCurrent); err != nil {
			return nil, err
		}
		n, err := binary.ReadUvarint(r)
		if err != nil || n > uint64(r.Len()) {
			return nil, errors.Join(err, io.ErrUnexpectedEOF)
		}
		for range n {
			w, err := binary.ReadUvarint(r)
			if err != nil || w > 1<<32-1 {
				return nil, errors.Join(err, errors.New("a world is too large"))
			}
			one.Worlds = append(one.Worlds, uint32(w))
		}
		if err := one.State.check(); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// check refuses what stands for no flow.
func (a *State) check() error {
	bad := int(a.Stage) >= len(stages) || int(a.AskedBy) >= len(bys) || int(a.Via) >= len(vias) || int(a.DisplacedVia) >= len(vias) || a.Count > Most || (a.Count > 0) != (a.Stage > 0)
	for _, id := range a.IDs[:min(a.Count, Most)] {
		bad = bad || id.Age > 2 || id.Order >= Most
	}
	if bad {
		return fmt.Errorf("%+v is no state", *a)
	}
	return nil
}

// FS is the folder of the rules.
func (c *Certificate) FS() fs.FS {
	all := fstest.MapFS{}
	for _, t := range c.Rules {
		all[t.Name] = &fstest.MapFile{Data: t.Data}
	}
	return all
}
