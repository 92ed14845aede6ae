package main

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/recourse-pay/recourse/internal/testkit"
)

var (
	codeBlock   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	inlineCode  = regexp.MustCompile("`([^`\n]+)`")
	commandLine = regexp.MustCompile(`(?:^|[|(] *)(?:recourse|go run \./cmd/recourse) ([^|#)]*)`)
	flagName    = regexp.MustCompile(`(?:^| )--([a-z][a-z-]*)`)
	tookTime    = regexp.MustCompile(`in [0-9.]+m?s$`)
)

// pages are the documents that a user reads, by their paths from the root.
func pages(t *testing.T) map[string]string {
	all := map[string]string{}
	for _, pattern := range []string{"README.md", "docs/*.md", "examples/*/README.md"} {
		found, err := filepath.Glob(filepath.Join("..", "..", pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(filepath.Join("..", ".."), file)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.ToSlash(name)] = string(text)
		}
	}
	return all
}

// Each command that a document shows, in a block or in a sentence, exists with each of its flags. So does each flag that stands alone.
func TestDocumentedCommandsExist(t *testing.T) {
	known, seen := map[string]bool{}, 0
	eachCommand(rootCommand(), func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	})
	for page, text := range pages(t) {
		var shown []string
		for _, block := range codeBlock.FindAllStringSubmatch(text, -1) {
			for line := range strings.Lines(block[2]) {
				if command, isCommand := strings.CutPrefix(strings.TrimSpace(line), "$ "); isCommand {
					shown = append(shown, command)
				}
			}
		}
		for _, m := range inlineCode.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
			shown = append(shown, m[1])
			if flag := flagName.FindStringSubmatch(m[1]); flag != nil && strings.HasPrefix(m[1], "--") && !known[flag[1]] {
				t.Errorf("%s: no command has the flag --%s", page, flag[1])
			}
		}
		for _, line := range shown {
			for _, m := range commandLine.FindAllStringSubmatch(line, -1) {
				seen++
				holdCommand(t, page, m[1])
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d commands were found; the documents or this test have lost their form", seen)
	}
}

// holdCommand holds the words after recourse to the commands and flags that there are.
func holdCommand(t *testing.T, page, words string) {
	cmd, _, err := rootCommand().Find(strings.Fields(words))
	if err != nil || cmd.Parent() == nil {
		t.Errorf("%s: recourse %s: there is no such command", page, words)
		return
	}
	for _, m := range flagName.FindAllStringSubmatch(words, -1) {
		if cmd.Flag(m[1]) == nil {
			t.Errorf("%s: recourse %s: %s has no flag --%s", page, words, cmd.Name(), m[1])
		}
	}
}

// eachCommand calls do for a command and all below it.
func eachCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, below := range c.Commands() {
		eachCommand(below, do)
	}
}

// shownOutput lists the blocks whose commands are run, by what one of their commands begins with.
var shownOutput = []struct {
	page, first string
	long        bool // takes seconds
	inRoot      bool // runs in the root of the repository, else in a folder of its own
	withFiles   bool // which has the files that the page shows above
	prepare     func(t *testing.T)
}{
	{page: "README.md", first: "recourse verify --rules risky --provider momo", long: true, withFiles: true},
	{page: "README.md", first: "go run ./cmd/recourse simulate testdata/recordings", inRoot: true},
	{page: "README.md", first: "echo "},
	{page: "README.md", first: "recourse init myrules"},
	{page: "README.md", first: "recourse test myrules\nFAIL ", prepare: changedStart},
}

// notRun lists the blocks that show output and are not run here, and why.
var notRun = map[string]string{
	"recourse emulate ":            "it listens",
	"recourse serve ":              "it listens",
	"cp testdata/foreign/":         "another module's program",
	"recourse check --rules mine":  "of the folder that it writes",
	"recourse verify --rules mine": "of the folder that it writes",
	"go run ./examples/":           "another module's program",
}

