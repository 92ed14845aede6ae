//go:build slow

package verify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// The checker is tested by mutation: package flow is built with each of its guards switched
// off, and the checker must find that a property breaks which holds with the guard in place.
//
// All mutants are built into one binary, each behind a switch of its own that an environment
// variable names, so that there is one build and not a hundred.

// ordersVar is the environment variable that holds an order.
const ordersVar = "RECOURSE_MUTANT_ORDERS"

// order is a request to a mutated binary, and verdict its result.
type order struct {
	Mutant string
	Rules  string
	Want   flow.Property // stop at it; empty: search everything
}

type verdict struct {
	Found []flow.Property
	Why   string
	Steps int
	Story []string
	Exact bool // the trace is of the exact model
}

// TestMutant is what the mutated binary runs.
func TestMutant(t *testing.T) {
	if os.Getenv(ordersVar) == "" {
		return
	}
	var o order
	if err := json.Unmarshal([]byte(os.Getenv(ordersVar)), &o); err != nil {
		t.Fatal(err)
	}
	v, err := check(&o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\nVERDICT %s\n", out)
}

// check searches coarsely first. What it wants is then searched in the exact model too.
func check(o *order) (*verdict, error) {
	e, err := ruleset.Open("testdata/mutation")
	if err != nil {
		return nil, err
	}
	v := &verdict{}
	rules, beyond, _ := strings.Cut(o.Rules, "+")
	look := func(coarse bool, most int) (*finding, *search, error) {
		m, err := newModel(e, mill(rules), coarse, false)
		if err != nil {
			return nil, nil, err
		}
		m.breaches = breaches{retracts: beyond == "retracts", foreign: beyond == "foreign"}
		s := newSearch(m)
		s.maxStates = most
		var found *finding
		s.stop = func(f *finding) bool {
			if !slices.Contains(v.Found, f.property) {
				v.Found = append(v.Found, f.property)
			}
			if f.property == o.Want && found == nil {
				one := *f
				found = &one
			}
			return found != nil
		}
		return found, s, func() error {
			err := s.run(context.Background())
			if errors.As(err, &errTooMany{}) && !coarse {
				return nil
			}
			return err
		}()
	}
	return v, func() error {
		for _, coarse := range []bool{true, false} {
			if coarse && rules == "bold-short" {
				continue // without times the window does not end
			}
			most := DefaultMaxStates
			if !coarse {
				most = 200_000
			}
			var found *finding
			_, s, err := look(coarse, most)
			if err != nil {
				return err
			}
			for i := range s.found {
				if s.found[i].property == o.Want {
					found = &s.found[i]
					break
				}
			}
			if found == nil {
				return nil
			}
			sc := s.trace(found)
			v.Why, v.Exact, v.Steps, v.Story = found.why, !coarse, 0, nil
			for _, step := range sc.describe(found) {
				v.Steps++
				v.Story = append(v.Story, step.Happens+" | "+step.Decision+" | "+strings.Join(step.Does, "; "))
			}
		}
		return nil
	}()
}

// ask runs a mutated binary.
func ask(ctx context.Context, bin string, o order) (*verdict, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, bin, "-test.run=^TestMutant$", "-test.timeout=120s")
	cmd.Env = append(os.Environ(), mutantVar+"="+o.Mutant, ordersVar+"="+string(text), "GOMAXPROCS=1", "GOGC=400")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	_, rest, _ := bytes.Cut(out, []byte("\nVERDICT "))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	v := &verdict{}
	return v, json.Unmarshal(line, v)
}

// TestMutants removes each guard of the flow in turn.
func TestMutants(t *testing.T) {
	if os.Getenv(ordersVar) != "" {
		return
	}
	rows := mutants()
	if only := os.Getenv("RECOURSE_MUTANT"); only != "" { // one of them
		rows = slices.DeleteFunc(rows, func(r mutant) bool { return !strings.Contains(r.name(), only) })
	}
	bin := build(t, rows)
	var orders []order
	with := map[string]bool{}
	for _, r := range rows {
		if !with[r.rules] {
			with[r.rules] = true
			orders = append(orders, order{Rules: r.rules})
		}
	}
	for _, r := range rows {
		orders = append(orders, order{Mutant: r.name(), Rules: r.rules, Want: r.want})
	}
	got := make([]*verdict, len(orders))
	errs := make([]error, len(orders))
	next := make(chan int)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for i := range next {
				got[i], errs[i] = ask(t.Context(), bin, orders[i])
			}
		})
	}
	for i := range orders {
		next <- i
	}
	close(next)
	wait.Wait()
	whole := map[string]*verdict{}
	for i, o := range orders {
		if errs[i] != nil {
			t.Errorf("%+v: %v", o, errs[i])
			got[i] = &verdict{}
		}
		if o.Mutant == "" {
			whole[o.Rules] = got[i]
			if !strings.HasPrefix(o.Rules, "bold") && len(got[i].Found) > 0 {
				t.Errorf("%s does not hold with every guard in place: %v", o.Rules, got[i].Found)
			}
		}
	}
	for i, r := range rows {
		v := got[len(orders)-len(rows)+i]
		found := slices.Contains(v.Found, r.want)
		story := cmp.Or(map[bool]string{true: "exact"}[v.Exact], "coarse only")
		switch {
		case slices.Contains(whole[r.rules].Found, r.want):
			t.Errorf("%s: %s breaks under %s with every guard in place", r.name(), r.want, r.rules)
		case found && r.spared != "":
			t.Errorf("%s: %s (%s), and its row says that it is spared: %s", r.name(), r.want, v.Why, r.spared)
		case !found && r.spared == "":
			t.Errorf("%s SURVIVES under %s: wanted %s, found %v", r.name(), r.rules, r.want, v.Found)
		case found:
			t.Logf("%-46s %-13s %s in %2d steps (%s): %s", r.name(), r.rules, r.want, v.Steps, story, v.Why)
		default:
			t.Logf("%-46s %-13s spared: %s", r.name(), r.rules, r.spared)
		}
		if testing.Verbose() && os.Getenv("RECOURSE_STORIES") != "" {
			t.Log("\n    " + strings.Join(v.Story, "\n    "))
		}
	}
}
