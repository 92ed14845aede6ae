package executor_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// process is an executor that can die: its journal fails from then on, and its calls do not
// leave any more.
type process struct {
	x        *executor.Executor
	j        *spy
	till     *till
	dead     atomic.Bool
	reported atomic.Int64 // calls of OnEscalate
}

// when says where a process dies.
type when struct {
	what string // "before put", "after put", "before call", "after call"
	n    int    // which one of its own; 0: it lives
}

func (p *process) die() {
	p.dead.Store(true)
	p.j.kill(true)
}

func birth(t *testing.T, rules executor.Rules, shared *spy, w *till, at when) *process {
	t.Helper()
	p := &process{j: shared.beside(), till: w}
	p.j.before = func(put *put) error {
		if at.what == "before put" && put.n == at.n {
			p.die()
			return errBroken
		}
		return nil
	}
	p.j.after = func(put *put) error {
		if at.what == "after put" && put.n == at.n {
			p.die()
			return errBroken
		}
		return nil
	}
	var calls atomic.Int64
	around := func(call func()) {
		n := int(calls.Add(1))
		if at.what == "before call" && n == at.n {
			p.die()
		}
		if !p.dead.Load() {
			call()
		}
		if at.what == "after call" && n == at.n {
			p.die()
		}
	}
	var err error
	p.x, err = executor.New(rules, &executor.Config{
		Journal: p.j, Clients: map[string]executor.Client{"momo": w}, NewOrder: numbered(fmt.Sprintf("o%d-", time.Now().UnixNano())),
		Jitter: func() float64 { return 0.5 }, Sweep: 10 * time.Minute,
		OnEscalate: func(context.Context, *executor.Result) error {
			if p.dead.Load() {
				return errBroken
			}
			p.reported.Add(1)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.serve(around, func(hook executor.Webhook) error {
		if p.dead.Load() {
			return errBroken
		}
		return p.x.Notify(context.Background(), hook)
	})
	return p
}

// bury takes what is left of a process out of the bubble.
func (p *process) bury(t *testing.T) {
	t.Helper()
	if err := shutDown(p.x); err != nil {
		t.Error(err)
	}
}

// Whatever a process is doing when it dies, and the next one too: the money moves once at most,
// the flow ends as it did, and OnEscalate is called for an escalation.
func TestAFlowOutlivesItsProcesses(t *testing.T) {
	rules := rulesOf(t, map[string]string{"merchants/acme.toml": careless + newOrderRule})
	for name, fates := range map[string][]fate{
		"paid at once":                  {{executes: true}},
		"refused":                       {{refused: true}},
		"executed, the answer is lost":  {{executes: true, mute: true}},
		"lost on the way":               {{lost: true, mute: true}},
		"pending, then paid":            {{executes: true, takes: 10 * time.Minute}},
		"the door is shut, then paid":   {{shut: true}, {executes: true, mute: true}},
		"refused, then a new order":     {{broke: true}, {executes: true, mute: true}},
		"shut, refused, shut":           {{shut: true}, {broke: true}, {executes: true, takes: time.Hour}},
		"settled by duplicate webhooks": {{executes: true, takes: time.Hour, mute: true, hooks: 5}},
		"failed by webhook":             {{refused: true, mute: true, hooks: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, what := range []string{"before put", "after put", "before call", "after call"} {
				for n := 1; ; n += testkit.Size(3, 1, 1) {
					died := 0
					bubble(t, func(t *testing.T) { died = deaths(t, rules, fates, when{what, n}) })
					if died == 0 {
						if n < 2 {
							t.Errorf("no process ever died %s", what)
						}
						break
					}
				}
			}
		})
	}
}

// careless is a merchant at whose provider nothing dedupes.
const careless = `
[contract]
dedupe = []

[limits]
max_queries = 6
`

const newOrderRule = `
[[rule]]
id     = "again"
when   = 'class == "insufficient_funds" && effect == "not_executed" && !in_doubt && fired < 2'
then   = "retry_new_order"
reason = "another order"
`

// deaths lets a few processes die at the same place, one after another, and the last one live.
func deaths(t *testing.T, rules executor.Rules, fates []fate, at when) (died int) {
	t.Helper()
	shared, w := newSpy(), &till{fates: fates}
	escalations := int64(0)
	for life := range 5 {
		if life == 4 {
			at.n = 0
		}
		p := birth(t, rules, shared, w, at)
		seen := rows(t, shared, keyOf(of("acme", payment("k"))))
		calls := len(w.calls())
		if len(seen) == 0 {
			_, _ = p.x.Start(context.Background(), of("acme", payment("k")), w)
		} else if _, err := p.x.Resume(context.Background()); err != nil && !p.dead.Load() {
			t.Fatal(err)
		}
		for range 28 * 60 { // a death is noticed some time later
			if synctest.Wait(); p.dead.Load() || settled(t, shared) {
				break
			}
			time.Sleep(time.Minute)
		}
		if p.dead.Load() {
			died++
		}
		time.Sleep(time.Second)
		p.bury(t)
		checkResumed(t, seen, w.calls()[calls:])
		escalations += p.reported.Load()
	}
	checkLedger(t, shared, w, escalations, at)
	return died
}

// settled: no process has to look at the flow any more.
func settled(t *testing.T, j journal.Journal) bool {
	all := rows(t, j, keyOf(of("acme", payment("k"))))
	return len(all) > 0 && all[len(all)-1].Due.IsZero()
}

// checkResumed: what was being sent is asked for, and a wait is waited for.
func checkResumed(t *testing.T, seen []journal.Row, log []logged) {
	t.Helper()
	if len(seen) == 0 || len(log) == 0 || !seen[len(seen)-1].Open {
		return
	}
	s := decodeState(t, &seen[len(seen)-1])
	first := log[0]
	switch s.Stage {
	case flow.Sending, flow.Querying:
		if first.send {
			t.Errorf("%s when the process died, and the next one sends", s.Stage)
		}
	case flow.Waiting:
		if first.at.Before(s.Next.At) {
			t.Errorf("the next process calls at %s, before %s", first.at, s.Next.At)
		}
	default:
		if !first.send || s.Stage != flow.New {
			t.Errorf("%q, and the first call of the next process is %+v", s.Stage, first)
		}
	}
}

func checkLedger(t *testing.T, j journal.Journal, w *till, escalations int64, at when) {
	t.Helper()
	paid := w.executions()
	if paid > 1 {
		t.Fatalf("S1: %d executions (death %s)", paid, at.what)
	}
	all := rows(t, j, keyOf(of("acme", payment("k"))))
	if len(all) == 0 {
		if len(w.calls()) > 0 {
			t.Fatalf("calls without a row: %+v", w.calls())
		}
		return
	}
	s := decodeState(t, &all[len(all)-1])
	switch {
	case s.Stage != flow.Ended:
		t.Fatalf("S4: it is %s, next %+v", s.Stage, s.Next)
	case s.Outcome == policy.Failed && paid > 0:
		t.Fatalf("S2: failed, and paid")
	case s.Outcome == policy.Succeeded && paid == 0:
		t.Fatalf("S3: succeeded, and not paid")
	case s.Outcome == policy.Escalated && escalations == 0:
		t.Fatalf("escalated, and OnEscalate was not called: %s", s.Reason)
	}
}
