package decisions

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// written asks one question and returns the line of it.
func written(t *testing.T, question string) string {
	t.Helper()
	dir := t.TempDir()
	l := opened(t, dir, Options{})
	if err := l.ask(rulesOf(t), question); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lines := texts(t, dir)
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	return string(lines[0])
}

// A card number that a caller sends where none belongs stands in no line.
func TestNoCardNumberIsLogged(t *testing.T) {
	for _, part := range []string{
		`"tags":{"customer":"4111111111111111"}`, `"tags":{"4111111111111111":"x"}`, `"tags":{"note":"paid by 4111 1111 1111 1111"}`, `"tags":{"pan":"4111-1111-1111-1111"}`,
		`"message":"4111111111111111"`, `"headers":{"X-Pan":"4111111111111111"}`, `"query_string":"pan=4111111111111111"`, `"sub_code":"4111111111111111"`,
		`"fired":{"4111111111111111":1}`, `"currency":"4111111111111111"`, // a merchant's number stays, whatever it looks like
	} {
		text := `{"provider":"momo","operation":"pay","code":1003,` + part + `}`
		dir := t.TempDir()
		l := opened(t, dir, Options{})
		if l.ask(rulesOf(t), text) != nil {
			_ = l.Close()
			continue // it is refused
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		line := string(bytes.Join(texts(t, dir), nil))
		if digits := strings.NewReplacer(" ", "", "-", "").Replace(line); strings.Contains(digits, card) {
			t.Errorf("%s: a card number in %s", part, line)
		}
		if again, err := NewReader().Again(rulesOf(t), []byte(line)); err != nil || again.NotAgain == "" && !again.Same {
			t.Errorf("%s: %+v %v", part, again, err)
		}
	}
}

// A decision that was changed in its line is found, however that was done.
func TestAChangedDecisionIsFound(t *testing.T) {
	e := rulesOf(t)
	line := written(t, `{"provider":"momo","operation":"pay","fault":"timeout","queries":1,"at":"2026-01-02T05:04:05Z"}`)
	if again, err := NewReader().Again(e, []byte(line)); err != nil || !again.Same {
		t.Fatalf("%+v %v", again, err)
	}
	decided := line[strings.Index(line, `"decided":`):]
	decided = decided[:strings.LastIndex(decided, "}}")+1]
	for what, to := range map[string]string{
		"the action":                strings.Replace(line, `"action":"query_status"`, `"action":"mark_failed"`, 1),
		"a key twice, first false":  strings.Replace(line, `"decided":{`, `"decided":{"action":"mark_failed",`, 1),
		"a key twice, last false":   strings.Replace(line, decided, strings.TrimSuffix(decided, "}")+`,"action":"mark_failed"}`, 1),
		"the decision twice":        strings.Replace(line, decided, decided+`,"decided":{"action":"mark_failed"}`, 1),
		"the decision twice, first": strings.Replace(line, decided, `"decided":{"action":"mark_failed"},`+decided, 1),
		"the source's folder":       strings.Replace(line, `momo.toml:`, `merchants/momo.toml:`, 1),
		"the delay":                 strings.Replace(line, `"delay_ms":`, `"delay_ms":1`, 1),
		"a number that rounds":      strings.Replace(line, `"delay_ms":`, `"delay_ms":0.`, 1),
		"case of a key":             strings.Replace(line, `"action":"query`, `"Action":"query`, 1),
		"another type":              strings.Replace(line, decided, `"decided":"query_status"`, 1),
		"null":                      strings.Replace(line, decided, `"decided":null`, 1),
	} {
		if to == line {
			t.Errorf("%s: nothing was changed in %s", what, line)
			continue
		}
		if again, err := NewReader().Again(e, []byte(to)); err == nil && again.Same {
			t.Errorf("%s: it is the same: %s", what, to)
		}
	}
}

// A program that copies the file away and cuts it to nothing leaves no hole in it, also when a write fails then.
func TestAFileThatAnotherProgramCuts(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	f := files{dir: dir, size: 1 << 30, every: 24 * time.Hour}
	if _, err := f.write(lineOf('a', 10_000), now); err != nil {
		t.Fatal(err)
	}
	name := f.file.Name()
	if err := os.Truncate(name, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.write(lineOf('b', 100), now); err != nil {
		t.Fatal(err)
	}
	if err := f.cutBack(0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.file.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	if err := f.cutBack(4); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Clean(name)); err != nil || string(text) != string(lineOf('b', 100)) {
		t.Errorf("%d bytes: %.200q %v", len(text), text, err)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
}

// A disk that takes nothing and refuses nothing does not keep the process from its end.
func TestCloseDoesNotWaitForADiskThatHangs(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l := opened(t, t.TempDir(), Options{})
	now := time.Now()
	l.files.file, l.files.from, l.files.until, l.files.looked = w, now.Add(-time.Hour), now.Add(time.Hour), now
	l.patience = 100 * time.Millisecond
	for range 300 {
		l.offer(lineOf('x', 1024), false) // the pipe takes 64 kB
	}
	done := make(chan error, 1)
	go func() { done <- l.Close() }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "the disk") {
			t.Errorf("Close says %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("Close waits for the disk")
	}
	_ = r.Close()
	<-l.stopped
}
