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

	"github.com/recourse-pay/recourse/internal/bundle"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/rules"
)

// Suffix ends the names of test files. Such a file is never loaded as rules.
const Suffix = ".test.toml"

// merchantsFolder holds the files of merchants, and their tests.
const merchantsFolder = "merchants"

// File is a test file that was read.
type File struct {
	Name string // as shown in messages; an update writes to it
	Data []byte
}

// Builtin returns the tests of the embedded rules.
func Builtin() ([]File, error) {
	return walk(rules.Builtin(), func(name string) string { return "rules/" + name })
}

// Files reads the named test files, and all NAME.test.toml in the named folders and bundles. A folder
// without tests gives an error that wraps [ErrNoTests].
func Files(paths ...string) ([]File, error) {
	var all []File
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		files := os.DirFS(p)
		switch {
		case info.IsDir():
		case bundle.Is(p):
			if files, err = bundle.Open(p); err != nil {
				return nil, fmt.Errorf("%s: %w", p, err)
			}
		default:
			data, err := source.ReadPath(p)
			if err != nil {
				return nil, err
			}
			all = append(all, File{Name: p, Data: data})
			continue
		}
		found, err := walk(files, func(name string) string { return filepath.Join(p, filepath.FromSlash(name)) })
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

// ErrNoTests is returned for a folder without tests.
var ErrNoTests = errors.New("no tests")

func walk(from fs.FS, shown func(string) string) ([]File, error) {
	var all []File
	var visit fs.WalkDirFunc
	visit = func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == merchantsFolder && d.Type()&fs.ModeSymlink != 0:
			return fs.WalkDir(from, name, visit) // the rules in it are read as well
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, Suffix) || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		data, err := source.ReadFile(from, name)
		if err != nil {
			return err
		}
		all = append(all, File{Name: shown(name), Data: data})
		return nil
	}
	err := fs.WalkDir(from, ".", visit)
	return all, err
}

// merchantOf returns the merchant of a test file in a folder merchants; empty for any other.
func merchantOf(name string) string {
	slashed := filepath.ToSlash(name)
	if path.Base(path.Dir(slashed)) != merchantsFolder {
		return ""
	}
	return strings.TrimSuffix(path.Base(slashed), Suffix)
}
