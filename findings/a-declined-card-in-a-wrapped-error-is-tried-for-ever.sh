#!/usr/bin/env bash
# A decline that is marked as final is tried again, because a sentence was put before it.
# Ran on 2026-11-30: Temporal's Go SDK v1.51.0 in its test environment, at most 5 attempts (the default has no end), Go 1.26.
# Guess: fmt.Errorf("charge: %w", err) around a non-retryable error leaves it non-retryable, as errors.As finds it; NonRetryableErrorTypes finds the type inside.
# Seen:  the bare error is tried once; wrapped it is tried 5 times, both with NewNonRetryableApplicationError and with a type that the policy lists. errors.Join does the same. The failure in the history even says "retryable: false".
# Why:   the outer error's Go type, wrapError, is what is compared with the list, and it is retryable itself.
# So:    one line of good style in the activity makes a declined card a charge without end. Mark the outermost error, in one place, where the activity returns.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get go.temporal.io/sdk@v1.51.0 2>&1 | grep -E 'added (go.temporal.io/sdk) ' || true
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

type declined struct{}

func (declined) Error() string { return "declined" }

func main() {
	final := temporal.NewNonRetryableApplicationError("declined", "card", nil)
	for _, c := range []struct {
		name string
		err  error
	}{
		{"a non-retryable error", final},
		{"wrapped", fmt.Errorf("charge: %w", final)},
		{"joined", errors.Join(final, errors.New("and no refund"))},
		{"a listed type", declined{}},
		{"a listed type, wrapped", fmt.Errorf("charge: %w", declined{})},
	} {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
		env := suite.NewTestWorkflowEnvironment()
		calls := 0
		charge := func(context.Context) error { calls++; return c.err }
		env.RegisterActivity(charge)
		env.ExecuteWorkflow(func(ctx workflow.Context) error {
			policy := temporal.RetryPolicy{MaximumAttempts: 5, NonRetryableErrorTypes: []string{"declined"}}
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, RetryPolicy: &policy})
			return workflow.ExecuteActivity(ctx, charge).Get(ctx, nil)
		})
		found := errors.As(c.err, new(declined))
		var application *temporal.ApplicationError
		found = found || errors.As(c.err, &application) && application.NonRetryable()
		fmt.Printf("%s: charged %d times; errors.As finds the mark: %t\n", c.name, calls, found)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
a non-retryable error: charged 1 times; errors.As finds the mark: true
wrapped: charged 5 times; errors.As finds the mark: true
joined: charged 5 times; errors.As finds the mark: true
a listed type: charged 1 times; errors.As finds the mark: true
a listed type, wrapped: charged 5 times; errors.As finds the mark: true
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
