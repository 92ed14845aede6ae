package decisions

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// lineOf is a line of so many bytes.
func lineOf(c byte, n int) []byte { return append(bytes.Repeat([]byte{c}, n-1), '\n') }

// contents are the files of a folder by their names.
func contents(t *testing.T, dir string) (names []string, texts map[string]string) {
	t.Helper()
	texts = map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range entries {
		text, err := os.ReadFile(filepath.Join(dir, d.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != permissions {
			t.Errorf("%s has mode %v", d.Name(), info.Mode())
		}
		names, texts[d.Name()] = append(names, d.Name()), string(text)
	}
	return names, texts
}

func TestFilesTurn(t *testing.T) {
	dir := t.TempDir()
	f := files{dir: dir, size: 100, every: time.Hour}
	now := time.Date(2026, 1, 2, 23, 10, 0, 0, time.UTC)
	write := func(lines ...[]byte) {
		t.Helper()
		all := slices.Concat(lines...)
		if n, err := f.write(all, now); err != nil || n != len(all) {
			t.Fatal(n, err)
		}
	}
	write(lineOf('a', 60), lineOf('b', 30), lineOf('c', 30)) // the third is beyond the size, by less than a line
	write(lineOf('d', 300))                                  // larger than a file
	write(lineOf('e', 10))
	now = now.Add(40 * time.Minute) // 23:50, the same hour
	write(lineOf('f', 10))
	now = now.Add(20 * time.Minute) // the next day
	write(lineOf('g', 10))
	if err := os.Remove(filepath.Join(dir, "2026-01-03-001.jsonl")); err != nil { // and the file is taken away
		t.Fatal(err)
	}
	now = now.Add(2 * lookAgain)
	write(lineOf('h', 10))
	now = now.Add(-24 * time.Hour) // the clock is set back
	write(lineOf('i', 10))
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	// Another process never writes to a file that is there.
	again := files{dir: dir, size: 100, every: time.Hour}
	if _, err := again.write(lineOf('j', 10), now); err != nil {
		t.Fatal(err)
	}
	if err := again.close(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"2026-01-02-001.jsonl": string(lineOf('a', 60)) + string(lineOf('b', 30)) + string(lineOf('c', 30)),
		"2026-01-02-002.jsonl": string(lineOf('d', 300)),
		"2026-01-02-003.jsonl": string(lineOf('e', 10)) + string(lineOf('f', 10)),
		"2026-01-03-002.jsonl": string(lineOf('h', 10)),
		"2026-01-02-004.jsonl": string(lineOf('i', 10)),
		"2026-01-02-005.jsonl": string(lineOf('j', 10)),
	}
	names, got := contents(t, dir)
	if len(names) != len(want) {
		t.Errorf("files %v", names)
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s holds %q, want %q", name, got[name], text)
		}
	}
}

// A write that fails in the middle of a line leaves whole lines behind it: the line is written again, to another file where the
// first cannot be cut back.
func TestAWriteThatFailsLeavesWholeLines(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dir := t.TempDir()
	now := time.Now()
	f := files{dir: dir, size: 1 << 30, every: 24 * time.Hour, file: w, from: now.Add(-time.Hour), until: now.Add(time.Hour), looked: now}
	if err := w.SetWriteDeadline(now.Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var lines []byte
	for i := range 1000 { // 100 kB, of which the pipe takes 64
		lines = append(lines, fmt.Appendf(nil, "%099d\n", i)...)
	}
	n, err := f.write(lines, now)
	if err == nil || n == 0 || n%100 != 0 || n > 70_000 {
		t.Fatalf("%d bytes are written: %v", n, err)
	}
	if rest, err := f.write(lines[n:], now); err != nil || rest != len(lines)-n {
		t.Fatal(rest, err)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	if _, got := contents(t, dir); len(got) != 1 || got[now.UTC().Format(time.DateOnly)+"-001.jsonl"] != string(lines[n:]) {
		t.Errorf("the rest is not in a file of its own")
	}
}
