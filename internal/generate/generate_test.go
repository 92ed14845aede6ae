package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
)

var defaults = sync.OnceValues(func() (*ruleset.Engine, error) { return ruleset.Open("") })

// generated makes recordings as one stream.
func generated(t *testing.T, seed uint64, flows, days int) []byte {
	t.Helper()
	e, err := defaults()
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGenerator(e, seed, flows, time.Duration(days)*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := g.write(map[string]io.Writer{"": &b}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheSameSeedMakesTheSame(t *testing.T) {
	first := generated(t, 7, 200, 2)
	if !bytes.Equal(first, generated(t, 7, 200, 2)) {
		t.Error("the same seed made something else")
	}
	if bytes.Equal(first, generated(t, 8, 200, 2)) {
		t.Error("another seed made the same")
	}
}

// Every line is JSON of version 1. The lines are in the order of time.
func TestLinesAreInOrder(t *testing.T) {
	last := ""
	for i, raw := range bytes.Split(bytes.TrimSpace(generated(t, 7, 200, 2)), []byte("\n")) {
		var l struct {
			V        int
			Flow, At string
		}
		if err := json.Unmarshal(raw, &l); err != nil || l.V != 1 || l.Flow == "" {
			t.Fatalf("line %d: %v\n%s", i+1, err, raw)
		}
		if l.At < last {
			t.Fatalf("line %d is of %s, after %s", i+1, l.At, last)
		}
		last = l.At
	}
}

// All lines of a flow lie within the default window of a simulation.
func TestFlowsLieWithinTheWindow(t *testing.T) {
	first := map[string]time.Time{}
	for _, raw := range bytes.Split(bytes.TrimSpace(generated(t, 9, 400, 2)), []byte("\n")) {
		var l struct {
			Flow string
			At   time.Time
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			t.Fatal(err)
		}
		if _, ok := first[l.Flow]; !ok {
			first[l.Flow] = l.At
		}
		if d := l.At.Sub(first[l.Flow]); d > 48*time.Hour {
			t.Errorf("%s lasts %s", l.Flow, d)
		}
	}
}

// The recordings in the repository are what the generator makes with its default flags. If
// this fails after a change of rules or catalogues, run: go run ./internal/generate
func TestTheShippedRecordingsAreCurrent(t *testing.T) {
	dir := t.TempDir()
	if err := run(20261121, 3200, 9, dir, false, false); err != nil {
		t.Fatal(err)
	}
	const shipped = "../../testdata/recordings"
	made, kept := folder(t, dir), folder(t, shipped)
	if len(kept) < 4 || len(made) != len(kept) {
		t.Errorf("%d files, made are %d", len(kept), len(made))
	}
	for name, data := range made {
		if bytes.Equal(data, kept[name]) {
			continue
		}
		got, want := strings.Split(string(kept[name]), "\n"), strings.Split(string(data), "\n")
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Errorf("%s:%d is\n%s\nand the generator makes\n%s", name, i+1, got[i], want[i])
				break
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s has %d lines, and the generator makes %d", name, len(got)-1, len(want)-1)
		}
	}
}

// folder reads the gzipped files of a folder and decompresses them.
func folder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		all[filepath.Base(name)] = unpacked(t, name)
	}
	return all
}

func unpacked(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// One file, plain or gzipped by its name, has the same content as the stream.
func TestOneFile(t *testing.T) {
	want := generated(t, 7, 50, 2)
	dir := t.TempDir()
	for _, name := range []string{"all.jsonl", "all.jsonl.gz"} {
		path := filepath.Join(dir, name)
		if err := run(7, 50, 2, path, false, false); err != nil {
			t.Fatal(err)
		}
		var data []byte
		if strings.HasSuffix(name, ".gz") {
			data = unpacked(t, path)
		} else {
			data, _ = os.ReadFile(path)
		}
		if !bytes.Equal(data, want) {
			t.Errorf("%s holds something else", name)
		}
	}
}

// With -differ no two bodies are the same, and without their trace ids and signatures they are those that are made without it.
func TestBodiesThatAllDiffer(t *testing.T) {
	e, err := defaults()
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGenerator(e, 7, 200, 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	g.differ = true
	var b bytes.Buffer
	if err := g.write(map[string]io.Writer{"": &b}); err != nil {
		t.Fatal(err)
	}
	bodies, seen := 0, map[string]bool{}
	for raw := range bytes.Lines(b.Bytes()) {
		if _, body, ok := bytes.Cut(raw, []byte(`"body":{`)); ok {
			bodies++
			seen[string(body)] = true
		}
	}
	if bodies < 200 || len(seen) != bodies {
		t.Errorf("%d of %d bodies differ", len(seen), bodies)
	}
	made := regexp.MustCompile(` \(trace [0-9a-f]{16}\)|,"traceId":"[0-9a-f]{16}","signature":"[0-9a-f]{32}"`).ReplaceAll(b.Bytes(), nil)
	if !bytes.Equal(made, generated(t, 7, 200, 2)) {
		t.Error("something else was made")
	}
}
