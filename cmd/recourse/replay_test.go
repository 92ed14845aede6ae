package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// decisionLine is a line of a decision log about an answer that no rule of ours knows, as the shipped rules decide about it.
func decisionLine(t *testing.T) string {
	t.Helper()
	dir := testkit.Dir(t, map[string]string{"rules/momo.toml": fmt.Sprintf(ownRule, "a")})
	log := filepath.Join(dir, "log")
	url, _, _, stop := startServe(t, "--rules", filepath.Join(dir, "rules"), "--decision-log", log)
	postTo(t, url+"/v1/decide", "application/json", `{"provider":"momo","operation":"pay","fault":"timeout"}`)
	stop()
	_, out, _ := command("replay", "--json", "--rules", filepath.Join(dir, "rules"), log)
	if !strings.Contains(out, `"same": 1`) {
		t.Fatal(out)
	}
	names, err := filepath.Glob(filepath.Join(log, "*.jsonl"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A log that was tampered with, packed or cut is green only if all of it is.
func TestReplayOfHostileLogs(t *testing.T) {
	line := decisionLine(t)
	packed := gzipped(t, line+line)
	for _, row := range []struct {
		what string
		file string
		text string
		code int
		says string
	}{
		{"packed", "a.jsonl.gz", packed, exitHolds, "2 decisions are the same"},
		{"packed twice in one file", "a.jsonl.gz", packed + gzipped(t, line), exitHolds, "3 decisions are the same"},
		{"packed, without its name", "a.jsonl", packed, exitHolds, "2 decisions are the same"},
		{"packed and cut", "a.jsonl.gz", packed[:len(packed)-9], exitCouldNot, "unexpected EOF"},
		{"packed and cut within", "a.jsonl.gz", packed[:len(packed)/2], exitCouldNot, "unexpected EOF"},
		{"packed and changed", "a.jsonl.gz", packed[:len(packed)-6] + "x" + packed[len(packed)-5:], exitCouldNot, "checksum"},
		{"packed nothing", "a.jsonl.gz", gzipped(t, ""), exitCouldNot, "no decision was made again"},
		{"line breaks alone", "a.jsonl", "\n\n\r\n", exitCouldNot, "no decision was made again"},
		{"zeros behind it, as a machine leaves that lost power", "a.jsonl", line + strings.Repeat("\x00", 4096), exitHolds, "cut off"},
		{"zeros within", "a.jsonl", line + strings.Repeat("\x00", 64) + "\n" + line, exitCouldNot, ":2: "},
		{"a mark of the order of bytes", "a.jsonl", "\ufeff" + line, exitHolds, "1 decisions are the same"},
		{"line breaks of Windows", "a.jsonl", strings.ReplaceAll(line, "\n", "\r\n"), exitHolds, "1 decisions are the same"},
		{"a newer version", "a.jsonl", line + strings.Replace(line, `"v":1`, `"v":2`, 1), exitCouldNot, "version is 2"},
		{"a key twice", "a.jsonl", line + strings.Replace(line, `"phase":`, `"phase":"query","phase":`, 1), exitCouldNot, "twice"},
		{"two lines in one", "a.jsonl", strings.TrimSpace(line) + line, exitCouldNot, ":1: "},
		{"another digest", "a.jsonl", line + strings.Replace(line, `"rules":"sha256:`, `"rules":"sha256:0`, 1), exitHolds, "1 decisions are of other rules"},
		{"a changed action", "a.jsonl", line + strings.Replace(line, `"decided":{"action":"`, `"decided":{"action":"x`, 1), exitDoesNot, "1 are not"},
		{"a line that is too long", "a.jsonl", line + `{"v":1,"x":"` + strings.Repeat("a", 17<<20) + `"}` + "\n" + line, exitCouldNot, "16 MiB"},
	} {
		dir := testkit.Dir(t, map[string]string{row.file: row.text})
		code, out, errs := command("replay", filepath.Join(dir, row.file))
		if code != row.code || !strings.Contains(out+errs, row.says) {
			t.Errorf("%s: ended with %d, want %d and %q\n%.500s%.500s", row.what, code, row.code, row.says, out, errs)
		}
	}
}

// What a log says is shown, and commands no terminal. Digests without end take no time without end.
func TestReplayShowsPlainTexts(t *testing.T) {
	line := decisionLine(t)
	var text strings.Builder
	text.WriteString(line)
	for i := range 20_000 {
		changed := strings.Replace(line, `"rules":"sha256:`, fmt.Sprintf(`"rules":"\u001b]0;owned\u0007\u202e%d`, i), 1)
		switch i % 3 {
		case 1:
			changed = strings.Replace(changed, `"asked":{`, fmt.Sprintf(`"asked":{"not_again":"\u001b[2J%d",`, i), 1)
			changed = strings.Replace(changed, `",}`, `"}`, 1)
		case 2:
			changed = strings.Replace(changed, `"decided":{"action":"`, `"decided":{"action":"\u001b[2J`, 1)
		}
		text.WriteString(changed)
	}
	dir := testkit.Dir(t, map[string]string{"a.jsonl": text.String()})
	code, out, errs := command("replay", filepath.Join(dir, "a.jsonl"))
	if code != exitDoesNot || strings.ContainsAny(out+errs, "\x1b\u202e\a") {
		t.Errorf("ended with %d, and a control character is shown: %.300q %.300q", code, out, errs)
	}
	_, out, _ = command("replay", "--json", filepath.Join(dir, "a.jsonl"))
	var report replayed
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	decisions, why := 0, 0
	for _, r := range report.Rules {
		decisions += r.Decisions
	}
	for _, w := range report.Why {
		why += w.Count
	}
	if decisions != 20_001 || why != report.NotAgain || len(report.Rules) > mostNamed+1 || len(report.Why) > mostNamed+1 {
		t.Errorf("%d decisions of %d rules, %d of %d reasons", decisions, len(report.Rules), why, len(report.Why))
	}
}
