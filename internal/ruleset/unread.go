package ruleset

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/recourse-pay/recourse/internal/source"
)

// The folders of a rules folder.
const (
	merchantsDir = "merchants"
	catalogsDir  = "providers"
)

const (
	extension     = ".toml"
	testExtension = ".test.toml"
)

// kinds says what files of an extension are.
var kinds = map[string]string{extension: "rules", testExtension: "tests"}

// mostEntries bounds the look into a folder that is hardly one of rules, such as the root of a disk.
const mostEntries = 100_000

// Unread finds the TOML files of a rules folder that [Open] does not read, and folders whose names are almost those that it reads:
// rules that stand there decide nothing, and nothing is proved of them. Tests, hidden files and files of other kinds are no matter.
// The error is a [policy.Mistakes].
func Unread(dir string) error {
	if dir == "" {
		return nil
	}
	fsys, err := filesOf(dir)
	if err != nil {
		return nil //nolint:nilerr // Open says so
	}
	u := &unread{fsys: fsys, root: dir}
	for _, d := range u.entries(".") {
		u.top(d.Name())
	}
	if u.seen > mostEntries {
		u.errs.Add(source.Pos{File: dir}, "more than %d files are below it, so it is hardly a folder of rules", mostEntries)
	}
	return u.errs.Err()
}

type unread struct {
	fsys fs.FS
	root string // for messages
	errs source.List
	seen int
}

// entries lists a folder without what is hidden. A folder that cannot be read has none: of dir itself and of the folders of rules,
// another place says so.
func (u *unread) entries(dir string) []fs.DirEntry {
	all, err := fs.ReadDir(u.fsys, dir)
	if err != nil {
		return nil
	}
	var shown []fs.DirEntry
	for _, d := range all {
		if !strings.HasPrefix(d.Name(), ".") {
			shown = append(shown, d)
		}
	}
	u.seen += len(shown)
	return shown
}

func (u *unread) fail(file, format string, args ...any) {
	u.errs.Add(source.Pos{File: filepath.Join(u.root, filepath.FromSlash(file))}, format, args...)
}

// top looks at an entry of the rules folder itself.
func (u *unread) top(name string) {
	info, err := fs.Stat(u.fsys, name)
	isDir := err == nil && info.IsDir()
	switch {
	case name == merchantsDir || name == catalogsDir:
		if err == nil && isDir {
			_, err = fs.ReadDir(u.fsys, name)
		}
		switch {
		case err != nil:
			u.fail(name, "this folder cannot be read: %s", cause(err))
		case !isDir:
			u.fail(name, "this must be a folder")
		default:
			for _, d := range u.entries(name) {
				u.inside(path.Join(name, d.Name()), name, d)
			}
		}
	case isDir:
		if meant := folderMeant(name); meant != "" {
			u.fail(name, "a folder of this name is not read; did you mean %q?", meant)
			return
		}
		u.below(name, "")
	default:
		u.spelling(name, name)
	}
}

// inside looks at an entry of merchants or providers.
func (u *unread) inside(file, folder string, d fs.DirEntry) {
	if info, err := fs.Stat(u.fsys, file); err == nil && info.IsDir() {
		u.below(file, folder)
		return
	}
	u.spelling(file, d.Name())
}

// spelling refuses a file whose extension is written otherwise.
func (u *unread) spelling(file, name string) {
	for _, ext := range []string{testExtension, extension} {
		if n := len(name) - len(ext); n >= 0 && strings.EqualFold(name[n:], ext) {
			if name[n:] != ext {
				u.fail(file, "this file is not read as %s; a name ends in %s, in small letters", kinds[ext], ext)
			}
			return
		}
	}
}

// below refuses every TOML file of a folder that is not read. folder is where its files may belong. Links are not followed.
func (u *unread) below(dir, folder string) {
	for _, d := range u.entries(dir) {
		file := path.Join(dir, d.Name())
		switch {
		case u.seen > mostEntries:
			return
		case d.IsDir():
			u.below(file, folder)
		case strings.HasSuffix(d.Name(), testExtension):
		case !strings.EqualFold(path.Ext(d.Name()), extension):
		case folder != "":
			u.fail(file, "this file is not read; write it as %s/%s", folder, d.Name())
		default:
			u.fail(file, "this file is not read; rules stand in baseline.toml, PROVIDER.toml and merchants/NAME.toml, catalogues in providers/NAME.toml")
		}
	}
}

// folderMeant returns the folder that a name is almost the name of.
func folderMeant(name string) string {
	lower := strings.ToLower(name)
	for _, known := range []string{merchantsDir, catalogsDir} {
		if source.Near(lower, known) {
			return known
		}
	}
	return ""
}

// cause is an error of a file system without the path.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
