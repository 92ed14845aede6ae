package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// fullDisk is an output that takes a number of bytes, and no more.
type fullDisk struct{ room int }

// Write implements [io.Writer].
func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	if d.room -= n; n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// printed has arguments under which each command prints, in every form that it has.
func printed(t *testing.T) map[string][]string {
	t.Helper()
	repo := filepath.Join("..", "..")
	rules := testkit.Dir(t, map[string]string{"merchants/acme.toml": "", "a.test.toml": watchedTest})
	failing := testkit.Dir(t, map[string]string{"a.test.toml": strings.Replace(watchedTest, "'executed'", "'failed'", 1)})
	opi := "--provider opi --operation cancel"
	explain := "explain --provider momo --operation pay --code 41"
	traffic := filepath.Join(repo, "testdata", "recordings", "opi.jsonl.gz")
	db := filepath.Join(t.TempDir(), "j.db")
	writeJournal(db, false)
	proof := filepath.Join(t.TempDir(), "proof.zip")
	if code := run(t.Context(), strings.Fields("verify "+opi+" --certificate "+proof), strings.NewReader(""), io.Discard, io.Discard); code != exitHolds {
		t.Fatal("no certificate")
	}
	logs := testkit.Dir(t, map[string]string{"a.jsonl": `{"v":1,"flow":"f","at":"2026-01-02T03:04:05Z","phase":"send","provider":"momo","operation":"pay","code":"1003","asked":{},"decided":{"action":"escalate"}}`})
	flows := func(verb string) string { return "flows " + verb + " --journal " + db }
	return map[string][]string{
		"flows": {
			"flows", flows("list"), flows("list --json"), flows("show f-paid"), flows("show f-paid --json"), flows("export"), flows("audit --json"),
			flows("prune --older-than 24h --who a --why b"), flows("withdraw f-doubt --who a --why b"), flows("resolve f-doubt --effect executed --who a --why b"),
		},
		"":           {"", "--help", "--version", "help verify"},
		"check":      {"check", "check --json", "check --help", "check --sarif " + filepath.Join(t.TempDir(), "f")},
		"verify":     {"verify " + opi, "verify --json " + opi, "verify --help"},
		"certify":    {"certify " + proof, "certify --json " + proof, "certify --help"},
		"test":       {"test " + rules, "test --json " + rules, "test --tap " + rules, "test " + failing, "test --update --yes " + failing, "test -v --cover " + rules, "test --watch " + rules},
		"diff":       {"diff embedded embedded", "diff --json embedded embedded", "diff --short embedded " + rules},
		"simulate":   {"simulate " + traffic, "simulate --json " + traffic},
		"replay":     {"replay " + logs, "replay --json " + logs},
		"bundle":     {"bundle " + rules + " -o " + filepath.Join(t.TempDir(), "b.zip")},
		"audit":      {"audit " + traffic, "audit --json " + traffic},
		"import":     {"import " + filepath.Join("internal", "imports", "testdata", "made", "playwright-1.65.1.har")},
		"decide":     {"decide"},
		"explain":    {explain, explain + " --json"},
		"codes":      {"codes", "codes --json"},
		"serve":      {"serve --listen 127.0.0.1:0", "serve --help", "serve --listen 127.0.0.1:0 --journal " + filepath.Join(t.TempDir(), "s.db")},
		"emulate":    {"emulate --provider momo --listen 127.0.0.1:0", "emulate --help"},
		"init":       {"init " + filepath.Join(t.TempDir(), "new")},
		"version":    {"version"},
		"completion": {"completion bash", "completion zsh", "completion fish", "completion powershell", "__complete decide --"},
		"help":       {"help"},
	}
}

// Whatever a command prints, an output that does not take it ends the command with an error, also where nothing of the work failed.
func TestOutputThatCannotBeWritten(t *testing.T) {
	all := printed(t)
	root := rootCommand()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if all[c.Name()] == nil {
			t.Errorf("%s is not tried", c.Name())
		}
	}
	slow := []string{"check", "diff"} // they look at all shipped rules
	for command, forms := range all {
		for _, form := range forms {
			if testkit.Short() && slices.Contains(slow, command) && form != forms[len(forms)-1] {
				continue
			}
			t.Run(form, func(t *testing.T) {
				for _, room := range []int{0, 10} {
					if command == "init" {
						if err := os.RemoveAll(strings.Fields(form)[1]); err != nil {
							t.Fatal(err)
						}
					}
					var errs bytes.Buffer
					in := strings.NewReader(strings.Repeat(`{"provider":"momo","operation":"pay","fault":"timeout"}`+"\n", 10))
					code := run(t.Context(), strings.Fields(form), in, &fullDisk{room}, &errs)
					if said := errs.String(); code != exitCouldNot || strings.Count(said, "standard output cannot be written: no space left on device") != 1 || strings.Contains(said, "interrupted") {
						t.Errorf("with room for %d bytes: exit code %d, %q", room, code, said)
					}
				}
			})
		}
	}
}

// A server whose output is lost ends, although no signal comes.
func TestLostOutputEndsWhatWaits(t *testing.T) {
	idle, in := io.Pipe()
	defer in.Close()
	for _, form := range []string{"decide", "emulate --provider momo --listen 127.0.0.1:0 -v"} {
		done := make(chan int, 1)
		go func() {
			done <- run(context.Background(), strings.Fields(form), idle, &fullDisk{}, io.Discard)
		}()
		if form == "decide" {
			if _, err := io.WriteString(in, "{}\n"); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case code := <-done:
			if code != exitCouldNot {
				t.Errorf("%s: exit code %d", form, code)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: it still runs", form)
		}
	}
}
