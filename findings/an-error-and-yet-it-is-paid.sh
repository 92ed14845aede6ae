#!/usr/bin/env bash
# Firing an event returns an error, and the state machine has moved on.
# Ran on 2026-11-30: looplab/fsm v1.0.3, qmuntal/stateless v1.7.2; Go 1.26.
# Guess: when the action of a transition fails and Event or Fire returns its error, the machine is in the state that it was in, and the event can be fired again.
# Seen:  both are in the new state. In looplab/fsm even an error that is set before the transition does not stop it; only Cancel does.
# Why:   both write the new state before the entry action runs, and the error is only handed through.
# So:    a charge in the entry action of `paid` that fails leaves an order that is paid, and the caller's retry is refused because the order is paid already. Charge before the event is fired.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/looplab/fsm@v1.0.3 github.com/qmuntal/stateless@v1.7.2 2>&1 | grep -E 'github.com/looplab/fsm|github.com/qmuntal/stateless' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/looplab/fsm"
	"github.com/qmuntal/stateless"
)

var errRefused = errors.New("the provider refused")

func main() {
	ctx := context.Background()
	events := fsm.Events{{Name: "pay", Src: []string{"open"}, Dst: "paid"}}
	fail := func(_ context.Context, e *fsm.Event) { e.Err = errRefused }
	for _, at := range []string{"before_pay", "leave_open", "enter_paid", "after_pay"} {
		m := fsm.NewFSM("open", events, fsm.Callbacks{at: fail})
		fmt.Printf("fsm, error in %s: %v; state %s; again: %v\n", at, m.Event(ctx, "pay"), m.Current(), m.Event(ctx, "pay"))
	}
	cancel := fsm.NewFSM("open", events, fsm.Callbacks{"before_pay": func(_ context.Context, e *fsm.Event) { e.Cancel(errRefused) }})
	fmt.Printf("fsm, Cancel in before_pay: %v; state %s\n", cancel.Event(ctx, "pay"), cancel.Current())

	s := stateless.NewStateMachine("open")
	s.Configure("open").Permit("pay", "paid")
	s.Configure("paid").OnEntry(func(context.Context, ...any) error { return errRefused })
	fmt.Printf("stateless, error in OnEntry: %v; state %v\n", s.Fire("pay"), s.MustState())
	s = stateless.NewStateMachine("open")
	s.Configure("open").Permit("pay", "paid").OnExit(func(context.Context, ...any) error { return errRefused })
	fmt.Printf("stateless, error in OnExit: %v; state %v\n", s.Fire("pay"), s.MustState())
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
fsm, error in before_pay: the provider refused; state paid; again: event pay inappropriate in current state paid
fsm, error in leave_open: the provider refused; state paid; again: event pay inappropriate in current state paid
fsm, error in enter_paid: the provider refused; state paid; again: event pay inappropriate in current state paid
fsm, error in after_pay: the provider refused; state paid; again: event pay inappropriate in current state paid
fsm, Cancel in before_pay: transition canceled with error: the provider refused; state open
stateless, error in OnEntry: the provider refused; state paid
stateless, error in OnExit: the provider refused; state open
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
