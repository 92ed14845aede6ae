package verify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// The guards of package flow carry a marker, /*guard:NAME*/, in front of the condition, the
// operand or the statement that guards. The marker is a comment: it costs nothing, and nothing
// in production can switch a guard off. The mutation test parses flow, and compiles a copy
// in which the marked code is changed by one of the operators below.

// mutation is one operator applied to one guard.
type mutation struct {
	guard string
	op    string // as the report prints it
	stmt  bool   // the operator rewrites the statement, not the operand
	open  string // code in front of what is marked; OFF is true while the mutant is on
	end   string // code behind it
}

// Operators on a marked condition.
func forceTrue(guard string) []mutation {
	return []mutation{{guard: guard, op: "is forced true", open: "(OFF || ", end: ")"}}
}

func forceFalse(guard string) []mutation {
	return []mutation{{guard: guard, op: "is forced false", open: "(!OFF && ", end: ")"}}
}

func forceTrueWhen(guard, condition string) []mutation {
	return []mutation{{guard: guard, op: "is forced true when " + condition, open: "(OFF && " + condition + " || ", end: ")"}}
}

func forceFalseWhen(guard, condition string) []mutation {
	return []mutation{{guard: guard, op: "is forced false when " + condition, open: "(!(OFF && " + condition + ") && ", end: ")"}}
}

// operand replaces a marked operand of any type.
func operand(guard, code string) []mutation {
	return []mutation{{guard: guard, op: "becomes " + code, open: "mutated(OFF, " + code + ", ", end: ")"}}
}

// Operators on a marked statement.
func skip(guard string) []mutation {
	return []mutation{{guard: guard, op: "is skipped", stmt: true, open: "if !OFF {\n", end: "\n}"}}
}

func skipWhen(guard, condition string) []mutation {
	return []mutation{{guard: guard, op: "is skipped when " + condition, stmt: true, open: "if !(OFF && " + condition + ") {\n", end: "\n}"}}
}

func instead(guard, code string) []mutation {
	return []mutation{{guard: guard, op: "gives way to " + code, stmt: true, open: "if OFF {\n" + code + "\n} else {\n", end: "\n}"}}
}

func before(guard, code string) []mutation {
	return []mutation{{guard: guard, op: "comes after " + code, stmt: true, open: "if OFF {\n" + code + "\n}\n"}}
}

func after(guard, code string) []mutation {
	return []mutation{{guard: guard, op: "comes before " + code, stmt: true, end: "\nif OFF {\n" + code + "\n}"}}
}

func all(changes ...[]mutation) []mutation { return slices.Concat(changes...) }

// guard is a marker found in flow.
type guard struct {
	file    string
	operand ast.Expr // the longest operand after the marker that is no && and no ||
	stmt    ast.Stmt // the statement that begins after the marker; nil: none does
}

var (
	marker = regexp.MustCompile(`^/\*guard:([a-z]+(?:-[a-z]+)*)\*/$`)
	// Prose may show a marker. A comment that begins like one is meant as one.
	misspelled = regexp.MustCompile(`^/[/*]\s*guard:`)
)

// source is package flow, parsed.
type source struct {
	fset   *token.FileSet
	texts  map[string][]byte // by path
	guards map[string]guard  // by name
}

func flowSource(t *testing.T) *source {
	t.Helper()
	paths, err := filepath.Glob("../../flow/*.go")
	if err != nil {
		t.Fatal(err)
	}
	src := &source{fset: token.NewFileSet(), texts: map[string][]byte{}, guards: map[string]guard{}}
	for _, path := range paths {
		if !strings.HasSuffix(path, "_test.go") {
			src.parse(t, path)
		}
	}
	return src
}

func (src *source) parse(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	src.texts[path] = text
	file, err := parser.ParseFile(src.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			name := marker.FindStringSubmatch(comment.Text)
			if name == nil {
				if misspelled.MatchString(comment.Text) {
					t.Errorf("%s: %s is no marker of a guard", src.fset.Position(comment.Pos()), comment.Text)
				}
				continue
			}
			if _, twice := src.guards[name[1]]; twice {
				t.Errorf("%s: a second guard is named %s", src.fset.Position(comment.Pos()), name[1])
			}
			g := marked(file, comment.End())
			g.file = path
			if g.operand == nil && g.stmt == nil {
				t.Errorf("%s: the marker %s stands in front of no condition and no statement", src.fset.Position(comment.Pos()), name[1])
			}
			src.guards[name[1]] = g
		}
	}
}

// marked finds what begins behind a marker.
func marked(file *ast.File, end token.Pos) guard {
	next := file.FileEnd
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case ast.Expr, ast.Stmt:
			if n.Pos() >= end {
				next = min(next, n.Pos())
			}
		}
		return true
	})
	var g guard
	ast.Inspect(file, func(n ast.Node) bool { // the longest node of a kind comes first
		if n == nil || n.Pos() != next {
			return true
		}
		switch n := n.(type) {
		case ast.Expr:
			if b, ok := n.(*ast.BinaryExpr); ok && (b.Op == token.LAND || b.Op == token.LOR) {
				return true
			}
			if g.operand == nil {
				g.operand = n
			}
		case ast.Stmt:
			if g.stmt == nil {
				g.stmt = n
			}
		}
		return true
	})
	return g
}

