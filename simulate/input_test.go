package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

func oneByte(name string, data []byte) input {
	return input{name: name, open: func() (io.ReadCloser, error) { return io.NopCloser(iotest.OneByteReader(bytes.NewReader(data))), nil }}
}

func readAllOf(t testkit.Failer, in input) []byte {
	t.Helper()
	r, err := in.open()
	if err != nil {
		t.Fatalf("%v", err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return data
}

func sortBy(lines []string, key map[string]string) {
	sort.SliceStable(lines, func(i, j int) bool { return key[lines[i]] < key[lines[j]] })
}

// Run names the field of Options that is missing or wrong.
func TestInvalidOptions(t *testing.T) {
	e := defaults(t)
	for _, tt := range []struct {
		o    Options
		path string
		want string
	}{
		{Options{Catalogs: e.Catalogs}, recordings, "Options.Decider must be set"},
		{Options{Decider: e}, recordings, "Options.Catalogs must be set"},
		{Options{Decider: e, Catalogs: e.Catalogs, Window: -1}, recordings, "Options.Window must not be negative"},
		{Options{Decider: e, Catalogs: e.Catalogs}, "-", `Options.Stdin must be set where a path is "-"`},
	} {
		if _, err := Run(t.Context(), tt.o, tt.path); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

func TestMissingInputs(t *testing.T) {
	if _, err := inputsOf([]string{"testdata/no-such-file.jsonl"}, nil, noWarning); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := inputsOf([]string{t.TempDir()}, nil, noWarning); err == nil || !strings.Contains(err.Error(), ".jsonl") {
		t.Errorf("an empty folder: %v", err)
	}
}

// Broken lines are reported in the order of each file, with the numbers that an editor shows. The
// other lines are read.
func TestBrokenLinesAreReportedInOrder(t *testing.T) {
	good := jsonLine(t, "f", 0, "send", code(0))
	var inputs []input
	var want []string
	for _, file := range []string{"b", "a"} {
		var lines []string
		for n := 1; n <= 6000; n++ { // several batches
			switch {
			case n%997 == 0:
				want = append(want, fmt.Sprintf("%s:%d", file, n))
				lines = append(lines, good[:len(good)/2])
			case n%499 == 0:
				lines = append(lines, "")
			default:
				lines = append(lines, good)
			}
		}
		inputs = append(inputs, raw(file, []byte(strings.Join(lines, "\r\n"))))
	}
	var reported []string
	r := simulate(t, Options{Broken: func(e *LineError) {
		reported = append(reported, fmt.Sprintf("%s:%d", e.File, e.Line))
		if !strings.HasPrefix(e.Error(), reported[len(reported)-1]+": ") || errors.Unwrap(e) == nil {
			t.Errorf("it reads %q", e)
		}
	}}, inputs...)
	// Two files of the same days are read at the same time.
	slices.SortStableFunc(reported, func(a, b string) int { return int(b[0]) - int(a[0]) })
	if strings.Join(reported, " ") != strings.Join(want, " ") {
		t.Errorf("reported %v, want %v", reported, want)
	}
	if empty := 2 * 12; r.BrokenLines != len(want) || r.Lines != 2*6000-len(want)-empty {
		t.Errorf("%d lines, %d broken", r.Lines, r.BrokenLines)
	}
}

func TestStrictStopsAtFirstBrokenLine(t *testing.T) {
	good := jsonLine(t, "f", 0, "send", code(0))
	e := defaults(t)
	reported := 0
	o := Options{Decider: e, Catalogs: e.Catalogs, Strict: true, Broken: func(*LineError) { reported++ }}
	report, err := run(context.Background(), o, []input{text("a", good, "", "{", "["), text("b", "broken too")})
	var line *LineError
	if report != nil || !errors.As(err, &line) || line.File != "a" || line.Line != 3 || reported != 0 {
		t.Errorf("%v (reported %d)", err, reported)
	}
	if _, err := run(context.Background(), o, []input{text("a", good)}); err != nil {
		t.Errorf("nothing is broken: %v", err)
	}
}

// A line as long as many batches is a line like others.
func TestLineOfManyBatches(t *testing.T) {
	long := jsonLine(t, "f", 0, "send", fields{"body": fields{"resultCode": 0, "message": strings.Repeat("very ", 300_000)}})
	r := simulate(t, Options{Strict: true}, text("a", long, end(t, "f", time.Second, "succeeded"), long))
	if r.Lines != 3 || r.Simulated.Succeeded != 1 {
		t.Errorf("%d lines, %+v", r.Lines, r.Simulated)
	}
}

// A line too long to be kept is a broken line: named, counted, and the rest goes on.
func TestTooLongLineIsBroken(t *testing.T) {
	var reported []int
	r, err := run(context.Background(), Options{Decider: defaults(t), Catalogs: defaults(t).Catalogs, Broken: func(e *LineError) { reported = append(reported, e.Line) }},
		[]input{text("a", jsonLine(t, "f", 0, "send", code(0)), strings.Repeat("x", 2*maxLine+1), jsonLine(t, "g", 0, "send", code(0)))})
	if err != nil || r.Lines != 2 || len(reported) != 1 || reported[0] != 2 {
		t.Errorf("reported %v; %v", reported, err)
	}
}

// zeros is a file of zeros, which ends after left of them.
type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.left)
	clear(p[:n])
	z.left -= n
	return n, nil
}

// A line that does not end, as /dev/zero has, ends the run with the line and the limits.
func TestLineWithoutEndIsAnError(t *testing.T) {
	first := jsonLine(t, "f", 0, "send", code(0)) + "\n"
	in := input{name: "a", open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(first), &zeros{left: 4 * maxSkip})), nil
	}}
	_, err := run(t.Context(), Options{Decider: defaults(t), Catalogs: defaults(t).Catalogs}, []input{in})
	const want = "a:2: no line break in 256 MiB; a line has at most 16 MiB"
	if broken := new(LineError); !errors.As(err, &broken) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// cancelAt cancels after some reads.
