package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// module is one Go module of the repository.
type module struct {
	path  string   // module path, as in its go.mod
	dir   string   // its folder below the root, with slashes; "." for the root
	files []string // the tracked files that belong to it, below the root, with slashes
}

// tag is the git tag of the module's version: a nested module's tag begins with its folder.
func (m module) tag() string {
	if m.dir == "." {
		return version
	}
	return m.dir + "/" + version
}

// trackedFiles lists the files of a checkout that git knows, with slashes.
func trackedFiles(root string) ([]string, error) {
	listed, err := git(root, "ls-files", "-z")
	return strings.Split(strings.Trim(listed, "\x00"), "\x00"), err
}

// findModules lists the modules among the files of a checkout, each with its own files.
func findModules(root string, files []string) ([]module, error) {
	var modules []module
	for _, f := range files {
		if path.Base(f) == "go.mod" {
			modules = append(modules, module{dir: path.Dir(f)})
		}
	}
	for _, f := range files {
		if i := owner(modules, f); i >= 0 {
			modules[i].files = append(modules[i].files, f)
		}
	}
	// A module in testdata is not released, and its files are no part of the module around it.
	modules = slices.DeleteFunc(modules, func(m module) bool { return strings.Contains(m.dir, "testdata/") })
	var errs []error
	for i := range modules {
		var err error
		modules[i].path, err = readGoMod(filepath.Join(root, filepath.FromSlash(modules[i].dir)))
		errs = append(errs, err)
	}
	return modules, errors.Join(errs...)
}

// owner is the index of the module with the deepest folder that holds the file, or -1.
func owner(modules []module, file string) int {
	best, depth := -1, -1
	for i, m := range modules {
		prefix := m.dir + "/"
		if m.dir == "." {
			prefix = ""
		}
		if strings.HasPrefix(file, prefix) && len(prefix) > depth {
			best, depth = i, len(prefix)
		}
	}
	return best
}

// readGoMod returns the module path of a go.mod. It refuses one that would not resolve for a
// user of the tag: a replace directive, or another version of a module of this repository.
func readGoMod(dir string) (string, error) {
	cmd := exec.Command("go", "mod", "edit", "-json", "go.mod")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod edit in %s: %w", dir, err)
	}
	var mod struct {
		Module  struct{ Path string }
		Require []struct{ Path, Version string }
		Replace []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return "", err
	}
	var errs []error
	for _, r := range mod.Replace {
		errs = append(errs, fmt.Errorf("%s/go.mod replaces %s, which users of the module would not see", dir, r.Old.Path))
	}
	for _, r := range mod.Require {
		if strings.HasPrefix(r.Path, repository) && r.Version != version {
			errs = append(errs, fmt.Errorf("%s/go.mod requires %s at %s; the release is %s", dir, r.Path, r.Version, version))
		}
	}
	if strings.ToLower(mod.Module.Path) != mod.Module.Path {
		errs = append(errs, fmt.Errorf("module path %s must be lower case: a proxy would have to escape it", mod.Module.Path))
	}
	return mod.Module.Path, errors.Join(errs...)
}

// repository is the module path of the root, and the prefix of the others.
const repository = "github.com/recourse-pay/recourse"

// license is the file of the root that the Go command copies into a nested module's zip when
// the module has none of its own.
const license = "LICENSE"

func (m module) hasLicense() bool { return slices.Contains(m.files, path.Join(m.dir, license)) }

func git(root string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
