package main

import (
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/recourse-pay/recourse/internal/testkit"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"recourse":    main,
		"makejournal": makeJournal,
		"ownjournal":  ownJournal,
	})
}

// Each script of testdata is one topic of the command, as a user would type it.
func TestScripts(t *testing.T) {
	repo, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(all) == 0 {
		t.Fatal("no scripts", err)
	}
	files := slices.DeleteFunc(all, func(file string) bool { return testkit.Short() && long[filepath.Base(file)] })
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       testkit.Update(),
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPO", repo)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "gz": gz, "keep": keep, "readenv": readEnv},
	})
}

// long are the scripts that take seconds: they prove or compare all shipped rules.
var long = map[string]bool{
	"check.txtar": true, "diff.txtar": true, "foreign-table.txtar": true, "test.txtar": true, "provider.txtar": true, "test-measures.txtar": true,
	"verify.txtar": true, "verify-screen.txtar": true,
}

// exits runs a command that must end with an exit code: exits CODE COMMAND ARG...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Check(err)
		}
		got = ended.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d; want %d", got, want)
	}
}

// gz packs a file: gz FILE makes FILE.gz and takes FILE away.
func gz(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gz FILE")
	}
	name := ts.MkAbs(args[0])
	packed, err := os.Create(name + ".gz")
	ts.Check(err)
	w := gzip.NewWriter(packed)
	_, err = w.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(packed.Close())
	ts.Check(os.Remove(name))
}

// keep truncates a file: keep FILE BYTES.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep FILE BYTES")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}
