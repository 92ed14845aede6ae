//go:build slow && unix

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// The programs of examples/serve pay through the service, are killed in the middle, and are started again.
func TestProgramsInOtherLanguages(t *testing.T) {
	for _, program := range [][]string{{"python3", "../../examples/serve/pay.py"}, {"node", "../../examples/serve/pay.mjs"}} {
		t.Run(program[0], func(t *testing.T) {
			if _, err := exec.LookPath(program[0]); err != nil {
				t.Fatalf("%v; CI installs it", err)
			}
			w := newServed(t, filepath.Join(t.TempDir(), "flows.db"), 1)
			const carts = 12
			results := make([]ended, carts)
			var all sync.WaitGroup
			places := make(chan struct{}, 6)
			for i := range carts {
				places <- struct{}{}
				all.Go(func() {
					defer func() { <-places }()
					cart := fmt.Sprintf("%s-%d", program[0], i)
					results[i] = ended{cart, w.program(cart, i, program)}
				})
			}
			all.Wait()
			a := w.audit(results)
			t.Logf("%d programs, %d killed: %+v", carts, w.deaths.Load(), a)
			if a.twice+a.failedThoughExecuted+a.succeededThoughNot+a.open > 0 || a.succeeded == 0 || w.deaths.Load() == 0 {
				t.Errorf("%+v", a)
			}
		})
	}
}

// program runs a program for a cart until it ends by itself; the first runs are killed.
func (w *served) program(cart string, i int, program []string) string {
	for run := range 5 {
		var out bytes.Buffer
		cmd := exec.Command(program[0], append(program[1:], "--service", "http://"+w.services[0].listen, "--provider", w.pay, "--merchant", "shop", "--key", cart, "--order", cart, "--amount", "50000")...)
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			w.t.Error(err)
			return "error"
		}
		if run < i%3 {
			time.AfterFunc(time.Duration(100+37*i)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		err := cmd.Wait()
		switch cmd.ProcessState.ExitCode() {
		case 0:
			return "succeeded"
		case 1:
			return "failed"
		case 3:
			return "escalated"
		case -1:
			w.deaths.Add(1)
		default:
			w.t.Errorf("%s: %v\n%s", cart, err, out.String())
			return "error"
		}
	}
	return "open"
}
