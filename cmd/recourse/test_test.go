package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/ruletest"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// watched is what a command wrote so far; changed is called after every write.
type watched struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

// Write implements [io.Writer].
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.text.Write(p)
	select {
	case w.changed <- struct{}{}:
	default:
	}
	return n, err
}

// await waits until what was written holds all texts, in their order.
func (w *watched) await(t *testing.T, texts ...string) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		w.mu.Lock()
		rest, all := w.text.String(), true
		for _, text := range texts {
			_, after, found := strings.Cut(rest, text)
			rest, all = after, all && found
		}
		w.mu.Unlock()
		if all {
			return
		}
		select {
		case <-w.changed:
		case <-late:
			t.Fatalf("no %q in\n%s", texts, w.text.String())
		}
	}
}

const (
	watchedTest = "[[decision]]\ngiven = { provider = 'momo', operation = 'pay', answer = '0' }\nexpect = { rule = 'executed' }\n"
	waits       = "waiting for a change"
)

// --watch runs the tests whenever a file changes, also while one has mistakes, until Ctrl-C.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		t.Helper()
		testkit.Write(t, dir, map[string]string{"a.test.toml": text})
	}
	write(watchedTest)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &watched{changed: make(chan struct{}, 1)}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"test", dir, "--watch"}, strings.NewReader(""), out, out)
	}()
	out.await(t, "1 passed, 0 failed", waits)
	write(strings.Replace(watchedTest, "'executed'", "'failed'", 1))
	out.await(t, "1 passed", waits, "0 passed, 1 failed", waits)
	write(strings.Replace(watchedTest, "'executed'", "'exected'", 1))
	out.await(t, "1 failed", waits, `unknown rule "exected"`, waits)
	write(watchedTest)
	out.await(t, `unknown rule`, waits, "1 passed, 0 failed", waits)
	interrupt()
	if code := <-done; code != exitHolds {
		t.Errorf("exit code %d", code)
	}
}

// Ctrl-C stops mutation; what is known by then is printed.
func TestMutationInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"test", "--mutate"}, strings.NewReader(""), &out, &errs)
	if code != exitCouldNot || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}

// Every small change of the shipped rules is noticed by a shipped test, or proved to change
// nothing, by several goroutines at once.
func TestShippedRulesAreHeldInPlace(t *testing.T) {
	if testkit.Short() {
		return
	}
	e, err := ruleset.Open("")
	if err != nil {
		t.Fatal(err)
	}
	files, err := ruletest.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	suites, err := ruletest.Read(e, files)
	if err != nil {
		t.Fatal(err)
	}
	m, err := ruletest.Mutate(t.Context(), e, suites, ruletest.MutateOptions{Equivalent: comparer(e), Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	if m.Survived+m.Refused > 0 || m.Killed < 250 || m.Equivalent > 12 {
		t.Errorf("%d killed, %d equivalent, %d survived, %d refused", m.Killed, m.Equivalent, m.Survived, m.Refused)
	}
}
