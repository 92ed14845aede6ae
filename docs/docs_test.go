// Package docs holds the tests that the documents name what exists.
package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quoted     = regexp.MustCompile("`([^`\n]+)`")
	pathLike   = regexp.MustCompile(`^[a-z.][\w./-]*(/[\w.-]+)+$|^[\w-]+\.(go|toml|md)$`)
	identifier = regexp.MustCompile(`^([a-z][\w/]*)\.(?:\w+\.)?(\w+)$`)
)

// Every path and every identifier (package.Name or package.Type.Method) between backticks in
// architecture.md exists. Names of the standard library and of files elsewhere do not belong there.
func TestArchitectureNamesWhatExists(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(text), "")
	root := os.DirFS("..")
	declared := map[string]map[string]bool{}
	named := 0
	for _, m := range quoted.FindAllStringSubmatch(prose, -1) {
		name := strings.TrimSuffix(m[1], "/")
		if _, err := fs.Stat(root, name); err == nil {
			named++
			continue
		}
		id := identifier.FindStringSubmatch(name)
		if id == nil {
			if pathLike.MatchString(name) {
				t.Errorf("%s: no such file or folder", name)
			}
			continue
		}
		pkg := id[1]
		if declared[pkg] == nil {
			declared[pkg] = declarations(t, filepath.Join("..", filepath.FromSlash(pkg)))
		}
		if !declared[pkg][id[2]] {
			t.Errorf("%s: package %s declares no %s", name, pkg, id[2])
		}
		named++
	}
	if named < 40 {
		t.Errorf("only %d names were found; the page or this test has lost its form", named)
	}
}

// declarations are the top-level names and methods of the package in a folder.
func declarations(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s: no Go package (%v)", dir, err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}
