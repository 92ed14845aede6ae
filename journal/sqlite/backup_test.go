package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/journal"
)

// A copy that is made while rows are put has every row whose Put had returned, and is a whole journal.
func TestBackupOfARunningJournal(t *testing.T) {
	j := opened(t, newPath(t), nil)
	for i := range 500 {
		put(t, j, journal.Lazy, testRow(fmt.Sprint("before-", i)))
	}
	var all sync.WaitGroup
	stop := make(chan struct{})
	all.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				put(t, j, journal.Synced, testRow(fmt.Sprint("during-", i)))
			}
		}
	})
	path := filepath.Join(t.TempDir(), "copy?.db")
	err := j.Backup(t.Context(), path)
	close(stop)
	all.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := Open(path, &Options{MustExist: true}); err == nil || !strings.Contains(err.Error(), "Options.Restored") {
		t.Errorf("a backup is opened as a journal that pays: %v", err)
	}
	for _, readOnly := range []bool{true, false} {
		c := opened(t, path, &Options{MustExist: true, ReadOnly: readOnly, Restored: !readOnly})
		for i := range 500 {
			version(t, c, fmt.Sprint("before-", i), 1)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestBackupToARelativePath(t *testing.T) {
	j := opened(t, newPath(t), nil)
	put(t, j, journal.Synced, testRow("a"))
	t.Chdir(t.TempDir())
	if err := j.Backup(t.Context(), "copy"); err != nil {
		t.Fatal(err)
	}
	version(t, opened(t, "copy", &Options{ReadOnly: true}), "a", 1)
}

func TestBackupLeavesNothingBehind(t *testing.T) {
	j := opened(t, newPath(t), nil)
	put(t, j, journal.Synced, testRow("a"))
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.WriteFile(taken, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"a file that is there": j.Backup(t.Context(), taken),
		"a missing folder":     j.Backup(t.Context(), filepath.Join(dir, "no", "copy")),
		"a context that ended": j.Backup(cancelled, filepath.Join(dir, "copy")),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	left, err := os.ReadDir(dir)
	if text, _ := os.ReadFile(taken); err != nil || len(left) != 1 || string(text) != "theirs" {
		t.Errorf("left are %v, %v, with %q", left, err, text)
	}
}

// Reading beside the owner, and without one: nothing is written and no ownership is taken.
func TestReadOnly(t *testing.T) {
	path := newPath(t)
	if _, err := Open(path, &Options{ReadOnly: true}); err == nil {
		t.Fatal("a file that is not there was opened")
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) != 0 {
		t.Fatalf("%v were made", left)
	}
	owner := opened(t, path, nil)
	put(t, owner, journal.Synced, testRow("a"))
	read := func() {
		t.Helper()
		r := opened(t, path, &Options{ReadOnly: true})
		version(t, r, "a", 1)
		if rows, err := r.List(t.Context(), journal.Filter{}, journal.Cursor{}, 9); err != nil || len(rows) == 0 {
			t.Errorf("List returned %v, %v", rows, err)
		}
		if err := r.Put(t.Context(), testRow("b"), journal.Synced); !errors.Is(err, errReadOnly) {
			t.Errorf("Put returned %v", err)
		}
		if err := r.Put(t.Context(), testRow("b"), journal.Lazy); !errors.Is(err, errReadOnly) {
			t.Errorf("lazy Put returned %v", err)
		}
		if _, err := r.Prune(t.Context(), moment); !errors.Is(err, errReadOnly) {
			t.Errorf("Prune returned %v", err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := r.Get(t.Context(), "a"); !errors.Is(err, journal.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	read()
	put(t, owner, journal.Synced, testRow("c"))
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	read()
	put(t, opened(t, path, nil), journal.Synced, testRow("d"))
}

func TestReadOnlyOfAnotherVersion(t *testing.T) {
	old := newFile(t, migrations[0]+fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID))
	newer := newFile(t, fmt.Sprintf("CREATE TABLE t (a); PRAGMA application_id = %d; PRAGMA user_version = 99", applicationID))
	foreign := newFile(t, "CREATE TABLE t (a)")
	for what, path := range map[string]string{"old": old, "newer": newer, "foreign": foreign} {
		before, _ := os.ReadFile(path)
		_, err := Open(path, &Options{ReadOnly: true})
		after, _ := os.ReadFile(path)
		if err == nil || string(before) != string(after) {
			t.Errorf("%s: %v, changed: %t", what, err, string(before) != string(after))
		}
		t.Log(err)
	}
}
