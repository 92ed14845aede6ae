package scenarios

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

// The outcomes are those of the executor without a journal, in virtual time. Every other driver has to reach them.
func TestInProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := Run(t, nil)
		slices.Sort(lines)
		testkit.GoldenFile(t, "outcomes.txt", strings.Join(lines, "\n")+"\n")
	})
}

func TestInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { Check(t, Run(t, journal.NewMemory())) })
}

// A request that leaves late, on a busy machine, still arrives within what the contract grants after its deadline: else the
// scenarios would have payments that fail though they execute, and no driver could help it.
func TestRequestsThatLeaveLateKeepTheContract(t *testing.T) {
	for seed := range testkit.Size(10, 30, 200) {
		synctest.Test(t, func(t *testing.T) {
			p := NewProvider(t, time.Now, true)
			p.stall = func(a *executor.Attempt) time.Duration { // some miss their deadline
				h := fnv.New64a()
				fmt.Fprint(h, a.OrderID, a.Number)
				return time.Duration(rand.New(rand.NewPCG(uint64(seed), h.Sum64())).Int64N(int64(patience * 5 / 4)))
			}
			run(t, p, journal.NewMemory())
		})
	}
}

// errorsOf counts what a check says.
type errorsOf struct {
	testing.TB
	n int
}

func (e *errorsOf) Errorf(string, ...any) { e.n++ }

// A driver that runs one payment twice and leaves another out has not reached the outcomes.
func TestCheckMissesNothing(t *testing.T) {
	all := strings.Split(strings.TrimSpace(outcomes), "\n")
	for name, lines := range map[string][]string{
		"":          slices.Clone(all),
		"one twice": append(slices.Clone(all[1:]), all[1]),
		"one less":  slices.Clone(all[1:]),
		"one more":  append(slices.Clone(all), "calm-9 succeeded, executed 1"),
		"another":   append(slices.Clone(all[1:]), strings.Fields(all[0])[0]+" succeeded, executed 2"),
		"none":      nil,
	} {
		e := &errorsOf{TB: t}
		if Check(e, lines); (e.n == 0) != (name == "") {
			t.Errorf("%q: %d errors", name, e.n)
		}
	}
}

// The scenarios have every end, and no payment that executed twice, that failed though it executed, or that succeeded
// though it did not.
func TestTheOutcomesAreRight(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(outcomes), "\n") {
		_, end, _ := strings.Cut(line, " ")
		switch end {
		case "succeeded, executed 1", "failed, executed 0", "escalated, executed 0", "escalated, executed 1":
		default:
			t.Errorf("no driver may reach this: %s", line)
		}
	}
	for _, end := range []string{"succeeded, executed 1", "failed, executed 0", "escalated, executed 0", "escalated, executed 1"} {
		if strings.Count(outcomes, end) < 2 {
			t.Errorf("fewer than two payments end %s", end)
		}
	}
}
