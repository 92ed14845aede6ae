package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// pouring is what a command writes while a test reads it.
type pouring struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (o *pouring) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *pouring) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// waitFor waits until a text holds a pattern, and returns what its group matched.
func waitFor(t *testing.T, o *pouring, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for range 3000 {
		if found := re.FindStringSubmatch(o.String()); found != nil {
			return found[len(found)-1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no %s in\n%s", pattern, o.String())
	return ""
}

// startServe runs serve until the test calls stop.
func startServe(t *testing.T, args ...string) (url string, stdout, stderr *pouring, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, stderr = &pouring{}, &pouring{}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0", "--drain", "1s"}, args...), strings.NewReader(""), stdout, stderr)
	}()
	stop = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { stop() })
	return "http://" + waitFor(t, stdout, `listens on (\S+)`), stdout, stderr, stop
}

func postTo(t *testing.T, url, kind, body string) string {
	t.Helper()
	answer, err := http.Post(url, kind, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", answer.Status, text, err)
	}
	return string(text)
}

// command runs a command to its end.
func command(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

const ownRule = `
[[rule]]
id   = "%s"
when = 'code == "1003"'
then = "escalate"
reason = "ours"
`

func TestDecisionsAreLoggedAndReplayed(t *testing.T) {
	dir := testkit.Dir(t, map[string]string{"rules/momo.toml": fmt.Sprintf(ownRule, "a")})
	rules, log := filepath.Join(dir, "rules"), filepath.Join(dir, "log")
	url, _, stderr, stop := startServe(t, "--rules", rules, "--watch", "--decision-log", log)
	single := postTo(t, url+"/v1/decide", "application/json", `{"provider":"momo","operation":"pay","code":1003}`)
	batch := postTo(t, url+"/v1/decide", "application/x-ndjson", strings.Repeat(`{"provider":"momo","operation":"pay","fault":"timeout","order_id":"o-1","payment_key":"k-1"}`+"\n", 20)+"{}\n")
	testkit.Write(t, rules, map[string]string{"momo.toml": fmt.Sprintf(ownRule, "renamed")})
	waitFor(t, stderr, `"rules read anew"`)
	postTo(t, url+"/v1/decide", "application/json", `{"provider":"momo","operation":"pay","code":1003}`)
	if metrics := getFrom(t, url+"/metrics"); !strings.Contains(metrics, "recourse_decision_log_lines_total ") || !strings.Contains(metrics, `recourse_decision_log_dropped_total{why="full"} 0`) {
		t.Errorf("the metrics say nothing of the log:\n%s", metrics)
	}
	if code := stop(); code != exitHolds {
		t.Fatalf("serve ended with %d\n%s", code, stderr.String())
	}
	names, err := filepath.Glob(filepath.Join(log, "*.jsonl"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if info, err := os.Stat(names[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v %v", names[0], info.Mode(), err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 22 || !strings.Contains(lines[0], `"decided":`+strings.TrimSpace(single)) || !strings.Contains(lines[1], `"decided":`+strings.SplitN(batch, "\n", 2)[0]) {
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}

	// By the rules of now the first decision is another: its rule was renamed.
	code, out, _ := command("replay", "--rules", rules, log)
	if code != exitDoesNot || !strings.Contains(out, names[0]+":1: sha256:") || !strings.Contains(out, "21 decisions are the same, 1 are not") || !strings.Contains(out, "21 decisions are of other rules: sha256:") {
		t.Errorf("replay ended with %d:\n%s", code, out)
	}
	// By those of then nothing is, also from another folder.
	before := testkit.Dir(t, map[string]string{"momo.toml": fmt.Sprintf(ownRule, "a")})
	first := filepath.Join(dir, "first.jsonl")
	if err := os.WriteFile(first, []byte(strings.Join(lines[:21], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := command("replay", "--rules", before, first); code != exitHolds || !strings.Contains(out, "21 decisions are the same, 0 are not") || strings.Contains(out, "other rules") {
		t.Errorf("replay ended with %d:\n%s%s", code, out, errs)
	}
	if code, out, _ := command("simulate", "--rules", before, log); code == exitCouldNot || !strings.Contains(out, "22 lines") {
		t.Errorf("simulate ended with %d:\n%s", code, out)
	}
	testReplayOfBrokenLogs(t, before, lines)
}

// testReplayOfBrokenLogs holds replay to what it says of logs that are not whole.
func testReplayOfBrokenLogs(t *testing.T, rules string, lines []string) {
	t.Helper()
	first := lines[0]
	for _, row := range []struct {
		name, text string
		code       int
		says       string
	}{
		{"cut off by a crash", first + first[:len(first)/2], exitHolds, "log.jsonl:2: the line is cut off"},
		{"cut off in an escape", first + `{"v":1,"flow":"\u00`, exitHolds, "cut off"},
		{"only a line that is cut off", first[:100], exitCouldNot, "no decision was made again"},
		{"a broken line before others", first[:100] + "\n" + first, exitCouldNot, "log.jsonl:1: "},
		{"a whole line that is no line", first + `{"v":1}`, exitCouldNot, "log.jsonl:2: "},
		{"an unknown key before", strings.Replace(first, `"asked":{}`, `"asked":{"later":1}`, 1), exitCouldNot, "asked: "},
		{"without what was decided", strings.Replace(first, `"decided":`, `"decided_":`, 1), exitCouldNot, "both asked and decided"},
		{"nothing", "", exitCouldNot, "no decision was made again"},
		{"answers alone", strings.Replace(first[:strings.Index(first, `,"rules"`)]+"}\n", "", "", 1), exitCouldNot, "no decision was made again"},
		{"another provider", strings.Replace(first, `"momo"`, `"nobody"`, 1), exitCouldNot, "nobody"},
		{"another decision", strings.Replace(first, `"delay_ms":0`, `"delay_ms":1`, 1), exitDoesNot, "0 decisions are the same, 1 are not"},
		{"another key in the decision", strings.Replace(first, `"delay_ms":0`, `"delay_ms":0,"more":1`, 1), exitDoesNot, "0 decisions are the same, 1 are not"},
		{"one that cannot be made again", strings.Replace(first, `"asked":{`, `"asked":{"not_again":"it was cut"`, 1), exitCouldNot, "it was cut"},
	} {
		dir := testkit.Dir(t, map[string]string{"log.jsonl": row.text})
		code, out, errs := command("replay", "--rules", rules, filepath.Join(dir, "log.jsonl"))
		if code != row.code || !strings.Contains(out+errs, row.says) {
			t.Errorf("%s: ended with %d, want %d and %q\n%s%s", row.name, code, row.code, row.says, out, errs)
		}
		code, out, _ = command("replay", "--json", "--rules", rules, filepath.Join(dir, "log.jsonl"))
		if report := (replayed{}); code != row.code || row.text != "" && json.Unmarshal([]byte(out), &report) != nil {
			t.Errorf("%s, as JSON: ended with %d\n%s", row.name, code, out)
		}
	}
}

func getFrom(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A folder in which nothing can be written is an error at the start, and flags that say nothing are too.
func TestDecisionLogThatCannotBeWritten(t *testing.T) {
	dir := testkit.Dir(t, map[string]string{"file": "x"})
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"--decision-log", filepath.Join(dir, "file")}, "decision log: "},
		{[]string{"--decision-log", filepath.Join(dir, "log"), "--decision-log-every", "1s"}, "a minute or more"},
		{[]string{"--decision-log", filepath.Join(dir, "log"), "--decision-log-size", "12"}, "a size is a whole number"},
		{[]string{"--decision-log-size", "1GB"}, "go with --decision-log"},
	} {
		if code, _, errs := command(append([]string{"serve", "--listen", "127.0.0.1:0"}, row.args...)...); code != exitCouldNot || !strings.Contains(errs, row.says) {
			t.Errorf("%v: ended with %d\n%s", row.args, code, errs)
		}
	}
}
