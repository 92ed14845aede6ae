package decisions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

const card = "4111111111111111"

// looking are rules that look at all that a line has to hold.
const looking = `
[[rule]]
id   = "words"
when = 'effect == "unknown" && (message contains "token=s" || message contains "411111")'
then = "escalate"
[[rule]]
id   = "queries"
when = 'effect != "executed" && queries in [1, 3, 5] && attempt < 3'
then = "query_status"
schedule = "poll"
[[rule]]
id   = "elapsed"
when = 'effect != "executed" && elapsed > duration("20s") && fired < 2'
then = "query_status"
[[rule]]
id   = "hour"
when = 'effect != "executed" && hour in [1, 3, 20] && amount > 1000 && currency == "VND"'
then = "escalate"
`

func rulesOf(t testing.TB) *ruleset.Engine {
	t.Helper()
	e, err := ruleset.OpenFS(fstest.MapFS{"momo.toml": {Data: []byte(looking)}, "opi.toml": {Data: []byte(looking)}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func opened(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ask decides as the service does.
func (l *Log) ask(e *ruleset.Engine, text string) error {
	q, err := advice.Read([]byte(text))
	if err != nil {
		return err
	}
	if q.At.IsZero() {
		q.At = time.Now().UTC().Truncate(time.Microsecond)
	}
	a, err := advice.Ask(e, q)
	if err != nil {
		return err
	}
	d := a.Decision()
	l.Asked(e, q, a, d.AppendJSON(nil))
	return nil
}

// texts are the lines of a folder.
func texts(t testing.TB, dir string) (lines [][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, bytes.SplitAfter(text, []byte("\n"))...)
		if last := lines[len(lines)-1]; len(last) == 0 {
			lines = lines[:len(lines)-1]
		}
	}
	return lines
}

// drawn is a question of whatever a caller may send.
func drawn(t *rapid.T) string {
	said := rapid.SampledFrom([]string{"0", "9000", "1003", "41", "98", "ü", card, "", "SUCCESS", "FAILED", "<p>"})
	words := rapid.SampledFrom([]string{"no money", "token=s3cretvalue", "call " + card, "ü"})
	name := rapid.SampledFrom([]string{"a", "VND", "o-1", "ü", "b c"})
	number := rapid.SampledFrom([]int64{0, 1, 2, 5, 120_000, 200, 502, 1e9, 2e15, 1 << 60})
	b := fmt.Appendf(nil, `{"provider":%q,"operation":%q`, rapid.SampledFrom([]string{"momo", "opi", "shopline"}).Draw(t, "provider"),
		rapid.SampledFrom([]string{"pay", "refund", "payout"}).Draw(t, "operation"))
	some := func(key string, in int, draw func(string) string) {
		if rapid.IntRange(0, in).Draw(t, "has "+key) == 0 {
			b = append(b, `,"`+key+`":`+draw(key)...)
		}
	}
	text := func(from *rapid.Generator[string]) func(string) string {
		return func(key string) string { return string(recorded.AppendString(nil, from.Draw(t, key))) }
	}
	for _, key := range []string{"code", "sub_code", "status", "sub_status"} {
		some(key, 3, text(said))
	}
	some("message", 3, text(words))
	for _, key := range []string{"order_id", "request_id", "provider_id", "payment_key", "currency", "merchant"} {
		some(key, 3, text(name))
	}
	for _, key := range []string{"attempt", "queries", "elapsed_ms", "retry_after_ms", "amount", "http_status"} {
		some(key, 2, func(key string) string { return fmt.Sprint(number.Draw(t, key)) })
	}
	for _, key := range []string{"in_doubt", "replay", "verified"} {
		some(key, 1, func(string) string { return "true" })
	}
	for _, of := range [][]string{
		{"phase", `"send"`, `"query"`, `"webhook"`}, {"fault", `"timeout"`, `"reset"`, `"not_sent"`, `"unreadable"`}, {"capture", `"manual"`},
		{"at", `"2026-01-02T03:04:05.123456789+07:00"`, `"0001-01-01T00:00:00.5Z"`, `"9999-12-31T23:59:59.9-12:00"`, `"0000-01-01T00:00:00+12:00"`},
		{"headers", `{"X-Any":"` + card + `"}`}, {"query_string", `"a=1&pan=` + card + `"`}, {"tags", `{"a":"b","c":"ü"}`}, {"fired", `{"failed":1,"poll":2}`},
		{"body", `{"resultCode":0,"orderId":"o","amount":120000,"transId":7,"cvv":"cvv-9Z","message":"x"}`, `{"resultCode":1006,"message":"` + card + ` and token=s3cretvalue"}`,
			`"<html>` + card + `</html>"`, `{"code":"` + card + `"}`, `[1,2]`, `"{\"resultCode\":41}"`, `null`, `"a=1&code=2"`,
			`{"resultCode":"` + card + `","orderId":"o-1","amount":1}`},
	} {
		some(of[0], 3, func(key string) string { return rapid.SampledFrom(of[1:]).Draw(t, key) })
	}
	return string(b) + "}"
}

// Whatever is asked: the line can be read, holds no secret of the answer, and gives the same decision, byte by byte, or says that it
// cannot. It says so only where something was left out.
func TestEachDecisionCanBeMadeAgain(t *testing.T) {
	e := rulesOf(t)
	all, notAgain := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		l := opened(t, dir, Options{})
		asked := 0
		for range 5 {
			if l.ask(e, drawn(rt)) == nil {
				asked++
			}
		}
		if err := l.Close(); err != nil {
			rt.Fatal(err)
		}
		lines := texts(t, dir)
		if len(lines) != asked {
			rt.Fatalf("%d lines of %d questions", len(lines), asked)
		}
		for _, line := range lines {
			all++
			if bytes.Contains(line, []byte("s3cretvalue")) || bytes.Contains(line, []byte("cvv-9Z")) || bytes.Contains(line, []byte(card)) {
				rt.Fatalf("a secret in %s", line)
			}
			again, err := NewReader().Again(e, line)
			if err != nil {
				rt.Fatalf("%v\n%s", err, line)
			}
			if again.NotAgain != "" {
				notAgain++
				continue
			}
			if !again.Same {
				rt.Fatalf("%s\nwas %s\nis  %s", line, again.Was, again.Is)
			}
		}
	})
	t.Logf("%d of %d decisions cannot be made again", notAgain, all)
	if all >= 400 && notAgain*3 > all {
		t.Errorf("%d of %d decisions cannot be made again", notAgain, all)
	}
}

// What waits is bounded, an offer does not wait, and what is lost is counted and said.
func TestAWriterThatStandsStillHoldsNoDecisionUp(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var said bytes.Buffer
	l := opened(t, t.TempDir(), Options{Buffer: 1 << 20, Say: slog.New(slog.NewJSONHandler(&said, nil))})
	now := time.Now()
	l.files.file, l.files.from, l.files.until, l.files.looked = w, now.Add(-time.Hour), now.Add(time.Hour), now.Add(time.Hour/2) // it takes 64 KiB, and then no more
	l.files.looked = now
	line := bytes.Repeat([]byte("x"), 1023)
	line = append(line, '\n')
	began := time.Now()
	for range 5000 {
		l.offer(line, false)
	}
	if took := time.Since(began); took > time.Minute { // for ever, if they waited for the writer
		t.Errorf("5,000 offers took %s", took)
	}
	s := l.Stats()
	if s.Dropped[full] < 3000 || s.Waiting > 1<<20 {
		t.Errorf("of 5 MiB %d lines are dropped and %d bytes wait", s.Dropped[full], s.Waiting)
	}
	r.Close() // the write fails now; what is left goes to a file
	err = l.Close()
	s = l.Stats()
	if sum := s.Written + s.lost(); sum != 5000 {
		t.Errorf("%d lines are accounted for, of 5,000: %+v", sum, s)
	}
	if err == nil || !strings.Contains(said.String(), "were not written") {
		t.Errorf("what is lost is not said: %v\n%s", err, said.String())
	}
}

// What is written without encoding/json is what it writes.
func TestWhatWasAskedIsWrittenAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]int{0, 0, 1, -3, 1 << 40})
		b := asked{
			Attempt: number.Draw(t, "attempt"), Queries: number.Draw(t, "queries"), ElapsedMS: int64(number.Draw(t, "elapsed")),
			InDoubt: rapid.Bool().Draw(t, "doubt"), Replay: rapid.Bool().Draw(t, "replay"),
		}
		switch rapid.IntRange(0, 5).Draw(t, "besides") {
		case 0:
			b.At = time.Unix(1, 2).UTC()
		case 1:
			b.Fired = map[string]int{"poll": 2}
		case 2:
			b.Flow, b.NotAgain = &inFlow{ElapsedNS: 3}, flowsOwn
		}
		want, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.append([]byte("before")); err != nil || string(got) != "before"+string(want) {
			t.Fatalf("written is %s, and encoding/json writes %s (%v)", got, want, err)
		}
	})
}

