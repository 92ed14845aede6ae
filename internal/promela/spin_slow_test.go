//go:build slow && !race

package promela_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/promela"
)

// verdict is what was found broken: "S1" to "S4", or "S5" with FILE:LINE of the rule.
type verdict map[string]bool

// properties lists the properties alone. S1 to S3 count as one: which of them a double execution breaks first depends on
// how many requests are searched.
func (v verdict) properties() string {
	var all []string
	for f := range v {
		if f[:2] < "S4" {
			f = "S1-S3"
		}
		all = append(all, strings.Fields(f)[0])
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

func (v verdict) String() string {
	var all []string
	for f := range v {
		all = append(all, f)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// program is what Spin makes of some worlds.
type program struct {
	dir    string
	worlds []*promela.World
}

// build makes one program of all worlds: to compile the machine takes longer than to search a world.
func build(t *testing.T, flags []string, worlds []*promela.World) *program {
	t.Helper()
	for _, tool := range []string{"spin", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing, and the second oracle needs it: on Debian, apt-get install -y spin gcc libc6-dev", tool)
		}
	}
	p := &program{dir: t.TempDir(), worlds: worlds}
	var text bytes.Buffer
	if err := promela.Write(&text, worlds...); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "model.pml"), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range [][]string{
		append(append([]string{"spin", "-DREPORT"}, flags...), "-a", "model.pml"),
		{"gcc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=900", "-o", "pan", "pan.c"},
	} {
		cmd := exec.Command(line[0], line[1:]...)
		cmd.Dir = p.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%.3000s", line, err, out)
		}
	}
	return p
}

// search returns what one world breaks, and whether the search came to its end in time.
func (p *program) search(t *testing.T, table, requests int, most time.Duration) (v verdict, states int, whole bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, "./pan", "-E", "-m1000000", "-w20")
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), fmt.Sprint("TABLE=", table), fmt.Sprint("REQUESTS=", requests))
	out, err := cmd.CombinedOutput()
	text := string(out)
	whole = err == nil && strings.Contains(text, "errors: 0") && !strings.Contains(text, "max search depth too small") && !strings.Contains(text, "out of memory")
	if err != nil && ctx.Err() == nil {
		t.Fatalf("table %d: %v\n%.3000s", table, err, text)
	}
	v = verdict{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 4 && words[0] == "broken":
			rule, _ := strconv.Atoi(words[3])
			found := words[2]
			if found == "S5" {
				found += " " + p.worlds[table].Source(rule)
			}
			v[found] = true
		case strings.Contains(line, "states, stored"):
			states, _ = strconv.Atoi(words[0])
		}
	}
	return v, states, whole
}
