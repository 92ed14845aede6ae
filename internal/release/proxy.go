package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// writeModule writes the four files of the proxy protocol for one module: list, .info, .mod
// and .zip.
func writeModule(root, out string, m module, at time.Time) error {
	dir := filepath.Join(out, filepath.FromSlash(m.path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, at.UTC()})
	if err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.dir), "go.mod"))
	if err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	return errors.Join(
		os.WriteFile(file("list"), []byte(version+"\n"), 0o644),
		os.WriteFile(file(version+".info"), info, 0o644),
		os.WriteFile(file(version+".mod"), mod, 0o644),
		writeZip(file(version+".zip"), root, m),
	)
}

// writeZip writes the module's files, each below "PATH@VERSION/" as the format asks. The
// module's hash depends on names and contents only, so times and modes are left out.
func writeZip(name, root string, m module) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := zip.NewWriter(f)
	err = addFiles(w, root, m)
	return errors.Join(err, w.Close(), f.Close())
}

func addFiles(w *zip.Writer, root string, m module) error {
	for _, file := range m.files {
		if err := addFile(w, root, file, m.inZip(file)); err != nil {
			return err
		}
	}
	if m.hasLicense() {
		return nil
	}
	return addFile(w, root, license, m.path+"@"+version+"/"+license)
}

// inZip is the name in the zip of a file of the repository.
func (m module) inZip(file string) string {
	if m.dir != "." {
		file = strings.TrimPrefix(file, m.dir+"/")
	}
	return path.Join(m.path+"@"+version, file)
}

func addFile(w *zip.Writer, root, file, name string) error {
	full := filepath.Join(root, filepath.FromSlash(file))
	info, err := os.Lstat(full)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return nil // the format has no links
	}
	r, err := os.Open(full)
	if err != nil {
		return err
	}
	defer r.Close()
	entry, err := w.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(entry, r)
	return err
}
