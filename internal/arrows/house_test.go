package arrows

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The limits of the house. A number only goes down; the density of comments only goes up.
const (
	mostFunctionLines = 80
	mostStructFields  = 25
	mostFileLines     = 500
	mostExported      = 300 // top-level names of the public packages
	mostBeside        = 10  // of each public package that is not counted there
	mostPrivateWords  = 0   // comment lines with a private word
)

// flatForms are the structs that may have more fields, because a format outside the program is flat.
var flatForms = map[string]string{
	"internal/question.Question": "a field for each key of a line that decide reads",
	"internal/ruleset.env":       "a field for each variable that a condition may name",
}

// leastComments is the least share of comment lines, in percent of the lines that are not empty.
var leastComments = map[string]int{"policy": 15, "flow": 15, "executor": 15, "engine": 15, "internal/ruleset": 10}

// public are the packages that users import.
var public = []string{
	"policy", "flow", "providers", "rules", "engine", "executor", "webhook", "journal", "journal/journaltest", "journal/sqlite",
	"otel", "recording", "emulator", "simulate", "ruletest", "schema",
}

// beside are public packages that only those import who run several processes: modules of their own, small each.
var beside = []string{"journal/postgres", "durable/river", "durable/temporal"}

// privateWords do not belong in comments: a comment names the caller, the provider, the journal.
var privateWords = regexp.MustCompile(`(?i)\b(told|somebody|nobody|heard)\b`)

const root = "../.."

// source is a parsed Go file of the repository.
type source struct {
	name string // slash-separated, from the root
	text []byte
	set  *token.FileSet
	tree *ast.File
}

func (s *source) pkg() string                 { return filepath.ToSlash(filepath.Dir(s.name)) }
func (s *source) isTest() bool                { return strings.HasSuffix(s.name, "_test.go") }
func (s *source) line(p token.Pos) int        { return s.set.Position(p).Line }
func (s *source) at(p token.Pos) string       { return fmt.Sprintf("%s:%d", s.name, s.line(p)) }
func (s *source) lines() int                  { return bytes.Count(s.text, []byte("\n")) }
func (s *source) span(from, to token.Pos) int { return s.line(to) - s.line(from) }

// sources are all Go files of all modules.
func sources(t *testing.T) []*source {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 300 {
		t.Fatalf("only %d Go files were found", len(all))
	}
	return all
}

var parsed = sync.OnceValues(func() (all []*source, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		s := &source{name: filepath.ToSlash(name), set: token.NewFileSet()}
		if s.text, err = os.ReadFile(path); err != nil {
			return err
		}
		s.tree, err = parser.ParseFile(s.set, path, s.text, parser.ParseComments|parser.SkipObjectResolution)
		all = append(all, s)
		return err
	})
	return all, err
})

func TestSizesHaveLimits(t *testing.T) {
	for _, s := range sources(t) {
		if n := s.lines(); n > mostFileLines {
			t.Errorf("%s has %d lines; at most %d", s.name, n, mostFileLines)
		}
		ast.Inspect(s.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body == nil {
					break
				}
				if lines := s.span(n.Body.Lbrace, n.Body.Rbrace) - 1; lines > mostFunctionLines {
					t.Errorf("%s: %s has %d lines; at most %d", s.at(n.Pos()), n.Name.Name, lines, mostFunctionLines)
				}
			case *ast.TypeSpec:
				structure, ok := n.Type.(*ast.StructType)
				if !ok || flatForms[s.pkg()+"."+n.Name.Name] != "" {
					break
				}
				if fields := structure.Fields.NumFields(); fields > mostStructFields {
					t.Errorf("%s: %s has %d fields; at most %d", s.at(n.Pos()), n.Name.Name, fields, mostStructFields)
				}
			}
			return true
		})
	}
}

func TestExportedNamesAreFew(t *testing.T) {
	count := map[string]int{}
	for _, s := range sources(t) {
		if slices.Contains(append(beside, public...), s.pkg()) && !s.isTest() {
			count[s.pkg()] += exported(s.tree)
		}
	}
	total := 0
	for _, pkg := range public {
		t.Logf("%4d %s", count[pkg], pkg)
		if count[pkg] == 0 {
			t.Errorf("package %s exports nothing; is it there?", pkg)
		}
		total += count[pkg]
	}
	for _, pkg := range beside {
		if n := count[pkg]; n == 0 || n > mostBeside {
			t.Errorf("package %s exports %d names; at least 1 and at most %d", pkg, n, mostBeside)
		}
	}
	t.Logf("%4d in all", total)
	if total > mostExported {
		t.Errorf("the public packages export %d names; at most %d", total, mostExported)
	}
}

// exported counts the exported top-level names of a file, without methods and fields.
func exported(f *ast.File) (n int) {
	count := func(name *ast.Ident) {
		if name.IsExported() {
			n++
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				count(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					count(spec.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						count(name)
					}
				}
			}
		}
	}
	return n
}

