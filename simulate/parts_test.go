package simulate

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// aDay is a flow an hour of a day, each with its end and its reconciliation in the next hour.
func aDay(t *testing.T, day int) (lines []string) {
	for hour := range 24 {
		at, name := time.Duration(24*day+hour)*time.Hour, fmt.Sprintf("f-%02d-%02d", day, hour)
		lines = append(lines, jsonLine(t, name, at, "send", code(0)), end(t, name, at+time.Minute, "succeeded"))
		if day > 0 || hour > 0 {
			before := at - time.Hour
			name := fmt.Sprintf("f-%02d-%02d", int(before.Hours())/24, int(before.Hours())%24)
			lines = append(lines, found(t, name, at+2*time.Minute, executed("o-1", "r-1", 1000, before)))
		}
	}
	return lines
}

// A file in which time goes back is read as its parts in the order of their times, with the lines' numbers of the file. So flows whose
// lines stand on both sides are whole, and no more are open than those of a window.
func TestAFileIsCutWhereTimeGoesBack(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const days, block = 24, 4 // two windows
	var blocks [][]string
	for day := range days {
		if day%block == 0 {
			blocks = append(blocks, nil)
		}
		blocks[day/block] = append(blocks[day/block], aDay(t, day)...)
	}
	file := func(order []int, broken bool) string {
		var lines []string
		for _, i := range order {
			lines = append(lines, blocks[i]...)
		}
		if broken {
			lines = append(lines, "broken")
		}
		name := filepath.Join(t.TempDir(), "a.jsonl")
		if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	run := func(name string) (r *Report, warned []string, broken []int) {
		e := defaults(t)
		o := Options{Decider: e, Catalogs: e.Catalogs, stride: 4 << 10, Warn: func(err error) { warned = append(warned, err.Error()) }, Broken: func(e *LineError) { broken = append(broken, e.Line) }}
		r, err := Run(context.Background(), o, name)
		if err != nil {
			t.Fatal(err)
		}
		r.BrokenLines = 0
		return r, warned, broken
	}
	order := []int{0, 1, 2, 3, 4, 5}
	want, quiet, _ := run(file(order, false))
	if len(quiet) > 0 || want.Recorded.Flows != 24*days || want.Incomplete > 0 {
		t.Fatalf("in order: %q, %+v", quiet, want.Recorded)
	}
	for range 10 {
		random.Shuffle(len(order), func(i, k int) { order[i], order[k] = order[k], order[i] })
		if slices.IsSorted(order) {
			continue
		}
		turns := 1
		for i := range order[1:] {
			if order[i+1] < order[i] {
				turns++
			}
		}
		got, warned, broken := run(file(order, true))
		if g, w := asJSON(t, got), asJSON(t, want); g != w {
			t.Errorf("%v: another report: %s", order, firstDifference(g, w))
		}
		said := fmt.Sprintf("read as %d recordings", turns)
		if len(warned) != 1 || !strings.Contains(warned[0], said) {
			t.Errorf("%v: %q, not %q", order, warned, said)
		}
		if last := 24 * days * 3; len(broken) != 1 || broken[0] != last {
			t.Errorf("%v: the last line is %d, not %d", order, broken, last)
		}
	}
}

// Each part begins with the first line that is so old, and what stands in the parts is what stands in the file.
func TestPartsAreTheFile(t *testing.T) {
	lines := append(append(aDay(t, 9), aDay(t, 5)...), aDay(t, 1)...)
	name := filepath.Join(t.TempDir(), "a.jsonl")
	whole := []byte(strings.Join(lines, "\n") + "\n")
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	inputs, err := files(name, noWarning)
	if err != nil {
		t.Fatal(err)
	}
	e := defaults(t)
	o := Options{Decider: e, Catalogs: e.Catalogs, stride: 4 << 10}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for i, part := range o.parts(inputs) {
		file, err := part.open()
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, part.size)
		if _, err := fill(file, data); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		if part.lines != bytes.Count(all, []byte{'\n'}) || bytes.Count(data, []byte{'\n'}) != 72 {
			t.Errorf("part %d begins after %d lines and has %d", i, part.lines, bytes.Count(data, []byte{'\n'}))
		}
		all = append(all, data...)
	}
	if !bytes.Equal(all, whole) {
		t.Error("the parts are not the file")
	}
}
