package testkit_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

func TestParseAndFormatAreReverse(t *testing.T) {
	for name, text := range map[string]string{
		"empty":                             "",
		"comment only":                      "a comment\n",
		"files":                             "a comment\n-- one.toml --\nx = 1\n-- dir/two --\n\n",
		"a file without content":            "-- one --\n-- two --\ntext\n",
		"lines that only resemble a marker": "-- no end\n--x --\n--  --\n-- one --\n -- two --\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(testkit.Format(testkit.Parse([]byte(text)))); got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		})
	}
}

func TestParseNamesFilesAndEndsTheLastLine(t *testing.T) {
	a := testkit.Parse([]byte("why\n-- dir/one.toml --\r\nx = 1\n-- two --\nno line feed"))
	if string(a.Comment) != "why\n" || len(a.Files) != 2 || a.Files[0].Name != "dir/one.toml" {
		t.Fatalf("%q", a)
	}
	files := a.Map()
	if files["dir/one.toml"] != "x = 1\n" || files["two"] != "no line feed\n" {
		t.Errorf("%q", files)
	}
	text, others := a.Take("two")
	if text != "no line feed\n" || len(others) != 1 {
		t.Errorf("%q, %q", text, others)
	}
}

func TestParseFileReportsAMissingFile(t *testing.T) {
	if _, err := testkit.ParseFile(filepath.Join(t.TempDir(), "absent")); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestDirWritesFilesBelowFolders(t *testing.T) {
	dir := testkit.Dir(t, map[string]string{"a/b/c.toml": "x", "d": "y"})
	got, err := os.ReadFile(filepath.Join(dir, "a", "b", "c.toml"))
	if err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	path := filepath.Join(dir, "d")
	if got := testkit.Relative("in "+path+": wrong", dir); got != "in d: wrong" {
		t.Errorf("%q", got)
	}
}

func TestGoldenComparesOneFile(t *testing.T) {
	a := testkit.Parse([]byte("-- want --\nas it is\n"))
	testkit.Golden(t, "absent.txtar", a, "want", "as it is\n")
	if testkit.Update() {
		return // it would write
	}
	failed := &recorder{TB: t}
	testkit.Golden(failed, "absent.txtar", a, "want", "another\n")
	if failed.errors != 1 {
		t.Errorf("another text was reported %d times", failed.errors)
	}
}

// recorder counts errors in place of failing.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.errors++ }

func TestSizeFollowsTheTier(t *testing.T) {
	want := 2
	switch {
	case testing.Short():
		want = 1
	case testkit.Slow:
		want = 3
	case testkit.Race:
		want = 1
	}
	if got := testkit.Size(1, 2, 3); got != want || testkit.Short() != (want == 1) {
		t.Errorf("got %d, want %d", got, want)
	}
}