// Lines that come from many goroutines while the disk is slow are all written, whole and each once, and the memory that they wait in is bounded.
func TestLinesOfManyGoroutines(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, dir, Options{Size: 1 << 20})
	const goroutines, each = 8, 2000
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for n := range each {
				l.offer(fmt.Appendf(nil, "%d-%d %s\n", g, n, strings.Repeat("x", (g*n)%3000)), false)
			}
		})
	}
	l.offer(append(bytes.Repeat([]byte("y"), 2*pieceSize), '\n'), false) // longer than a piece
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); s.Written != goroutines*each+1 || s.lost() != 0 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	seen := map[string]bool{}
	next := make([]int, goroutines)
	for _, line := range texts(t, dir) {
		var g, n int
		if _, err := fmt.Sscanf(string(line), "%d-%d ", &g, &n); err != nil {
			if len(bytes.TrimSpace(line)) != 2*pieceSize {
				t.Errorf("a line of %d bytes: %v", len(line), err)
			}
			continue
		}
		if n != next[g] || seen[string(line)] {
			t.Fatalf("line %d of goroutine %d comes where %d should", n, g, next[g])
		}
		next[g]++
	}
	if len(l.spare) != 0 {
		t.Errorf("%d pieces are kept after the end", len(l.spare))
	}
}
