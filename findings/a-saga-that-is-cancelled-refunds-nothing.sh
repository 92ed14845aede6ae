#!/usr/bin/env bash
# The compensation of a cancelled workflow does not run, and the payment stays taken.
# Ran on 2026-11-30: Temporal's Go SDK v1.51.0, its test environment, Go 1.26.
# Guess: a refund in a defer runs when the workflow ends with an error, and being cancelled is one.
# Seen:  after a failed step the refund runs. After a cancellation ExecuteActivity in the defer returns `canceled` at once, without a call of the activity; so does a second one. With NewDisconnectedContext it runs.
# Why:   the workflow's context is the one that was cancelled, and nothing starts in it any more.
# So:    the one way out that an operator has, `cancel`, is the one that leaves the money where it is. Compensate in a disconnected context, and test the cancellation.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get go.temporal.io/sdk@v1.51.0 2>&1 | grep -E 'go.temporal.io/sdk' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

type end struct {
	Ship         bool
	Disconnected bool
}

var done []string

func charge(context.Context) error { done = append(done, "charged"); return nil }
func refund(context.Context) error { done = append(done, "refunded"); return nil }
func ship(context.Context) error {
	return temporal.NewNonRetryableApplicationError("out of stock", "stock", errors.New("none"))
}

func pay(ctx workflow.Context, e end) (err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	if err = workflow.ExecuteActivity(ctx, charge).Get(ctx, nil); err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		back := ctx
		if e.Disconnected {
			back, _ = workflow.NewDisconnectedContext(ctx)
		}
		if refused := workflow.ExecuteActivity(back, refund).Get(back, nil); refused != nil {
			done = append(done, fmt.Sprintf("refund not made: %v", refused))
		}
	}()
	if e.Ship {
		return workflow.ExecuteActivity(ctx, ship).Get(ctx, nil)
	}
	return workflow.Sleep(ctx, time.Hour)
}

func main() {
	for _, e := range []end{{Ship: true}, {}, {Disconnected: true}} {
		done = nil
		var s testsuite.WorkflowTestSuite
		s.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
		env := s.NewTestWorkflowEnvironment()
		env.RegisterActivity(charge)
		env.RegisterActivity(refund)
		env.RegisterActivity(ship)
		if !e.Ship {
			env.RegisterDelayedCallback(env.CancelWorkflow, time.Minute)
		}
		env.ExecuteWorkflow(pay, e)
		fmt.Printf("the shipping fails %v, disconnected %v: %q\n", e.Ship, e.Disconnected, done)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
the shipping fails true, disconnected false: ["charged" "refunded"]
the shipping fails false, disconnected false: ["charged" "refund not made: canceled"]
the shipping fails false, disconnected true: ["charged" "refunded"]
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
