package adversary

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

var (
	flagSteps = flag.Int("adversary.steps", 0, "steps in sets that are proved; 0: the tier's own number")
	flagSeed  = flag.Uint64("adversary.seed", 1, "seed of the sets and the walks")
	flagFirst = flag.Int("adversary.set", 0, "number of the first set")
	flagSets  = flag.Int("adversary.sets", 0, "at most so many sets; 0: no limit")
	flagKeep  = flag.String("adversary.keep", "", "folder for the sets that were missed")
)

// Nothing that verify calls proved can be broken by a walk.
func TestNothingProvedIsBroken(t *testing.T) {
	o := Options{
		Seed: *flagSeed, First: *flagFirst, Sets: *flagSets, Steps: testkit.Size(5_000, 30_000, 10_000_000),
		PerSet: testkit.Size(5_000, 20_000, 200_000), Refused: testkit.Size(500, 2_000, 4_000), Workers: 2, States: 30_000, Patience: 20,
	}
	holdsAgainst(t, &o)
}

// Nor is what rests on counts and limits, which few of the sets above do.
func TestNothingProvedByCountsIsBroken(t *testing.T) {
	holdsAgainst(t, &Options{
		Seed: *flagSeed, First: *flagFirst, Sets: *flagSets, Steps: testkit.Size(2_000, 8_000, 1_000_000), Counts: true,
		PerSet: testkit.Size(1_000, 5_000, 20_000), Refused: testkit.Size(200, 500, 2_000), Workers: 2, States: 30_000, Patience: 20,
	})
}

func holdsAgainst(t *testing.T, o *Options) {
	t.Helper()
	if *flagSteps > 0 {
		o.Steps = *flagSteps
	}
	t.Logf("-adversary.seed=%d -adversary.set=%d", o.Seed, o.First)
	ctx := context.Background()
	if end, limited := t.Deadline(); limited {
		bounded, cancel := context.WithDeadline(ctx, end.Add(-20*time.Second)) // time to print what was found
		defer cancel()
		ctx = bounded
	}
	r, err := Run(ctx, *o)
	if r != nil {
		t.Log(r)
		for _, m := range r.Misses {
			report(t, &m)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Misses) > 0 {
		t.Errorf("%d sets are proved and broken; see above", len(r.Misses))
	}
}

// The adversary finds what is wrong with a checker that proves everything, and what it finds in a
// set depends on nothing but the seed.
func TestACheckerThatProvesEverythingIsFound(t *testing.T) {
	run := func(sets int) *Report {
		r, err := Run(context.Background(), Options{
			Seed: 6, Sets: sets, PerSet: 6_000, Workers: 2, Patience: 1,
			judge: func(context.Context, *ruleset.Engine, product) (verdict, error) { return proved, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := run(testkit.Size(6, 15, 200))
	t.Log(r)
	for text, n := range r.UnreadBecause {
		t.Errorf("%d sets are not read: %s", n, text)
	}
	if 6*len(r.Misses) < r.Sets {
		t.Errorf("only %d of %d sets are found to be unsafe", len(r.Misses), r.Sets)
	}
	again := run(testkit.Size(2, 4, 4))
	for i, m := range again.Misses {
		if m.Story != r.Misses[i].Story {
			t.Errorf("another run of the same seed finds\n%s\nand not\n%s", m.Story, r.Misses[i].Story)
		}
	}
}

// A set whose verdict was cut short, by the end of the run or by its own time, counts as not finished,
// and what was found before is reported.
func TestWhatIsNotFinishedIsNotProved(t *testing.T) {
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	for name, one := range map[string]struct {
		ctx      context.Context
		patience time.Duration
	}{
		"the run has ended":   {ended, time.Hour},
		"its time is over":    {context.Background(), time.Nanosecond},
		"both at that moment": {ended, time.Nanosecond},
	} {
		o := &Options{patience: one.patience}
		if v, err := o.ask(one.ctx, e, product{"opi", policy.Payout, ""}); v != unfinished || err != nil {
			t.Errorf("%s: verdict %d, %v; want not finished", name, v, err)
		}
	}
}

// report prints a miss and, where a folder is given, keeps its set.
func report(t *testing.T, m *Miss) {
	t.Helper()
	var b, short bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		fmt.Fprintf(&b, "-- %s --\n%s", name, m.Files[name])
		if !strings.HasPrefix(name, "providers/") { // it is long, and drawn anew from the seed
			fmt.Fprintf(&short, "-- %s --\n%s", name, m.Files[name])
		}
	}
	t.Logf("set %d (%s) is proved, and breaks %s:\n%s%s", m.Number, m.Product, m.Property, m.Story, short.String())
	if *flagKeep == "" {
		return
	}
	text := fmt.Sprintf("%s\nkind: W\nverify: %s\nexpect: refused\n%s", m.Story, m.Product, b.String())
	if err := os.WriteFile(filepath.Join(*flagKeep, fmt.Sprintf("seed-%d-set-%d.txtar", *flagSeed, m.Number)), []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}
