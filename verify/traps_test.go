package verify_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/verify"
)

var update = flag.Bool("update", false, "rewrite the stories of testdata/traps")

// Each trap is a rules folder, what is verified of it in its comment, and the stories that
// are to be found, each of them the shortest.
func TestTraps(t *testing.T) {
	files, err := filepath.Glob("testdata/traps/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no traps", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			trap, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(stories(t, trap), "\r", "")
			for i, f := range trap.Files {
				if f.Name != "stories" {
					continue
				}
				if *update {
					trap.Files[i].Data = []byte(got)
					if err := os.WriteFile(file, txtar.Format(trap), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if string(f.Data) != got {
					t.Errorf("want:\n%s\ngot:\n%s", f.Data, got)
				}
				return
			}
			t.Error("no stories")
		})
	}
}

// verified runs what the last line of a trap's comment asks for: "verify: PROVIDER OPERATION
// MERCHANT", in its folder.
func verified(t *testing.T, trap *txtar.Archive) (*engine.Engine, *verify.Report, string) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range trap.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if f.Name == "stories" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(string(trap.Comment)), "\n")
	words := strings.Fields(strings.TrimPrefix(lines[len(lines)-1], "verify:"))
	var op policy.Operation
	if err := op.UnmarshalText([]byte(words[1])); err != nil {
		t.Fatal(err)
	}
	o := &verify.Options{Providers: words[:1], Operations: []policy.Operation{op}, Merchants: words[2:3]}
	o.DistrustInferred = len(words) > 3
	e, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Run(context.Background(), e, o)
	if err != nil {
		t.Fatal(err)
	}
	return e, r, dir
}

func stories(t *testing.T, trap *txtar.Archive) string {
	t.Helper()
	_, r, dir := verified(t, trap)
	var b bytes.Buffer
	fmt.Fprintln(&b, "holds:", r.Holds)
	for i := range r.Products {
		for k := range r.Products[i].Violations {
			r.Products[i].Violations[k].Write(&b)
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), dir+string(filepath.Separator), ""), "\\", "/")
}