// insertion is code that a mutant adds to a file.
type insertion struct {
	at   int // offset in the file
	size int // of the node that it surrounds
	end  bool
	code string
}

// mutate returns the source of flow with all mutants in it, each behind a switch of its own.
func (src *source) mutate(t *testing.T, rows []mutant) map[string]string {
	t.Helper()
	insertions := map[string][]insertion{}
	for i := range rows {
		for _, c := range rows[i].at {
			g, ok := src.guards[c.guard]
			node := ast.Node(g.operand)
			if c.stmt {
				node = g.stmt
			}
			if !ok || (c.stmt && g.stmt == nil) || (!c.stmt && g.operand == nil) {
				t.Errorf("mutant %q: flow has no guard %s of its kind", rows[i].name(), c.guard)
				continue
			}
			first, last := src.fset.Position(node.Pos()).Offset, src.fset.Position(node.End()).Offset
			off := fmt.Sprintf("mutantOn[%q]", rows[i].name())
			insertions[g.file] = append(insertions[g.file],
				insertion{at: first, size: last - first, code: strings.ReplaceAll(c.open, "OFF", off)},
				insertion{at: last, size: last - first, end: true, code: strings.ReplaceAll(c.end, "OFF", off)})
		}
	}
	texts := map[string]string{}
	for path, list := range insertions {
		texts[path] = insert(src.texts[path], list)
	}
	return texts
}

// insert puts insertions into a text so that what they surround stays nested. At one offset
// the ends come first, of the shortest node first; then the beginnings, of the longest first.
func insert(text []byte, list []insertion) string {
	slices.SortStableFunc(list, func(a, b insertion) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.end && b.end:
			return cmp.Compare(a.size, b.size)
		case a.end:
			return -1
		case b.end:
			return 1
		}
		return cmp.Compare(b.size, a.size)
	})
	var out strings.Builder
	done := 0
	for _, in := range list {
		out.Write(text[done:in.at])
		out.WriteString(in.code)
		done = in.at
	}
	out.Write(text[done:])
	return out.String()
}

// switches is a file of flow that exists in the mutated build only.
const switches = `package flow

import (
	"os"
	"strings"
)

var mutantOn = map[string]bool{}

func init() {
	for _, name := range strings.Split(os.Getenv("` + mutantVar + `"), "|") {
		mutantOn[name] = true
	}
}

func mutated[T any](on bool, wrong, right T) T {
	if on {
		return wrong
	}
	return right
}
`

// mutantVar is the environment variable that names the mutant to switch on.
const mutantVar = "RECOURSE_MUTANT"

// overlay writes the mutated flow to a folder and returns the file for go build -overlay.
func overlay(t *testing.T, rows []mutant) string {
	t.Helper()
	texts := flowSource(t).mutate(t, rows)
	if t.Failed() {
		t.FailNow()
	}
	texts["../../flow/mutant.go"] = switches
	dir := t.TempDir()
	list := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range texts {
		from, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		list.Replace[from] = to
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(at, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

func goTool(ctx context.Context, t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestEveryGuardHasAMutant holds the markers in flow and the table of mutants to each other.
func TestEveryGuardHasAMutant(t *testing.T) {
	t.Parallel()
	rows := mutants()
	used := map[string]bool{}
	names := map[string]bool{}
	for i := range rows {
		if names[rows[i].name()] {
			t.Errorf("two mutants are %q", rows[i].name())
		}
		names[rows[i].name()] = true
		for _, c := range rows[i].at {
			used[c.guard] = true
		}
	}
	src := flowSource(t)
	for _, name := range slices.Sorted(maps.Keys(src.guards)) {
		if !used[name] {
			t.Errorf("the guard %s in %s has no mutant", name, src.guards[name].file)
		}
	}
	src.mutate(t, rows) // reports mutants without a guard
	t.Logf("%d mutants of %d guards", len(rows), len(src.guards))
}

// build compiles the tests of this package with every mutant in it.
func build(t *testing.T, rows []mutant) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "mutants.test")
	goTool(t.Context(), t, "test", "-c", "-tags", "slow", "-vet=off", "-overlay", overlay(t, rows), "-o", bin, ".")
	return bin
}

// TestMutantsCompile type-checks what TestMutants runs: the tag slow hides it from the other tiers.
func TestMutantsCompile(t *testing.T) {
	t.Parallel()
	if testkit.Short() {
		goTool(t.Context(), t, "build", "-overlay", overlay(t, mutants()), "../../flow")
		return
	}
	goTool(t.Context(), t, "vet", "-tags", "slow", "-overlay", overlay(t, mutants()), ".")
}