type cancelAt struct {
	zeros
	reads  int
	cancel context.CancelFunc
}

func (c *cancelAt) Read(p []byte) (int, error) {
	if c.reads--; c.reads == 0 {
		c.cancel()
	}
	return c.zeros.Read(p)
}

// A run that is cancelled while a line is passed over stops there.
func TestCancelledWhileALineIsPassedOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src := &cancelAt{zeros: zeros{left: maxSkip}, reads: 200, cancel: cancel}
	_, err := run(ctx, Options{Decider: defaults(t), Catalogs: defaults(t).Catalogs},
		[]input{{name: "a", open: func() (io.ReadCloser, error) { return io.NopCloser(src), nil }}})
	if !errors.Is(err, context.Canceled) || src.left == 0 {
		t.Errorf("%v; %d bytes were left", err, src.left)
	}
}

// A line that is longer than a run waits for is an error with Strict too, and reading stops.
func TestStrictStopsReadingALineWithoutEnd(t *testing.T) {
	src := &zeros{left: 4 * maxSkip}
	_, err := run(t.Context(), Options{Decider: defaults(t), Catalogs: defaults(t).Catalogs, Strict: true},
		[]input{{name: "a", open: func() (io.ReadCloser, error) { return io.NopCloser(src), nil }}})
	if err == nil || err.Error() != "a:1: a line of more than 16 MiB" || src.left == 0 {
		t.Errorf("%v; %d bytes were left", err, src.left)
	}
}

// A byte order mark is no part of the first line, packed or not.
func TestByteOrderMark(t *testing.T) {
	first := "\ufeff" + jsonLine(t, "f", 0, "send", code(0))
	for _, in := range []input{text("a", first, jsonLine(t, "g", 0, "send", code(0))), raw("b", zipped(t, []byte(first+"\n"+jsonLine(t, "g", 0, "send", code(0)))))} {
		if r := simulate(t, Options{Broken: func(e *LineError) { t.Error(e) }}, in); r.Lines != 2 {
			t.Errorf("%s: %d lines", in.name, r.Lines)
		}
	}
}

// A key that no line has is named once, with what it may be meant for, and counted.
func TestUnknownKeysAreNamed(t *testing.T) {
	var warned []string
	typo := strings.Replace(jsonLine(t, "f", 0, "send", code(0)), `"amount"`, `"ammount"`, 1)
	r := simulate(t, Options{Warn: func(err error) { warned = append(warned, err.Error()) }}, text("a", jsonLine(t, "e", 0, "send", code(0)), typo, typo))
	if len(warned) != 1 || !strings.HasPrefix(warned[0], `a:2: key "ammount": `) || !strings.HasSuffix(warned[0], `did you mean "amount"?`) {
		t.Errorf("%q", warned)
	}
	if want := (policy.Count{Name: "ammount", N: 2}); len(r.UnknownKeys) != 1 || r.UnknownKeys[0] != want {
		t.Errorf("%v", r.UnknownKeys)
	}
	many := make([]string, 2*maxOthers)
	for i := range many {
		many[i] = strings.Replace(typo, "ammount", fmt.Sprintf("key%d", i), 1)
	}
	warned = nil
	if simulate(t, Options{Warn: func(err error) { warned = append(warned, err.Error()) }}, text("a", many...)); len(warned) != maxOthers {
		t.Errorf("%d keys are named", len(warned))
	}
}

