// Package bundle puts a folder of rules into one file: a zip whose entries are stored as they are, so that the same folder makes the same
// file byte by byte, and no file is larger than what is in it. What the files mean it does not know.
package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// The bounds of a bundle.
const (
	maxBytes = 256 << 20
	maxFiles = 100_000
	maxName  = 1000
)

const extension = ".toml"

// magic is what a bundle begins with.
const magic = "PK\x03\x04"

// Is reports whether a path is a file that begins as a bundle does.
func Is(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(magic))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == magic
}

// Make makes a bundle of the TOML files of a folder, but for hidden ones.
func Make(fsys fs.FS) ([]byte, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type()&fs.ModeSymlink != 0 && !strings.HasSuffix(name, extension):
			return linked(fsys, name, &names)
		case !d.IsDir() && strings.HasSuffix(name, extension):
			names = append(names, name)
		}
		if len(names) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is no " + extension + " file, and a bundle of nothing would be taken for no bundle")
	}
	slices.Sort(names)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if out.Len()+len(data) > maxBytes {
			return nil, fmt.Errorf("the files have more than %d MiB", maxBytes>>20)
		}
		size := uint64(len(data))
		entry, err := w.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: size, UncompressedSize64: size})
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// linked adds the files of a folder that a link leads to: rules are read through it too. Links below it are not followed.
func linked(fsys fs.FS, name string, names *[]string) error {
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil //nolint:nilerr // it leads to a file of another kind, or nowhere
	}
	for _, d := range entries {
		if strings.HasSuffix(d.Name(), extension) && !strings.HasPrefix(d.Name(), ".") {
			*names = append(*names, path.Join(name, d.Name()))
		}
	}
	return nil
}

// Open reads a bundle. All of it is in memory then, so that a file that is replaced changes nothing.
func Open(name string) (fs.FS, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, err
	}
	return Read(data)
}

// Read is [Open] of what a file holds.
func Read(data []byte) (fs.FS, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("a bundle has at most %d MiB", maxBytes>>20)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("not a bundle, or not a whole one: %w", err)
	}
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("a bundle has at most %d files", maxFiles)
	}
	var errs []error
	seen := map[string]bool{}
	var all uint64
	for _, f := range z.File {
		if err := check(f); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", f.Name, err))
		} else if err := whole(f, data); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", f.Name, err))
		}
		if seen[f.Name] {
			errs = append(errs, fmt.Errorf("%q: it is in the bundle twice", f.Name))
		}
		seen[f.Name] = true
		if all += f.UncompressedSize64; all > uint64(len(data)) { // entries that share bytes
			errs = append(errs, errors.New("the files of the bundle are larger than the bundle"))
		}
		if all > uint64(len(data)) || len(errs) > 20 {
			break
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return z, nil
}

// whole reads a file once, with the name that stands before it: one that was changed is found when the bundle is opened, and not when a
// command comes to it, or misses a merchant's rules.
func whole(f *zip.File, data []byte) error {
	at, err := f.DataOffset()
	if err != nil {
		return err
	}
	if before := at - int64(len(f.Name)); before < 0 || at > int64(len(data)) || string(data[before:at]) != f.Name {
		return errors.New("it has another name in the list of the bundle's files")
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// check refuses what [Make] does not write: other places than below the folder, and what a file could hide in.
func check(f *zip.File) error {
	switch {
	case !fs.ValidPath(f.Name) || strings.ContainsAny(f.Name, `\:`) || len(f.Name) > maxName:
		return errors.New("a file's name is a path below the folder, with slashes")
	case strings.ContainsFunc(f.Name, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errors.New("a file's name is of characters that can be seen: errors are shown by it")
	case !strings.HasSuffix(f.Name, extension) || strings.HasPrefix(path.Base(f.Name), "."):
		return errors.New("a bundle holds " + extension + " files")
	case f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 || f.Flags&1 != 0:
		return errors.New("a bundle holds files as they are, not compressed and not encrypted")
	case !f.Mode().IsRegular():
		return errors.New("a bundle holds no links, folders or devices")
	}
	return nil
}

// ReadFile reads a file of the machine, or one in a bundle whose path is the beginning of its own.
func ReadFile(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err == nil {
		return data, nil
	}
	for dir := filepath.Dir(name); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if !Is(dir) {
			continue
		}
		inside, relErr := filepath.Rel(dir, name)
		fsys, openErr := Open(dir)
		if relErr != nil || openErr != nil {
			return nil, err
		}
		return fs.ReadFile(fsys, filepath.ToSlash(inside))
	}
	return nil, err
}
