package ruleset

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// said is the file of an archive that holds what is to be said about the others.
const said = "mistakes"

// Each archive is a folder of rules and everything that is wrong with it, every mistake
// with its place, and a caret below the place for the reader of the archive.
func TestMistakes(t *testing.T) {
	archives, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := testkit.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, files := archive.Take(said)
			testkit.Golden(t, path, archive, said, mistakes(t, files))
		})
	}
}

// mistakes is all that Open says about a folder.
func mistakes(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := folder(t, files)
	e, err := Open(dir)
	var lines []string
	switch {
	case err != nil:
		lines = strings.Split(err.Error(), "\n")
	case len(e.Warnings) > 0:
		for _, w := range e.Warnings {
			lines = append(lines, w.Position.String()+": warning: "+w.Msg)
		}
	default:
		lines = []string{"nothing"}
	}
	var b strings.Builder
	for _, line := range lines {
		line = strings.ReplaceAll(line, dir+string(filepath.Separator), "")
		b.WriteString(line + "\n" + pointed(files, line))
	}
	return b.String()
}

var place = regexp.MustCompile(`^([^:]+):(\d+):(\d+): `)

// pointed shows the line that a message speaks of, and a caret below the column.
func pointed(files map[string]string, message string) string {
	m := place.FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	line, _ := strconv.Atoi(m[2])
	col, _ := strconv.Atoi(m[3])
	lines := strings.Split(files[m[1]], "\n")
	if line > len(lines) {
		return fmt.Sprintf("\tthere is no line %d\n", line)
	}
	text := strings.TrimSuffix(lines[line-1], "\r")
	runes := []rune(text)
	if col > len(runes)+1 {
		return fmt.Sprintf("\t%s\n\tthere is no column %d\n", text, col)
	}
	var gap strings.Builder
	for _, r := range runes[:col-1] {
		if r != '\t' {
			r = ' '
		}
		gap.WriteRune(r)
	}
	return "\t" + text + "\n\t" + gap.String() + "^\n"
}