func TestCommentsUseNoPrivateWords(t *testing.T) {
	var found []string
	for _, s := range sources(t) {
		for _, group := range s.tree.Comments {
			for _, c := range group.List {
				for i, line := range strings.Split(c.Text, "\n") {
					if privateWords.MatchString(line) {
						found = append(found, fmt.Sprintf("%s:%d: %s", s.name, s.line(c.Pos())+i, strings.TrimSpace(line)))
					}
				}
			}
		}
	}
	if len(found) > mostPrivateWords {
		t.Errorf("%d lines, at most %d:\n%s", len(found), mostPrivateWords, strings.Join(found, "\n"))
	}
	t.Logf("%d comment lines with a private word", len(found))
}

func TestTheCoreIsCommented(t *testing.T) {
	comments, all := map[string]int{}, map[string]int{}
	for _, s := range sources(t) {
		if _, is := leastComments[s.pkg()]; is && !s.isTest() {
			c, n := commentLines(s)
			comments[s.pkg()] += c
			all[s.pkg()] += n
		}
	}
	for pkg, least := range leastComments {
		share := 100 * float64(comments[pkg]) / float64(max(1, all[pkg]))
		t.Logf("%-16s %.1f %% of %d lines", pkg, share, all[pkg])
		if share < float64(least) {
			t.Errorf("%s: %.1f %% of the lines are comments; at least %d %%", pkg, share, least)
		}
	}
}

// commentLines counts the lines of a file that hold a comment, and those that are not empty.
func commentLines(s *source) (comments, all int) {
	set := token.NewFileSet()
	file := set.AddFile(s.name, -1, len(s.text))
	var scan scanner.Scanner
	scan.Init(file, s.text, nil, scanner.ScanComments)
	commented := map[int]bool{}
	for {
		pos, tok, literal := scan.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.COMMENT {
			for i := range 1 + strings.Count(literal, "\n") {
				commented[file.Line(pos)+i] = true
			}
		}
	}
	for line := range bytes.Lines(s.text) {
		if len(bytes.TrimSpace(line)) > 0 {
			all++
		}
	}
	return len(commented), all
}

// Each test that CI runs by name exists, so a renamed one is noticed before CI runs.
func TestListedTestsExist(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(root, ".ci", "tests.txt"))
	if err != nil {
		t.Fatal(err)
	}
	tests, named := map[string]bool{}, map[string][]string{}
	for _, s := range sources(t) {
		for _, d := range s.tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && s.isTest() {
				tests["./"+s.pkg()+" "+f.Name.Name] = true
				tests["./"+s.pkg()+" *"] = true
				named[f.Name.Name] = append(named[f.Name.Name], "./"+s.pkg())
			}
		}
	}
	slow := 0
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) != 3 || words[0] != "slow" && words[0] != "race" {
			t.Errorf("%q: want slow or race, a folder, a test", line)
			continue
		}
		if !tests[words[1]+" "+words[2]] {
			t.Errorf("%s: there is no test %s", words[1], words[2])
		}
		if words[0] != "slow" {
			continue
		}
		slow++
		for _, dir := range named[words[2]] { // the other run of a module beside the core leaves the name out
			if m := moduleOf(dir); m != "." && m == moduleOf(words[1]) && dir != words[1] {
				t.Errorf("%s has a test %s too, which would not run", dir, words[2])
			}
		}
	}
	if slow < 10 {
		t.Errorf("only %d slow tests are listed", slow)
	}
}

// moduleOf is the folder of the module that a folder belongs to.
func moduleOf(dir string) string {
	for dir = path.Clean(dir); dir != "."; dir = path.Dir(dir) {
		if _, err := os.Stat(filepath.Join(root, dir, "go.mod")); err == nil {
			break
		}
	}
	return dir
}

// A comment that begins with the name of a declaration names the one below it. A rename that
// forgets the comment leaves the reader with a name that does not exist.
func TestCommentsNameTheirDeclaration(t *testing.T) {
	old := regexp.MustCompile(`^// ([a-z]\w*) (is|are|reports|returns|says|takes|makes|finds|holds|reads|writes|begins|ends|keeps|puts|sends|lets)\b`)
	check := func(s *source, doc *ast.CommentGroup, name string) {
		if doc == nil {
			return
		}
		if m := old.FindStringSubmatch(doc.List[0].Text); m != nil && m[1] != name {
			t.Errorf("%s: the comment of %s begins with %q", s.at(doc.Pos()), name, m[1])
		}
	}
	for _, s := range sources(t) {
		for _, d := range s.tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				check(s, d.Doc, d.Name.Name)
			case *ast.GenDecl:
				if spec, ok := d.Specs[0].(*ast.TypeSpec); ok && len(d.Specs) == 1 {
					check(s, d.Doc, spec.Name.Name)
				}
			}
		}
	}
}
