package ruletest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/rules"
)

// Suffix is how the names of test files end. Such a file is never loaded as rules.
const Suffix = ".test.toml"

// File is a test file that was read.
type File struct {
	Name string // as it is shown in messages; what Update writes to
	Data []byte
}

// Builtin returns the tests of the embedded rules.
func Builtin() ([]File, error) {
	return walk(rules.Builtin(), func(name string) string { return "rules/" + name })
}

// Files reads test files: those that are named, and all NAME.test.toml within the folders
// that are. That there is none is an error.
func Files(paths ...string) ([]File, error) {
	var all []File
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			data, err := os.ReadFile(p)
			if err != nil {
				return nil, err
			}
			all = append(all, File{Name: p, Data: data})
			continue
		}
		found, err := walk(os.DirFS(p), func(name string) string { return filepath.Join(p, filepath.FromSlash(name)) })
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: %w; tests are files NAME%s", p, ErrNoTests, Suffix)
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b File) bool { return a.Name == b.Name }), nil
}

// ErrNoTests says that a folder holds no tests.
var ErrNoTests = errors.New("no tests")

func walk(from fs.FS, shown func(string) string) ([]File, error) {
	var all []File
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, Suffix) || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		all = append(all, File{Name: shown(name), Data: data})
		return nil
	})
	return all, err
}

// merchantOf is the merchant beside whose rules a test file stands; empty for any other.
func merchantOf(name string) string {
	slashed := filepath.ToSlash(name)
	if path.Base(path.Dir(slashed)) != "merchants" {
		return ""
	}
	return strings.TrimSuffix(path.Base(slashed), Suffix)
}
