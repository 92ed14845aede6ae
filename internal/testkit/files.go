package testkit

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Update reports whether the golden files are to be rewritten with what the tests find.
func Update() bool { return *update }

var update = flag.Bool("update", false, "rewrite the golden files with what the tests find; read the difference")

// Failer is what *testing.T, *testing.B and *rapid.T have in common.
type Failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Write writes files below a folder, by their slash-separated names. Each changes in one step: who watches the folder sees no file that is empty,
// or half of one.
func Write(t Failer, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatalf("%v", err)
		}
		next := path + ".next"
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Fatalf("%v", err)
		}
		if err := os.Rename(next, path); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// Dir writes files into a new folder, which is removed when the test ends.
func Dir(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	Write(t, dir, files)
	return dir
}

// Relative takes the folder out of the paths in a text, and writes them with slashes.
func Relative(text, dir string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, dir+string(filepath.Separator), ""), "\\", "/")
}

// Map returns the files of an archive by name.
func (a *Archive) Map() map[string]string {
	files := map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	return files
}

// Take returns the text of a file and the archive's files without it.
func (a *Archive) Take(name string) (text string, others map[string]string) {
	others = a.Map()
	text = others[name]
	delete(others, name)
	return text, others
}

// Golden compares a text with a file of an archive. With -update it writes the archive to its
// path instead, with the text in that file, which comes last.
func Golden(t testing.TB, path string, a *Archive, name, got string) {
	t.Helper()
	if want, _ := a.Take(name); want == got {
		return
	} else if !Update() {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
		return
	}
	next := &Archive{Comment: a.Comment}
	for _, f := range a.Files {
		if f.Name != name {
			next.Files = append(next.Files, f)
		}
	}
	next.Files = append(next.Files, File{Name: name, Data: []byte(got)})
	if err := os.WriteFile(path, Format(next), 0o600); err != nil {
		t.Fatal(err)
	}
}

// GoldenFile compares a text with a file. With -update it writes the file instead.
func GoldenFile(t testing.TB, path, got string) {
	t.Helper()
	if Update() {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}
