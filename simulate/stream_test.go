package simulate

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

const recordings = "../testdata/recordings"

// shipped are the shipped recordings.
func shipped(t testkit.Failer) []input {
	t.Helper()
	inputs, err := inputsOf([]string{recordings}, nil, noWarning)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return inputs
}

// halfADay is every line of the flows that the shipped recordings begin in their first
// twelve hours: all four providers, interleaved in the order of time.
var halfADay = sync.OnceValue(func() []string {
	inputs, err := inputsOf([]string{recordings}, nil, noWarning)
	if err != nil {
		panic(err)
	}
	var all []string
	for _, in := range inputs {
		chosen := map[string]bool{}
		err := split(context.Background(), &in, func(b *batch) bool {
			for _, raw := range strings.Split(strings.TrimSpace(string(b.data)), "\n") {
				at, flow := between(raw, `"at":"`), between(raw, `"flow":"`)
				if at < "2026-01-05T12" {
					chosen[flow] = true
				}
				if chosen[flow] {
					all = append(all, raw)
				}
			}
			return true
		})
		if err != nil {
			panic(err)
		}
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	byTime(all)
	return all
})

func between(raw, before string) string {
	_, rest, _ := strings.Cut(raw, before)
	text, _, _ := strings.Cut(rest, `"`)
	return text
}

func byTime(lines []string) {
	at := map[string]string{}
	for _, l := range lines {
		at[l] = between(l, `"at":"`) + l
	}
	sortBy(lines, at)
}

// sameReport runs inputs and compares with a report, but for the number of files.
func sameReport(t *testing.T, want *Report, o Options, inputs ...input) {
	t.Helper()
	got := simulate(t, o, inputs...)
	got.Files = want.Files
	if g, w := asJSON(t, got), asJSON(t, want); g != w {
		t.Errorf("another report: %s", firstDifference(g, w))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return strings.TrimSpace(g[i]) + "; want " + strings.TrimSpace(w[i])
		}
	}
	return "one is longer"
}

// The report is the same however the lines are stored.
func TestReportIsIndependentOfStorage(t *testing.T) {
	lines := halfADay()
	o := Options{Window: 72 * time.Hour} // all of it lies within
	want := simulate(t, o, text("all", lines...))
	if want.Lines < 1500 || want.Recorded.Flows < 100 || want.BrokenLines > 0 {
		t.Fatalf("half a day has %d lines, %d flows", want.Lines, want.Recorded.Flows)
	}
	whole := []byte(strings.Join(lines, "\n"))
	r := rand.New(rand.NewPCG(2, 2))

	t.Run("without a last newline", func(t *testing.T) { sameReport(t, want, o, raw("all", whole)) })
	t.Run("gzipped", func(t *testing.T) { sameReport(t, want, o, raw("all.gz", zipped(t, whole))) })
	t.Run("with CRLF and empty lines", func(t *testing.T) {
		sameReport(t, want, o, raw("all", bytes.ReplaceAll(whole, []byte("\n"), []byte("\r\n\r\n \n"))))
	})
	t.Run("through stdin", func(t *testing.T) {
		inputs, err := inputsOf([]string{"-"}, bytes.NewReader(whole), noWarning)
		if err != nil {
			t.Fatal(err)
		}
		sameReport(t, want, o, inputs...)
	})
	t.Run("gzipped through stdin", func(t *testing.T) {
		inputs, err := inputsOf([]string{"-"}, bytes.NewReader(zipped(t, whole)), noWarning)
		if err != nil {
			t.Fatal(err)
		}
		sameReport(t, want, o, inputs...)
	})
	t.Run("byte by byte", func(t *testing.T) {
		sameReport(t, want, o, oneByte("all", whole))
	})
	t.Run("lines in any order", func(t *testing.T) {
		shuffled := append([]string(nil), lines...)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		sameReport(t, want, o, text("all", shuffled...))
	})
	t.Run("over five files in any order, plain and gzipped", func(t *testing.T) {
		for range 3 {
			sameReport(t, want, o, distribute(t, r, lines, 5)...)
		}
	})
	t.Run("in a folder", func(t *testing.T) {
		dir := t.TempDir()
		for i, in := range distribute(t, r, lines, 4) {
			name := []string{"b.jsonl", "a.jsonl.gz", "sub/c.jsonl", "sub/deeper/d.jsonl"}[i]
			save(t, filepath.Join(dir, name), in)
		}
		save(t, filepath.Join(dir, "notes.txt"), text("", "not a recording"))
		inputs, err := inputsOf([]string{dir}, nil, noWarning)
		if err != nil || len(inputs) != 4 || !strings.HasSuffix(inputs[0].name, "a.jsonl.gz") || inputs[0].size == 0 {
			t.Fatalf("%v; %v", inputs, err)
		}
		sameReport(t, want, o, inputs...)
	})
	t.Run("one day after the other", func(t *testing.T) {
		const middle = "2026-01-06"
		var first, second []string
		for _, l := range lines {
			if between(l, `"at":"`) < middle {
				first = append(first, l)
			} else {
				second = append(second, l)
			}
		}
		o := Options{} // the usual window
		sameReport(t, want, o, text("5th", first...), text("6th", second...))
		sameReport(t, want, o, text("6th", second...), text("5th", first...))
	})
}