// changedStart writes what init writes, with the change that the README proposes.
func changedStart(t *testing.T) {
	if code := run(t.Context(), []string{"init", "myrules"}, nil, io.Discard, os.Stderr); code != exitHolds {
		t.Fatal("init ended with", code)
	}
	file := filepath.Join("myrules", "merchants", "acme.toml")
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte("fired < 2")) {
		t.Fatal("there is no condition to change", err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte("fired < 2"), []byte("fired < 1"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What a document shows as printed is printed. A line "…" stands for any lines.
func TestDocumentedOutput(t *testing.T) {
	all := pages(t)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range shownOutput {
		t.Run(want.first, func(t *testing.T) {
			if want.long && testkit.Short() {
				return
			}
			lines, files := shownBlock(all[want.page], want.first)
			if lines == nil {
				t.Fatalf("%s: no block begins with it", want.page)
			}
			if !want.withFiles {
				files = nil
			}
			t.Chdir(testkit.Dir(t, files))
			if want.inRoot {
				t.Chdir(root)
			}
			if want.prepare != nil {
				want.prepare(t)
			}
			for len(lines) > 0 {
				command, rest := lines[0], lines[1:]
				n := slices.IndexFunc(rest, func(line string) bool { return strings.HasPrefix(line, "$ ") })
				if n < 0 {
					n = len(rest)
				}
				if printed, ran := runShown(t, command); ran && n > 0 && !shows(rest[:n], printed) {
					t.Errorf("%s: %s\nshown:\n%s\nprinted:\n%s", want.page, command, strings.Join(rest[:n], "\n"), strings.Join(printed, "\n"))
				}
				lines = rest[n:]
			}
		})
	}
}

// shownBlock returns the lines of the console block of which a command begins so, and the files that are shown above it, by the
// path in their first line.
func shownBlock(page, first string) (lines []string, files map[string]string) {
	files = map[string]string{}
	for _, m := range codeBlock.FindAllStringSubmatch(page, -1) {
		top, _, _ := strings.Cut(m[2], "\n")
		if name, isFile := strings.CutPrefix(top, "# "); m[1] == "toml" && isFile {
			files[name] = m[2]
		}
		if m[1] != "console" {
			continue
		}
		if hasCommand(m[2], first) {
			return strings.Split(strings.TrimSuffix(m[2], "\n"), "\n"), files
		}
	}
	return nil, nil
}

// runShown runs a command of ours as a document shows it, and returns what it prints. ran is false for a command of another program.
func runShown(t *testing.T, line string) (printed []string, ran bool) {
	line, _, _ = strings.Cut(strings.TrimPrefix(line, "$ "), " # ")
	var stdin string
	if echo, rest, piped := strings.Cut(line, " | "); piped {
		stdin, line = strings.Trim(strings.TrimPrefix(echo, "echo "), "'"), rest
	}
	for _, program := range []string{"recourse ", "go run ./cmd/recourse "} {
		if words, ours := strings.CutPrefix(line, program); ours {
			var out bytes.Buffer
			if code := run(t.Context(), strings.Fields(words), strings.NewReader(stdin), &out, &out); code == exitCouldNot {
				t.Errorf("%s: exit code %d", line, code)
			}
			return strings.Split(strings.TrimRight(out.String(), "\n"), "\n"), true
		}
	}
	return nil, false
}

// shows reports whether the lines of a document are those that were printed.
func shows(shown, printed []string) bool {
	if len(shown) == 0 {
		return len(printed) == 0
	}
	if shown[0] == "…" {
		return shows(shown[1:], printed) || len(printed) > 0 && shows(shown, printed[1:])
	}
	same := func(line string) string { return tookTime.ReplaceAllString(strings.TrimRight(line, " "), "in 1ms") }
	return len(printed) > 0 && same(shown[0]) == same(printed[0]) && shows(shown[1:], printed[1:])
}

// hasCommand reports whether a command of a block begins so.
func hasCommand(block, first string) bool { return strings.Contains("\n"+block, "\n$ "+first) }

// Each block that shows what our command prints is run, or is listed with the reason.
func TestDocumentedOutputIsRun(t *testing.T) {
	for page, text := range pages(t) {
		for _, m := range codeBlock.FindAllStringSubmatch(text, -1) {
			block := m[2]
			prints := slices.ContainsFunc(slices.Collect(strings.Lines(block)), func(line string) bool { return !strings.HasPrefix(line, "$ ") })
			if m[1] != "console" || !hasCommand(block, "") || !prints {
				continue
			}
			held := slices.ContainsFunc(slices.Collect(maps.Keys(notRun)), func(first string) bool { return hasCommand(block, first) })
			for _, s := range shownOutput {
				held = held || s.page == page && hasCommand(block, s.first)
			}
			if !held {
				t.Errorf("%s: a block shows output that no test holds:\n%s", page, block)
			}
		}
	}
}

// The rules, the tests and the catalogue of the README pass, and check has nothing to warn of.
func TestTheREADMEsRulesAreSound(t *testing.T) {
	page := pages(t)["README.md"]
	_, files := shownBlock(page, "go get ") // the last of its blocks, so all of its files
	for _, m := range codeBlock.FindAllStringSubmatch(page, -1) {
		if m[1] == "toml" && strings.HasPrefix(m[2], "name ") {
			files["myrules/providers/acmepay.toml"] = m[2]
		}
	}
	for _, name := range []string{"myrules/merchants/acme.toml", "myrules/merchants/acme.test.toml", "myrules/providers/acmepay.toml"} {
		if files[name] == "" {
			t.Fatalf("the README shows no %s", name)
		}
	}
	t.Chdir(testkit.Dir(t, files))
	for _, words := range []string{"test myrules", "check --rules myrules --strict"} {
		var out bytes.Buffer
		if code := run(t.Context(), strings.Fields(words), nil, &out, &out); code != exitHolds {
			t.Errorf("recourse %s: exit code %d:\n%s", words, code, &out)
		}
	}
}
