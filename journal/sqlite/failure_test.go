package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/internal/rowqueue"
)

func TestOpenErrors(t *testing.T) {
	folder := t.TempDir()
	garbage := filepath.Join(folder, "garbage")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		o    *Options
		want string
	}{
		{filepath.Join(folder, "missing", "journal"), nil, "the folder of " + filepath.Join(folder, "missing")},
		{folder, nil, "is not a file"},
		{garbage, nil, "not a database"},
		{filepath.Join(folder, "journal"), &Options{Hold: -1}, "Options.Hold must not be negative"},
		{filepath.Join(folder, "journal"), &Options{Queue: -1}, "Options.Queue must not be negative"},
		{filepath.Join(folder, "journal"), &Options{Checkpoint: -1}, "Options.Checkpoint must not be negative"},
	} {
		_, err := Open(c.path, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%s) returned %v, want %q in it", c.path, err, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "missing")); err == nil {
		t.Error("the missing folder was made")
	}
}

func TestPathsWithSpecialCharacters(t *testing.T) {
	for _, name := range []string{"a?b", "a#b", "a%41b", "ünï cödé", "a&mode=memory"} {
		path := filepath.Join(t.TempDir(), name)
		j := opened(t, path, nil)
		put(t, j, journal.Synced, testRow("a"))
		version(t, j, "a", 1)
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// Overwritten pages give errors, not rows.
func TestCorruptPages(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	for i := range 500 {
		put(t, j, journal.Lazy, testRow(fmt.Sprint(i)))
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096 * 4; i < len(content); i++ {
		content[i] = 0xa5
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err = Open(path, nil)
	if err == nil {
		_, err = j.Due(t.Context(), moment, journal.Cursor{}, 1000)
		_ = j.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "malformed") || !strings.Contains(err.Error(), path) {
		t.Fatalf("a damaged file: %v", err)
	}
}

// set changes the writer's connection.
func set(t *testing.T, j *Journal, pragma string) {
	t.Helper()
	if err := j.run(context.Background(), func(w *writer) error { return w.exec(pragma) }); err != nil {
		t.Fatal(err)
	}
}

// failures make every commit fail, until they are ended.
var failures = []struct{ what, begin, end, want string }{
	{"full disk", "PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000", "full"},
	{"read-only file", "PRAGMA query_only = 1", "PRAGMA query_only = 0", "readonly"},
	{"statement that fails", "CREATE TEMP TRIGGER no BEFORE INSERT ON flow WHEN new.id = 'big' BEGIN SELECT RAISE(ABORT, 'no room'); END", "DROP TRIGGER no", "no room"},
}

func TestFailedGroupStoresNothing(t *testing.T) {
	for _, f := range failures {
		t.Run(f.what, func(t *testing.T) {
			j := opened(t, newPath(t), nil)
			stored := testRow("stored")
			put(t, j, journal.Synced, stored)
			set(t, j, f.begin)

			resume := pause(t, j)
			small := putLater(t, j, later(stored))
			big := testRow("big")
			big.State = make([]byte, 1<<20)
			lazy := testRow("lazy")
			put(t, j, journal.Lazy, lazy)
			large := putLater(t, j, big)
			resume()
			for _, result := range []<-chan error{small, large} {
				if err := <-result; err == nil || !strings.Contains(err.Error(), f.want) || !strings.Contains(err.Error(), j.path) {
					t.Fatalf("Put returned %v, want %q in it", err, f.want)
				}
			}
			version(t, j, "stored", 1)
			version(t, j, "big", 0)
			version(t, j, "lazy", 0)

			set(t, j, f.end)
			put(t, j, journal.Synced, later(stored), big, testRow("new"))
			if err := j.Put(t.Context(), later(lazy), journal.Synced); !errors.Is(err, journal.ErrConflict) {
				t.Fatalf("the row after a lazy one that was lost: %v", err)
			}
			version(t, j, "big", 1)
		})
	}
}

// A lazy row is lost with its group. If another writer could put the same version, the writer
// of the lost row would overwrite a row that it has never read.
func TestVersionOfALostLazyRowIsNotReused(t *testing.T) {
	j := opened(t, newPath(t), nil)
	a := testRow("a")
	put(t, j, journal.Synced, a)
	set(t, j, failures[1].begin)
	mine := later(a)
	put(t, j, journal.Lazy, mine)
	set(t, j, failures[1].end)

	theirs := later(a)
	theirs.State = []byte("theirs")
	if err := j.Put(t.Context(), theirs, journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the lost version was stored: %v", err)
	}
	if err := j.Put(t.Context(), later(mine), journal.Synced); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the row after the lost one: %v", err)
	}
	r, err := j.Get(t.Context(), "a")
	if err != nil || string(r.State) != string(a.State) {
		t.Fatalf("stored is %q, %v", r.State, err)
	}
	put(t, j, journal.Synced, later(&r))
}

func TestCloseReportsLostLazyRows(t *testing.T) {
	j := opened(t, newPath(t), nil)
	set(t, j, failures[1].begin)
	put(t, j, journal.Lazy, testRow("a"))
	if err := j.Close(); err == nil || !strings.Contains(err.Error(), "nothing was stored") {
		t.Fatalf("Close returned %v", err)
	}
}

func TestRowTooLarge(t *testing.T) {
	j := opened(t, newPath(t), nil)
	r := testRow("a")
	r.Names = []string{strings.Repeat("n", 1<<20)}
	r.State = make([]byte, rowqueue.MaxRow-1<<19)
	if err := j.Put(t.Context(), r, journal.Synced); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Fatalf("Put returned %v", err)
	}
}
