package simulate

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// TestRuleOfUse runs small recordings through the rules. Each file of testdata/use
// begins with what it shows, holds a recording, rules where the defaults do not show it,
// and ends with the stories and the two columns. -update writes the latter anew.
func TestRuleOfUse(t *testing.T) {
	files, err := filepath.Glob("testdata/use/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	script, err := testkit.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rules := script.Take("want")
	recording := rules["recording.jsonl"]
	delete(rules, "recording.jsonl")
	e := withRules(t, rules)
	testkit.Golden(t, file, script, "want", stories(t, Options{Decider: e, Catalogs: e.Catalogs}, recording))
}

// stories writes the story of every flow of a recording, and then the columns.
func stories(t testkit.Failer, o Options, recording string) string {
	in := raw("recording.jsonl", []byte(recording))
	o.Broken = func(e *LineError) { t.Fatalf("%v", e) }
	var b strings.Builder
	for _, flow := range flowsOf(t, o, recording) {
		o.Flow = flow
		found := simulate(t, o, in).Stories()
		if len(found) == 0 {
			fmt.Fprintf(&b, "%s: no story\n", flow)
		}
		for _, s := range found {
			b.WriteString(storyText(s))
		}
	}
	o.Flow = ""
	r := simulate(t, o, in)
	fmt.Fprintf(&b, "recorded:  %s\nsimulated: %s\n", columnText(r.Recorded), columnText(r.Simulated))
	return b.String()
}

// flowsOf lists the flows in the order in which they first appear.
func flowsOf(t testkit.Failer, o Options, recording string) []string {
	r := newLineReader(&o, newLore(true))
	var flows []string
	seen := map[string]bool{}
	for _, raw := range strings.Split(strings.TrimSpace(recording), "\n") {
		var l line
		if err := r.read([]byte(raw), &l); err != nil {
			t.Fatalf("%v:\n%s", err, raw)
		}
		if !seen[l.Flow] {
			seen[l.Flow], flows = true, append(flows, l.Flow)
		}
	}
	return flows
}

func storyText(s *Story) string {
	var b strings.Builder
	if s.Departure == "" {
		fmt.Fprintf(&b, "%s: %s\n", s.Flow, s.Outcome)
	} else {
		fmt.Fprintf(&b, "%s: off the record: %s\n", s.Flow, s.Departure)
	}
	for _, l := range s.Simulated {
		if strings.HasPrefix(l.What, "off the record") {
			continue // it is in the first line
		}
		fmt.Fprintf(&b, "  %s  %s", clock(l.At), l.What)
		if l.Rule != "" {
			fmt.Fprintf(&b, " [%s]", l.Rule)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// clock leaves the day out of a time on the day of most recordings here.
func clock(at time.Time) string {
	text := at.UTC().Format("2006-01-02 15:04:05.999")
	return strings.TrimPrefix(text, "2026-01-02 ")
}
