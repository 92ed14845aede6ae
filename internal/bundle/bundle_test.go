package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"
)

// What is put in comes out, the same bytes each time, and nothing else comes out.
func TestWhatIsPutInComesOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`([a-z]{1,3}/){0,2}\.?[a-zü -]{1,4}\.(toml|test\.toml|md)`)
		texts := rapid.MapOf(name, rapid.SliceOf(rapid.Byte())).Draw(t, "files")
		files := fstest.MapFS{"always.toml": {Data: []byte("a = 1")}}
		want := map[string]string{"always.toml": "a = 1"}
		for name, text := range texts {
			files[name] = &fstest.MapFile{Data: text, ModTime: time.Unix(rapid.Int64Range(0, 1e9).Draw(t, "time"), 0), Mode: 0o600}
			if strings.HasSuffix(name, ".toml") && !strings.Contains("/"+name, "/.") {
				want[name] = string(text)
			}
		}
		data, err := Make(files)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			f.ModTime, f.Mode = time.Time{}, 0o777
		}
		if again, err := Make(files); err != nil || !bytes.Equal(data, again) {
			t.Fatalf("made again it is another: %v", err)
		}
		fsys, err := Read(data)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(fsys, name)
			got[name] = string(text)
			return err
		})
		if err != nil || !maps.Equal(got, want) {
			t.Fatalf("out come %v (%v), want %v", got, err, want)
		}
		if again, err := Make(fsys); err != nil || !bytes.Equal(data, again) {
			t.Fatalf("a bundle of a bundle is another: %v", err)
		}
	})
}

// Links are followed as the rules' reader follows them: a folder merchants, and single files.
func TestLinksAreFollowed(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(elsewhere, "acme.toml"), []byte("a"), 0o600), os.Symlink(elsewhere, filepath.Join(dir, "merchants")),
		os.Symlink(filepath.Join(elsewhere, "acme.toml"), filepath.Join(dir, "momo.toml")), os.Symlink("nowhere", filepath.Join(dir, "none")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	data, err := Make(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"merchants/acme.toml", "momo.toml"} {
		if text, err := fs.ReadFile(fsys, name); err != nil || string(text) != "a" {
			t.Errorf("%s: %q %v", name, text, err)
		}
	}
}

