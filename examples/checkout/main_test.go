package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/simulate"
)

func TestDay(t *testing.T) {
	for _, seed := range []uint64{1, 2}[:testkit.Size(1, 2, 2)] {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b, err := run(t.Context(), options{seed: seed, recording: dir}, testWriter{t}, testWriter{t})
			if err != nil {
				t.Fatal(err)
			}
			if !b.agrees() || b.Payments != len(carts()) || b.Executions == 0 || b.Succeeded != b.Executions || b.Escalated != 0 {
				t.Errorf("%+v", b)
			}
			simulated(t, dir)
		})
	}
}

// simulated reads a recording as `recourse simulate` does.
func simulated(t *testing.T, dir string) {
	t.Helper()
	e, err := engine.Open("rules")
	if err != nil {
		t.Fatal(err)
	}
	report, err := simulate.Run(t.Context(), simulate.Options{Decider: e, Catalogs: e.Catalogs, Strict: true}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if report.Recorded.Flows != len(carts()) || report.Incomplete != 0 || !report.Holds() {
		t.Errorf("%d flows, %d of them incomplete; broken: %v", report.Recorded.Flows, report.Incomplete, report.Broken)
	}
}

func TestInterruptEndsTheDay(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	path := filepath.Join(t.TempDir(), "journal")
	_, err := run(ctx, options{seed: 1, journal: path}, writer(interrupt), io.Discard)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("it ended with %v", err)
	}
	j, err := sqlite.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	open, err := j.Due(t.Context(), time.Now().Add(time.Hour), journal.Cursor{}, 100)
	if err != nil || len(open) == 0 {
		t.Errorf("%d payments are open in the journal, %v", len(open), err)
	}
}

// Every kind of mismatch is counted.
func TestReconciliationFindsEveryMismatch(t *testing.T) {
	paid := func(order string, amount int64) emulator.Execution {
		return emulator.Execution{OrderID: order, Amount: amount}
	}
	for _, tt := range []struct {
		outcome    policy.Outcome
		executions []emulator.Execution
		want       reconciliation
	}{
		{policy.Succeeded, []emulator.Execution{paid("a", 7)}, reconciliation{Succeeded: 1}},
		{policy.Failed, nil, reconciliation{Failed: 1}},
		{policy.Succeeded, []emulator.Execution{paid("a", 7), paid("a.2", 7)}, reconciliation{Succeeded: 1, Twice: 1}},
		{policy.Failed, []emulator.Execution{paid("a.2", 7)}, reconciliation{Failed: 1, FailedThough: 1}},
		{policy.Succeeded, nil, reconciliation{Succeeded: 1, SucceededThough: 1}},
		{policy.Failed, []emulator.Execution{paid("b", 7)}, reconciliation{Failed: 1, Foreign: 1}},
		{policy.Failed, []emulator.Execution{paid("a", 8)}, reconciliation{Failed: 1, Foreign: 1}},
	} {
		r := executor.NewResult("f-1", &flow.State{
			Payment: policy.Payment{Amount: 7}, Ledger: []flow.Identity{{OrderID: "a"}, {OrderID: "a.2"}}, Outcome: tt.outcome,
		}, nil)
		tt.want.Payments, tt.want.Executions = 1, len(tt.executions)
		got := compare([]*executor.Result{r}, tt.executions)
		harm := got.Twice + got.FailedThough + got.SucceededThough + got.Foreign
		if got != tt.want || got.agrees() != (harm == 0) {
			t.Errorf("%s, %d executions: %+v, want %+v", tt.outcome, len(tt.executions), got, tt.want)
		}
	}
}

// writer is a function that is called for every piece that is printed.
type writer func()

func (w writer) Write(p []byte) (int, error) {
	w()
	return len(p), nil
}

// testWriter shows the day when its test fails.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}