// What an imported recording lacks is counted by send.
func TestLacksAreCounted(t *testing.T) {
	one, two := fields{"lacks": []string{"faults", "time"}, "code": "0"}, fields{"lacks": []string{"faults"}, "code": "0"}
	r := simulate(t, Options{}, text("a", jsonLine(t, "f", 0, "send", one), jsonLine(t, "g", 0, "send", two)))
	if want := []policy.Count{{Name: "faults", N: 2}, {Name: "time", N: 1}}; !slices.Equal(r.Lacks, want) {
		t.Errorf("%v, not %v", r.Lacks, want)
	}
}

// An input that cannot be read to its end is an error, because a report on a part of it would be wrong.
func TestIncompleteInputIsAnError(t *testing.T) {
	good := jsonLine(t, "f", 0, "send", code(0))
	gz := zipped(t, []byte(strings.Repeat(good+"\n", 2000)))
	spoilt := append([]byte(nil), gz...)
	spoilt[len(spoilt)-5] ^= 0xff // in the checksum
	lost := errors.New("the disk is gone")
	for _, tt := range []struct {
		name string
		in   input
		is   error
	}{
		{"gzip cut short", raw("a.gz", gz[:len(gz)-20]), io.ErrUnexpectedEOF},
		{"gzip cut in its head", raw("a.gz", gz[:5]), io.ErrUnexpectedEOF},
		{"gzip spoilt", raw("a.gz", spoilt), nil},
		{"a disk that fails", input{name: "a", open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(good+"\n"), iotest.ErrReader(lost))), nil
		}}, lost},
		{"a file that does not open", input{name: "a", open: func() (io.ReadCloser, error) { return nil, lost }}, lost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := defaults(t)
			r, err := run(context.Background(), Options{Decider: e, Catalogs: e.Catalogs}, []input{text("first", good), tt.in})
			if err == nil || r != nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// endless is a recording without an end.
type endless struct{ line []byte }

func (e endless) Read(p []byte) (int, error) { return copy(p, e.line), nil }

// A cancelled simulation stops, and no goroutine stays: synctest waits for every one, and panics
// if one is blocked.
func TestCancel(t *testing.T) {
	e := defaults(t)
	line := []byte(jsonLine(t, "f", 0, "send", code(0)) + "\n")
	because := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		seen := 0
		o := Options{Decider: e, Catalogs: e.Catalogs, Progress: func(int64, int64) {
			if seen++; seen == 3 {
				cancel(because)
			}
		}}
		in := input{name: "endless", open: func() (io.ReadCloser, error) { return io.NopCloser(endless{line}), nil }}
		if r, err := run(ctx, o, []input{in}); r != nil || !errors.Is(err, because) {
			t.Errorf("%v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := run(ctx, Options{Decider: e, Catalogs: e.Catalogs}, []input{text("a", string(line))}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before it began: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // stopped by itself, with the reader far ahead
		o := Options{Decider: e, Catalogs: e.Catalogs, Strict: true}
		in := input{name: "endless", open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("broken\n"), endless{line})), nil
		}}
		if _, err := run(t.Context(), o, []input{in}); err == nil {
			t.Error("it did not stop")
		}
	})
}

// Progress counts stored bytes, over all files, and ends at their sum.
func TestProgress(t *testing.T) {
	data := []byte(strings.Repeat(jsonLine(t, "f", 0, "send", code(0))+"\n", 3000))
	inputs := []input{raw("a", data), raw("b.gz", zipped(t, data)), raw("c", data)}
	var last, total int64
	for _, in := range inputs {
		total += in.size
	}
	simulate(t, Options{Progress: func(n, size int64) {
		if n < last {
			t.Errorf("%d after %d", n, last)
		}
		if size != total {
			t.Errorf("the size is %d, want %d", size, total)
		}
		last = n
	}}, inputs...)
	if last != total {
		t.Errorf("ends at %d of %d", last, total)
	}
}
