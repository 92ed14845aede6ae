package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// oneRow is a row of a flow that has ended.
func oneRow(id string) *journal.Row {
	return &journal.Row{ID: id, Version: 1, Provider: "momo", At: time.Unix(1, 0), State: []byte("{}")}
}

func TestMustExistCreatesNothing(t *testing.T) {
	path := newPath(t)
	for _, empty := range []bool{false, true} {
		if empty {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Open(path, &Options{MustExist: true})
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "MustExist") {
			t.Errorf("an empty file is there %t: %v", empty, err)
		}
		if info, err := os.Stat(path); (err == nil) != empty || empty && info.Size() != 0 {
			t.Errorf("a file was made: %v, %v", info, err)
		}
	}
	// An interrupted creation leaves a database without a table.
	half := newFile(t, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; CREATE TABLE t (x); DROP TABLE t")
	for _, o := range []*Options{{MustExist: true}, {ID: "x"}} {
		if _, err := Open(half, o); err == nil || !strings.Contains(err.Error(), "there is no journal in "+half) {
			t.Errorf("%+v: a database without a table: %v", o, err)
		}
	}
	if err := opened(t, path, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := opened(t, path, &Options{MustExist: true}).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreForTheirUserAlone(t *testing.T) {
	path := newPath(t)
	j := opened(t, path, nil)
	if err := j.Put(t.Context(), oneRow("f"), journal.Synced); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", filepath.Base(name), info.Mode(), err)
		}
	}
}

// The file is deleted, or another one is put in its place. Nothing more is written, for it would be lost.
func TestADeletedFileIsNoticed(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"deleted":         os.Remove,
		"its log deleted": func(path string) error { return os.Remove(path + "-wal") },
		"replaced": func(path string) error {
			if err := os.WriteFile(path+".new", []byte("other"), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			j := opened(t, path, nil)
			if err := j.Put(t.Context(), oneRow("before"), journal.Synced); err != nil {
				t.Fatal(err)
			}
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			if err := j.Put(t.Context(), oneRow("after"), journal.Synced); !errors.Is(err, journal.ErrLost) || !strings.Contains(err.Error(), "deleted or replaced") {
				t.Errorf("Put returned %v", err)
			}
			if err := j.Put(t.Context(), oneRow("later"), journal.Lazy); !errors.Is(err, journal.ErrLost) {
				t.Errorf("the next Put returned %v", err)
			}
		})
	}
}
