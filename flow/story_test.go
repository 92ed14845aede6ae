package flow_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/engine"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// A story is a file of testdata: what happens to a flow, line by line, and what the
// machine makes of it. Files of rules may follow, in the form of a txtar archive; they
// stand over the defaults.
//
// Every line is played twice, the second time with the state written to JSON and read
// back after each event: a flow can stop anywhere and go on elsewhere.
func TestStories(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no stories", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := parseStory(string(text))
			rules := s.open(t)
			told := s.tell(t, name, rules, false)
			if again := s.tell(t, name, rules, true); again != told {
				t.Errorf("with the state stored as JSON between events the story is another one:\n%s", firstDiff(told, again))
			}
			switch {
			case told == string(text):
			case testkit.Update():
				if err := os.WriteFile(name, []byte(told), 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("%s (to rewrite it: go test ./flow -run Stories -update)\n%s", name, firstDiff(string(text), told))
			}
		})
	}
}

type story struct {
	scenes []scene
	files  map[string]string
	tail   string // the files as they stand
}

// A scene is a paragraph: comments, one command, and after "----" what is printed.
type scene struct {
	head    []string // the lines before "----"
	command string   // empty: only comments
}

func parseStory(text string) *story {
	s := &story{files: map[string]string{}}
	at := strings.Index("\n"+text, "\n-- ")
	if at >= 0 {
		s.tail = text[at:]
		text = text[:at]
		for part := range strings.SplitSeq("\n"+s.tail, "\n-- ") {
			if name, data, ok := strings.Cut(part, " --\n"); ok {
				s.files[name] = data
			}
		}
	}
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var sc scene
		for line := range strings.SplitSeq(part, "\n") {
			if line == "----" {
				break
			}
			sc.head = append(sc.head, line)
			if !strings.HasPrefix(line, "#") {
				sc.command = line
			}
		}
		s.scenes = append(s.scenes, sc)
	}
	return s
}

// defaults are compiled once for all stories that bring no rules.
var defaults = must(engine.OpenFS(testkit.Door))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// open compiles the story's own rules.
func (s *story) open(t *testing.T) *engine.Engine {
	t.Helper()
	if len(s.files) == 0 {
		return defaults
	}
	dir := testkit.Dir(t, testkit.WithDoor(s.files))
	e, err := engine.Open(dir)
	if err != nil {
		t.Fatal("the story's rules do not compile:\n", strings.ReplaceAll(err.Error(), dir+"/", ""))
	}
	return e
}

// tell runs the story and returns its file as it should be.
func (s *story) tell(t *testing.T, name string, rules *engine.Engine, stored bool) string {
	t.Helper()
	var out bytes.Buffer
	told := &teller{t: t, rules: rules, stored: stored}
	for i, sc := range s.scenes {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintln(&out, strings.Join(sc.head, "\n"))
		if sc.command == "" {
			continue
		}
		printed, err := told.run(sc.command)
		if err != nil {
			t.Fatalf("%s: %q: %v", name, sc.command, err)
		}
		if printed != "" {
			fmt.Fprint(&out, "----\n", printed)
		}
	}
	if s.tail != "" {
		fmt.Fprint(&out, "\n", s.tail)
	}
	return out.String()
}

// firstDiff shows where two texts part.
func firstDiff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			from := max(0, i-8)
			return fmt.Sprintf("from line %d on\nwant:\n%s\ngot:\n%s", i+1,
				strings.Join(w[min(from, len(w)):min(i+6, len(w))], "\n"), strings.Join(g[min(from, len(g)):min(i+6, len(g))], "\n"))
		}
	}
	return "no difference"
}
