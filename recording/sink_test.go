package recording

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	for range 2 { // a second start writes to a file of its own
		r, err := NewFolder(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		r.Ended(ctx, ended("today", 0))
		r.Ended(ctx, ended("tomorrow", 24*3600))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, name := range []string{"2026-01-02-001", "2026-01-02-002", "2026-01-03-001", "2026-01-03-002"} {
		file := filepath.Join(dir, name+".jsonl")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = strings.Join(order(t, string(raw)), ",")
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	want := map[string]string{"2026-01-02-001": "today end", "2026-01-02-002": "today end", "2026-01-03-001": "tomorrow end", "2026-01-03-002": "tomorrow end"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if _, err := NewFolder(filepath.Join(dir, "2026-01-02-001.jsonl", "x"), nil); err == nil {
		t.Error("a folder in a file")
	}
	r, err := NewFolder(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	r.Ended(context.Background(), ended("f", 0))
	if err := r.Close(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Close without the folder: %v", err)
	}
}
