package sqlite

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/journal"
)

// refused says that Open refuses a file, for a reason, and changes nothing in it.
func refused(t *testing.T, path string, o *Options, want ...string) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	j, err := Open(path, o)
	if err == nil {
		_ = j.Close()
		t.Fatalf("%+v: %s was opened", o, path)
	}
	for _, text := range append(want, path) {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: the error lacks %q: %v", o, text, err)
		}
	}
	if after, err := os.ReadFile(path); string(after) != string(before) {
		t.Errorf("%+v: the file was changed (%v)", o, err)
	}
}

// copyOf copies a file, and its log on demand, as cp does.
func copyOf(t *testing.T, path string, withLog bool) string {
	t.Helper()
	to := newPath(t)
	names := []string{""}
	if withLog {
		names = append(names, "-wal")
	}
	for _, name := range names {
		content, err := os.ReadFile(path + name)
		if err == nil {
			err = os.WriteFile(to+name, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// A pinned id opens one journal, wherever it lies, and creates none.
func TestAPinnedIDOpensOneJournal(t *testing.T) {
	path, other := newPath(t), newPath(t)
	j, k := opened(t, path, nil), opened(t, other, nil)
	id := j.ID()
	if len(id) < 20 || id == k.ID() {
		t.Fatalf("the ids are %q and %q", id, k.ID())
	}
	if err := errors.Join(j.Close(), k.Close()); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		refused(t, other, &Options{ID: id, ReadOnly: readOnly}, id, k.ID())
		refused(t, newPath(t), &Options{ID: id, ReadOnly: readOnly}, "there is no journal")
		again := opened(t, path, &Options{ID: id, ReadOnly: readOnly})
		if again.ID() != id {
			t.Errorf("the id is %q", again.ID())
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	moved := newPath(t)
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	refused(t, path, &Options{ID: id}, "there is no journal")
	opened(t, moved, &Options{ID: id})
	refused(t, newFile(t, migrations[0]+"PRAGMA application_id = 0x52637273; PRAGMA user_version = 1"), &Options{ID: id}, "no id yet")
}

// A file that is copied without its log, while its process runs or after that was killed, lacks rows: the keys
// in them would be free.
func TestACopyWithoutItsLogIsRefused(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	atOnce := copyOf(t, path, false) // also right after the file was made
	put(t, j, journal.Synced, testRow("paid"))
	for _, copied := range []string{atOnce, copyOf(t, path, false)} {
		refused(t, copied, nil, copied+"-wal", "Options.Restored")
		refused(t, copied, &Options{MustExist: true}, "Options.Restored")
		if err := os.WriteFile(copied+"-wal", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, copied, nil, "Options.Restored")
		refused(t, copied, &Options{ReadOnly: true}, "Find the log") // else it has no flow, or old ones, without a word
		version(t, opened(t, copied, &Options{ReadOnly: true, Restored: true}), "paid", 0)
		restored := opened(t, copied, &Options{Restored: true})
		if restored.ID() == j.ID() {
			t.Error("a restored file has the id of the first")
		}
		put(t, restored, journal.Synced, testRow("new"))
		if err := restored.Close(); err != nil {
			t.Fatal(err)
		}
		version(t, opened(t, copied, nil), "new", 1)
	}
	version(t, opened(t, copyOf(t, path, true), nil), "paid", 1) // as after a kill
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	version(t, opened(t, copyOf(t, path, false), nil), "paid", 1) // closed: the file is whole
}

// Closing on a full disk cannot mark the file as closed. Its log then stays, and nothing is refused.
func TestClosingThatFailsKeepsTheLog(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	put(t, j, journal.Synced, testRow("paid"))
	set(t, j, "PRAGMA query_only = 1")
	if err := j.Close(); err == nil {
		t.Error("Close returned nil")
	}
	version(t, opened(t, path, nil), "paid", 1)
}

// A backup is put where the file was, and the log of that is still there. SQLite would read the one with the other.
func TestABackupBesideTheLogOfAnotherFile(t *testing.T) {
	path, to := newPath(t), newPath(t)
	j := opened(t, path, nil)
	put(t, j, journal.Synced, testRow("old"))
	if err := j.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	put(t, j, journal.Synced, testRow("new"))
	crashed := copyOf(t, path, true)
	if err := os.Rename(to, crashed); err != nil {
		t.Fatal(err)
	}
	for _, o := range []*Options{nil, {Restored: true}, {ReadOnly: true}, {ID: j.ID()}} {
		if o == nil {
			o = &Options{}
		}
		refused(t, crashed, o, "is a backup", crashed+"-wal")
	}
	if err := os.Remove(crashed + "-wal"); err != nil {
		t.Fatal(err)
	}
	refused(t, crashed, &Options{MustExist: true}, "is a backup", "Options.Restored")
	version(t, opened(t, crashed, &Options{ReadOnly: true}), "old", 1)
	restored := opened(t, crashed, &Options{Restored: true})
	version(t, restored, "old", 1)
	put(t, restored, journal.Synced, testRow("after"))
	version(t, opened(t, copyOf(t, crashed, true), nil), "after", 1) // as after a kill
	if err := restored.Close(); err != nil {
		t.Fatal(err)
	}
	version(t, opened(t, crashed, &Options{ID: restored.ID()}), "after", 1)
}
