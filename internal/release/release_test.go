package main

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestZipHoldsOneModuleWithoutNestedOnes(t *testing.T) {
	root, out := filepath.Join("..", ".."), t.TempDir()
	modules, err := findModules(root, filesBelow(t, root))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		if err := writeModule(root, out, m, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	names := zipNames(t, filepath.Join(out, repository, "@v", version+".zip"))
	prefix := repository + "@" + version + "/"
	for _, want := range []string{"go.mod", "LICENSE", "policy/doc.go", "providers/momo.toml"} {
		if !slices.Contains(names, prefix+want) {
			t.Errorf("the zip of the root lacks %s", want)
		}
	}
	for _, name := range names {
		for _, nested := range []string{"cmd/recourse/", "journal/sqlite/", "otel/", "examples/", "bench/"} {
			if strings.HasPrefix(name, prefix+nested) {
				t.Errorf("the zip of the root holds %s, of a nested module", name)
			}
		}
	}
	for _, name := range zipNames(t, filepath.Join(out, repository, "durable", "temporal", "@v", version+".zip")) {
		if strings.Contains(name, "testdata/devserver/") {
			t.Errorf("the zip of durable/temporal holds %s, of a module in its testdata", name)
		}
	}
	nested := zipNames(t, filepath.Join(out, repository, "journal", "sqlite", "@v", version+".zip"))
	for _, want := range []string{"go.mod", "LICENSE"} {
		if !slices.Contains(nested, repository+"/journal/sqlite@"+version+"/"+want) {
			t.Errorf("the zip of journal/sqlite lacks %s", want)
		}
	}
}

func TestDeepestFolderOwnsAFile(t *testing.T) {
	modules := []module{{dir: "."}, {dir: "journal/sqlite"}, {dir: "otel"}}
	for file, want := range map[string]int{
		"go.mod":                 0,
		"journal/journal.go":     0,
		"journal/sqlite/open.go": 1,
		"otel/go.mod":            2,
		"otelish/x.go":           0,
	} {
		if got := owner(modules, file); got != want {
			t.Errorf("owner(%s) = %d; want %d", file, got, want)
		}
	}
}

func TestGoModThatUsersCannotResolveIsRefused(t *testing.T) {
	for name, mod := range map[string]string{
		"replace": "module " + repository + "/x\ngo 1.26\nreplace " + repository + " => ../\n",
		"version": "module " + repository + "/x\ngo 1.26\nrequire " + repository + " v0.0.9\n",
		"case":    "module github.com/Recourse/x\ngo 1.26\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := readGoMod(dir); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// filesBelow lists the files of a folder without asking git, which a copy of the code may lack.
func filesBelow(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(name, ".git"):
			return fs.SkipDir
		case !d.IsDir():
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func zipNames(t *testing.T, file string) []string {
	t.Helper()
	r, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	names := make([]string, 0, len(r.File))
	for _, f := range r.File {
		names = append(names, f.Name)
	}
	return names
}