// zipped makes a zip of one entry, whatever it is.
func zipped(t *testing.T, change func(*zip.FileHeader), more ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range append([]string{"momo.toml"}, more...) {
		h := &zip.FileHeader{Name: name}
		change(h)
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, "/") {
			if _, err := f.Write(bytes.Repeat([]byte("# a\n"), 10_000)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestHostileBundlesAreRefused(t *testing.T) {
	named := func(name string) []byte { return zipped(t, func(h *zip.FileHeader) { h.Name = name }) }
	good := named("momo.toml")
	flipped := bytes.Clone(good)
	flipped[100] ^= 1
	for _, row := range []struct {
		name string
		data []byte
		says string
	}{
		{"a path out of the folder", named("../momo.toml"), "path below the folder"},
		{"one inside", named("a/../../momo.toml"), "path below the folder"},
		{"an absolute path", named("/etc/momo.toml"), "path below the folder"},
		{"a drive", named("C:/momo.toml"), "path below the folder"},
		{"a backslash", named(`..\momo.toml`), "path below the folder"},
		{"a long name", named(strings.Repeat("a", 2000) + ".toml"), "path below the folder"},
		{"a name that commands a terminal", named("a\x1b[2J.toml"), "can be seen"},
		{"a line break in a name", named("a\nharmless.toml"), "can be seen"},
		{"a name that turns its direction", named("a\u202elmot.toml"), "can be seen"},
		{"another kind of file", named("run.sh"), "holds .toml files"},
		{"a hidden file", named(".momo.toml"), "holds .toml files"},
		{"a folder", named("merchants.toml/"), "path below the folder"},
		{"a link", zipped(t, func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }), "no links"},
		{"a device", zipped(t, func(h *zip.FileHeader) { h.SetMode(fs.ModeDevice | 0o777) }), "no links"},
		{"compressed", zipped(t, func(h *zip.FileHeader) { h.Method = zip.Deflate }), "not compressed"},
		{"twice", zipped(t, func(*zip.FileHeader) {}, "momo.toml"), "twice"},
		{"cut off", good[:len(good)-30], "not a bundle, or not a whole one"},
		{"only its beginning", good[:4], "not a bundle, or not a whole one"},
		{"nothing", nil, "not a bundle, or not a whole one"},
	} {
		if _, err := Read(row.data); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	fsys, err := Read(flipped)
	if err == nil {
		_, err = fs.ReadFile(fsys, "momo.toml")
	}
	if !errors.Is(err, zip.ErrChecksum) {
		t.Errorf("a changed byte: %v", err)
	}
	if _, err := Read(overlapping(t)); err == nil || !strings.Contains(err.Error(), "larger than the bundle") {
		t.Errorf("files that share bytes: %v", err)
	}
}

// overlapping is a zip whose list names the same bytes under a hundred names.
func overlapping(t *testing.T) []byte {
	t.Helper()
	data := zipped(t, func(*zip.FileHeader) {})
	start := bytes.Index(data, []byte("PK\x01\x02"))
	end := bytes.Index(data, []byte("PK\x05\x06"))
	entry := data[start:end]
	out := bytes.Clone(data[:start])
	for i := range 100 {
		e := bytes.Clone(entry)
		copy(e[46:], []byte{'a' + byte(i/26), 'a' + byte(i%26)})
		out = append(out, e...)
	}
	last := bytes.Clone(data[end:])
	last[8], last[10] = 100, 100 // entries
	size := 100 * len(entry)
	last[12], last[13], last[14], last[15] = byte(size), byte(size>>8), byte(size>>16), 0
	return append(out, last...)
}

// Whatever the bytes are: Read ends, and what it accepts can be read and stays within its size.
func FuzzRead(f *testing.F) {
	good, err := Make(fstest.MapFS{"momo.toml": {Data: []byte("a = 1")}, "merchants/acme.toml": {Data: []byte("b = 2")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys, err := Read(data)
		if err != nil {
			return
		}
		size := 0
		_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				text, _ := fs.ReadFile(fsys, name)
				size += len(text)
				if !strings.HasSuffix(name, ".toml") || strings.Contains(name, "..") {
					t.Errorf("it holds %q", name)
				}
			}
			return nil
		})
		if size > len(data) {
			t.Errorf("%d bytes come out of %d", size, len(data))
		}
	})
}

func TestFilesAreReadInsideABundle(t *testing.T) {
	data, err := Make(fstest.MapFS{"merchants/acme.toml": {Data: []byte("b = 2")}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "rules.zip")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := ReadFile(filepath.Join(name, "merchants", "acme.toml")); err != nil || string(text) != "b = 2" {
		t.Errorf("%q %v", text, err)
	}
	if text, err := ReadFile(name); err != nil || !bytes.Equal(text, data) {
		t.Error(err)
	}
	for _, missing := range []string{filepath.Join(name, "none.toml"), name + "x", filepath.Join(name, "..", "..", "none")} {
		if _, err := ReadFile(missing); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", missing, err)
		}
	}
}

// Whatever byte of a bundle is changed: it is refused when it is opened, or holds what it held.
func TestAChangedByteChangesNoRule(t *testing.T) {
	files := fstest.MapFS{"momo.toml": {Data: []byte("a = 1")}, "merchants/acme.toml": {Data: []byte("b = 2")}, "tests/a.toml": {Data: []byte("c = 3")}}
	good, err := Make(files)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i := range good {
		for _, bit := range []byte{1, 0x20, 0xff} {
			changed := bytes.Clone(good)
			changed[i] ^= bit
			fsys, err := Read(changed)
			if err != nil {
				refused++
				continue
			}
			for name, f := range files {
				if text, err := fs.ReadFile(fsys, name); err != nil || !bytes.Equal(text, f.Data) {
					t.Errorf("byte %d: %s holds %q: %v", i, name, text, err)
				}
			}
		}
	}
	if refused < 3*len("a = 1b = 2c = 3") {
		t.Errorf("only %d changes were found", refused)
	}
	for i := range good {
		if _, err := Read(good[:i]); err == nil {
			t.Errorf("the first %d bytes are a bundle", i)
		}
	}
}

// The bundle is the files' names and bytes, and nothing else of them.
func TestABundleHasNoTimes(t *testing.T) {
	one, err := Make(fstest.MapFS{"b.toml": {Data: []byte("b")}, "a.toml": {Data: []byte("a"), Mode: 0o777, ModTime: time.Unix(1e9, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := Make(fstest.MapFS{"a.toml": {Data: []byte("a")}, "b.toml": {Data: []byte("b"), Mode: 0o400, ModTime: time.Unix(2e9, 0)}})
	if err != nil || !bytes.Equal(one, other) {
		t.Errorf("they differ: %v", err)
	}
	if _, err := Make(fstest.MapFS{"README.md": {Data: []byte("a")}, ".git/a.toml": {Data: []byte("a")}}); err == nil {
		t.Error("a folder without rules is a bundle, which no command knows as one")
	}
}
