package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/verify"
)

// Where a later file cannot be written, init leaves nothing of its own behind, and all that was there.
func TestInitWritesAllOrNothing(t *testing.T) {
	for name, prepare := range map[string]func(dir string) error{
		// A link to a folder that does not exist: looking at a file below it says that there is none.
		"a dangling link in the place of a folder": func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "schema")) },
		"a file in the place of a folder":          func(dir string) error { return os.WriteFile(filepath.Join(dir, "schema"), nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := prepare(dir); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			code := run(t.Context(), []string{"init", dir}, strings.NewReader(""), &out, &errs)
			if code != exitCouldNot || !strings.HasSuffix(errs.String(), "\nnothing was written\n") || out.Len() > 0 {
				t.Errorf("exit code %d, %q, %q", code, errs.String(), out.String())
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 1 || left[0].Name() != "schema" {
				t.Errorf("left: %v (%v)", left, err)
			}
		})
	}
}

// A folder that init did not make stays, and so does a file that another program put into one that it made.
func TestInitRemovesOnlyWhatItMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	var made []string
	if err := makeFolders(dir, &made); err != nil || len(made) != 2 {
		t.Fatalf("%v, %v", made, err)
	}
	foreign := filepath.Join(dir, "foreign")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if text := unmake(made); !strings.HasPrefix(text, "not removed again:\n") || !strings.Contains(text, dir) {
		t.Error(text)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
}

// A run that was interrupted before its first product rests on nothing yet: there is no heading of what it takes on trust.
func TestNoHeadingOfTrustWithoutAssumptions(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out bytes.Buffer
	if code := run(ctx, []string{"verify"}, strings.NewReader(""), &out, io.Discard); code != exitCouldNot || strings.Contains(out.String(), "on trust") {
		t.Errorf("exit code %d, %q", code, out.String())
	}
	out.Reset()
	printTrust(&out, &verify.Report{Products: []verify.Product{{Provider: "momo"}}})
	if out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
}

// The catalogue that init writes passes its own tests, leaves nothing open, and is never written over another.
func TestInitProvider(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rules")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"init", dir, "--provider", "mypay"}, 0, "mypay.test.toml"},
		{[]string{"test", dir}, 0, "0 failed"},
		{[]string{"check", "--rules", dir, "--provider", "mypay", "--strict"}, 0, "0 errors, 0 warnings"},
		{[]string{"init", dir, "--provider", "mypay"}, exitCouldNot, "exists already"},
		{[]string{"init", dir, "--provider", "momo"}, exitCouldNot, "ships with the program"},
		{[]string{"init", dir, "--provider", "My Pay"}, exitCouldNot, "small letters, digits and dashes"},
		{[]string{"init", dir, "--provider", ""}, exitCouldNot, "small letters, digits and dashes"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), tt.args, strings.NewReader(""), &out, &errs); code != tt.code || !strings.Contains(out.String()+errs.String(), tt.says) {
			t.Errorf("%q: exit code %d, want %d\n%s%s", tt.args, code, tt.code, out.String(), errs.String())
		}
	}
}
