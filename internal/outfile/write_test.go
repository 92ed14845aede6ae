package outfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/recourse-pay/recourse/internal/outfile"
)

// old makes a file with a content.
func old(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// only fails the test if a folder holds anything but the named entries.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the folder holds %q, want %q", got, names)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := outfile.Check(name); err != nil {
		t.Fatal(err)
	}
	if err := outfile.Write(t.Context(), name, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestRegularFilesAreReplaced(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	write(t, name, "first and long")
	write(t, name, "second")
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	write(t, name, "third")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, name); got != "third" || info.Mode().Perm() != 0o640 {
		t.Errorf("%q, mode %o", got, info.Mode())
	}
	only(t, dir, "f")
}

func TestLinksStayLinks(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	for _, there := range []bool{false, true} { // a link to nothing yet, then to a file
		link := filepath.Join(dir, "link")
		if !there {
			if err := os.Symlink("target", link); err != nil {
				t.Fatal(err)
			}
		}
		write(t, link, "new")
		if to, err := os.Readlink(link); err != nil || to != "target" || content(t, target) != "new" {
			t.Errorf("the link leads to %q (%v), its target holds %q", to, err, content(t, target))
		}
	}
	only(t, dir, "link", "target")
}

func TestWhatCannotBeWrittenStays(t *testing.T) {
	dir := t.TempDir()
	file, loop := filepath.Join(dir, "file"), filepath.Join(dir, "loop")
	old(t, file)
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	for name, why := range map[string]string{
		"":                                  "an empty name",
		dir:                                 "it is a folder",
		filepath.Join(dir, "no", "f"):       "no such file",
		filepath.Join(file, "f"):            "not a directory",
		loop:                                "too many levels",
		filepath.Join(dir, "new") + "/":     "no such file",
		strings.Repeat("x", 300):            "name too long",
		"/dev/full":                         "no space left",
		filepath.Join(dir, "nul\x00inside"): "invalid",
	} {
		err := outfile.Write(t.Context(), name, []byte("new"))
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", name, err, why)
		}
	}
	if content(t, file) != "old" {
		t.Error("the file has changed")
	}
	only(t, dir, "file", "loop")
}

// A device is written to, never replaced and never removed.
func TestDevicesStayDevices(t *testing.T) {
	dir := t.TempDir()
	for _, device := range []string{"/dev/null", "/dev/full"} {
		link := filepath.Join(dir, filepath.Base(device))
		if err := os.Symlink(device, link); err != nil {
			t.Fatal(err)
		}
		if err := outfile.Check(link); err != nil {
			t.Error(err)
		}
		err := outfile.Write(t.Context(), link, []byte("new"))
		if full := errors.Is(err, syscall.ENOSPC); full != (device == "/dev/full") {
			t.Errorf("%s: %v", device, err)
		}
		if info, err := os.Stat(device); err != nil || info.Mode()&os.ModeCharDevice == 0 {
			t.Fatalf("%s is no device any more: %v", device, err)
		}
	}
}

// An unprivileged user meets files and folders that are read-only; root meets none.
func TestReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		return
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	old(t, file)
	if err := os.Chmod(file, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := outfile.Check(file); err == nil {
		t.Error("a file that is read-only is called writable")
	}
	if err := outfile.Write(t.Context(), file, []byte("new")); err == nil || content(t, file) != "old" {
		t.Errorf("a file that is read-only: %v", err)
	}
	if err := errors.Join(os.Chmod(file, 0o600), os.Chmod(dir, 0o500)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	write(t, file, "written where it stands")
	if got := content(t, file); got != "written where it stands" {
		t.Errorf("in a folder that is read-only: %q", got)
	}
	if err := outfile.Write(t.Context(), filepath.Join(dir, "new"), nil); err == nil {
		t.Error("a new file in a folder that is read-only")
	}
}