// distribute spreads lines over n files at random. Every second file is gzipped.
func distribute(t *testing.T, r *rand.Rand, lines []string, n int) []input {
	parts := make([][]string, n)
	for _, l := range lines {
		i := r.IntN(n)
		parts[i] = append(parts[i], l)
	}
	inputs := make([]input, n)
	for i, h := range parts {
		data := []byte(strings.Join(h, "\n"))
		if i%2 == 1 {
			data = zipped(t, data)
		}
		inputs[i] = raw("file", data)
	}
	r.Shuffle(n, func(i, j int) { inputs[i], inputs[j] = inputs[j], inputs[i] })
	return inputs
}

func save(t *testing.T, path string, in input) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, readAllOf(t, in), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The report does not depend on the number of goroutines.
func TestTheReportIsDeterministic(t *testing.T) {
	inputs := shipped(t)
	if testing.Short() {
		inputs = inputs[:1]
	}
	want := simulate(t, Options{}, inputs...)
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, n := range []int{1, 2, 8, 8} {
		runtime.GOMAXPROCS(n)
		sameReport(t, want, Options{}, inputs...)
	}
}

// Two merchants may have rules of one name. Each is counted for its own merchant.
func TestMetCountsPerMerchant(t *testing.T) {
	rule := `[[rule]]
id = "ask"
when = 'fault == "timeout"'
then = "query_status"
reason = "in doubt"
`
	e := withRules(t, map[string]string{"merchants/acme.toml": rule, "merchants/other.toml": "# another line\n" + rule})
	var lines []string
	for _, merchant := range []string{"other", "acme"} {
		lines = append(lines, jsonLine(t, "f", 0, "send", fields{"merchant": merchant, "fault": "timeout", "payment_key": "k"}),
			jsonLine(t, "f", time.Minute, "query", with(code(0), fields{"merchant": merchant})))
	}
	lines = append(lines, end(t, "f", 2*time.Second, "failed"), truth(t, "f", time.Hour, [2]string{"o-1", "r-1"}))
	// The harm is acme's: end and truth are of that merchant.
	for range 20 {
		r := simulate(t, Options{Decider: e, Catalogs: e.Catalogs}, text("r", lines...))
		for _, rule := range r.Rules {
			if want := strings.Contains(rule.Source, "acme"); rule.Rule == "ask" && (rule.Met == 1) != want {
				t.Fatalf("%s met %d", rule.Source, rule.Met)
			}
		}
	}
}

// Where no rule holds there are two actions. The report counts each of them, in the same order
// every time.
func TestReportWithoutRules(t *testing.T) {
	e := withRules(t, map[string]string{"baseline.toml": "", "momo.toml": `provider = "momo"`})
	var lines []string
	for i, n := range []int{7000, 1006, 7000, 1006} {
		lines = append(lines, jsonLine(t, string(rune('a'+i)), time.Duration(i), "send", code(n)))
	}
	o := Options{Decider: e, Catalogs: e.Catalogs}
	want := simulate(t, o, text("r", lines...))
	for _, r := range want.Rules {
		if r.Action == policy.Escalate && r.Followed != 2 {
			t.Errorf("%d escalated by no rule", r.Followed)
		}
	}
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	sameReport(t, want, o, text("r", lines...))
}
